package interp

import (
	"errors"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// handle lets the step's handlers, or on_error: continue, deal with a failure.
// It returns err where none of them does.
func (w *walker) handle(s *pipeline.Step, key flow.Key, vars lang.Vars, err error) (*value.Object, error) {
	f := w.passable(err)
	if f == nil {
		return nil, err
	}
	after := flow.Result{Outcome: f.Outcome, Rows: w.batch}
	if s.OnError == pipeline.Continue {
		w.passOver(key, err)
		return s.Record(after, nil, true), nil
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
		w.passOver(key, err)
		return s.Record(after, outputs, true), nil
	}
	return nil, err
}

func (w *walker) passOver(key flow.Key, err error) {
	w.rt.Emit(&event.Note{Warning: true, Text: string(key) + " failed and the run goes on: " + err.Error()})
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
