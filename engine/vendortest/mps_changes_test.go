package vendortest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/state"
)

// An mpsTables is a state that tells of each write to a table before it is made; several may come at once.
type mpsTables struct {
	*state.Memory
	before func() error // nil: none
}

func (l *mpsTables) PutValue(ctx context.Context, table, key string, value []byte) error {
	if l.before != nil {
		if err := l.before(); err != nil {
			return err
		}
	}
	return l.Memory.PutValue(ctx, table, key, value)
}

func (l *mpsTables) DeleteValue(ctx context.Context, table, key string) error {
	if l.before != nil {
		if err := l.before(); err != nil {
			return err
		}
	}
	return l.Memory.DeleteValue(ctx, table, key)
}

// An mpsShop is a vendor whose catalogue changes between the exports of one environment.
type mpsShop struct {
	*mpsSim
	tables   *mpsTables
	program  *engine.Program
	sink     *testserver.Heard
	products []string // as "PART PRICE"
}

// newMPSShop serves products until the test ends. It filters by brand: each second product is of ODD.
func newMPSShop(t *testing.T, products ...string) *mpsShop {
	t.Helper()
	s := &mpsShop{mpsSim: newMPS(), tables: &mpsTables{Memory: state.NewMemory()}, sink: &testserver.Heard{}, products: products}
	s.catalogue = func(filters http.Header) testserver.Reply {
		var list []string
		for _, p := range s.products {
			part, price, _ := strings.Cut(p, " ")
			brand := "EVEN"
			if last := part[len(part)-1]; last%2 == 1 {
				brand = "ODD"
			}
			if wanted := filters.Get("X-Marks"); wanted == "" || wanted == brand {
				list = append(list, strings.NewReplacer(" 2HL38AA#ABM", part, "HPPCSCONSUMO", brand, "1833888.49", price).Replace(mpsSample))
			}
		}
		return testserver.AsJSON(200, "["+strings.Join(list, ",")+"]")
	}
	t.Cleanup(s.start())
	p, err := engine.Load(os.DirFS("../.."), engine.Options{
		Paths: []string{"specs/mps.yaml", "pipelines/mps"},
		Connections: map[string]engine.Connection{"mps": {
			Vendor: "mps", BaseURL: "http://mps.example:7071", Config: map[string]any{"username": mpsUser, "password": mpsPassword},
		}},
		Client: s.client,
		State:  s.tables,
		Events: s.sink,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.program = p
	return s
}

// changes exports with changed_only, and with these inputs beside it.
func (s *mpsShop) changes(t *testing.T, inputs ...any) *mpsRan {
	t.Helper()
	in := map[string]any{"changed_only": true}
	for i := 0; i < len(inputs); i += 2 {
		in[inputs[i].(string)] = inputs[i+1]
	}
	return s.runIn(t, s.program, s.sink, mpsExport, in)
}

// mpsExported lists the products of a file as "PART PRICE", and says so when there is none.
func mpsExported(t *testing.T, files map[string]string) string {
	t.Helper()
	file, ok := files["products.csv"]
	if !ok {
		return "no file"
	}
	rows, ok := strings.CutPrefix(file, mpsSampleTitle)
	if !ok {
		t.Errorf("the file begins otherwise:\n%.300s", file)
	}
	var list []string
	for row := range strings.Lines(rows) {
		cells := strings.Split(row, ",")
		list = append(list, cells[0]+" "+cells[6])
	}
	return strings.Join(list, ", ")
}

// wants fails the test unless the run went well and exported these products.
func (r *mpsRan) wants(t *testing.T, step string, want ...string) {
	t.Helper()
	if got := mpsExported(t, r.files); r.err != nil || got != strings.Join(want, ", ") || r.result.Outputs["count"] != int64(len(want)) {
		t.Errorf("%s: exported %q with count %v, want %q: %v", step, got, r.result.Outputs["count"], want, r.err)
	}
}

func TestMPSChangesSinceTheLastExport(t *testing.T) {
	t.Parallel()
	type export struct {
		name     string
		products string // separated by commas
		inputs   []any
		want     string
	}
	for name, exports := range map[string][]export{
		"one after another": {
			{"at first, all", "A1 1,A2 2,A3 3", nil, "A1 1,A2 2,A3 3"},
			{"nothing has changed", "A1 1,A2 2,A3 3", nil, ""},
			{"a price", "A1 1,A2 5,A3 3", nil, "A2 5"},
			{"told once", "A1 1,A2 5,A3 3", nil, ""},
			{"the price as before", "A1 1,A2 2,A3 3", nil, "A2 2"},
			{"a new product, and another order", "A3 3,A4 4,A2 2,A1 1", nil, "A4 4"},
			{"two of three", "A1 9,A3 3,A4 8", nil, "A1 9,A4 8"},
			{"one is back", "A1 9,A2 2,A3 3,A4 8", nil, "A2 2"},
			{"another notation", "A1 9.00,A2 2,A3 3,A4 8", nil, ""},
			{"none at all", "", nil, ""},
			{"all are back", "A1 9,A2 2", nil, "A1 9,A2 2"},
		},
		"no products at first": {
			{"none", "", nil, ""},
			{"one", "A1 1", nil, "A1 1"},
		},
		"filters": {
			{"odd ones", "A1 1,A2 2,A3 3", []any{"brand", "ODD"}, "A1 1,A3 3"},
			{"all", "A1 1,A2 2,A3 3", nil, "A2 2"},
			{"odd ones after a change of all", "A1 7,A2 7,A3 3", []any{"brand", "ODD"}, "A1 7"},
			{"even ones", "A1 7,A2 7,A3 3", []any{"brand", "EVEN"}, "A2 7"},
			{"all, told already", "A1 7,A2 7,A3 3", nil, ""},
			{"nobody's", "A1 7,A2 7,A3 3", []any{"brand", "NOBODY"}, ""},
			{"available ones", "A1 7", []any{"available", true}, ""},
			{"the others are not gone", "A1 7,A2 7,A3 3", nil, ""},
			{"a blank filter is none", "A1 7,A2 7", []any{"brand", " "}, ""},
			{"so that one is back", "A1 7,A2 7,A3 3", nil, "A3 3"},
		},
		"without changed_only": {
			{"nothing is remembered", "A1 1,A2 2", []any{"changed_only", false}, "A1 1,A2 2"},
			{"so that all is new", "A1 1,A2 2", nil, "A1 1,A2 2"},
			{"all are exported", "A1 1,A2 3", []any{"changed_only", false}, "A1 1,A2 3"},
			{"and what changed is still to be told", "A1 1,A2 3", nil, "A2 3"},
		},
		"a part number twice": {
			{"all", "A1 1,A2 2,A1 3", nil, "A1 1,A2 2,A1 3"},
			{"another order", "A1 3,A1 1,A2 2", nil, ""},
			{"one of them changes", "A1 1,A2 2,A1 4", nil, "A1 1,A1 4"},
			{"one of them goes", "A1 1,A2 2", nil, "A1 1"},
			{"it comes once more, the same", "A1 1,A2 2,A1 1", nil, "A1 1,A1 1"},
			{"and stays", "A1 1,A2 2,A1 1", nil, ""},
		},
		"part numbers that are much alike": {
			{"all", "A1 1,a1 2,01 3,1 4,1.0 5,null 6,~1 7", nil, "A1 1,a1 2,01 3,1 4,1.0 5,null 6,~1 7"},
			{"one", "A1 1,a1 2,01 3,1 4,1.0 9,null 6,~1 7", nil, "1.0 9"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newMPSShop(t)
				split := func(list string) []string { return strings.FieldsFunc(list, func(r rune) bool { return r == ',' }) }
				for _, e := range exports {
					s.products = split(e.products)
					s.changes(t, e.inputs...).wants(t, e.name, split(e.want)...)
				}
			})
		})
	}
}

// Every column counts.
func TestMPSChangesOfAnyColumn(t *testing.T) {
	t.Parallel()
	for old, text := range map[string]string{
		`"PORTATIL"`: `null`, `"Consumo"`: `"Hogar"`, `BLANCO`: `NEGRO`, `null`: `"new"`, `HPPCSCONSUMO`: `HP`, `1833888.49`: `1833888.48`, `"precio":0`: `"precio":1`,
		`"COP"`: `"USD"`, `45`: `46`, `EXCLUIDO`: `GRAVADO`, `"Descuento":0`: `"Descuento":0.01`,
	} {
		t.Run(old, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newMPSShop(t)
				now := mpsProduct("{", `{"Unread":1,`)
				s.catalogue = func(http.Header) testserver.Reply { return testserver.AsJSON(200, "["+now+"]") }
				s.changes(t).wants(t, "at first", `" 2HL38AA#ABM" 1833888.49`)
				now = mpsProduct("{", `{"Unread":2,`)
				s.changes(t).wants(t, "a member that no column has")
				now = mpsProduct(old, text)
				if r := s.changes(t); r.err != nil || r.result.Outputs["count"] != int64(1) {
					t.Errorf("%s for %s: %v, %v", text, old, r.result.Outputs["count"], r.err)
				}
			})
		})
	}
}

var errTornOff = errors.New("the state is gone")

// Wherever an export stops, the next one tells of all changes, and so does the one
// that is taken up again.
func TestMPSChangesOutliveAnExportThatStops(t *testing.T) {
	t.Parallel()
	for _, resumed := range []bool{false, true} {
		t.Run(fmt.Sprintf("resumed %t", resumed), func(t *testing.T) {
			t.Parallel()
			stops := 0
			for stopped := true; stopped; stops++ {
				synctest.Test(t, func(t *testing.T) {
					s := newMPSShop(t, "A1 1", "A2 2", "A3 3", "A4 4")
					s.changes(t).wants(t, "at first", "A1 1", "A2 2", "A3 3", "A4 4")
					s.products = []string{"A1 1", "A2 7", "A3 3", "A4 4"}
					s.changes(t).wants(t, "second", "A2 7") // leaves what the third deletes
					s.products = []string{"A1 5", "A2 7", "A3 5", "A5 5"}
					var writes atomic.Int64
					s.tables.before = func() error {
						if writes.Add(1) > int64(stops) {
							return errTornOff
						}
						return nil
					}
					r := s.changes(t)
					s.tables.before = nil
					if stopped = r.err != nil; !stopped {
						r.wants(t, "undisturbed", "A1 5", "A3 5", "A5 5")
						return
					}
					if !errors.Is(r.err, errTornOff) || len(r.files) > 0 {
						t.Fatalf("after %d writes: %v, files %v", stops, r.err, r.files)
					}
					if resumed {
						dir := t.TempDir()
						again, err := s.program.Resume(t.Context(), r.result.RunID, engine.ResumeRequest{OutDir: &dir})
						text, _ := os.ReadFile(filepath.Join(dir, "products.csv"))
						(&mpsRan{result: again, err: err, files: map[string]string{"products.csv": string(text)}}).wants(t, "taken up again", "A1 5", "A3 5", "A5 5")
					} else {
						s.changes(t).wants(t, fmt.Sprintf("after %d writes", stops), "A1 5", "A3 5", "A5 5")
					}
					s.changes(t).wants(t, "in the end")
					s.products = append(s.products, "A4 4")
					s.changes(t).wants(t, "one that was gone", "A4 4")
				})
			}
			if want := 5; stops-1 < want {
				t.Errorf("stopped at %d writes, want at least %d", stops-1, want)
			}
		})
	}
}

func TestMPSChangesOutliveACatalogueThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newMPSShop(t, "A1 1", "A2 2")
		s.changes(t).wants(t, "at first", "A1 1", "A2 2")
		s.products = []string{"A1 1", "A2 3"}
		whole := s.catalogue(http.Header{})
		s.troubles = []testserver.Trouble{{Service: mpsCatalogue, Spared: 1, Cut: true, Answer: &whole}}
		if r := s.changes(t); r.result.Status != engine.Failed || len(r.files) > 0 {
			t.Fatalf("%v, files %v", r.err, r.files)
		}
		s.troubles = nil
		s.changes(t).wants(t, "after the failure", "A2 3")
	})
}

// An export whose last step is done has only its file to write, which resume does. Where
// nobody takes it up again, the next export tells what it found.
func TestMPSChangesWhoseFileCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, resumed := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) { changesWithoutAFile(t, resumed) })
	}
}

func changesWithoutAFile(t *testing.T, resumed bool) {
	s := newMPSShop(t, "A1 1", "A2 2")
	s.changes(t).wants(t, "at first", "A1 1", "A2 2")
	s.products = []string{"A1 1", "A2 3"}
	out := t.TempDir()
	file := filepath.Join(out, "products.csv")
	s.tables.before = func() error { return os.MkdirAll(filepath.Join(file, "in the way"), 0o700) }
	r, err := s.program.Run(t.Context(), engine.Request{Pipeline: mpsExport, Inputs: map[string]any{"changed_only": true}, OutDir: out})
	s.tables.before = nil
	if err == nil || !strings.HasPrefix(err.Error(), "all steps are done, but the results could not be written: ") {
		t.Fatalf("%v", err)
	}
	if err := os.RemoveAll(file); err != nil {
		t.Fatal(err)
	}
	if !resumed {
		s.products = []string{"A1 1", "A2 3", "A3 3"}
		s.changes(t).wants(t, "not taken up again", "A2 3", "A3 3")
		s.changes(t).wants(t, "afterwards")
		s.products = []string{"A1 1", "A2 2", "A3 3"}
		s.changes(t).wants(t, "another change", "A2 2")
		return
	}
	again, err := s.program.Resume(t.Context(), r.RunID, engine.ResumeRequest{})
	text, _ := os.ReadFile(file)
	(&mpsRan{result: again, err: err, files: map[string]string{"products.csv": string(text)}}).wants(t, "taken up again", "A2 3")
	s.changes(t).wants(t, "afterwards")
}

// Of two exports at one time one counts, and the other says so.
func TestMPSChangesOfTwoExportsAtOneTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newMPSShop(t, "A1 1", "A2 2", "A3 3")
		s.changes(t, "brand", "ODD").wants(t, "at first", "A1 1", "A3 3")
		s.products = []string{"A1 4", "A2 4", "A3 4"}
		s.tables.before = func() error {
			s.tables.before = nil
			s.changes(t, "brand", "EVEN").wants(t, "meanwhile", "A2 4")
			return nil
		}
		const why = "another export with changed_only has ended since this one began, so this one counts for nothing: start it again"
		r := s.changes(t)
		if r.result.Status != engine.Failed || r.err.Error() != why || len(r.files) > 0 {
			t.Fatalf("%v", r.err)
		}
		s.changes(t).wants(t, "once more", "A1 4", "A3 4")
		s.changes(t).wants(t, "in the end")
	})
}

// A large catalogue is asked for again when a run is taken up again, and may have
// changed since: what is remembered is what the file has.
func TestMPSChangesOfALargeCatalogue(t *testing.T) {
	t.Parallel()
	const products = 6_000 // 5 MB, with their descriptions
	list := func(more ...string) []string {
		l := make([]string, 0, products+1)
		for i := range products {
			l = append(l, fmt.Sprintf("P%05d 1", i))
		}
		l = append(l, "P00000 2") // far from the other one
		for _, p := range more {
			i := slices.IndexFunc(l, func(old string) bool { return old[:6] == p[:6] })
			l[i] = p
		}
		return l
	}
	synctest.Test(t, func(t *testing.T) {
		s := newMPSShop(t, list()...)
		short := s.catalogue
		s.catalogue = func(filters http.Header) testserver.Reply {
			return testserver.AsJSON(200, strings.ReplaceAll(short(filters).Body, `"Description":null`, `"Description":"`+strings.Repeat("long ", 100)+`"`))
		}
		s.changes(t).wants(t, "at first", s.products...)
		s.changes(t).wants(t, "nothing has changed")
		s.products = list("P00000 3", "P04444 3")
		s.changes(t).wants(t, "some", "P00000 3", "P04444 3", "P00000 2")

		s.products = list("P00000 3", "P00001 4", "P04444 4")
		writes := 0
		s.tables.before = func() error {
			if writes++; writes > 3 { // two are deleted, one is kept
				return errTornOff
			}
			return nil
		}
		r := s.changes(t)
		s.tables.before = nil
		if !errors.Is(r.err, errTornOff) {
			t.Fatal(r.err)
		}
		s.products = list("P00000 3", "P00001 5", "P00002 5", "P04444 3")
		dir := t.TempDir()
		again, err := s.program.Resume(t.Context(), r.result.RunID, engine.ResumeRequest{OutDir: &dir})
		text, _ := os.ReadFile(filepath.Join(dir, "products.csv"))
		(&mpsRan{result: again, err: err, files: map[string]string{"products.csv": string(text)}}).wants(t, "taken up again", "P00001 5", "P00002 5")
		s.changes(t).wants(t, "afterwards")
		s.products = list("P00000 3", "P00001 4", "P00002 5", "P04444 4")
		s.changes(t).wants(t, "what the run that stopped had seen", "P00001 4", "P04444 4")
	})
}

// In the sandbox an order changes the quantity of a product.
func TestMPSSandboxChanges(t *testing.T) {
	t.Parallel()
	_, p := startMPS(t)
	changed := map[string]any{"changed_only": true}
	for _, want := range []string{mpsSandboxRows, mpsSampleTitle} {
		result, file, err := runMPS(t, p, mpsExport, changed)
		if count := int64(strings.Count(want, "\n") - 1); err != nil || file != want || result.Outputs["count"] != count {
			t.Errorf("%v %v, want %d\n%s", err, result.Outputs, count, file)
		}
	}
	if _, _, err := runMPS(t, p, mpsPlace, mpsInputs(t)); err != nil {
		t.Fatal(err)
	}
	result, file, err := runMPS(t, p, mpsExport, changed)
	rows := strings.SplitAfter(mpsSandboxRows, "\n")
	want := mpsSampleTitle + strings.Replace(rows[2], "COP,12,", "COP,10,", 1) + strings.Replace(rows[3], "9999", "9998", 1)
	if err != nil || result.Outputs["count"] != int64(2) || file != want {
		t.Errorf("%v %v\n%s\nwant\n%s", err, result.Outputs, file, want)
	}
}
