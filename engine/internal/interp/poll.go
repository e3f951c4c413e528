package interp

import (
	"fmt"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// poll makes the call of a step again and again until what it waits for is
// there. Every look is a call of its own in the journal.
func (w *walker) poll(s *pipeline.Step, a *pipeline.Call, key flow.Key, vars lang.Vars) (*value.Object, error) {
	inputs, err := w.arguments(a, key, vars)
	if err != nil {
		return nil, err
	}
	w.rt.Emit(&event.StepStarted{Key: string(key), Operation: a.Name()})
	res, err := w.lookUntil(s.Until, a, key, vars, inputs)
	w.tellEnd(a, key, res, err)
	if err != nil {
		return nil, err
	}
	return s.Record(res, res.Outputs, true), nil
}

func (w *walker) lookUntil(u *pipeline.Until, a *pipeline.Call, key flow.Key, vars lang.Vars, inputs *value.Object) (flow.Result, error) {
	began, err := w.rt.Now(key + "/began")
	if err != nil {
		return flow.Result{}, interrupted(key, err)
	}
	deadline := began.Add(u.Timeout)
	for look := 1; ; look++ {
		lookKey := flow.Key(fmt.Sprintf("%s~%d", key, look))
		res, err := w.quietly(a, lookKey, inputs, nil)
		if err != nil {
			return res, err
		}
		seen := shownOutputs(a, res.Outputs)
		done, err := w.there(u, a, key, pipeline.WithItem(vars, res.Outputs), seen)
		if done || err != nil {
			return res, err
		}
		now, err := w.rt.Now(lookKey + "/now")
		if err != nil {
			return res, interrupted(key, err)
		}
		if now.Add(u.Every).After(deadline) {
			return res, &Failure{Code: codeTimeout, Step: string(key), Operation: a.Name(),
				Message: fmt.Sprintf("not there after %v and %d looks: %s; last seen %s", u.Timeout, look, u.Done.Text(), seen),
				Hint:    "what was done before stays done; run it again when the vendor is ready, or raise timeout"}
		}
		w.rt.Emit(&event.PollScheduled{Key: string(key), Operation: a.Name(), Look: look, Seen: seen, Wait: u.Every})
		if err := w.rt.Sleep(lookKey+"/wait", u.Every); err != nil {
			return res, interrupted(key, err)
		}
	}
}

// there says whether what was awaited has come; the error says that it cannot come any more.
func (w *walker) there(u *pipeline.Until, a *pipeline.Call, key flow.Key, vars lang.Vars, seen string) (bool, error) {
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
func holds(e *lang.Expr, vars lang.Vars) (bool, error) {
	if e == nil {
		return false, nil
	}
	return e.Bool(vars)
}

// shownOutputs is what a message shows of outputs: all but the secret ones, shortened.
func shownOutputs(a *pipeline.Call, outputs *value.Object) string {
	const most = 300
	open := value.NewObject(outputs.Len())
	for _, m := range a.Operation.Response.Outputs {
		if !m.Type().HasSecret() {
			open.Set(m.Name, outputs.At(m.Name))
		}
	}
	text := []rune(string(value.AppendJSON(nil, open)))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// A clock bounds what steps may take. The zero clock bounds nothing.
type clock struct {
	end  time.Time
	step flow.Key // whose timeout it is
	set  string   // the timeout as it was declared
}

// within starts the timeout of a step, unless an outer one ends sooner.
func (w *walker) within(key flow.Key, timeout time.Duration) (restore func(), err error) {
	outer := w.clock
	restore = func() { w.clock = outer }
	if timeout == 0 {
		return restore, nil
	}
	now, err := w.rt.Now(key + "/began")
	if err != nil {
		return restore, interrupted(key, err)
	}
	if end := now.Add(timeout); outer.end.IsZero() || end.Before(outer.end) {
		w.clock = clock{end: end, step: key, set: timeout.String()}
	}
	return restore, nil
}

// left returns how much time a call or wait at key may take; 0 means no bound. The error says
// that wait would take too long.
func (w *walker) left(key flow.Key, wait time.Duration) (time.Duration, error) {
	if w.clock.end.IsZero() {
		return 0, nil
	}
	now, err := w.rt.Now(key + "/now")
	if err != nil {
		return 0, interrupted(key, err)
	}
	if !now.Add(wait).Before(w.clock.end) {
		return 0, &Failure{Code: codeTimeout, Step: string(key),
			Message: fmt.Sprintf("step %s took longer than its timeout of %s", w.clock.step, w.clock.set)}
	}
	return w.clock.end.Sub(now), nil
}
