package interp

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// callBatch calls a batch operation. What became of each row is kept for the
// foreach around it; by itself the step fails when a row did.
func (w *walker) callBatch(s *pipeline.Step, a *pipeline.Call, key flow.Key, vars expr.Vars) (*value.Object, error) {
	w.batch, w.down = nil, false
	inputs, err := w.arguments(a, key, vars)
	if err != nil {
		return nil, err
	}
	res, err := w.batchOperation(a, key, inputs)
	w.batch, w.down = res.Rows, res.Down
	if err == nil && s.OnError != pipeline.Collect {
		err = refusedRows(a, key, res)
	}
	if err != nil {
		return nil, err
	}
	return s.Record(res, res.Outputs, true), nil
}

// batchOperation calls a batch operation, unless there is nothing to ask the
// vendor for. The result tells what became of each row also where the error
// says that the call failed.
func (w *walker) batchOperation(a *pipeline.Call, key flow.Key, inputs *value.Object) (flow.Result, error) {
	refs, err := a.Operation.BatchRows(inputs)
	if err != nil {
		return flow.Result{}, w.evalFailure(key, "identity", err)
	}
	if len(refs) == 0 {
		res := flow.Result{Outcome: flow.Empty, Rows: []flow.RowResult{}}
		w.tellStart(event.StepStarted{Key: string(key), Operation: a.Name()})
		w.tellEnd(a, key, res, nil)
		return res, nil
	}
	res, err := w.operation(a, key, inputs, refs)
	switch {
	case err != nil:
		res.Rows = w.allRows(key, refs, res, err)
	case res.Rows == nil: // settled by hand as a whole
		res.Rows = keepApart(allDone(refs), res)
	}
	return res, err
}

func allDone(refs []flow.RowRef) []flow.RowResult {
	rows := make([]flow.RowResult, len(refs))
	for i, ref := range refs {
		rows[i] = flow.RowResult{Key: ref.Key, Status: flow.Done}
	}
	return rows
}

// keepApart gives the rows that were not sent their own fate, not that of the batch.
func keepApart(rows []flow.RowResult, res flow.Result) []flow.RowResult {
	for i, row := range res.Apart {
		if row.Status != "" {
			rows[i] = row
		}
	}
	return rows
}

// allRows gives every row of a batch the fate of the batch.
func (w *walker) allRows(key flow.Key, refs []flow.RowRef, res flow.Result, err error) []flow.RowResult {
	status := flow.Failed
	var f *Failure
	switch {
	case !errors.As(err, &f):
	case f.Ambiguous:
		status = flow.Ambiguous
	case f.Code == codeInterrupted:
		status = flow.Skipped
	}
	rows := make([]flow.RowResult, len(refs))
	for i, ref := range refs {
		rows[i] = flow.RowResult{Key: ref.Key, Status: status, Message: err.Error()}
		switch {
		case status != flow.Ambiguous:
		case res.Sent:
			rows[i].Message = w.rowAccount(flow.CallRequest{CallKey: key, Rows: refs}, ref.Key, res, res.Message)
		default:
			rows[i].Message = joinSentences(err.Error(), f.Hint)
		}
	}
	return keepApart(rows, res)
}

// refusedRows is the failure of a batch of which rows were not done; nil when all were.
func refusedRows(a *pipeline.Call, key flow.Key, res flow.Result) error {
	const most = 3
	var refused []string
	count, ambiguous := 0, false
	for _, r := range res.Rows {
		if r.Status == flow.Done {
			continue
		}
		ambiguous = ambiguous || r.Status == flow.Ambiguous
		if count++; count <= most {
			refused = append(refused, r.Key+": "+r.Message)
		}
	}
	if count == 0 {
		return nil
	}
	if count > most {
		refused = append(refused, fmt.Sprintf("and %d more", count-most))
	}
	outcome := flow.Invalid
	if res.Down {
		outcome = flow.Unknown
	}
	return &Failure{Code: "rows-refused", Step: string(key), Operation: a.Name(), Outcome: outcome,
		Message:   fmt.Sprintf("%d of %d rows were refused: %s", count, len(res.Rows), strings.Join(refused, "; ")),
		Hint:      othersDone(count, len(res.Rows)),
		Ambiguous: ambiguous}
}

func othersDone(refused, all int) string {
	if refused == all {
		return "none of them is done"
	}
	return "the other rows are done"
}

// rowEvents tells of a row of a foreach, or of each row of a batch.
func rowEvents(key flow.Key, item flow.Item) []event.Event {
	if item.Rows == nil {
		return []event.Event{&event.RowFinished{Key: string(key), Row: item.Key, Status: string(item.Status), Replayed: item.Replayed, Error: errorText(item.Err)}}
	}
	all := make([]event.Event, len(item.Rows))
	for i, r := range item.Rows {
		all[i] = &event.RowFinished{Key: string(key), Row: r.Key, Status: string(r.Status), Replayed: item.Replayed, Error: r.Message}
	}
	return all
}

// count adds the rows of a foreach that did not end well to the run's tally, and returns how many did.
func (w *walker) count(item flow.Item) (done int) {
	statuses := []flow.ItemStatus{item.Status}
	if item.Rows != nil {
		statuses = statuses[:0]
		for _, r := range item.Rows {
			statuses = append(statuses, r.Status)
		}
	}
	for _, status := range statuses {
		switch status {
		case flow.Done:
			done++
		case flow.Ambiguous:
			w.tally.Ambiguous++
		default:
			w.tally.Failed++
		}
	}
	return done
}
