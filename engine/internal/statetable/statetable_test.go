package statetable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/statetable"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// vendor answers all calls that the store leaves to others.
type vendor struct{}

func (vendor) Do(_ context.Context, r flow.CallRequest, _ event.Sink) (flow.Result, error) {
	return flow.Result{Outcome: flow.OK, Outputs: value.ObjectOf("asked", r.Connection+"."+r.Operation)}, nil
}

// keeping declares that the table counts holds numbers from 1 on, and orders objects with a state.
const keeping = `pipeline: keep
version: 1
tables:
  counts: {type: integer, minimum: 1}
  orders: {type: object, required: [state], properties: {state: {type: string, enum: [open, sent]}}}
steps:
  - {id: get, call: store.get, with: {table: counts, key: a}}
`

func newStore(t *testing.T, tables state.Tables) flow.Executor {
	t.Helper()
	p, faults := project.Load(fstest.MapFS{"pipelines/keep.yaml": {Data: []byte(keeping)}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	runs, _ := tables.(state.Runs)
	return statetable.New(statetable.Options{Tables: tables, Runs: runs, Declared: p.Find("pipelines/keep.yaml").AllTables(), Next: vendor{}})
}

func call(t *testing.T, x flow.Executor, operation string, inputs ...any) string {
	t.Helper()
	res, err := x.Do(t.Context(), flow.CallRequest{Connection: "store", Operation: operation, Inputs: value.ObjectOf(inputs...)}, nil)
	if err != nil {
		return "error: " + err.Error()
	}
	text := string(res.Outcome)
	if res.Code != "" {
		text += " (" + res.Code + ")"
	}
	if res.Outputs != nil {
		text += " " + string(value.AppendJSON(nil, res.Outputs))
	}
	if res.Message != "" {
		text += " " + res.Message + "; " + res.Hint
	}
	return text
}

func TestCallsOfTheStoreInTurn(t *testing.T) {
	t.Parallel()
	x := newStore(t, state.NewMemory())
	decimal, err := value.Decode([]byte(`{"price": 203.7700, "of": [1, null]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		operation string
		inputs    []any
		want      string
	}{
		{"get", []any{"table", "any", "key", "b"}, `empty {"value":null}`},
		{"list", []any{"table", "any"}, `empty {"rows":[]}`},
		{"put", []any{"table", "any", "key", "b", "value", decimal}, `ok {}`},
		{"get", []any{"table", "any", "key", "b"}, `ok {"value":{"price":203.7700,"of":[1,null]}}`},
		{"get", []any{"table", "other", "key", "b"}, `empty {"value":null}`},
		{"put", []any{"table", "any", "key", "a", "value", nil}, `ok {}`},
		{"get", []any{"table", "any", "key", "a"}, `ok {"value":null}`},
		{"put", []any{"table", "any", "key", "b", "value", "new"}, `ok {}`},
		{"list", []any{"table", "any"}, `ok {"rows":[{"key":"a","value":null},{"key":"b","value":"new"}]}`},
		{"delete", []any{"table", "any", "key", "b"}, `ok {}`},
		{"delete", []any{"table", "any", "key", "b"}, `ok {}`},
		{"list", []any{"table", "any"}, `ok {"rows":[{"key":"a","value":null}]}`},
		{"put", []any{"table", "counts", "key", "a", "value", int64(3)}, `ok {}`},
		{"put", []any{"table", "counts", "key", "a", "value", int64(0)},
			`invalid (invalid-input) value: expected at least 1, found 0; the table was not changed`},
		{"get", []any{"table", "counts", "key", "a"}, `ok {"value":3}`},
		{"put", []any{"table", "orders", "key", "a", "value", value.ObjectOf("state", "lost")},
			`invalid (invalid-input) value.state: expected "open" or "sent", found "lost"; the table was not changed`},
		{"list", []any{"table", "orders"}, `empty {"rows":[]}`},
		{"get", []any{"table", ".connections", "key", "a"},
			`invalid (invalid-input) the table .connections is the runner's own, as are all whose names begin with a dot; the table was not changed`},
		{"list", []any{"table", strings.Repeat("t", 1025)},
			`invalid (invalid-input) the name of the table has 1025 bytes, and at most 1024 are kept; the table was not changed`},
		{"delete", []any{"table", "any", "key", strings.Repeat("k", 1025)},
			`invalid (invalid-input) the key for table any has 1025 bytes, and at most 1024 are kept; the table was not changed`},
		{"put", []any{"table", "any", "key", "a", "value", strings.Repeat("v", 1<<20-2)}, `ok {}`},
		{"put", []any{"table", "any", "key", "a", "value", strings.Repeat("v", 1<<20-1)},
			`invalid (invalid-input) the value for a in table any has 1048577 bytes, and at most 1048576 are kept; the table was not changed`},
		{"pull", []any{"table", "any"}, `error: the store has no operation "pull"`},
	} {
		if got := call(t, x, step.operation, step.inputs...); got != step.want {
			t.Errorf("%s %.80v:\ngot  %.300s\nwant %.300s", step.operation, step.inputs, got, step.want)
		}
	}
}

func TestOtherConnectionsAreLeftToTheNext(t *testing.T) {
	t.Parallel()
	res, err := newStore(t, state.NewMemory()).Do(t.Context(), flow.CallRequest{Connection: "shop", Operation: "get"}, nil)
	if got := fmt.Sprint(string(value.AppendJSON(nil, res.Outputs)), err); got != `{"asked":"shop.get"}<nil>` {
		t.Errorf("got %s", got)
	}
}

func TestWhatWasWrittenBeforeItsTableWasDeclaredIsNotTrusted(t *testing.T) {
	t.Parallel()
	tables := state.NewMemory()
	if err := errors.Join(
		tables.PutValue(t.Context(), "counts", "old", []byte(`"many"`)),
		tables.PutValue(t.Context(), "broken", "old", []byte(`{`)),
	); err != nil {
		t.Fatal(err)
	}
	x := newStore(t, tables)
	const misfit = `invalid (contract-broken) what table counts holds under old does not fit its declaration: value: expected integer, found text "many"; ` +
		`it was written when the table was declared otherwise, or not at all`
	for _, test := range []struct {
		operation string
		inputs    []any
		want      string
	}{
		{"get", []any{"table", "counts", "key", "old"}, misfit},
		{"list", []any{"table", "counts"}, misfit},
		{"get", []any{"table", "broken", "key", "old"}, `error: what table broken holds under old is broken: not JSON: the text ends too early, at offset 1`},
	} {
		if got := call(t, x, test.operation, test.inputs...); got != test.want {
			t.Errorf("%s %v:\ngot  %s\nwant %s", test.operation, test.inputs, got, test.want)
		}
	}
}

// broken is a state that fails.
type broken struct{}

var errDisk = errors.New("disk full")

func (broken) Value(context.Context, string, string) ([]byte, bool, error) {
	return nil, false, errDisk
}
func (broken) PutValue(context.Context, string, string, []byte) error { return errDisk }
func (broken) DeleteValue(context.Context, string, string) error      { return errDisk }
func (broken) Values(context.Context, string) func(func(state.Row, error) bool) {
	return func(yield func(state.Row, error) bool) { yield(state.Row{}, errDisk) }
}

func TestAStateThatFailsIsNoAnswer(t *testing.T) {
	t.Parallel()
	x := newStore(t, broken{})
	for operation, want := range map[string]string{
		"get":    "error: cannot read a from table any: disk full",
		"put":    "error: cannot write a to table any: disk full",
		"delete": "error: cannot delete a from table any: disk full",
		"list":   "error: cannot read table any: disk full",
	} {
		if got := call(t, x, operation, "table", "any", "key", "a", "value", int64(1)); got != want {
			t.Errorf("%s: got %s, want %s", operation, got, want)
		}
	}
}

// A run that has not ended is told of as one that was interrupted, and one that nobody knows as none.
func TestHowARunEnded(t *testing.T) {
	t.Parallel()
	m := state.NewMemory()
	x := newStore(t, m)
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	run := state.Run{ID: "r1", Pipeline: "pipelines/keep.yaml", Began: began}
	if err := m.Begin(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		status string
		ended  time.Time
		want   string
	}{
		{"", time.Time{}, `ok {"status":"interrupted"}`},
		{"failed", began, `ok {"status":"failed"}`},
		{"partial", began, `ok {"status":"partial"}`},
	} {
		run.Status, run.Ended = step.status, step.ended
		if err := m.Update(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		if got := call(t, x, "run", "run", "r1"); got != step.want {
			t.Errorf("%q: got %s, want %s", step.status, got, step.want)
		}
	}
	if got, want := call(t, x, "run", "run", "r2"), `empty {"status":null}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
