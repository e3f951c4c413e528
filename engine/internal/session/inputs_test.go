package session

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// TestInputsAreBound holds what a run has of its inputs, however they are given. A bad row of a streamed
// list is a failed row; a bad element of another list keeps the run from beginning.
func TestInputsAreBound(t *testing.T) {
	t.Parallel()
	p := load(t)
	dir := t.TempDir()
	file := func(name, text string) File {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return File(path)
	}
	rows := []any{map[string]any{"name": "A"}}
	const fromRows = `{"rows":[],"whole":[1,2],"pin":null,"day":"2026-01-01"} A`
	for _, test := range []struct {
		name   string
		given  Given
		want   string // values and the names of the rows; or the codes
		hidden string
	}{
		{"values", Given{Values: map[string]any{"rows": rows, "whole": []int{3}, "day": "2026-02-01"}}, `{"rows":[],"whole":[3],"pin":null,"day":"2026-02-01"} A`, ""},
		{"texts", Given{Texts: map[string]string{"rows": `[{"name":"A"}]`, "pin": "12"}}, `{"rows":[],"whole":[1,2],"pin":12,"day":"2026-01-01"} A`, ""},
		{"a file of rows", Given{Values: map[string]any{"rows": file("rows.csv", "name,n\nA,1\nB,two\nC,3\n")}}, fromRows + " - C", ""},
		{"a sequence", Given{Values: map[string]any{"rows": iter.Seq[any](func(yield func(any) bool) { yield(rows[0]) })}}, fromRows, ""},
		{"a function of the caller's own types", Given{Values: map[string]any{"rows": func(yield func(map[string]string, error) bool) {
			_ = yield(map[string]string{"name": "A"}, nil) && yield(nil, os.ErrClosed)
		}}}, fromRows + " -", ""},
		{"a value that is not there", Given{Values: map[string]any{"rows": nil}}, "bad-input", ""},
		{"none", Given{}, "bad-input", ""},
		{"one of another name", Given{Values: map[string]any{"rows": rows, "row": 1}}, "bad-input", ""},
		{"one that is given twice", Given{Values: map[string]any{"rows": rows, "day": "2026-02-01"}, Texts: map[string]string{"day": "2026-02-01"}}, "bad-input", ""},
		{"another type", Given{Values: map[string]any{"rows": rows, "whole": []any{1, "two"}}}, "bad-input", ""},
		{"no date", Given{Values: map[string]any{"rows": rows, "day": "tomorrow"}}, "bad-input", ""},
		{"a secret that is no number", Given{Values: map[string]any{"rows": rows}, Texts: map[string]string{"pin": "hunter22"}}, "bad-input", "hunter22"},
		{"a file that is not there", Given{Values: map[string]any{"rows": File(filepath.Join(dir, "gone.csv"))}}, "input-file", ""},
		{"a file without the columns", Given{Values: map[string]any{"rows": file("other.csv", "id\n1\n")}}, "missing-column", ""},
		{"two that are wrong", Given{Values: map[string]any{"rows": 1, "day": 2}}, "bad-input bad-input", ""},
	} {
		in, faults := BindInputs(context.Background(), p.Find("pipelines/many.yaml").Inputs, test.given, p.FS())
		got := codes(faults)
		if !faults.HasErrors() {
			got = string(value.AppendJSON(nil, in.Values))
			if err := in.Rows["rows"](func(v value.Value, err error) bool {
				o, _ := v.(*value.Object)
				if name, _ := o.At("name").(string); err == nil {
					got += " " + name
				} else {
					got += " -"
				}
				return true
			}); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		if got != test.want {
			t.Errorf("%s: got %s: %v", test.name, got, faults.Unwrap())
		}
		if test.hidden != "" && strings.Contains(faults.Error(), test.hidden) {
			t.Errorf("%s: it shows %s", test.name, faults.Error())
		}
		in.Close()
	}
}

// TestRunsKnowTheirInputsAgain holds what is recorded of inputs, what of them has to be given again, and that a
// second start with others is not the same run.
func TestRunsKnowTheirInputsAgain(t *testing.T) {
	t.Parallel()
	p := load(t)
	name := filepath.Join(t.TempDir(), "rows.csv")
	bind := func(text string, values map[string]any) start {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		in, faults := BindInputs(context.Background(), p.Find("pipelines/many.yaml").Inputs, Given{Values: values}, p.FS())
		defer in.Close()
		if faults.HasErrors() {
			t.Fatal(faults)
		}
		out := "out"
		recorded, err := decodeStart(state.Run{ID: "r", Inputs: newStart(in, &out).encode()})
		if err != nil || recorded.outDir == nil || *recorded.outDir != "out" {
			t.Fatal(recorded, err)
		}
		return recorded
	}
	const text = "name\nA\n"
	was := bind(text, map[string]any{"rows": File(name), "pin": 1234, "day": "2026-02-01"})
	if kept := string(was.encode()); strings.Contains(kept, "1234") {
		t.Errorf("a secret is recorded: %s", kept)
	}

	again, missing := was.given(Given{})
	if codes(missing) != "input-not-recorded" || !strings.Contains(missing[0].Message, "pin") {
		t.Errorf("missing are %v", missing)
	}
	if again.Values["rows"] != File(name) || again.Values["day"] != "2026-02-01" || len(again.Values) != 2 {
		t.Errorf("given again are %v", again.Values)
	}
	if _, missing := was.given(Given{Texts: map[string]string{"pin": "1234"}}); missing != nil {
		t.Errorf("still missing are %v", missing)
	}
	fromProgram := bind(text, map[string]any{"rows": iter.Seq[any](func(func(any) bool) {})})
	if _, missing := fromProgram.given(Given{}); codes(missing) != "input-not-recorded" {
		t.Errorf("of rows of a program: %v", missing)
	}

	for _, test := range []struct {
		name, text string
		values     map[string]any
		want       string
	}{
		{"the same", text, map[string]any{"rows": File(name), "pin": 4321, "day": "2026-02-01"}, ""},
		{"another file", "name\nB\n", map[string]any{"rows": File(name), "pin": 1, "day": "2026-02-01"}, "input rows has changed"},
		{"another value", text, map[string]any{"rows": File(name), "pin": 1, "day": "2026-02-02"}, "input day is another"},
		{"one less", text, map[string]any{"rows": File(name), "day": "2026-02-01"}, "input pin is not given"},
		{"another list in place of a default", text, map[string]any{"rows": File(name), "pin": 1, "day": "2026-02-01", "whole": []int{1}}, "input whole is another"},
	} {
		got := was.differences(bind(test.text, test.values))
		if (len(got) == 0) != (test.want == "") || len(got) > 1 || len(got) == 1 && !strings.HasPrefix(got[0], test.want) {
			t.Errorf("%s: got %q", test.name, got)
		}
	}
}

func TestFilesThatChanged(t *testing.T) {
	t.Parallel()
	got := changedFiles(map[string]string{"a": "1", "b": "1", "c": "1"}, map[string]string{"b": "2", "c": "1", "d": "1"})
	if text := strings.Join(got, "; "); text != "a was removed; b was changed; d was added" {
		t.Errorf("got %s", text)
	}
}
