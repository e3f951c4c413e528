package diag_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
)

const acme = "vendor: acme\nversion: 1\nconfig:\n  name: {type: string}\n"

func TestRenderPrintsWholeFaults(t *testing.T) {
	t.Parallel()
	file := &diag.File{Name: "specs/acme.yaml", Text: []byte(acme)}
	at := func(text string, line, col int) *diag.Diagnostic {
		f := &diag.File{Name: "a.yaml", Text: []byte(text)}
		return &diag.Diagnostic{File: f, Pos: diag.Pos{Line: line, Col: col}, Message: "wrong"}
	}
	tests := []struct {
		name string
		list diag.List
		want string
	}{
		{"no faults", nil, ""},
		{"hint and related place", diag.List{{
			File: file, Pos: diag.Pos{Line: 4, Col: 9}, Message: `unknown type "strin"`, Hint: "did you mean string?",
			Related: []diag.Place{{File: file, Pos: diag.Pos{Line: 3, Col: 1}, Note: "declared here"}, {Note: "and so on"}},
		}}, `specs/acme.yaml:4:9: unknown type "strin"
    4 |   name: {type: string}
      |         ^
  hint: did you mean string?
  specs/acme.yaml:3:1: declared here
  and so on
`},
		{"sorted, repeats dropped, warning marked", diag.List{
			{File: file, Pos: diag.Pos{Line: 2, Col: 1}, Message: "second"},
			{File: file, Pos: diag.Pos{Line: 1, Col: 1}, Message: "first", Severity: diag.Warning},
			{File: file, Pos: diag.Pos{Line: 2, Col: 1}, Message: "second"},
		}, `specs/acme.yaml:1:1: warning: first
    1 | vendor: acme
      | ^
specs/acme.yaml:2:1: second
    2 | version: 1
      | ^
`},
		{"no file", diag.List{{Message: "no such flag", Severity: diag.Warning}}, "warning: no such flag\n"},
		{"no place", diag.List{{File: file, Message: "not found"}}, "specs/acme.yaml: not found\n"},
		{"line beyond the file", diag.List{at("a", 7, 1)}, "a.yaml:7:1: wrong\n"},
		{"column beyond the line", diag.List{at("ab\n", 1, 99)}, "a.yaml:1:99: wrong\n    1 | ab\n      |   ^\n"},
		{"end of the file", diag.List{at("ab\n", 2, 1)}, "a.yaml:2:1: wrong\n    2 |\n      | ^\n"},
		{"tab", diag.List{at("\ta: b", 1, 5)}, "a.yaml:1:5: wrong\n    1 | \ta: b\n      | \t   ^\n"},
		{"wide and combining runes", diag.List{at("世界e\u0301: x", 1, 5)}, "a.yaml:1:5: wrong\n    1 | 世界e\u0301: x\n      |      ^\n"},
		{"byte order mark, carriage return", diag.List{at("\uFEFFa: 1\r\nb: 2\r\n", 1, 4)}, "a.yaml:1:4: wrong\n    1 | a: 1\n      |    ^\n"},
		{"control characters", diag.List{at("a\x1b[2Jb\u202Ec", 1, 6)}, "a.yaml:1:6: wrong\n    1 | a\uFFFD[2Jb\uFFFDc\n      |      ^\n"},
		{"invalid UTF-8", diag.List{at("a\xffb", 1, 3)}, "a.yaml:1:3: wrong\n    1 | a\uFFFDb\n      |   ^\n"},
		{"control characters in words", diag.List{{
			File: &diag.File{Name: "a\n.yaml"}, Message: "bad\x1b\nthing", Hint: "do\tso",
		}}, "a .yaml: bad\uFFFD thing\n  hint: do so\n"},
		{"long line, caret in the middle", diag.List{at(strings.Repeat("a", 200)+"X"+strings.Repeat("b", 200), 1, 201)},
			"a.yaml:1:201: wrong\n    1 | …" + strings.Repeat("a", 70) + "X" + strings.Repeat("b", 39) + "…\n      |  " + strings.Repeat(" ", 70) + "^\n"},
		{"long line, caret at its end", diag.List{at(strings.Repeat("a", 200), 1, 201)},
			"a.yaml:1:201: wrong\n    1 | …" + strings.Repeat("a", 110) + "\n      |  " + strings.Repeat(" ", 110) + "^\n"},
		{"long line, caret at its start", diag.List{at(strings.Repeat("a", 200), 1, 1)},
			"a.yaml:1:1: wrong\n    1 | " + strings.Repeat("a", 110) + "…\n      | ^\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			if err := diag.Render(&out, tt.list); err != nil {
				t.Fatal(err)
			}
			if out.String() != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", out.String(), tt.want)
			}
		})
	}
}

func TestRenderLeavesTheListAsItWas(t *testing.T) {
	t.Parallel()
	list := diag.List{{Message: "b"}, {Message: "a"}}
	if err := diag.Render(&bytes.Buffer{}, list); err != nil {
		t.Fatal(err)
	}
	if list[0].Message != "b" || list[1].Message != "a" {
		t.Errorf("the list is now %v", list.Unwrap())
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestRenderReportsTheWritersError(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	if err := diag.Render(brokenWriter{full}, diag.List{{Message: "a"}}); !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
}

func TestListErrorNamesTheFirstAndCountsTheRest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		list diag.List
		want string
	}{
		{diag.List{{Message: "careful", Severity: diag.Warning}}, ""},
		{diag.List{{Message: "careful", Severity: diag.Warning}, {Message: "bad"}}, "bad"},
		{diag.List{{Message: "bad"}, {Message: "worse"}, {Message: "worst"}}, "bad (and 2 more)"},
	}
	for _, tt := range tests {
		got := ""
		if err := tt.list.Err(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestLineCountsEveryKindOfBreak(t *testing.T) {
	t.Parallel()
	f := &diag.File{Text: []byte("\uFEFFone\r\ntwo\rthree\n\nfive\n")}
	for n, want := range map[int]string{-1: "", 0: "", 1: "one", 2: "two", 3: "three", 4: "", 5: "five", 6: "", 7: ""} {
		if got := f.Line(n); got != want {
			t.Errorf("line %d is %q, want %q", n, got, want)
		}
	}
	if got := (*diag.File)(nil).Line(1); got != "" {
		t.Errorf("a nil file has a line %q", got)
	}
}

func FuzzRender(f *testing.F) {
	f.Add("a: b\n", 1, 2, "message")
	f.Add("\xff\x00\t世", -1, 1<<40, "\x1b[31m")
	f.Add(strings.Repeat("長", 300), 1, 250, "\n")
	f.Fuzz(func(t *testing.T, text string, line, col int, message string) {
		file := &diag.File{Name: message, Text: []byte(text)}
		pos := diag.Pos{Line: line, Col: col}
		var out bytes.Buffer
		err := diag.Render(&out, diag.List{{
			File: file, Pos: pos, Message: message, Hint: message,
			Related: []diag.Place{{File: file, Pos: pos, Note: message}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.String() {
			if r < ' ' && r != '\n' && r != '\t' {
				t.Fatalf("%q went through", r)
			}
		}
		if n := strings.Count(out.String(), "\n"); n > 5 {
			t.Fatalf("%d lines were printed:\n%s", n, out.String())
		}
	})
}
