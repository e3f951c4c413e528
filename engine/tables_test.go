package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/state"
)

// keeper returns a program of one pipeline that calls the store, and of the printer's vendor file.
func keeper(t *testing.T, store state.Store, p *printer, lines string) *engine.Program {
	t.Helper()
	files := fstest.MapFS{
		"specs/press.yaml":    press["specs/press.yaml"],
		"pipelines/keep.yaml": {Data: []byte("pipeline: keep\nversion: 1\n" + lines)},
	}
	o := engine.Options{State: store}
	if p != nil {
		o = p.connected(o)
	}
	program, err := engine.Load(files, o)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// keeps runs that pipeline and tells its outputs, or why it has none.
func keeps(t *testing.T, p *engine.Program, inputs map[string]any) string {
	t.Helper()
	res, err := p.Run(t.Context(), engine.Request{Pipeline: "pipelines/keep.yaml", Inputs: inputs})
	var failed *engine.Error
	if errors.As(err, &failed) {
		return failed.Failure.Code + ": " + failed.Failure.Message
	}
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(res.Outputs)
	return string(text)
}

const counting = `
inputs:
  name: {type: string}
tables:
  visits: {type: integer, minimum: 1, maximum: 3}
steps:
  - {id: before, call: store.get, with: {table: visits, key: "${{ inputs.name }}"}}
  - {id: count, call: store.put, with: {table: visits, key: "${{ inputs.name }}", value: "${{ (steps.before.outputs.value ?? 0) + 1 }}"}}
  - {id: all, call: store.list, with: {table: visits}}
outputs:
  before: ${{ steps.before.outputs.value }}
  outcome: ${{ steps.before.outcome }}
  all: ${{ join(map(steps.all.outputs.rows, .key + ' ' + text(.value)), ', ') }}
`

func TestTablesOutliveRuns(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]state.Store{"of a state": state.NewMemory(), "of the program's own memory": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := keeper(t, store, nil, counting)
			for i, want := range []struct{ name, text string }{
				{"b", `{"all":"b 1","before":null,"outcome":"empty"}`},
				{"b", `{"all":"b 2","before":1,"outcome":"ok"}`},
				{"a", `{"all":"a 1, b 2","before":null,"outcome":"empty"}`},
				{"b", `{"all":"a 1, b 3","before":2,"outcome":"ok"}`},
				{"b", `invalid-input: value: expected at most 3, found 4`},
				{"", `invalid-input: key: must not be empty`},
			} {
				if got := keeps(t, p, map[string]any{"name": want.name}); got != want.text {
					t.Errorf("run %d: got %s, want %s", i, got, want.text)
				}
			}
		})
	}
}

// Where the name of a table is computed, it is looked at when the call is made.
func TestTableOfAComputedName(t *testing.T) {
	t.Parallel()
	p := keeper(t, nil, nil, `
inputs:
  table: {type: string}
  value: {}
tables:
  counts: {type: object, required: [n], properties: {n: {type: integer}}}
steps:
  - {id: put, call: store.put, with: {table: "${{ inputs.table }}", key: a, value: "${{ inputs.value }}"}}
  - {id: get, call: store.get, with: {table: "${{ inputs.table }}", key: a}}
outputs:
  value: ${{ steps.get.outputs.value }}
`)
	for _, tt := range []struct {
		table string
		value any
		want  string
	}{
		{"counts", map[string]any{"n": 1}, `{"value":{"n":1}}`},
		{"counts", map[string]any{"n": "one"}, `invalid-input: value.n: expected integer, found text "one"`},
		{"free", []any{1, "two", nil}, `{"value":[1,"two",null]}`},
		{"free", json.Number("203.7700"), `{"value":203.7700}`},
		{".connections", 1, `invalid-input: the table .connections is the runner's own, as are all whose names begin with a dot`},
		{"free", strings.Repeat("v", 1<<20), `invalid-input: the value for a in table free has 1048578 bytes, and at most 1048576 are kept`},
	} {
		if got := keeps(t, p, map[string]any{"table": tt.table, "value": tt.value}); got != tt.want {
			t.Errorf("%s %.50v: got %s, want %s", tt.table, tt.value, got, tt.want)
		}
	}
}

// A run that is taken up again is told what it was told first, and puts nothing twice.
func TestResumedRunKnowsWhatItGot(t *testing.T) {
	t.Parallel()
	vendor, store := newPrinter(t), state.NewMemory()
	p := keeper(t, store, vendor, `
connections: {press: {vendor: press}}
steps:
  - {id: before, call: store.get, with: {table: any, key: a}}
  - {id: put, call: store.put, with: {table: any, key: a, value: "${{ text(steps.before.outputs.value ?? 'nothing') + '!' }}"}}
  - {id: all, call: store.list, with: {table: any}}
  - {id: ship, call: press.ship, with: {id: 1}}
  - {id: after, call: store.get, with: {table: any, key: a}}
outputs:
  seen: ["${{ steps.before.outputs.value }}", "${{ first(steps.all.outputs.rows)?.value }}", "${{ steps.after.outputs.value }}"]
`)
	vendor.breaks["/shipments"] = 503
	failed, _ := p.Run(t.Context(), engine.Request{Pipeline: "pipelines/keep.yaml"})
	wantStatus(t, failed, engine.Failed)
	vendor.breaks["/shipments"] = 0
	if err := store.PutValue(t.Context(), "any", "a", []byte(`"of somebody else"`)); err != nil {
		t.Fatal(err)
	}
	done, err := p.Resume(t.Context(), failed.RunID, engine.ResumeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(done.Outputs); got != "map[seen:[<nil> nothing! of somebody else]]" {
		t.Errorf("got %s", got)
	}
}

func TestStoreInForeachAndHandlers(t *testing.T) {
	t.Parallel()
	p := keeper(t, nil, nil, `
inputs:
  rows: {type: array, items: {type: object, required: [key, value], properties: {key: {type: string}, value: {type: integer}}}}
tables:
  even: {type: integer, multipleOf: 2}
steps:
  - id: each
    foreach: inputs.rows
    as: row
    key: row.key
    parallel: 4
    on_error: collect
    steps:
      - {id: put, call: store.put, with: {table: even, key: "${{ row.key }}", value: "${{ row.value }}"}}
      - {id: get, call: store.get, with: {table: even, key: "${{ row.key }}"}}
    outputs:
      got: ${{ steps.get.outputs.value }}
  - id: odd
    call: store.put
    with: {table: even, key: z, value: 7}
    on_error:
      - if: error.code == 'invalid-input'
  - {id: drop, call: store.delete, with: {table: even, key: a}}
  - {id: all, call: store.list, with: {table: even}}
outputs:
  rows: ${{ map(steps.each.results, .key + ' ' + .status + ' ' + text(.got ?? 0)) }}
  odd: ${{ steps.odd.outcome }}
  kept: ${{ map(steps.all.outputs.rows, .key) }}
`)
	rows := []any{}
	for i, key := range []string{"a", "b", "c", "d", "e"} {
		rows = append(rows, map[string]any{"key": key, "value": 10 + i})
	}
	const want = `{"kept":["c","e"],"odd":"invalid","rows":["a done 10","b failed 0","c done 12","d failed 0","e done 14"]}`
	if got := keeps(t, p, map[string]any{"rows": rows}); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestWaitForWhatAnotherRunPuts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := state.NewMemory()
		p := keeper(t, store, nil, `
tables: {signs: {type: string}}
steps:
  - id: sign
    call: store.get
    with: {table: signs, key: go}
    until: outputs.value != null
    every: 1s
    timeout: 1m
outputs:
  sign: ${{ steps.sign.outputs.value }}
`)
		go func() {
			time.Sleep(2500 * time.Millisecond)
			if err := store.PutValue(t.Context(), "signs", "go", []byte(`"now"`)); err != nil {
				t.Error(err)
			}
		}()
		began := time.Now()
		if got := keeps(t, p, nil); got != `{"sign":"now"}` || time.Since(began) != 3*time.Second {
			t.Errorf("got %s after %v", got, time.Since(began))
		}
		if err := store.DeleteValue(t.Context(), "signs", "go"); err != nil {
			t.Fatal(err)
		}
		const want = `timeout: not there after 1m0s and 60 looks: outputs.value != null; last seen {"value":null}`
		if got := keeps(t, p, nil); got != want {
			t.Errorf("got %s", got)
		}
	})
}

// What was put is taken back when the run fails, and so can a put take back something else.
func TestUndoByTheStore(t *testing.T) {
	t.Parallel()
	vendor, store := newPrinter(t), state.NewMemory()
	p := keeper(t, store, vendor, `
on_failure: undo
connections: {press: {vendor: press}}
tables: {prints: {type: integer}, lost: {type: integer}}
steps:
  - id: print
    call: press.print
    with: {title: Ulysses, paper: 1}
    undo: {call: store.put, with: {table: lost, key: Ulysses, value: "${{ outputs.id }}"}}
  - id: remember
    call: store.put
    with: {table: prints, key: Ulysses, value: "${{ steps.print.outputs.id }}"}
    undo: {call: store.delete, with: {table: prints, key: Ulysses}}
  - {id: ship, call: press.ship, with: {id: 1}}
`)
	vendor.breaks["/shipments"] = 400
	if got := keeps(t, p, nil); !strings.HasPrefix(got, "refused: ") {
		t.Errorf("got %s", got)
	}
	for table, want := range map[string]string{"prints": "", "lost": "1"} {
		got, _, err := store.Value(t.Context(), table, "Ulysses")
		if err != nil || string(got) != want {
			t.Errorf("%s holds %q, want %q: %v", table, got, want, err)
		}
	}
}

// Two pipelines of a run may declare a table: a value must fit both.
func TestValueFitsAllDeclarationsOfItsTable(t *testing.T) {
	t.Parallel()
	p, err := engine.Load(fstest.MapFS{
		"pipelines/keep.yaml": {Data: []byte("pipeline: keep\nversion: 1\ninputs: {n: {type: integer}}\ntables: {counts: {type: integer, maximum: 9}}\n" +
			"steps:\n  - {id: other, call: ./other.yaml, with: {n: \"${{ inputs.n }}\"}}\n")},
		"pipelines/other.yaml": {Data: []byte("pipeline: other\nversion: 1\ninputs: {n: {type: integer}}\ntables: {counts: {type: integer, minimum: 1}}\n" +
			"steps:\n  - {id: put, call: store.put, with: {table: counts, key: a, value: \"${{ inputs.n }}\"}}\n")},
	}, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{
		5:  `{}`,
		0:  `invalid-input: value: expected at least 1, found 0`,
		10: `invalid-input: value: expected at most 9, found 10`,
	} {
		if got := keeps(t, p, map[string]any{"n": n}); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

// A connection that is given under the name of the store leads nowhere.
func TestNoConnectionIsCalledStore(t *testing.T) {
	t.Parallel()
	p, err := engine.Load(press, engine.Options{Connections: map[string]engine.Connection{
		"store": {Vendor: "press", BaseURL: "http://press.example", Config: map[string]any{"key": "k"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Call(t.Context(), "press.ship", engine.Request{Inputs: map[string]any{"id": 1}})
	if got := fmt.Sprint(err); got != "no connection can be called store: that is the vendor which is built in" {
		t.Errorf("got %s", got)
	}
	const want = "connections.yaml:2:3: no connection can be called store: that is the vendor which is built in"
	_, err = engine.ReadConnections("connections.yaml", []byte("connections:\n  store: {vendor: press, base_url: \"http://press.example\"}\n"), engine.Environment{})
	if got := fmt.Sprint(err); got != want {
		t.Errorf("got %s", got)
	}
}
