package source_test

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/source"
)

func TestFormatHasOneLayout(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"already in it", "a: 1\n\nb:\n  - x\n", "a: 1\n\nb:\n  - x\n"},
		{"indentation by four", "a:\n    b:\n        c: 1\n    d: 2\n", "a:\n  b:\n    c: 1\n  d: 2\n"},
		{"indented as a whole", "   a: 1\n   b: 2\n", "a: 1\nb: 2\n"},
		{"list in the column of its key", "a:\n- x\n-   y: 1\n    z: 2\nb: 3\n", "a:\n  - x\n  - y: 1\n    z: 2\nb: 3\n"},
		{"lists in lists", "-   - a\n    -   b: 1\n        c: 2\n- -  d\n", "- - a\n  - b: 1\n    c: 2\n- - d\n"},
		{"dash alone on its line", "a:\n-\n    b: 1\n    c: 2\n", "a:\n  -\n    b: 1\n    c: 2\n"},
		{"spaces", "a  :    1  \nb:\t2\nc: [ 1,2 ,  3 ]\nd: {  x:1,\"y\":2 , z: [ ]}\n", "a: 1\nb: 2\nc: [1, 2, 3]\nd: {x:1, \"y\": 2, z: []}\n"},
		{"empty lines", "\n\na: 1\n\n\n\nb: 2\n\n# c\n\n\n", "a: 1\n\nb: 2\n\n# c\n"},
		{"line ends, byte order mark, no last break", "\uFEFFa: 1\r\nb:\r\n    - x\r    - y", "a: 1\nb:\n  - x\n  - y\n"},
		{"quotes stay", "a: 'x'\nb: \"y\"\nc: z\n'd': null\n", "a: 'x'\nb: \"y\"\nc: z\n'd': null\n"},
		{"values below their key", "a:\n      x\nb:\n    {c: 1}\n", "a:\n  x\nb:\n  {c: 1}\n"},
		{"plain text on several lines", "a:\n    b: one\n      two\n\n         three\n", "a:\n  b: one\n    two\n\n    three\n"},
		{"quoted text on several lines", "a: \"one  \n   two\\\n  \\  three\\ \n  \"\nb: 'x\n\n\n y'\n", "a: \"one\n  two\\\n  \\  three\\ \n  \"\nb: 'x\n\n\n  y'\n"},
		{"block texts", "a:\n    b: |\n         one\n           two\n\n         three\n    c: >-   # folded\n      x\n      y\n\n\n    d: 1\n",
			"a:\n  b: |\n    one\n      two\n\n    three\n  c: >-     # folded\n    x\n    y\n\n  d: 1\n"},
		{"block texts with an indentation of their own", "a:\n    b: |2\n         one\n        two\n", "a:\n  b: |2\n       one\n      two\n"},
		{"block text of blanks alone", "a: |2\n\n     \nb:   1\n", "a: |2\n\n     \nb: 1\n"},
		{"block text that keeps its line breaks", "a: |+\n    x\n\n\nb: |+\n\n\nc: 1\n", "a: |+\n  x\n\n\nb: |+\n\n\nc: 1\n"},
		{"block text without a last break", "a: |\n    x", "a: |\n  x"},
		{"folded text without a last break", "a: >-\n    x", "a: >-\n  x\n"},
		{"aliases and tags", "a:   &x   1\nb:  *x\nc: !!str   2\nd: [*x , *x ]\n*x : y\n", "a: &x 1\nb: *x\nc: !!str 2\nd: [*x, *x]\n*x : y\n"},
		{"anchor above its list", "a: &x\n- 1\nb: &y\n    c: 1\n", "a: &x\n  - 1\nb: &y\n  c: 1\n"},
		{"flow style on several lines", "a: {\n      b: 1,\n   c: [\n 1,\n2\n ]\n}\nd: [x,\n y]\n", "a: {\n  b: 1,\n  c: [\n    1,\n    2\n  ]\n  }\nd: [x,\n  y]\n"},
		{"JSON", "{\n    \"a\": [\n        1\n    ],\n    \"b\":{}\n}", "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}\n"},
		{"document markers", "%YAML 1.1\n---   # start\na: 1\n...\n", "%YAML 1.1\n---   # start\na: 1\n...\n"},
		{"what YAML 1.2 allows", "%YAML 1.2\n---\na:   [ b?.c,d ]\n", "%YAML 1.2\n---\na: [b?.c, d]\n"},
		{"explicit keys", "?   a\n:   1\n? b\n", "? a\n: 1\n? b\n"},
		{"comments go with what follows", "a:\n  # one\n    # two\n    b: 1\n# three\n    c: 2\n", "a:\n  # one\n  # two\n  b: 1\n  # three\n  c: 2\n"},
		{"comments at the end of a block stay there", "a:\n    b:\n        c: 1\n        # of c\n    # of b\nd: 2\n    # deeper\n", "a:\n  b:\n    c: 1\n    # of c\n  # of b\nd: 2\n  # deeper\n"},
		{"comments in lists", "a:\n# one\n- x\n# two\n- y\n  # three\n# four\nb: 1\n", "a:\n  # one\n  - x\n  # two\n  - y\n    # three\n# four\nb: 1\n"},
		{"comment behind a block text is no part of it", "a:\n    b: |\n        x\n      # y\nc: 1\n", "a:\n  b: |\n    x\n  # y\nc: 1\n"},
		{"comments at the ends of lines", "a: 1 # one\nbcd: 2   # three\ne:   4      # aligned\n", "a: 1 # one\nbcd: 2   # three\ne: 4        # aligned\n"},
		{"comment in the way of its text", "a: [1,2,3,4,5,6]   # c\n", "a: [1, 2, 3, 4, 5, 6] # c\n"},
		{"comments in flow style", "a: [ # one\n1, # two\n# three\n2]\n", "a: [ # one\n  1, # two\n  # three\n  2]\n"},
	}
	for _, tt := range tests {
		got, faults := source.Format("a.yaml", []byte(tt.text))
		if len(faults) > 0 || string(got) != tt.want {
			t.Errorf("%s: %v\n%q is formatted as\n%s\nwant\n%s", tt.name, faults, tt.text, got, tt.want)
		}
		again, _ := source.Format("a.yaml", got)
		if string(again) != string(got) {
			t.Errorf("%s: formatted again it is\n%s\nnot\n%s", tt.name, again, got)
		}
	}
}

func TestFormatRefusesBrokenFiles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a: 1\n b: 2\n":      `a.yaml:2:3: ": " is not allowed here`,
		"a: 1\na: 2\n":       `a.yaml:2:1: the key "a" is here twice`,
		"":                   "a.yaml: the file is empty",
		"a: \"x\u2028y\"\n":  "a.yaml:1:6: the file is left as it is: YAML ends a line at this character, and no editor does",
		"# only a comment\n": "a.yaml: the file is empty",
	} {
		got, faults := source.Format("a.yaml", []byte(text))
		if got != nil || faults.Error() != want {
			t.Errorf("%q: %q, %v; want %s", text, got, faults, want)
		}
	}
}

func TestFormatLeavesShippedFilesAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, text := range shipped(t) {
		got, faults := source.Format(name, text)
		if len(faults) > 0 || string(got) != string(text) {
			t.Errorf("%s: %v%s", name, faults, difference(string(text), string(got)))
		}
	}
}

func shipped(t testing.TB) map[string][]byte {
	t.Helper()
	root := os.DirFS("../../..")
	files := map[string][]byte{}
	for _, dir := range []string{"specs", "pipelines"} {
		err := fs.WalkDir(root, dir, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && path.Ext(name) == ".yaml" {
				files[name], err = fs.ReadFile(root, name)
			}
			return err
		})
		if err != nil || len(files) == 0 {
			t.Fatalf("%d files, %v", len(files), err)
		}
	}
	return files
}

// difference shows the first line in which two texts differ.
func difference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range as {
		if i >= len(bs) {
			return "\n- " + as[i]
		}
		if as[i] != bs[i] {
			return "\n- " + as[i] + "\n+ " + bs[i]
		}
	}
	return ""
}

func FuzzFormat(f *testing.F) {
	for _, text := range []string{
		"a: |2-\n    x\n# c\nb: >+\n\n  y\n\n z: 1\n", "- - a\n-\n  - &x {b: *x, ? c : d}\n", "? a\n: - b\n  - c\n", "a: \"x \\\n  y\"\n",
		"a: [b,\n# c\n{d: }, 'e\n f', !!str g]\n", "--- # x\na: 1\n...\n# y\n", "a:\n- b\n- c: |\n   d\n  e: f g\n   h\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, faults := source.Format("a.yaml", text)
		if got == nil {
			for _, d := range faults {
				// What anchors, tags and explicit keys can do together, and texts that would be
				// document markers at the start of a line, may be left as they are.
				strange := bytes.ContainsAny(text, "&*!?") || bytes.Contains(text, []byte("---")) || bytes.Contains(text, []byte("..."))
				if d.Code == "not-formatted" && !d.Pos.IsValid() && !strange {
					t.Errorf("%v", d)
				}
			}
			return
		}
		again, faults := source.Format("a.yaml", got)
		if string(again) != string(got) {
			t.Errorf("formatted again it is\n%q\nnot\n%q (%v)", again, got, faults)
		}
	})
}
