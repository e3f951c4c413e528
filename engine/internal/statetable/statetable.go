// Package statetable makes the calls of the built-in vendor store: it keeps what
// pipelines remember from run to run in the tables of the state.
package statetable

import (
	"context"
	"fmt"
	"strings"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// Options say what an executor works with. All but Declared are needed.
type Options struct {
	Tables state.Tables
	Runs   state.Runs
	// Declared are the tables that the pipelines of the run declare. A value must
	// fit all declarations of its table; it may be anything where there are none.
	Declared []*catalog.Param
	// Next makes the calls of all other vendors.
	Next flow.Executor
}

// The bounds of what is kept. A list is held in memory, and journalled.
const (
	maxName  = 1 << 10
	maxValue = 1 << 20
	maxList  = 64 << 20
)

// New returns an executor that makes the calls of pipeline.Store itself and hands on all
// others. What cannot be kept is a Result of the outcome invalid, and nothing was changed then. A
// state that fails is an error.
func New(o Options) flow.Executor {
	x := &executor{tables: o.Tables, runs: o.Runs, next: o.Next, declared: map[string][]*schema.Schema{}}
	for _, t := range o.Declared {
		x.declared[t.Name] = append(x.declared[t.Name], t.Schema())
	}
	return x
}

type executor struct {
	tables   state.Tables
	runs     state.Runs
	declared map[string][]*schema.Schema
	next     flow.Executor
}

// Do is part of flow.Executor. Calls of the store tell no events.
func (x *executor) Do(ctx context.Context, r flow.CallRequest, events event.Sink) (flow.Result, error) {
	if r.Connection != pipeline.Store {
		return x.next.Do(ctx, r, events)
	}
	if r.Operation == pipeline.StoreRun {
		return x.run(ctx, text(r.Inputs, pipeline.StoreRun))
	}
	table, key := text(r.Inputs, pipeline.StoreTable), text(r.Inputs, pipeline.StoreKey)
	if why := unusable(table, key); why != "" {
		return refused(why), nil
	}
	switch r.Operation {
	case pipeline.StoreGet:
		return x.get(ctx, table, key)
	case pipeline.StorePut:
		return x.put(ctx, table, key, r.Inputs.At(pipeline.StoreValue))
	case pipeline.StoreDelete:
		if err := x.tables.DeleteValue(ctx, table, key); err != nil {
			return flow.Result{}, &flow.StateError{What: fmt.Sprintf("cannot delete %s from table %s", key, table), Err: err}
		}
		return done(value.NewObject(0)), nil
	case pipeline.StoreList:
		return x.list(ctx, table)
	}
	return flow.Result{}, fmt.Errorf("the store has no operation %q", r.Operation)
}

func (x *executor) get(ctx context.Context, table, key string) (flow.Result, error) {
	kept, ok, err := x.tables.Value(ctx, table, key)
	if err != nil {
		return flow.Result{}, &flow.StateError{What: fmt.Sprintf("cannot read %s from table %s", key, table), Err: err}
	}
	if !ok {
		res := done(value.ObjectOf(pipeline.StoreValue, nil))
		res.Outcome = flow.Empty
		return res, nil
	}
	v, err := decode(table, key, kept)
	if err != nil {
		return flow.Result{}, err
	}
	if why := x.misfit(table, pipeline.StoreValue, v); why != "" {
		return broken(table, key, why), nil
	}
	return done(value.ObjectOf(pipeline.StoreValue, v)), nil
}

func (x *executor) put(ctx context.Context, table, key string, v value.Value) (flow.Result, error) {
	if value.HoldsRows(v) { // which are spooled because they are larger
		return refused(fmt.Sprintf("the value for %s in table %s holds a list that is too large: at most %d bytes are kept", key, table, maxValue)), nil
	}
	if why := x.misfit(table, pipeline.StoreValue, v); why != "" {
		return refused(why), nil
	}
	encoded := value.AppendJSON(nil, v)
	if len(encoded) > maxValue {
		return refused(fmt.Sprintf("the value for %s in table %s has %d bytes, and at most %d are kept", key, table, len(encoded), maxValue)), nil
	}
	if err := x.tables.PutValue(ctx, table, key, encoded); err != nil {
		return flow.Result{}, &flow.StateError{What: fmt.Sprintf("cannot write %s to table %s", key, table), Err: err}
	}
	return done(value.NewObject(0)), nil
}

func (x *executor) list(ctx context.Context, table string) (flow.Result, error) {
	rows, size := value.List{}, 0
	for row, err := range x.tables.Values(ctx, table) {
		if err != nil {
			return flow.Result{}, &flow.StateError{What: fmt.Sprintf("cannot read table %s", table), Err: err}
		}
		if size += len(row.Key) + len(row.Value); size > maxList {
			return refused(fmt.Sprintf("table %s has more than the %d bytes that are listed at once", table, maxList)), nil
		}
		v, err := decode(table, row.Key, row.Value)
		if err != nil {
			return flow.Result{}, err
		}
		if why := x.misfit(table, pipeline.StoreValue, v); why != "" {
			return broken(table, row.Key, why), nil
		}
		rows = append(rows, value.ObjectOf(pipeline.StoreKey, row.Key, pipeline.StoreValue, v))
	}
	res := done(value.ObjectOf(pipeline.StoreRows, rows))
	if len(rows) == 0 {
		res.Outcome = flow.Empty
	}
	return res, nil
}

// run tells how a run ended.
func (x *executor) run(ctx context.Context, id string) (flow.Result, error) {
	run, ok, err := x.runs.Run(ctx, id)
	if err != nil {
		return flow.Result{}, fmt.Errorf("cannot read what became of run %s: %w", id, err)
	}
	if !ok {
		res := done(value.ObjectOf(pipeline.StoreEnded, nil))
		res.Outcome = flow.Empty
		return res, nil
	}
	status := run.Status
	if run.Ended.IsZero() {
		status = unended
	}
	return done(value.ObjectOf(pipeline.StoreEnded, status)), nil
}

// unended is the status of a run that is on its way, or was stopped there.
const unended = "interrupted"

// misfit says what of v, which people know as name, does not fit the declarations of
// a table; "" for nothing.
func (x *executor) misfit(table, name string, v value.Value) string {
	var found []string
	for _, declared := range x.declared[table] {
		for _, bad := range declared.Validate(v) {
			at := name
			if bad.Path != "" && bad.Path[0] != '[' {
				at += "."
			}
			found = append(found, at+bad.Path+": "+bad.Message)
		}
	}
	return strings.Join(found, "; ")
}

func decode(table, key string, kept []byte) (value.Value, error) {
	v, err := value.Decode(kept)
	if err != nil {
		return nil, fmt.Errorf("what table %s holds under %s is broken: %w", table, key, err)
	}
	return v, nil
}

// unusable says why a table or key cannot be used; "" for a good one. A list has no key.
func unusable(table, key string) string {
	switch {
	case pipeline.IsReserved(table):
		return pipeline.ReservedTable(table)
	case len(table) > maxName:
		return fmt.Sprintf("the name of the table has %d bytes, and at most %d are kept", len(table), maxName)
	case len(key) > maxName:
		return fmt.Sprintf("the key for table %s has %d bytes, and at most %d are kept", table, len(key), maxName)
	}
	return ""
}

func text(inputs *value.Object, name string) string {
	s, _ := inputs.At(name).(string) // inputs are bound
	return s
}

func done(outputs *value.Object) flow.Result {
	return flow.Result{Outcome: flow.OK, Outputs: outputs, Sent: true}
}

func refused(why string) flow.Result {
	return flow.Result{Outcome: flow.Invalid, Code: "invalid-input", Message: why, Hint: "the table was not changed"}
}

// broken refuses what was written before the table was declared so.
func broken(table, key, why string) flow.Result {
	return flow.Result{
		Outcome: flow.Invalid,
		Code:    "contract-broken",
		Message: fmt.Sprintf("what table %s holds under %s does not fit its declaration: %s", table, key, why),
		Hint:    "it was written when the table was declared otherwise, or not at all",
	}
}
