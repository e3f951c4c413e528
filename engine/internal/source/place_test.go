package source_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// Every rune's place is checked against the character that stands there. A rune
// that was not copied stands for an escape, a line break, or white space.
func TestAtIsExactInEveryScalarStyle(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"plain", "v: hello world\n", "hello world"},
		{"plain with a comment", "v: hello # world\n", "hello"},
		{"plain over lines", "v: one\n  two  \n\n\n   three\nw: 1\n", "one two\n\nthree"},
		{"plain not ASCII", "ключ: 1\nv: 世界 näher 😀 x\n", "世界 näher 😀 x"},
		{"plain with inner blanks", "v: a \t b\n", "a \t b"},
		{"plain below its key", "v:\n  below\n  more\n", "below more"},
		{"anchor", "v: &a hello\n", "hello"},
		{"tag", "v: !!str 12\n", "12"},
		{"anchor, tag, line break", "v: &a !!str\n  hello\n", "hello"},
		{"anchor, comment, line break", "v: &a # why\n  hello\n", "hello"},
		{"single", "v: 'it''s ''quoted'''\n", "it's 'quoted'"},
		{"single over lines", "v: 'one  \n  two\n\n  three '\n", "one two\nthree "},
		{"single, empty", "v: ''\n", ""},
		{"double", `v: "tab\there \u00e9\x41\U0001F600 \"q\" \\ \_"` + "\n", "tab\there éA😀 \"q\" \\ \u00a0"},
		{"double over lines", "v: \"one\n  two \\\n  three\\\n\n  four\n\n\n  five\"\n", "one two three\nfour\n\nfive"},
		{"double, tagged", "v: &x !!str \"a\\nb\"\n", "a\nb"},
		{"literal", "v: |\n  one\n   two\n\n  three\n", "one\n two\n\nthree\n"},
		{"literal, stripped", "v: |- # why\n  one\n  two\n\nw: 1\n", "one\ntwo"},
		{"literal, kept", "v: |+\n  one\n\n\nw: 1\n", "one\n\n\n"},
		{"literal, indentation given", "v: |2\n    one\n  two\n", "  one\ntwo\n"},
		{"literal, blanks alone", "v: |2\n\n     \n", "\n   \n"},
		{"literal, stripped and indented", "v: |2-\n   one\n", " one"},
		{"literal, empty lines first", "v: |\n\n\n  one\n", "\n\none\n"},
		{"literal, at the end of the file", "v: |\n  one\n  two", "one\ntwo"},
		{"literal, anchored", "v: &a |\n  one\n", "one\n"},
		{"literal in a list in a mapping", "w:\n- v: |\n    one\n    two\n", "one\ntwo\n"},
		{"literal, not ASCII, tabs", "v: |\n  世\t界\n  \tx\n", "世\t界\n\tx\n"},
		{"folded", "v: >\n  one\n  two\n\n  three\n\n\n  four\n", "one two\nthree\n\nfour\n"},
		{"folded, more indented", "v: >-\n  one\n    two\n    three\n\n  four\n  five\n", "one\n  two\n  three\n\nfour five"},
		{"folded, kept", "v: >+\n\n  one\n  two\n\nw: 1\n", "\none two\n\n"},
		{"in a flow mapping", "{w: 1, v: a b, x: 2}\n", "a b"},
		{"in a flow mapping, quoted", `{"w": 1, "v": "a\tb"}` + "\n", "a\tb"},
		{"in a flow mapping over lines", "{w: 1,\n v: a\n  b}\n", "a b"},
		{"CRLF, plain", "w: 1\r\nv: one\r\n  two\r\n", "one two"},
		{"CRLF, double", "v: \"one\r\n\r\n  two\\\r\n  three\"\r\n", "one\ntwothree"},
		{"CRLF, literal", "v: |\r\n  one\r\n\r\n  two\r\n", "one\n\ntwo\n"},
		{"CRLF, folded", "v: >\r\n  one\r\n  two\r\n", "one two\n"},
		{"CR alone", "w: 1\rv: |\r  one\r  two\r", "one\ntwo\n"},
		{"byte order mark", "\uFEFFv: one\n", "one"},
		{"line separator", "w: a\u2028\nv: one\n", "one"},
		{"marker", "v: 'x ${{ it''s(\"a\") }} y'\n", "x ${{ it's(\"a\") }} y"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root, faults := source.Read("f.yaml", []byte(tt.text))
			if err := faults.Err(); err != nil {
				t.Fatal(err)
			}
			n := root.Get("v")
			if n == nil {
				n = root.Get("w").Items[0].Get("v")
			}
			if n.Text != tt.want {
				t.Fatalf("the text is %q, want %q", n.Text, tt.want)
			}
			checkPlaces(t, n, true)
		})
	}
}

func TestAtIsExactInKeys(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"plain key: 1\n", "'it''s': 1\n", `"a\tb": 1` + "\n", "? |\n  a\n  b\n: 1\n", "&a ключ: 1\n", "{a key: 1}\n"} {
		root, faults := source.Read("f.yaml", []byte(text))
		if err := faults.Err(); err != nil {
			t.Fatal(err)
		}
		checkPlaces(t, root.Pairs[0].Key, true)
		if root.Pos != root.Pairs[0].Key.Pos {
			t.Errorf("%q: the mapping is at %v, its first key at %v", text, root.Pos, root.Pairs[0].Key.Pos)
		}
	}
}

func TestAtTakesOffsetsOutsideAsTheEnds(t *testing.T) {
	t.Parallel()
	root, _ := source.Read("f.yaml", []byte("v: 'a''b'\n"))
	n := root.Get("v")
	if got := n.At(-5); got != n.Pos {
		t.Errorf("before the text: %v, want %v", got, n.Pos)
	}
	if got, want := n.At(99), n.At(3); got != want || got.Col != 9 {
		t.Errorf("after the text: %v, want %v, the closing quote", got, want)
	}
}

// checkPlaces checks that each rune's place is inside of the file. When exact, the
// places must also go up, and the characters there be the runes.
func checkPlaces(t *testing.T, n *source.Node, exact bool) {
	t.Helper()
	last := diag.Pos{}
	for i, r := range []rune(n.Text + "\n") { // the place after the text counts too
		at := n.At(i)
		rest, ok := restOfLine(n.File, at)
		switch {
		case !ok:
			t.Errorf("rune %d of %q is at %v, outside of the file", i, n.Text, at)
		case !exact || i == utf8.RuneCountInString(n.Text):
		case at.Line < last.Line || at.Line == last.Line && at.Col <= last.Col:
			t.Errorf("rune %d of %q is at %v, the one before at %v", i, n.Text, at, last)
		case strings.HasPrefix(rest, string(r)), strings.HasPrefix(rest, `\`):
		case (r == '\n' || r == ' ') && strings.TrimSpace(rest) == "":
		default:
			t.Errorf("%q of %q is at %v, where %q stands", r, n.Text, at, rest)
		}
		last = at
	}
}

// restOfLine returns what stands at a place and behind it; ok is false outside of
// the file.
func restOfLine(f *diag.File, at diag.Pos) (rest string, ok bool) {
	breaks := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(f.Text))
	line := []rune(f.Line(at.Line))
	if at.Line < 1 || at.Line > 1+strings.Count(breaks, "\n") || at.Col < 1 || at.Col > len(line)+1 {
		return "", false
	}
	return string(line[at.Col-1:]), true
}
