package paths

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/marker"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// pathModifiers are the modifiers that a path may have, beside @this. The
// others of gjson only lay out text anew (@pretty, @ugly, @valid) or cost too much on a
// hostile answer (@dig, @group).
var pathModifiers = []string{"this", "reverse", "keys", "values", "flatten", "join", "tostr", "fromstr"}

// refusedModifiers are those that gjson knows and we do not.
var refusedModifiers = []string{"pretty", "ugly", "valid", "dig", "group"}

// maxIndexDigits keeps an index in the range of an int everywhere.
const maxIndexDigits = 9

// exactDigits is how many digits of a number float64 keeps; gjson compares
// numbers in queries as float64.
const exactDigits = 15

// pathCompiler collects what is wrong with one path.
type pathCompiler struct {
	n      *source.Node
	faults *diag.List
	// guessed says that the type is good for finding misspelt members, and for nothing else.
	guessed bool
}

func (c *pathCompiler) fault(at int, code, hint, format string, args ...any) *diag.Diagnostic {
	d := &diag.Diagnostic{
		File:    c.n.File,
		Pos:     c.n.At(at),
		Code:    code,
		Message: fmt.Sprintf(format, args...),
		Hint:    hint,
	}
	c.faults.Add(d)
	return d
}

func (c *pathCompiler) checkScalar() bool {
	switch {
	case c.n.Kind != source.Scalar:
		c.faults.Add(c.n.Errorf("bad-path", "a path is a text, not a %s", nodeKind(c.n)))
		return false
	case c.n.IsNull(), c.n.Text == "":
		d := c.n.Errorf("bad-path", "the path is empty")
		d.Hint = `"@this" is the whole answer; a path that starts with # or @ must be quoted`
		c.faults.Add(d)
		return false
	case marker.Has(c.n.Text):
		d := c.n.Errorf("bad-path", "a path cannot hold ${{ }}")
		d.Hint = "a path is fixed; choose among what it finds with an expression over the outputs"
		c.faults.Add(d)
		return false
	}
	return true
}

// parse takes the path apart. whole is true from the first part on that
// only gjson understands; steps are those before it.
func (c *pathCompiler) parse(text string) (steps []step, whole bool) {
	at := 0
	for rest := text; ; {
		name, n, sep := nextPart(rest)
		part := rest[:n]
		switch {
		case isGjsonPart(part) || sep == '|':
			if sep == '|' && !isGjsonPart(part) {
				steps = c.addStep(steps, part, name, at)
			}
			c.checkWhole(text)
			return steps, true
		case part == "":
			c.fault(at, "bad-path", `members are joined by single dots; the member called "" cannot be reached`, "the path has an empty part")
			return nil, false
		}
		steps = c.addStep(steps, part, name, at)
		if sep == 0 {
			return steps, false
		}
		at += utf8.RuneCountInString(part) + 1
		rest = rest[n+1:]
	}
}

// otherIndex is an index as other languages of paths write it.
var otherIndex = regexp.MustCompile(`^([\w-]*)\[(\d+|\*|)\]$`)

// refuseOtherPaths reports what looks like JSONPath or jq, and is no member for all that is
// known of the data: it would find nothing.
func (c *pathCompiler) refuseOtherPaths(text string, over *types.Type) {
	if over.Kind == types.Object && over.Extra == nil && len(over.Fields) > 0 {
		return // the types tell
	}
	if strings.HasPrefix(text, "$.") {
		c.fault(0, "bad-path", "leave it out: a path begins at the data", "a path has no $")
		return
	}
	if text == "this" || strings.HasPrefix(text, "this.") {
		c.fault(0, "bad-path", `write "@this" for the data as a whole; the member of that name is written \this`, "the path %s begins at a member called this", text)
		return
	}
	at := 0
	for rest := text; ; {
		_, n, sep := nextPart(rest)
		part := rest[:n]
		if m := otherIndex.FindStringSubmatch(part); m != nil {
			meant := m[2]
			if meant == "" || meant == "*" {
				meant = "#"
			}
			if m[1] != "" {
				meant = m[1] + "." + meant
			}
			c.fault(at, "bad-path", "write "+meant, "a path has no [ ]")
		}
		if sep == 0 || strings.HasPrefix(part, "#(") || strings.HasPrefix(part, "{") {
			return
		}
		at += utf8.RuneCountInString(part) + 1
		rest = rest[n+1:]
	}
}

// nextPart reads up to the next dot or pipe; name is the part without its
// escapes, sep what ended it (0 at the end).
func nextPart(rest string) (name string, n int, sep byte) {
	var b strings.Builder
	for n < len(rest) {
		switch rest[n] {
		case '.', '|':
			return b.String(), n, rest[n]
		case '\\':
			n++
		}
		if n < len(rest) {
			b.WriteByte(rest[n])
			n++
		}
	}
	return b.String(), n, 0
}

// isGjsonPart reports whether a part is more than a member, an index, # or @this.
func isGjsonPart(part string) bool {
	switch {
	case part == "":
		return false
	case strings.HasPrefix(part, "#(") || strings.HasPrefix(part, "#["):
		return true
	case part[0] == '{' || part[0] == '[' || part[0] == '!':
		return true
	case part[0] == '@' && part != "@this":
		name, _, _ := strings.Cut(part[1:], ":")
		return slices.Contains(pathModifiers, name) || slices.Contains(refusedModifiers, name)
	}
	for i := 0; i < len(part); i++ {
		switch part[i] {
		case '\\':
			i++
		case '*', '?':
			return true
		}
	}
	return false
}

func (c *pathCompiler) addStep(steps []step, part, name string, at int) []step {
	s := step{name: name, index: -1, key: gjson.Escape(name), at: at}
	switch {
	case part == "@this":
		return steps
	case part == "#":
		s.each = true
	case strings.Trim(part, "0123456789") == "":
		if len(part) > maxIndexDigits {
			c.fault(at, "bad-path", "", "the index %s is too large", part)
			return steps
		}
		s.index, _ = strconv.Atoi(part)
	case part[0] == '-' && len(part) > 1 && strings.Trim(part[1:], "0123456789") == "":
		c.fault(at, "bad-path", `"@reverse.0" is the last element; a member of that name is written "\`+part+`"`,
			"an index counts from 0: %s finds nothing", part)
	}
	return append(steps, s)
}

// checkWhole looks through a path that gjson will take, outside of quotes: for
// modifiers that are not on the list, for static values, for brackets that
// nothing closes, for numbers that float64 cannot tell apart.
func (c *pathCompiler) checkWhole(text string) {
	runes := []rune(text)
	var open []int
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; r {
		case '\\':
			i++
		case '"':
			i = closingQuote(runes, i)
		case '(', '[', '{':
			open = append(open, i)
		case ')', ']', '}':
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		case '@':
			if i == 0 || !isNameRune(runes[i-1]) {
				c.checkModifier(runes, i)
			}
		case '!':
			if i == 0 || strings.ContainsRune(".|", runes[i-1]) {
				c.fault(i, "bad-path", "", "a path cannot write a value of its own with !")
			}
		case '=', '<', '>', '%':
			c.checkNumber(runes, i+1)
		}
	}
	if len(open) > 0 {
		c.fault(open[0], "bad-path", "", "%q is not closed", runes[open[0]])
	}
}

func closingQuote(runes []rune, i int) int {
	for i++; i < len(runes) && runes[i] != '"'; i++ {
		if runes[i] == '\\' {
			i++
		}
	}
	return i
}

func (c *pathCompiler) checkModifier(runes []rune, at int) {
	end := at + 1
	for end < len(runes) && isNameRune(runes[end]) {
		end++
	}
	name := string(runes[at+1 : end])
	switch {
	case !slices.Contains(pathModifiers, name):
		hint := "there are @" + strings.Join(pathModifiers, ", @")
		if !slices.Contains(refusedModifiers, name) {
			hint += `; a member of that name is written "\@` + name + `"`
		}
		c.fault(at, "bad-path", hint, "a path cannot use the modifier @%s", name)
	case end < len(runes) && runes[end] == ':':
		c.fault(end, "bad-path", "", "the modifier @%s takes no argument here", name)
	}
}

func (c *pathCompiler) checkNumber(runes []rune, at int) {
	for at < len(runes) && runes[at] == ' ' {
		at++
	}
	end := at
	for end < len(runes) && strings.ContainsRune("+-.0123456789", runes[end]) {
		end++
	}
	number := string(runes[at:end])
	digits := strings.TrimLeft(strings.Map(keepDigit, number), "0")
	if len(digits) > exactDigits {
		c.fault(at, "bad-path", "take the list, and pick from it with filter() or find(), which compare exactly",
			"a query does not compare %s exactly: it sees the first %d digits", number, exactDigits)
	}
}

func keepDigit(r rune) rune {
	if '0' <= r && r <= '9' {
		return r
	}
	return -1
}

func isNameRune(r rune) bool {
	return r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z' || r > 0x7f
}
