package interp

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func (w *walker) foreach(s *pipeline.Step, key flow.Key, vars lang.Vars) (*value.Object, error) {
	source, err := w.source(s, key, vars)
	if err != nil {
		return nil, err
	}
	w.rt.Emit(&event.StepStarted{Key: string(key), Operation: operationName(s)})
	outcomes, err := w.rt.Each(key, w.rowsOf(s, key, vars, source),
		flow.EachPolicy{Parallel: s.Foreach.Parallel, Collect: s.OnError == pipeline.Collect, Breaker: s.Foreach.Breaker},
		flow.Body{
			Pipeline: w.p.Path,
			Step:     s.ID,
			Capture:  value.List(vars),
			Run: func(rt flow.Runtime, row flow.Row) flow.Item {
				item := w.row(rt, s, key, vars, row)
				if w.onRow != nil {
					w.onRow(s.ID, item)
				}
				return item
			},
		})
	for _, item := range outcomes.Items {
		if item.Status == flow.Skipped {
			w.tellRow(w.rt, key, item)
		}
	}
	if err == nil {
		err = w.ended(s, key, outcomes)
	}
	w.rt.Emit(&event.StepFinished{Key: string(key), Operation: operationName(s), Error: errorText(err)})
	if err != nil && s.OnError == pipeline.Continue && mayContinue(err) {
		w.passOver(key, err)
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return s.ForeachRecord(outcomes.Items), nil
}

func (w *walker) tellRow(rt flow.Runtime, key flow.Key, item flow.Item) {
	for _, e := range rowEvents(key, item) {
		rt.Emit(e)
	}
}

// ended counts the rows that did not end well, and decides whether the foreach failed.
func (w *walker) ended(s *pipeline.Step, key flow.Key, outcomes flow.Outcomes) error {
	done := 0
	for _, item := range outcomes.Items {
		w.tally.Add(item.Tally)
		w.undo = append(w.undo, item.Undo...)
		done += w.count(item)
	}
	if outcomes.Err == nil {
		return nil
	}
	err := interrupted(key, outcomes.Err)
	var f *Failure
	errors.As(err, &f)
	stopped := *f
	stopped.Message = fmt.Sprintf("%s (rows done before: %d)", f.Message, done)
	return &stopped
}

// source returns what the foreach iterates over: the rows of a streamed input, or a list.
func (w *walker) source(s *pipeline.Step, key flow.Key, vars lang.Vars) (Source, error) {
	in := s.Foreach.Input
	streamed := in != nil && w.p.Inputs.Streamed[in.Name]
	check := func(v value.Value, err error) error {
		if err != nil || !streamed {
			return err
		}
		return rowError(in.CheckItem(v))
	}
	if streamed && key == stepKey("", s) { // only the run's own pipeline has sources
		if rows, ok := w.rows[in.Name]; ok {
			return func(yield func(value.Value, error) bool) error {
				return rows(func(v value.Value, err error) bool { return yield(v, check(v, err)) })
			}, nil
		}
	}
	v, err := s.Foreach.Over.Eval(vars)
	if err != nil {
		return nil, w.evalFailure(key, "foreach", err)
	}
	elements, ok := value.Elements(v)
	switch {
	case v == nil:
		elements = func(func(value.Value, error) bool) {}
	case !ok:
		return nil, &Failure{Code: "eval-error", Step: string(key), Message: "foreach wants a list, found " + value.KindOf(v)}
	}
	return func(yield func(value.Value, error) bool) error {
		for v, err := range elements {
			if err != nil {
				return err
			}
			if !yield(v, check(v, nil)) {
				break
			}
		}
		return nil
	}, nil
}

func rowError(bad []schema.Violation) error {
	if len(bad) == 0 {
		return nil
	}
	return errors.New(violationText(bad))
}

// badRow is the failure of a row that was refused before anything was sent for it.
func badRow(key flow.Key, err error) error {
	var f *Failure
	if errors.As(err, &f) {
		return err
	}
	return &Failure{Code: "bad-row", Step: string(key), Message: err.Error(), Hint: "nothing was sent for this row", Err: err}
}

// rowsOf gives every element its key: the value of key, made unique by #2, #3
// where it comes again, or the row's number.
func (w *walker) rowsOf(s *pipeline.Step, key flow.Key, vars lang.Vars, source Source) flow.Rows {
	return func(yield func(flow.Row, error) bool) {
		seen := map[string]int{}
		index := 0
		stopped := false
		if s.Foreach.Batch > 0 {
			source = batches(source, s.Foreach.Batch)
		}
		broken := source(func(v value.Value, rowErr error) bool {
			row := flow.Row{Index: index, Value: v, Err: rowErr}
			index++
			group, err := w.rowKey(s, vars, v, index)
			if err != nil && row.Err == nil {
				row.Err = w.evalFailure(key, "key", err)
			}
			row.Group, row.Key = group, unique(seen, group)
			stopped = !yield(row, nil)
			return !stopped
		})
		if broken != nil && !stopped {
			yield(flow.Row{}, &Failure{Code: "input-broken", Step: string(key), Message: broken.Error(), Err: broken})
		}
	}
}

// batches hands out lists of at most n elements. An element that could not be
// read is a batch of its own, which fails.
func batches(source Source, n int) Source {
	return func(yield func(v value.Value, rowErr error) bool) error {
		batch := make(value.List, 0, n)
		more := true
		broken := source(func(v value.Value, rowErr error) bool {
			if rowErr != nil {
				more = yield(value.List{v}, rowErr)
				return more
			}
			if batch = append(batch, v); len(batch) == n {
				more = yield(batch, nil)
				batch = make(value.List, 0, n)
			}
			return more
		})
		if more && len(batch) > 0 {
			yield(batch, nil)
		}
		return broken
	}
}

// unique returns key the first time that it is asked for, then key#2, key#3, …,
// and passes over what was given out before.
func unique(seen map[string]int, key string) string {
	n := seen[key] + 1
	candidate := key
	for n > 1 {
		candidate = fmt.Sprintf("%s#%d", key, n)
		if seen[candidate] == 0 {
			seen[candidate] = 1
			break
		}
		n++
	}
	seen[key] = n
	return candidate
}

// rowKey returns the row's key. A row whose key is missing, or cannot be
// computed, goes by its number.
func (w *walker) rowKey(s *pipeline.Step, vars lang.Vars, v value.Value, number int) (string, error) {
	byNumber := "row " + strconv.Itoa(number)
	switch {
	case s.Foreach.Key != nil:
	case s.Foreach.Batch > 0:
		return "batch " + strconv.Itoa(number), nil
	default:
		return strconv.Itoa(number), nil
	}
	k, err := s.Foreach.Key.Eval(pipeline.WithItem(vars, v))
	if err != nil {
		return byNumber, err
	}
	if k == nil || k == "" {
		return byNumber, nil
	}
	text, err := value.Text(k)
	if err != nil {
		return byNumber, err
	}
	return text, nil
}

// row runs the body for one row, on the row's own runtime.
func (w *walker) row(rt flow.Runtime, s *pipeline.Step, key flow.Key, vars lang.Vars, row flow.Row) flow.Item {
	item := flow.Item{Index: row.Index, Key: row.Key, Status: flow.Done}
	inner := &walker{rt: rt, p: w.p, runID: w.runID, started: w.started, clock: w.clock}
	var err error
	if row.Err != nil {
		err = badRow(key.Row(row.Key), row.Err)
	} else {
		var record *value.Object
		record, err = inner.once(s, key.Row(row.Key), pipeline.WithItem(vars, row.Value))
		if err == nil {
			item.Outputs, _ = record.At("outputs").(*value.Object)
		}
	}
	item.Tally, item.Undo, item.Rows = inner.tally, inner.undo, inner.batch
	if err != nil {
		item.Status, item.Err = flow.Failed, err
		var f *Failure
		ok := errors.As(err, &f)
		switch {
		case !ok: // the engine itself failed
			item.Stop = true
		case f.Code == codeInterrupted:
			item.Status, item.Stop = flow.Skipped, true
		case f.Ambiguous:
			item.Status = flow.Ambiguous
			item.Stop = f.Fatal
		default:
			item.Stop = f.Fatal
		}
		item.Down = ok && (f.Outcome == flow.Busy || f.Outcome == flow.Unknown)
	}
	if item.Status != flow.Skipped {
		w.tellRow(rt, key, item)
	}
	return item
}
