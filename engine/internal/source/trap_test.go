package source_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/source"
)

func TestReadNamesEachTrap(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text string }{
		{"duplicate key", "a: 1\nb: 2\n\"a\": 3\n"},
		{"duplicate keys, all", "a: {x: 1, x: 2}\na: 3\na: 4\n"},
		{"second document", "a: 1\n---\nb: 2\n"},
		{"second document after an end", "a: 1\n...\nb: 2\n"},
		{"tag for not", "if: !done\n"},
		{"tag before an expression", "if: !steps.x.ran\nb: !s.x and y\n"},
		{"exclamation mark alone", "if: ! done\n"},
		{"tags of YAML", "a: !!int \"5\"\nb: !!set {x: }\nc: !!str 5\nd: !!map {}\ne: !!binary aGk=\n"},
		{"tag on a list", "a: !list\n- 1\n"},
		{"tab", "a:\n\tb: 1\n\tc: 2\n"},
		{"tab after spaces", "a:\n  b: 1\n \tc: 2\n"},
		{"tab below an item", "a:\n  - b: 1\n\tc: 2\n    d: 3\n"},
		{"tab in an empty line", "a: 1\n\t\nb: 2\n"},
		{"reserved character in braces", "a: {b: @this, c: [1, %x]}\n"},
		{"numbers", "a: 0012345\nb: 0x1F\nc: 1_000\nd: +5\ne: .5\nf: 1.\ng: -.inf\nh: .NaN\ni: [0o17, 09]\n"},
		{"marker cut by a comment", "a: ${{ map(x, #.y) }}\nb: text ${{ len(a) # 2 }}\n"},
		{"expression cut by a comment", "if: any(steps.x, #.y == 1)\n"},
		{"marker with a colon", "a: ${{ c ? a : b }}\nb: ${{ {\"k\": 1} }}\n"},
		{"marker with a colon in an item", "- ${{ c ? a : b }}\n- ${{ {\"k\": 1} }}\n"},
		{"marker in a list", "a: [${{ b, c }}, 1]\nd: {e: ${{ f }}}\n"},
		{"marker without dollar", "a: {{ x }}\n"},
		{"merge key", "a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n"},
		{"keys that are no scalars", "? [a, b]\n: 1\n? {c: d}\n: 2\n"},
		{"keys that are empty", "null: 2\n~: 3\n\"\": 4\n"},
		{"little endian", "\xff\xfea\x00:\x00"},
		{"big endian without mark", "\x00a\x00:\x00 \x001"},
		{"Latin-1", "a: 1\nname: Caf\xe9\n"},
		{"NUL", "a: b\x00c\n"},
		{"control character", "a: b\x1bc\n"},
		{"yes and no", "a: yes\nb: [No, on]\nc: \"no\"\nno: off\n"},
		{"alias loop", "a: &x [*x]\n"},
		{"unknown alias", "a: 1\nb: *x\n"},
		{"reserved characters", "a: @this\nb: `x`\nc: %x\n"},
		{"reserved character in a list", "- 1\n- @this\n"},
		{"path that is a comment", "a: #(code==\"x\").p\nb:\n  - #.y\n"},
		{"text after a quote", "if: 'x' in list\nb: 1\n"},
		{"colon in a text", "message: note: this\n"},
		{"asterisk", "path: *.json\n"},
		{"ampersand after a tag", "if: !a && b\n"},
		{"unclosed quote", "a: 1\nb: \"x\nc: 2\n"},
		{"quote that ends in another text", "a:\n  - b: \"x\n  - c: \"y\"\n"},
		{"quoted text over lines", "a: @x\nb: \"x\n  y: z\"\n"},
		{"anchors beside a fault", "a: &x {b: 1}\nc: *x\nd: &y\n  e: 1\nf: @x\n"},
		{"misspelt alias", "a: &x {b: 1}\nc: *xx\n"},
		{"missing colon of the first key", "a:\n  b\n  c: 1\n"},
		{"missing space behind a colon", "a:\n  b:1\n  c: 1\n"},
		{"first key further in", "a:\n   b: 1\n  c: 1\n  d: 1\n"},
		{"first of two keys further in", "a:\n   b: 1\n  c: 1\n"},
		{"text that goes on with a colon", "a: some\n  text: goes on\n"},
		{"unclosed list", "a: 1\nb: [x, y\nc: 2\n"},
		{"unclosed mapping on line 1", "a: {x: 1\n"},
		{"wrong indentation", "a:\n  b: 1\n   c: 2\nd: 3\n"},
		{"wrong indentation to the left", "a:\n    b: 1\n  c: 2\n"},
		{"missing colon", "a: 1\nb\nc: 3\n"},
		{"item among keys", "a: 1\n- b\n"},
		{"unknown escape after others", `a: "\\d \n \/ \x41"` + "\n"},
		{"unknown escape", "a: \"\\d\"\n"},
		{"marker of Ruby", "a: #{x.y}\nb: Bearer #{x.y}\n"},
		{"question mark and brackets in flow", "- {if: a[0]}\n"},
		{"colons in texts", "- a: b: c\n- d: e: f # g: h\n"},
		{"places after a byte order mark and in CRLF", "\uFEFFa: 1\r\n世界: 007\r\na: 2\r\n"},
		{"unclosed marker over lines", "a: ${{ f(b,\n  # c\n  d) }}\n"},
		{"duplicate through an alias", "? &x a\n: 1\n? *x\n: 2\n"},
		{"top keys further left", "  a: 1\nb: 2\n"},
		{"syntax and others at once", "a: @x\nb: 007\nb: 1\n"},
		{"empty", ""},
		{"comment only", "# hello\n"},
		{"empty document", "---\n"},
		{"number out of range", "a: 1e999\n"},
	}
	golden := readGolden(t)
	var all bytes.Buffer
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, faults := source.Read("f.yaml", []byte(tt.text))
			if (n == nil) != faults.HasErrors() {
				t.Errorf("the node is %v beside %v", n, faults.Unwrap())
			}
			var out bytes.Buffer
			if err := diag.Render(&out, faults); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&all, "=== %s\n%s", tt.name, out.String())
			if want := golden[tt.name]; out.String() != want && !*update {
				t.Errorf("%q gives:\n%s\nwant:\n%s", tt.text, out.String(), want)
			}
		})
	}
	if *update {
		if err := os.WriteFile(goldenFile, all.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if len(golden) != len(tests) {
		t.Errorf("the golden file has %d parts for %d rows: run the test with -update", len(golden), len(tests))
	}
}

var update = flag.Bool("update", false, "rewrite the golden file")

// goldenFile holds what is printed for each trap, under its name.
const goldenFile = "testdata/traps.golden"

func readGolden(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(goldenFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	golden := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(string(text), "=== "), "\n=== ") {
		name, out, _ := strings.Cut(part, "\n")
		golden[name] = strings.TrimSuffix(out, "\n") + "\n"
	}
	return golden
}
