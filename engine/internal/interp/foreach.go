package interp

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// foreach does a step for every element of its list.
func (w *walker) foreach(s *pipeline.Step, key flow.Key, vars expr.Vars) (*value.Object, error) {
	var items []flow.Item
	err := w.within(s, key, func() (err error) {
		items, err = w.loop(s, key, vars)
		return err
	})
	if err != nil && s.OnError == pipeline.Continue && w.passable(err) != nil {
		err = w.passOver(key, err)
	}
	if err != nil {
		return nil, err
	}
	return s.ForeachRecord(items), nil
}

// loop runs the rows of a foreach and returns those that ended, also where the
// error says that the foreach as a whole failed.
func (w *walker) loop(s *pipeline.Step, key flow.Key, vars expr.Vars) ([]flow.Item, error) {
	source, err := w.source(s, key, vars)
	if err != nil {
		return nil, err
	}
	w.tellStart(event.StepStarted{Key: string(key), Operation: operationName(s)})
	outcomes, err := w.rt.Each(key, w.rowsOf(s, key, vars, source),
		flow.EachPolicy{Parallel: s.Foreach.Parallel, Collect: s.OnError == pipeline.Collect, Breaker: s.Foreach.Breaker},
		flow.Body{
			Pipeline: w.p.Path,
			Step:     s.ID,
			Capture:  value.List(vars),
			Secret:   s.RowType() != nil && s.RowType().HasSecret(),
			Run: func(rt flow.Runtime, row flow.Row) flow.Item {
				item := w.row(rt, s, key, vars, row)
				if item.Status != flow.Skipped {
					w.tellRow(rt, s, key, item)
				}
				return item
			},
		})
	for _, item := range outcomes.Items {
		if item.Status == flow.Skipped || item.Replayed {
			w.tellRow(w.rt, s, key, item)
		}
	}
	if err == nil {
		err = w.sumUp(key, outcomes)
	} else {
		err = w.stopped(key, err)
	}
	w.tellFinish(event.StepFinished{Key: string(key), Operation: operationName(s), Error: errorText(err)})
	return outcomes.Items, err
}

// tellRow tells of a row that ended; rt is the row's own runtime while it runs.
func (w *walker) tellRow(rt flow.Runtime, s *pipeline.Step, key flow.Key, item flow.Item) {
	if rt.Heard() {
		for _, e := range rowEvents(key, item) {
			rt.Emit(e)
		}
	}
	if w.onRow != nil {
		w.onRow(s.ID, item)
	}
}

// sumUp takes over what the rows have left, and returns why the foreach as a
// whole failed, if it did.
func (w *walker) sumUp(key flow.Key, outcomes flow.Outcomes) error {
	done := 0
	for _, item := range outcomes.Items {
		w.tally.Add(item.Tally)
		w.undo = append(w.undo, item.Undo...)
		w.doubtful = w.doubtful || item.Doubtful
		done += w.count(item)
	}
	if outcomes.Err == nil {
		return nil
	}
	err := w.stopped(key, outcomes.Err)
	var f *Failure
	errors.As(err, &f)
	stopped := *f
	if done > 0 {
		stopped.Message = fmt.Sprintf("%s (rows done before: %d)", f.Message, done)
	}
	if f.Code == codeInterrupted && f.Hint == "" {
		stopped.Hint = "the rows that are done stay done, those that had not begun were not sent"
	}
	return &stopped
}

// source returns what the foreach iterates over: the rows of a streamed input, or a list.
func (w *walker) source(s *pipeline.Step, key flow.Key, vars expr.Vars) (Source, error) {
	in := s.Foreach.Input
	streamed := in != nil && w.p.Inputs.Streamed[in.Name]
	bind := func(v value.Value, err error) (value.Value, error) {
		if err != nil || !streamed {
			return v, err
		}
		v, bad := in.BindItem(v)
		return v, rowError(bad)
	}
	if streamed && key == stepKey("", s) { // only the run's own pipeline has sources
		if rows, ok := w.rows[in.Name]; ok {
			return func(yield func(value.Value, error) bool) error {
				return rows(func(v value.Value, err error) bool { return yield(bind(v, err)) })
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
			if !yield(bind(v, nil)) {
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
func (w *walker) rowsOf(s *pipeline.Step, key flow.Key, vars expr.Vars, source Source) flow.Rows {
	if s.Foreach.Batch > 0 {
		source = batches(source, s.Foreach.Batch)
	}
	return func(yield func(flow.Row, error) bool) {
		seen := map[string]int{}
		index, good := 0, 0
		stopped := false
		broken := source(func(v value.Value, rowErr error) bool {
			row := flow.Row{Index: index, Value: v, Err: rowErr}
			index++
			var alone *badElement
			if errors.As(rowErr, &alone) {
				row.Group = byNumber(alone.number)
			} else {
				var err error
				good++
				if row.Group, err = w.rowKey(s, vars, v, good); err != nil && row.Err == nil {
					row.Err = w.evalFailure(key, "key", err)
				}
			}
			row.Key = unique(seen, row.Group)
			stopped = !yield(row, nil)
			return !stopped
		})
		if broken != nil && !stopped {
			yield(flow.Row{}, &Failure{Code: "input-broken", Step: string(key), Message: broken.Error(), Err: broken})
		}
	}
}

// A badElement is an element that no batch takes.
type badElement struct {
	number int // in its list, from 1
	err    error
}

func (b *badElement) Error() string { return b.err.Error() }
func (b *badElement) Unwrap() error { return b.err }

// batches hands out lists of at most n elements. An element that could not be
// read stands alone, with a *badElement, before the batch that it would have been in.
func batches(source Source, n int) Source {
	return func(yield func(v value.Value, rowErr error) bool) error {
		var batch value.List
		number := 0
		more := true
		broken := source(func(v value.Value, rowErr error) bool {
			number++
			if rowErr != nil {
				more = yield(v, &badElement{number: number, err: rowErr})
				return more
			}
			if batch = append(batch, v); len(batch) == n {
				more = yield(batch, nil)
				batch = nil
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
func (w *walker) rowKey(s *pipeline.Step, vars expr.Vars, v value.Value, number int) (string, error) {
	switch {
	case s.Foreach.Key != nil:
	case s.Foreach.Batch > 0:
		return "batch " + strconv.Itoa(number), nil
	default:
		return strconv.Itoa(number), nil
	}
	k, err := s.Foreach.Key.Eval(pipeline.WithItem(vars, v))
	if err != nil {
		return byNumber(number), err
	}
	if k == nil || k == "" {
		return byNumber(number), nil
	}
	text, err := value.Text(k)
	if err != nil {
		return byNumber(number), err
	}
	return text, nil
}

func byNumber(n int) string { return "row " + strconv.Itoa(n) }

// row runs the body for one row, on the row's own runtime.
func (w *walker) row(rt flow.Runtime, s *pipeline.Step, key flow.Key, vars expr.Vars, row flow.Row) flow.Item {
	item := flow.Item{Index: row.Index, Key: row.Key, Status: flow.Done}
	rowKey := key.Row(row.Key)
	if row.Err != nil {
		return failedItem(item, badRow(rowKey, row.Err))
	}
	inner := &walker{rt: rt, p: w.p, runID: w.runID, resume: w.resume, run: w.run, clock: w.clock,
		unsure: w.unsure || w.tally != (flow.Tally{}), leads: w.leads}
	own := pipeline.WithItem(vars, row.Value)
	record, err := inner.action(s, rowKey, own)
	record, err = inner.settle(s, rowKey, own, record, err)
	item.Tally, item.Undo, item.Doubtful = inner.tally, inner.undo, inner.doubtful
	if s.Batch() != nil {
		item.Rows, item.Down = inner.batch, inner.down
	}
	if err != nil {
		item = failedItem(item, err)
		item.Stop = item.Stop || w.outOfTime(err)
		return item
	}
	item.Outputs, _ = record.At("outputs").(*value.Object)
	return item
}

// failedItem returns item as a row that ended with err. What the other rows
// would run into as well stops the foreach.
func failedItem(item flow.Item, err error) flow.Item {
	item.Status, item.Err = flow.Failed, err
	var f *Failure
	if !errors.As(err, &f) {
		item.Stop = true // the engine itself failed
		return item
	}
	item.Stop = f.Fatal
	item.Down = f.Outcome == flow.Busy || f.Outcome == flow.Unknown
	switch {
	case f.Ambiguous:
		account := *f // a row has one line for all that there is to say
		account.Message = joinSentences(f.Message, f.Hint)
		item.Status, item.Err = flow.Ambiguous, &account
	case f.Code == codeInterrupted:
		item.Status = flow.Skipped
	}
	return item
}

// outOfTime reports whether err says that a timeout ended which holds for the
// foreach as a whole.
func (w *walker) outOfTime(err error) bool {
	var f *Failure
	return errors.As(err, &f) && f.late != "" && w.clock.isOf(f.late)
}
