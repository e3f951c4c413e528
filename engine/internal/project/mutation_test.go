package project_test

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/sandbox"
)

// A mutation is one kind of mistake. find matches the places where it can be
// made; its first group, or else the whole match, is what change spoils.
type mutation struct {
	kind   string
	in     string // which files: v for vendors, s for sandboxes, p for pipelines, t for tests
	find   string
	change func(text string) string
	right  rule
	// known, where it is set, leaves out what it does not hold for: there the change is no mistake.
	known func(*corpus, *mutant) bool
}

// A rule says where the fault may be told, besides the lines that were changed.
type rule int

const (
	_ rule = iota // at the lines that were changed, and nowhere else
	// around: something is missing from a block, or does not fit what stands beside it. The fault may be told
	// at the block's other keys, at the line that opens the block, and at the keys beside that one.
	around
	// users: a declaration was changed. The fault may be told wherever the name is used, or the name of an output
	// that is read from it, and where the fault itself names it.
	users
)

// A corpus is the shipped files, and which files are checked anew when one of them changes.
type corpus struct {
	files   fstest.MapFS
	project *project.Project
	reread  map[string][]string
}

// shipped are the files of the product.
func shipped(t *testing.T) *corpus {
	t.Helper()
	root := os.DirFS("../../..")
	c := &corpus{files: fstest.MapFS{}, reread: map[string][]string{}}
	for _, dir := range []string{"specs", "pipelines"} {
		err := fs.WalkDir(root, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !project.IsYAML(name) {
				return err
			}
			text, err := fs.ReadFile(root, name)
			c.files[name] = &fstest.MapFile{Data: text}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	p, faults := project.Load(c.files)
	if len(faults) > 0 {
		t.Fatalf("the files as they are: %v", faults)
	}
	c.project = p
	for name := range c.files {
		c.reread[name] = []string{name}
		if letter(name) == "s" {
			if faults := c.check(name, string(c.files[name].Data)); len(faults) > 0 {
				t.Fatalf("the files as they are: %v", faults)
			}
		}
	}
	for _, q := range p.Pipelines() {
		for _, name := range slices.Sorted(maps.Keys(p.Reach(q))) {
			if name != q.Path {
				c.reread[name] = append(c.reread[name], q.Path)
			}
		}
	}
	return c
}

// letter tells the kind of a file, as in mutation.in.
func letter(name string) string {
	switch {
	case strings.HasSuffix(name, ".sandbox.yaml"):
		return "s"
	case strings.HasSuffix(name, ".test.yaml"):
		return "t"
	case strings.HasPrefix(name, "specs/"):
		return "v"
	}
	return "p"
}

// check returns the faults of the corpus when one file has another text.
func (c *corpus) check(name, text string) diag.List {
	changed := maps.Clone(c.files)
	changed[name] = &fstest.MapFile{Data: []byte(text)}
	if letter(name) != "s" {
		_, faults := project.Load(changed, c.reread[name]...)
		return faults
	}
	faults, err := sandbox.Check(changed, name)
	if err != nil {
		panic(err)
	}
	return faults
}

// mentions returns the numbers of the lines of a file that have a name as a word, comments excepted.
func (c *corpus) mentions(file, name string) map[int]bool {
	word := wordOf(name)
	lines := map[int]bool{}
	for i, line := range strings.Split(string(c.files[file].Data), "\n") {
		if word.MatchString(withoutComment(line)) {
			lines[i+1] = true
		}
	}
	return lines
}

func wordOf(name string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[^\w])` + regexp.QuoteMeta(name) + `($|[^\w])`)
}

// namesOf returns the name that was changed, and those of the outputs that are read from it.
func (c *corpus) namesOf(m *mutant) []string {
	names := []string{m.name}
	outputs := regexp.MustCompile(`(?m)^ +(\w+): (?:\{path: )?` + regexp.QuoteMeta(m.name) + `\b`)
	for _, found := range outputs.FindAllSubmatch(c.files[m.file].Data, -1) {
		names = append(names, string(found[1]))
	}
	return names
}

// called returns the inputs of what the step calls in which a mistake is made, or nil.
func (c *corpus) called(m *mutant) []*catalog.Param {
	text := string(c.files[m.file].Data)[:m.at]
	calls := call.FindAllStringSubmatchIndex(text, -1)
	if len(calls) == 0 {
		return nil
	}
	at := calls[len(calls)-1]
	if strings.Contains(text[at[1]:], "- id:") || strings.Contains(text[at[1]:], "\noutputs:") {
		return nil
	}
	name := text[at[2]:at[3]]
	if strings.HasPrefix(name, ".") {
		return c.project.Find(path.Join(path.Dir(m.file), name)).Inputs.List
	}
	vendor, operation, _ := strings.Cut(name, ".")
	if v := c.project.LoadedVendor(vendor); v != nil {
		return v.Operation(operation).Inputs.List
	}
	return nil
}

var call = regexp.MustCompile(`(?m)^ +call: (\S+)$`)

var comment = regexp.MustCompile(`(^|\s)# .*$`)

func withoutComment(line string) string {
	if strings.Contains(line, "'# ") {
		return line
	}
	return comment.ReplaceAllString(line, "")
}

// A mutant is a mistake that was made.
type mutant struct {
	*mutation
	file     string
	at, end  int    // of what was spoilt, in the file as it was
	old      string // the text there
	spoilt   string // the file
	name     string // the first name in what was spoilt
	caught   bool
	rightly  bool // one of the errors stands at the right line
	onlyThis bool // all of them do
	faults   diag.List
}

var firstName = regexp.MustCompile(`[A-Za-z_][\w.]*`)

// mutants makes the mistakes of one kind, at most most of them: evenly from all places.
func (c *corpus) mutants(m *mutation, most int) []*mutant {
	var all []*mutant
	find := regexp.MustCompile(m.find)
	for _, file := range slices.Sorted(maps.Keys(c.files)) {
		if !strings.Contains(m.in, letter(file)) {
			continue
		}
		text := string(c.files[file].Data)
		for _, at := range find.FindAllStringSubmatchIndex(text, -1) {
			from, to := at[0], at[1]
			if len(at) > 2 && at[2] >= 0 {
				from, to = at[2], at[3]
			}
			if inComment(text, from) {
				continue
			}
			old := text[from:to]
			one := &mutant{mutation: m, file: file, at: from, end: to, old: old, name: firstName.FindString(old)}
			if m.known != nil && !m.known(c, one) {
				continue
			}
			one.spoilt = text[:from] + m.change(old) + text[to:]
			all = append(all, one)
		}
	}
	if most == 0 || len(all) <= most {
		return all
	}
	some := make([]*mutant, most)
	for i := range some {
		some[i] = all[i*len(all)/most]
	}
	return some
}

// judge checks the spoilt file and says whether the mistake was found, and where.
func (m *mutant) judge(c *corpus) {
	m.faults = c.check(m.file, m.spoilt)
	m.caught, m.onlyThis = len(m.faults) > 0, true
	for _, d := range m.faults {
		switch {
		case m.isRight(c, d):
			m.rightly = true
		default:
			m.onlyThis = false
		}
	}
}

func (m *mutant) isRight(c *corpus, d *diag.Diagnostic) bool {
	text := string(c.files[m.file].Data)
	first := 1 + strings.Count(text[:m.at], "\n")
	was := strings.Count(strings.TrimSuffix(text[m.at:m.end], "\n"), "\n")
	grown := strings.Count(m.spoilt, "\n") - strings.Count(text, "\n")
	last := max(first, first+was+grown)
	if d.File.Name == m.file && d.Pos.Line >= first && d.Pos.Line <= last {
		return true
	}
	switch m.right {
	case around:
		level := indentOf(text[strings.LastIndex(text[:m.at], "\n")+1:])
		return d.File.Name == m.file && isNear(strings.Split(m.spoilt, "\n"), d.Pos.Line-1, first-1, level)
	case users:
		for _, name := range c.namesOf(m) {
			if c.mentions(d.File.Name, name)[d.Pos.Line] || wordOf(name).MatchString(d.Message) {
				return true
			}
		}
	}
	return false
}

// isNear reports whether the line at is a key of the block, indented by level, in which
// something changed at the line was, or opens that block, or is a key beside the one that opens it.
func isNear(lines []string, at, was, level int) bool {
	if at < 0 || at >= len(lines) {
		return false
	}
	for range 2 {
		next, opener := -1, -1
		for _, step := range []int{-1, 1} {
			i := was
			if step < 0 {
				i--
			}
			for ; i >= 0 && i < len(lines); i += step {
				n := indentOf(lines[i])
				if text := strings.TrimSpace(lines[i]); text == "" || text[0] == '#' {
					continue
				}
				if n < level {
					if step < 0 {
						opener, next = i, n
					}
					break
				}
				if n == level && i == at {
					return true
				}
			}
		}
		if next < 0 {
			return false
		}
		if opener == at {
			return true
		}
		was, level = opener, next
	}
	return false
}

// indentOf is how far a line stands to the right; what begins an item counts to the key behind it.
func indentOf(line string) int {
	line, _, _ = strings.Cut(line, "\n")
	return len(line) - len(strings.TrimLeft(strings.Replace(line, "- ", "  ", 1), " "))
}

func inComment(text string, at int) bool {
	from := strings.LastIndex(text[:at], "\n") + 1
	line, _, _ := strings.Cut(text[from:], "\n")
	return at-from >= len(withoutComment(line))
}

// mostPlaces is how many places are tried for each kind of mistake.
const mostPlaces = 12

var allMutations = flag.Bool("mutations", false, "make each mistake at all places of the shipped files")

// TestSingleMistakesInShippedFilesAreCaught makes single mistakes in the shipped files and holds what check
// says against them. docs/check.md has its figures for all places.
func TestSingleMistakesInShippedFilesAreCaught(t *testing.T) {
	c := shipped(t)
	most := mostPlaces
	if *allMutations {
		most = 0
	}
	var kinds [][]*mutant
	var all []*mutant
	for i := range mutations {
		made := c.mutants(&mutations[i], most)
		if len(made) == 0 {
			t.Errorf("%s: the files have no place for it", mutations[i].kind)
		}
		kinds = append(kinds, made)
		all = append(all, made...)
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(all); i = int(next.Add(1)) - 1 {
				all[i].judge(c)
			}
		})
	}
	workers.Wait()
	for _, m := range all {
		if !m.rightly && testing.Verbose() {
			line := 1 + strings.Count(string(c.files[m.file].Data)[:m.at], "\n")
			t.Logf("%s: %s:%d: %s", m.kind, m.file, line, strings.Split(m.spoilt, "\n")[line-1])
			for _, d := range m.faults {
				t.Logf("    %s", d)
			}
		}
	}
	table, total := tally(kinds)
	t.Logf("\n%s", table)
	if total.made < 1000 || len(mutations) < 25 {
		t.Errorf("%d mistakes of %d kinds are too few to say anything", total.made, len(mutations))
	}
	if total.caught*100 < total.made*95 {
		t.Errorf("%d of %d mistakes are caught, which is less than 95 %%", total.caught, total.made)
	}
	if total.rightly*100 < total.caught*98 {
		t.Errorf("%d of %d that are caught are told at the right line, which is less than 98 %%", total.rightly, total.caught)
	}
	checkFigures(t, table)
}

// A score is how many mistakes of a kind were made, caught, told at the right line, and nowhere else.
type score struct{ made, caught, rightly, onlyThis int }

func (s *score) add(m *mutant) {
	s.made++
	for _, one := range []struct {
		holds bool
		n     *int
	}{{m.caught, &s.caught}, {m.rightly, &s.rightly}, {m.caught && m.onlyThis, &s.onlyThis}} {
		if one.holds {
			*one.n++
		}
	}
}

func (s *score) row(kind string) string {
	share := func(n, of int) string {
		if of == 0 {
			return "–"
		}
		return fmt.Sprintf("%.1f %%", float64(n*1000/of)/10)
	}
	return fmt.Sprintf("| %s | %d | %s | %s | %s |\n", kind, s.made, share(s.caught, s.made), share(s.rightly, s.caught), share(s.onlyThis, s.caught))
}

// tally makes the table of docs/check.md.
func tally(kinds [][]*mutant) (string, score) {
	var table strings.Builder
	var total score
	table.WriteString("| kind of mistake | made | caught | of these at the right line | and at no other |\n|---|--:|--:|--:|--:|\n")
	for _, made := range kinds {
		var s score
		for _, m := range made {
			s.add(m)
			total.add(m)
		}
		if len(made) > 0 {
			table.WriteString(s.row(made[0].kind))
		}
	}
	table.WriteString(total.row(fmt.Sprintf("**all %d kinds**", len(kinds))))
	return table.String(), total
}

const (
	figures    = "../../../docs/check.md"
	figuresEnd = "\n<!-- end of the figures -->"
)

var figuresBegin = regexp.MustCompile(`<!-- figures: .* -->\n`)

// drift is by how many per cent docs/check.md may claim more of so many mistakes than is found: a new file of the
// product moves the shares a little, or a single mistake out of few, and is no reason to write the page anew.
func drift(made float64) float64 { return max(2, 200/made) }

// checkFigures holds the table of docs/check.md against the one made here: its kinds, and, when all places were
// tried, what it claims of each. With -update and -mutations the page gets the new one. A kind of which less than 90 %
// are caught is explained there.
func checkFigures(t *testing.T, table string) {
	t.Helper()
	text, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	from, to := figuresBegin.FindStringIndex(page), strings.Index(page, figuresEnd)
	if from == nil || to < from[1] {
		t.Fatal("docs/check.md does not say where its figures are")
	}
	if *allMutations && *update {
		page = page[:from[1]] + strings.TrimSuffix(table, "\n") + page[to:]
		if err := os.WriteFile(figures, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		to = strings.Index(page, figuresEnd)
	}
	kept := page[from[1]:to] + "\n"
	claimed, found := figureRows(kept), figureRows(table)
	if !slices.EqualFunc(claimed, found, func(a, b figureRow) bool { return a.kind == b.kind }) {
		t.Fatal("docs/check.md has figures for other kinds of mistakes: run this with -mutations -update")
	}
	for i, row := range found {
		for j, share := range row.shares {
			if *allMutations && claimed[i].shares[j] > share+drift(row.made) {
				t.Errorf("%s: docs/check.md claims %.1f %% where %.1f %% are found: mend check, or run this with -mutations -update", row.kind, claimed[i].shares[j], share)
			}
		}
	}
	for _, row := range claimed {
		if caught := row.shares[0]; caught < 90 && !strings.Contains(page[to:], "- **"+row.kind+"**: ") {
			t.Errorf("docs/check.md does not explain why %g %% is all that is caught of: %s", caught, row.kind)
		}
	}
}

// A figureRow is what a row of the table says of a kind: how many mistakes were made, and the shares in per cent.
type figureRow struct {
	kind   string
	made   float64
	shares [3]float64
}

// figureRows reads a table, but for its heading.
func figureRows(table string) []figureRow {
	var rows []figureRow
	for _, line := range strings.Split(table, "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 5 || cells[0] == "kind of mistake" {
			continue
		}
		row := figureRow{kind: cells[0]}
		row.made, _ = strconv.ParseFloat(cells[1], 64)
		for i := range row.shares {
			row.shares[i], _ = strconv.ParseFloat(strings.TrimSuffix(cells[2+i], " %"), 64) // "–" of none is 0
		}
		rows = append(rows, row)
	}
	return rows
}
