package project_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/project"
)

// hostile are files that are made to take for ever, or all memory.
var hostile = []struct {
	name, text string
	// code is that of the first fault; "" where there is none, for what is dear happens in a run.
	code string
}{
	{"aliases that double", "a0: &a0 [x, x]\n" + doubling(40), "alias-bomb"},
	{"brackets 100,000 deep", valued(strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)), "syntax"},
	{"braces 100,000 deep", valued(strings.Repeat("{a: ", 100_000) + strings.Repeat("}", 100_000)), "syntax"},
	{"unclosed brackets", valued(strings.Repeat("[", 100_000)), "syntax"},
	{"lists 20,000 deep", "pipeline: main\nversion: 1\nsteps:\n" + strings.Repeat("- ", 20_000) + "x\n", "syntax"},
	{"parentheses 100,000 deep", marked(strings.Repeat("(", 100_000) + "1" + strings.Repeat(")", 100_000)), "expr-syntax"},
	{"functions 100,000 deep", marked(strings.Repeat("trim(", 100_000) + "''" + strings.Repeat(")", 100_000)), "expr-syntax"},
	{"negations without end", marked(strings.Repeat("not ", 100_000) + "true"), "expr-syntax"},
	{"a sum of 100,000 numbers", marked("1" + strings.Repeat("+1", 100_000)), "expr-syntax"},
	{"a condition in a condition, 50,000 times", marked(strings.Repeat("true ? 1 : ", 50_000) + "1"), "expr-syntax"},
	{"a range without end", marked("len(1..1000000000)"), ""},
	{"a power without end", marked("9 ** 999999999"), ""},
	{"markers without end", valued("'" + strings.Repeat("${{ 1 }}", 5_000) + "'"), ""},
	{"a marker that never ends", valued("'${{ " + strings.Repeat("{", 100_000) + "'"), "unclosed-marker"},
	{"openings of markers", valued("'" + strings.Repeat("${{ ", 20_000) + "'"), "unclosed-marker"},
	{"a text of 5 MB", valued("'" + strings.Repeat("long ", 1<<20) + "'"), ""},
	{"a folded text of 5 MB", valued(">-\n" + strings.Repeat("        long lines\n", 300_000)), ""},
	{"a list of a megabyte", valued("\n" + strings.Repeat("        - {a: 1, b: [x, y]}\n", 40_000)), ""},
	{"10,000 keys of one name", "pipeline: main\nversion: 1\n" + strings.Repeat("x: 1\n", 10_000), "duplicate-key"},
	{"5,000 steps of one name", "pipeline: main\nversion: 1\nsteps:\n" + strings.Repeat("  - {id: a, set: {x: 1}}\n", 5_000), "duplicate-step"},
	{"schemas 10,000 deep", "pipeline: main\nversion: 1\ninputs:\n  a: " + strings.Repeat("{type: array, items: ", 5_000) + "{}" + strings.Repeat("}", 5_000) + "\nsteps: [{id: a, set: {x: 1}}]\n", "too-deep"},
}

func valued(v string) string {
	return "pipeline: main\nversion: 1\nsteps:\n  - id: a\n    set:\n      x: " + v + "\n"
}

func marked(expr string) string { return valued(`"${{ ` + expr + ` }}"`) }

// doubling is n lists, each of the one before it twice; the first of them is a0.
func doubling(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%[2]d: &a%[2]d [*a%[1]d, *a%[1]d]\n", i, i+1)
	}
	return b.String()
}

// TestHostileFilesEndWithAFault has no limit of time of its own: that of the test's run
// ends it, were one of the files to take as long as it is made to.
func TestHostileFilesEndWithAFault(t *testing.T) {
	t.Parallel()
	for _, tt := range hostile {
		_, faults := project.Load(spoil(t, edit{"pipelines/main.yaml", "", tt.text}), "pipelines/main.yaml")
		code := ""
		for _, d := range faults {
			if code == "" && d.Code != "unused" { // the value that is made so is read by nobody
				code = d.Code
			}
			if len(d.Message) > 1000 {
				t.Errorf("%s: a message of %d bytes", tt.name, len(d.Message))
			}
			checkPlace(t, tt.text, "pipelines/main.yaml", d.File, d.Pos)
		}
		if code != tt.code {
			t.Errorf("%s: the first fault is %q, want %q", tt.name, code, tt.code)
		}
	}
}
