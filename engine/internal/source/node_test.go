package source_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func read(t *testing.T, text string) *source.Node {
	t.Helper()
	n, faults := source.Read("f.yaml", []byte(text))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLiteralKeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	root := read(t, `
int: 12
zero: 0
decimal: 203.7700
negative: -1.50
exponent: 1e3
large: 12345678901234567890
quoted number: "12"
tagged number: !!str 12
literal number: |-
  12
"true": true
shouted: FALSE
quoted true: 'true'
"null": null
tilde: ~
nothing:
quoted null: "null"
empty: ""
day: 2026-01-01
time: 12:30:45
version: 1.2.3
marker: ${{ x }}
list: [1, "1", []]
map: {}
`)
	want := value.ObjectOf(
		"int", int64(12), "zero", int64(0), "decimal", value.Decimal("203.7700"), "negative", value.Decimal("-1.50"),
		"exponent", value.Decimal("1e3"), "large", value.Decimal("12345678901234567890"),
		"quoted number", "12", "tagged number", "12", "literal number", "12",
		"true", true, "shouted", false, "quoted true", "true",
		"null", nil, "tilde", nil, "nothing", nil, "quoted null", "null", "empty", "",
		"day", "2026-01-01", "time", "12:30:45", "version", "1.2.3", "marker", "${{ x }}",
		"list", value.List{int64(1), "1", value.List{}}, "map", value.NewObject(0),
	)
	got := string(value.AppendJSON(nil, root.Literal()))
	if wanted := string(value.AppendJSON(nil, want)); got != wanted {
		t.Errorf("got  %s\nwant %s", got, wanted)
	}
}

func TestIsNullOnlyForPlainNulls(t *testing.T) {
	t.Parallel()
	root := read(t, "a:\nb: null\nc: ~\nd: \"\"\ne: 'null'\nf: []\ng: NUL\n")
	var nulls []string
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "missing"} {
		if root.Get(key).IsNull() {
			nulls = append(nulls, key)
		}
	}
	if got, want := strings.Join(nulls, " "), "a b c missing"; got != want {
		t.Errorf("null are %s, want %s", got, want)
	}
}

func TestFindFollowsAPointerAsFarAsItLeads(t *testing.T) {
	t.Parallel()
	root := read(t, "a:\n  - x/y: one\n  - ~1: two\n\"\": three\n")
	tests := []struct {
		pointer string
		want    string
		ok      bool
	}{
		{"", "1:1", true},
		{"/a", "2:5", true},
		{"/a/0/x~1y", "2:10", true},
		{"/a/1/~01", "3:9", true},
		{"/", "4:5", true},
		{"/a/2", "2:5", false},
		{"/a/-1", "2:5", false},
		{"/a/00", "2:5", false},
		{"/a/0/z/deeper", "2:5", false},
		{"/b", "1:1", false},
		{"a", "1:1", false},
	}
	for _, tt := range tests {
		n, ok := root.Find(tt.pointer)
		if got := fmt.Sprintf("%d:%d", n.Pos.Line, n.Pos.Col); got != tt.want || ok != tt.ok {
			t.Errorf("Find(%q) is %s, %t, want %s, %t", tt.pointer, got, ok, tt.want, tt.ok)
		}
	}
	if n, ok := (*source.Node)(nil).Find("/a"); n != nil || ok {
		t.Errorf("in nothing, Find gives %v, %t", n, ok)
	}
}

func TestGetAndKeyOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	root := read(t, "a: 1\n")
	if root.Get("b") != nil || root.Key("b") != nil || root.Get("a").Get("x") != nil || (*source.Node)(nil).Key("a") != nil {
		t.Error("a key that is not there was found")
	}
	if got := root.Key("a").Text; got != "a" {
		t.Errorf("the key is %q", got)
	}
}

func TestFaultsStandAtTheNode(t *testing.T) {
	t.Parallel()
	n := read(t, "v: 'it''s'\n").Get("v")
	tests := []struct {
		fault *diag.Diagnostic
		want  string
	}{
		{n.Errorf("x", "no %d", 1), "f.yaml:1:5: no 1 error x"},
		{n.ErrorAt(3, "x", "no %d", 2), "f.yaml:1:9: no 2 error x"},
		{n.Warnf("y", "no %d", 3), "f.yaml:1:5: no 3 warning y"},
	}
	for _, tt := range tests {
		if got := fmt.Sprint(tt.fault, " ", tt.fault.Severity, " ", tt.fault.Code); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestAliasesAreExpandedAndMarked(t *testing.T) {
	t.Parallel()
	root := read(t, "a: &a {x: 1}\nb: [*a]\nc: 2\nd: *a\n")
	if got, want := string(value.AppendJSON(nil, root.Literal())), `{"a":{"x":1},"b":[{"x":1}],"c":2,"d":{"x":1}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for key, want := range map[string]bool{"a": true, "b": true, "c": false, "d": true} {
		if got := root.Get(key).Aliased; got != want {
			t.Errorf("%s is aliased: %t, want %t", key, got, want)
		}
	}
	if !root.Aliased {
		t.Error("the root is not marked")
	}
}

func TestReadRefusesAttacks(t *testing.T) {
	t.Parallel()
	var bomb, ladder strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	ladder.WriteString("a0: &a0 [x]\n")
	for i := range 300 {
		fmt.Fprintf(&ladder, "a%d: &a%d [*a%d]\n", i+1, i+1, i)
		if i < 60 {
			fmt.Fprintf(&bomb, "a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 8), i)
		}
	}
	tests := []struct{ name, text, want string }{
		{"alias bomb", bomb.String(), "f.yaml:6:10: the aliases of this file stand for more than 100000 values"},
		{"ladder of aliases", ladder.String(), "f.yaml:200:14: more than 200 lists and mappings inside of each other"},
		{"deep flow lists", strings.Repeat("[", 300) + strings.Repeat("]", 300), "f.yaml:1:201: more than 200 lists and mappings inside of each other"},
		{"deeper than YAML takes", strings.Repeat("[", 10_100), "f.yaml:1:1: too many lists and mappings inside of each other"},
		{"deep block lists", strings.Repeat("- ", 10_100), "f.yaml:1:1: too many lists and mappings inside of each other"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n, faults := source.Read("f.yaml", []byte(tt.text))
			if n != nil || !faults.HasErrors() || !strings.HasPrefix(faults[0].Error(), tt.want) {
				t.Errorf("got %v, want %s", faults.Err(), tt.want)
			}
		})
	}
}

func TestReadTakesALongLineInLinearTime(t *testing.T) {
	t.Parallel()
	text := "[" + strings.Repeat("{a: 'b', \"ключ\": 12}, ", 20_000) + "x]"
	n := read(t, text)
	last := n.Items[len(n.Items)-1]
	if want := (diag.Pos{Line: 1, Col: len([]rune(text)) - 1}); last.Pos != want {
		t.Errorf("the last item is at %v, want %v", last.Pos, want)
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"a: 1\nb: [x, 'y''z', \"\\u00e9\"]\n", "a: |\n  b\n\n  c\n", "a: >2-\n    b\n   c\n", "&a [*a]", "? {}\n", "\uFEFFa: b\r\n",
		"a: ${{ c ? d : e }}\n", "{a: ${{ b }}}", "\ta: 1", "a: @x\n", "a: \u2028b\n", "---\n---\n", "a: !b c\n", "%YAML 1.1\n---\na", "\xff\xfe", "a: \"b\\\n\n c\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, faults := source.Read("f.yaml", text)
		if (n == nil) != faults.HasErrors() {
			t.Fatalf("the node is %v beside %v", n, faults.Unwrap())
		}
		for _, d := range faults {
			checkInside(t, d.File, d.Pos)
		}
		walk(t, n)
	})
}

func walk(t *testing.T, n *source.Node) {
	if n == nil {
		return
	}
	checkInside(t, n.File, n.Pos)
	if n.Kind == source.Scalar && len(n.Text) < 1000 {
		checkPlaces(t, n, false)
	}
	for _, p := range n.Pairs {
		walk(t, p.Key)
		walk(t, p.Value)
	}
	for _, item := range n.Items {
		walk(t, item)
	}
}

func checkInside(t *testing.T, f *diag.File, p diag.Pos) {
	t.Helper()
	if _, ok := restOfLine(f, p); p.IsValid() && !ok {
		t.Errorf("%v is outside of the file", p)
	}
}

func BenchmarkRead(b *testing.B) {
	text := []byte(strings.Repeat("- name: \"${{ inputs.name }}\"\n  path: /a/b\n  body:\n    first: ${{ x }}\n    second: |\n      some text\n      more\n", 100))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, faults := source.Read("f.yaml", text); faults.HasErrors() {
			b.Fatal(faults)
		}
	}
}

// TestReadKnowsYAML12 holds what YAML 1.2 allows and its forerunner does not: the text means the same as the other one.
func TestReadKnowsYAML12(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, same string }{
		{"{if: a?.b == null, is: x}", "if: a?.b == null\nis: x"},
		{"[a ?? b, c ? d, e?]", "- a ?? b\n- c ? d\n- e?"},
		{"- {if: a?.b, c: 'd?'} # ?\n- ? e?\n  : \"f?\"", "- if: a?.b\n  c: d?\n- e?: f?"},
		{"a: [^?, ;?, ~?]", "a:\n  - ^?\n  - ;?\n  - ~?"},
		{"{a: /x?y=1}", "a: /x?y=1"},
		{"%YAML 1.2\n---\na: 1", "a: 1"},
		{"%YAML 1.1\n# remark\n---\na: 1", "a: 1"},
		{"%TAG ! tag:x,2000:\n%YAML 1.2\n--- # begins\na: 1\n...\n", "a: 1"},
		{"%FUTURE x y\n---\na: 1\n---\n", "a: 1"},
		{"---\na: 1\n...\n# end\n", "a: 1"},
		{"%YAML 1.2\r\n---\r\n{a: b?.c}\r\n", "a: b?.c"},
	} {
		got := string(value.AppendJSON(nil, read(t, test.text).Literal()))
		if want := string(value.AppendJSON(nil, read(t, test.same).Literal())); got != want {
			t.Errorf("%q is %s, want %s", test.text, got, want)
		}
	}
}

// TestPlacesInYAML12 holds that faults are shown where they stand in the file as it is.
func TestPlacesInYAML12(t *testing.T) {
	t.Parallel()
	n := read(t, "%YAML 1.2\n---\n- {if: é?.b, is: x?y}\n")
	is := n.Items[0].Get("is")
	if is.Text != "x?y" || is.At(2) != (diag.Pos{Line: 3, Col: 20}) {
		t.Errorf("got %q at %v", is.Text, is.At(2))
	}
}
