package interp

import (
	"errors"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// handle lets the step's handlers, or on_error: continue, deal with a failure.
// It returns err where none of them does.
func (w *walker) handle(s *pipeline.Step, key flow.Key, vars expr.Vars, err error) (*value.Object, error) {
	f := w.passable(err)
	if f == nil {
		return nil, err
	}
	after := flow.Result{Outcome: f.Outcome, Rows: w.batch}
	if s.OnError == pipeline.Continue {
		return s.Record(after, nil, true), w.passOver(key, err)
	}
	own := pipeline.WithItem(vars, errorValue(f))
	for _, h := range s.Handlers {
		if h.If != nil {
			fits, evalErr := h.If.Bool(own)
			if evalErr != nil {
				return nil, w.evalFailure(key, "on_error", errors.Join(evalErr, err))
			}
			if !fits {
				continue
			}
		}
		var outputs *value.Object
		if h.Outputs != nil {
			v, evalErr := h.Outputs.Eval(own)
			if evalErr != nil {
				return nil, w.evalFailure(key, "on_error", errors.Join(evalErr, err))
			}
			outputs, _ = v.(*value.Object) // nothing when every member was omitted
		}
		return s.Record(after, outputs, true), w.passOver(key, err)
	}
	return nil, err
}

// passOver lets the run go on after a failure, and makes the failure a fact: a resumed run
// must go the same way, whatever the vendor says by then. The error is why that cannot be written down.
func (w *walker) passOver(key flow.Key, err error) error {
	w.rt.Emit(&event.Note{Warning: true, Text: string(key) + " failed and the run goes on: " + err.Error()})
	var f *Failure
	errors.As(err, &f)
	var failed error
	switch {
	case f == nil: // a resumed run computes it alike, as it does other failures
	case f.told || f.result.Replayed: // it is one already
	case f.call != nil && f.call.Fresh: // it is read again then
	case f.late != "":
		failed = w.recordLate(f)
	case f.call != nil:
		res := f.result
		res.Exhausted = true
		failed = w.rt.Record(*f.call, res)
	}
	if failed != nil {
		return w.stopped(key, failed)
	}
	return nil
}

// errorValue is the variable error of a handler.
func errorValue(f *Failure) *value.Object {
	outcome := value.Value(nil)
	if f.Outcome != "" {
		outcome = string(f.Outcome)
	}
	return value.ObjectOf(
		"outcome", outcome,
		"code", f.Code,
		"status", int64(f.Status),
		"message", f.Message,
		"body", f.Body,
	)
}
