package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/sandbox"
)

// TestFilesOfTheProductAreRight checks all that is in specs/ and pipelines/, and runs the test files.
func TestFilesOfTheProductAreRight(t *testing.T) {
	t.Parallel()
	wantNoFaults(t, os.DirFS("../.."), "specs", "pipelines")
	if n := wantPassed(t, os.DirFS("../.."), "specs", "pipelines"); n < 20 {
		t.Errorf("found %d cases", n)
	}
}

// TestExamplesOfTheDocumentsAreRight checks every YAML block of every page but
// docs/diagnostics.md, which TestExamplesOfDiagnostics reads, and the
// tutorial, which TestTutorial follows. The blocks of one page are the files of
// one project, laid over the product's own; the pages of docs/reference make one project together.
func TestExamplesOfTheDocumentsAreRight(t *testing.T) {
	t.Parallel()
	projects := map[string][]string{}
	for page := range pages(t) {
		switch base := path.Base(page); {
		case base == path.Base(tutorial) || base == path.Base(diagnostics):
		case path.Dir(page) == reference:
			projects[reference] = append(projects[reference], page)
		default:
			projects[page] = []string{page}
		}
	}
	for name, project := range projects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := fstest.MapFS{}
			copyFiles(t, files, "specs")
			copyFiles(t, files, "pipelines")
			paths := []string{"specs", "pipelines"}
			for _, page := range project {
				paths = append(paths, addExamples(t, files, page)...)
			}
			wantNoFaults(t, files, paths...)
			wantPassed(t, files, paths...)
		})
	}
}

// addExamples adds the files of a page to a project, reads its fragments, and returns the files that lie in no folder.
func addExamples(t *testing.T, project fstest.MapFS, page string) []string {
	t.Helper()
	var paths []string
	for i, block := range blocks(pages(t)[page]) {
		if block.language() != "yaml" {
			continue
		}
		if block.info == "yaml fragment" {
			if _, err := engine.ReadInputs("fragment", []byte(block.text)); err != nil {
				t.Errorf("%s:%d: %v", page, block.line, err)
			}
			continue
		}
		name := fileName(block.text, i)
		if name == "" {
			t.Errorf("%s:%d: this is no whole file; fence parts as ```yaml fragment", page, block.line)
			continue
		}
		if !strings.Contains(name, "/") {
			paths = append(paths, name)
		}
		project[name] = &fstest.MapFile{Data: []byte(block.text)}
	}
	return paths
}

func wantNoFaults(t *testing.T, fsys fs.FS, paths ...string) {
	t.Helper()
	for _, d := range engine.Check(fsys, engine.Options{Paths: paths}) {
		t.Errorf("%v (hint: %s)", d, d.Hint)
	}
	files, err := sandboxFiles(fsys, paths)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, err := sandbox.Load(fsys, file); err != nil {
			t.Error(err)
		}
	}
}

// wantPassed runs all test files at and below the paths, and returns how many cases they have.
func wantPassed(t *testing.T, fsys fs.FS, paths ...string) int {
	t.Helper()
	program, err := engine.Load(fsys, engine.Options{Paths: paths})
	if err != nil {
		return 0 // told already
	}
	cases := program.TestCases()
	for _, c := range cases {
		faults, err := program.Test(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range faults {
			t.Errorf("%v", d)
		}
	}
	return len(cases)
}

// pages are all pages of documentation, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".md" {
			return err
		}
		text, err := fs.ReadFile(root, name)
		all[name] = string(text)
		return err
	})
	if err != nil || all["README.md"] == "" || all[reference+"/pipeline.md"] == "" {
		t.Fatalf("found %d pages, %v", len(all), err)
	}
	return all
}

func copyFiles(t *testing.T, to fstest.MapFS, dir string) {
	t.Helper()
	root := os.DirFS("../..")
	err := fs.WalkDir(root, dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(root, name)
		to[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A block is a fenced block of a page.
type block struct {
	info  string // what stands behind the fence
	text  string
	line  int // of the fence
	start int // the offset of text
}

// language is the first word behind the fence.
func (b block) language() string {
	language, _, _ := strings.Cut(b.info, " ")
	return language
}

func blocks(page string) []block {
	var all []block
	var open *block
	n, offset := 0, 0
	for line := range strings.Lines(page) {
		n++
		offset += len(line)
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case open == nil && fence:
			open = &block{info: strings.TrimSpace(info), line: n, start: offset}
		case fence:
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += line
		}
	}
	return all
}

var firstKey = regexp.MustCompile(`(?m)^([a-z]+): *([a-z0-9_]*)`)

// fileName is where a file belongs in a project; "" for what is no file.
func fileName(text string, i int) string {
	key := firstKey.FindStringSubmatch(text)
	if key == nil {
		return ""
	}
	switch key[1] {
	case "vendor":
		return "specs/" + key[2] + ".yaml"
	case "sandbox":
		return "specs/" + key[2] + ".sandbox.yaml"
	case "pipeline":
		return "pipelines/" + key[2] + ".yaml"
	case "test":
		return "pipelines/" + key[2] + ".test.yaml"
	case "connections":
		return fmt.Sprintf("connections-%d.yaml", i)
	}
	return ""
}

// TestLinksOfTheDocumentsLead follows the links from page to page, and to files and headings.
func TestLinksOfTheDocumentsLead(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for page, text := range all {
		for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, heading, _ := strings.Cut(m[1], "#")
			to := page
			if file != "" {
				to = path.Join(path.Dir(page), file)
			}
			if _, err := os.Stat(filepath.Join("../..", to)); err != nil {
				t.Errorf("%s: %s: %v", page, m[1], err)
			}
			if heading != "" && !slices.Contains(headings(all[to]), heading) {
				t.Errorf("%s: %s has no heading %s", page, to, heading)
			}
		}
	}
}

// headings are what links to the headings of a page are written with.
func headings(text string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		plain := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(plain, " ", "-"))
	}
	return all
}

// TestCommandsOfTheDocumentsExist looks for commands of ours in blocks and in running text, and for their flags.
func TestCommandsOfTheDocumentsExist(t *testing.T) {
	t.Parallel()
	commands := regexp.MustCompile("(?m)(?:^|`)runner ([a-z][^`\n]*)")
	found := 0
	for page, text := range pages(t) {
		if page == "CHANGELOG.md" || strings.HasPrefix(page, "docs/decisions/") { // what was, too
			continue
		}
		for _, m := range commands.FindAllStringSubmatch(text, -1) {
			line := regexp.MustCompile(` # |; | > `).Split(m[1], 2)[0]
			cmd, rest, err := (&cli{}).root().Find(strings.Fields(line))
			if err != nil || !cmd.HasParent() {
				t.Errorf("%s: there is no command: runner %s", page, line)
				continue
			}
			found++
			cmd.InheritedFlags() // makes those of the parents known
			for _, word := range rest {
				name, _, _ := strings.Cut(word, "=")
				if flag, ok := strings.CutPrefix(name, "--"); ok && flag != "help" && cmd.Flags().Lookup(flag) == nil {
					t.Errorf("%s: runner %s has no flag --%s", page, cmd.Name(), flag)
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("found %d commands", found)
	}
}
