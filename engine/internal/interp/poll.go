package interp

import (
	"errors"
	"fmt"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// poll makes the call of a step again and again until what it waits for is
// there. Every look is a call of its own in the journal.
func (w *walker) poll(s *pipeline.Step, a *pipeline.Call, key flow.Key, vars expr.Vars) (*value.Object, error) {
	inputs, err := w.arguments(a, key, vars)
	if err != nil {
		return nil, err
	}
	w.tellStart(event.StepStarted{Key: string(key), Operation: a.Name()})
	res, err := w.lookUntil(s, a, key, vars, inputs)
	w.tellEnd(a, key, res, err)
	if err != nil {
		return nil, err
	}
	return s.Record(res, res.Outputs, true), nil
}

// lookUntil returns the result of the look that found what the step waits for.
func (w *walker) lookUntil(s *pipeline.Step, a *pipeline.Call, key flow.Key, vars expr.Vars, inputs *value.Object) (flow.Result, error) {
	u, seen := s.Until, "nothing"
	for look := 1; ; look++ {
		if w.clock.isOf(key) {
			w.clock.late = fmt.Sprintf("not there after %v and %d looks: %s", s.Timeout, look, u.Done.Text())
		}
		at := flow.Key(fmt.Sprintf("%s~%d", key, look))
		res, err := w.quietly(a, key, at, inputs, nil)
		if err != nil {
			return res, notThere(a, seen, err)
		}
		seen = shownOutputs(a, res.Outputs)
		done, err := w.there(u, a, key, pipeline.WithItem(vars, res.Outputs), seen)
		if done || err != nil {
			return res, err
		}
		if _, err := w.left(key, at+"/wait", u.Every); err != nil {
			return res, notThere(a, seen, err)
		}
		w.rt.Emit(&event.PollScheduled{Key: string(key), Operation: a.Name(), Look: look, Seen: seen, Wait: u.Every})
		if err := w.rt.Sleep(at+"/wait", u.Every); err != nil {
			return res, notThere(a, seen, w.stopped(key, err))
		}
	}
}

// notThere adds to the account of a timeout, of the step or of the run, and of an
// interrupt what was seen last; other errors stay what they are.
func notThere(a *pipeline.Call, seen string, err error) error {
	f, late := unfinished(err)
	if !late && (!errors.As(err, &f) || f.Code != codeInterrupted) {
		return err
	}
	ended := *f
	ended.Operation = a.Name()
	ended.Message += "; last seen " + seen
	if late {
		ended.Hint = "what was done before stays done; run it again when the vendor is ready, or raise timeout"
	}
	return &ended
}

// there says whether what was awaited has come; the error says that it cannot come any more.
func (w *walker) there(u *pipeline.Until, a *pipeline.Call, key flow.Key, vars expr.Vars, seen string) (bool, error) {
	failed, err := holds(u.FailIf, vars)
	if err != nil {
		return false, w.evalFailure(key, "fail_if", err)
	}
	if failed {
		return false, &Failure{Code: "poll-failed", Step: string(key), Operation: a.Name(),
			Message: fmt.Sprintf("what it waits for cannot come any more: %s; last seen %s", u.FailIf.Text(), seen)}
	}
	done, err := holds(u.Done, vars)
	if err != nil {
		return false, w.evalFailure(key, "until", err)
	}
	return done, nil
}

// holds evaluates a condition; nil is false.
func holds(e *expr.Expr, vars expr.Vars) (bool, error) {
	if e == nil {
		return false, nil
	}
	return e.Bool(vars)
}

// shownOutputs is what a message shows of outputs: all but the secret ones, shortened.
func shownOutputs(a *pipeline.Call, outputs *value.Object) string {
	const most = 300
	open := value.NewObject(outputs.Len())
	for _, f := range a.Operation.Response.OutputsType.Fields {
		if !f.Type.HasSecret() {
			open.Set(f.Name, outputs.At(f.Name))
		}
	}
	return diag.Shorten(string(value.AppendJSON(nil, open)), most)
}
