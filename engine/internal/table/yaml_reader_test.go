package table

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// vatID returns the member vat_id of a row, or what stands in its place.
func vatID(row value.Value) string {
	o, _ := row.(*value.Object)
	text, ok := o.At("vat_id").(string)
	if !ok {
		return string(value.AppendJSON(nil, row))
	}
	return text
}

func TestYAMLFilesAreListsOfRows(t *testing.T) {
	t.Parallel()
	const text = "# the rows\n- vat_id: \"001\"\n  credit: 203.7700\n  n: 12345678901234567890\n  since: 2025-01-31\n" +
		"- {vat_id: PT2, tags: [a, b], active: true, none: ~}\n- x\n- &one {vat_id: PT3}\n- *one\n"
	want := []string{
		`0 line 2: {"vat_id":"001","credit":203.7700,"n":12345678901234567890,"since":"2025-01-31"}`,
		`1 line 6: {"vat_id":"PT2","tags":["a","b"],"active":true,"none":null}`,
		`2 line 7: "x"`,
		`3 line 8: {"vat_id":"PT3"}`,
		`4 line 8: {"vat_id":"PT3"}`,
	}
	for _, name := range []string{"in/a.yaml", "A.YML"} {
		r, err := Open(name, strings.NewReader(text), company, []string{"vat_id"})
		if err != nil {
			t.Fatal(err)
		}
		if got := show(r); !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	r, err := Open("a.yaml", strings.NewReader("- a: yes\n"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Warnings(); len(got) != 1 || !strings.HasPrefix(got[0], "a.yaml:1: ") {
		t.Errorf("warnings %q", got)
	}
	r, err = Open("a.yaml", strings.NewReader("[]"), company, []string{"vat_id"})
	if err != nil || len(show(r)) > 0 {
		t.Errorf("no rows: %v", err)
	}
}

func TestYAMLFilesAreRefusedWithTheirPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{" \n", "a.yaml: the file is empty: it must be a list of rows"},
		{"# nothing\n", "a.yaml: the file is empty: it must be a list of rows"},
		{"a: 1\n", "a.yaml:1:1: the file must be a list of rows, each after a dash"},
		{"- a: 1\n- b: [\n", "a.yaml:2:1: "},
		{"- a: 1\n  a: 2\n- b: 1\n  b: 2\n", "a.yaml:2:3: "},
	} {
		_, err := Open("a.yaml", strings.NewReader(c.in), nil, nil)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.in, err, c.want)
		}
		var d *diag.Diagnostic
		if !errors.As(err, &d) {
			t.Errorf("%q: %T is no diagnostic", c.in, err)
		}
	}
}

func FuzzYAML(f *testing.F) {
	f.Add("- a: 1\n- b")
	f.Add("- &a [1]\n- *a")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Open("a.yaml", strings.NewReader(text), nil, nil)
		if err != nil {
			return
		}
		for row, err := range r.Rows() {
			if err != nil || row.Line < 1 {
				t.Fatal(row, err)
			}
			value.KindOf(row.Value)
		}
	})
}
