package interp

import (
	"errors"
	"fmt"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A clock bounds what a step may take, beside those of the steps around it. The
// nil clock bounds nothing. Clocks start anew when a run is taken up again:
// the time in which nobody worked is not the step's.
type clock struct {
	outer *clock
	end   time.Time
	step  flow.Key // whose timeout it is
	late  string   // what to say when it has ended
	// ended is how the timeout ended in an earlier pass of the run, if the run went on from
	// there: the step comes so far again, and no farther. at is where that was.
	ended *flow.Result
	at    flow.Key
}

// within runs do below the timeout of s, if it has one.
func (w *walker) within(s *pipeline.Step, key flow.Key, do func() error) error {
	if s.Timeout == 0 {
		return do()
	}
	c := &clock{outer: w.clock, step: key, late: fmt.Sprintf("step %s took longer than its timeout of %v", key, s.Timeout)}
	now, err := w.rt.Now("")
	if err == nil {
		c.end = now.Add(s.Timeout)
		err = c.recall(w.rt)
	}
	if err != nil {
		return w.stopped(key, err)
	}
	w.clock = c
	defer func() { w.clock = c.outer }()
	return do()
}

// lateKey is the key of the record that the timeout of the step at key has ended.
func lateKey(step flow.Key) flow.Key { return step.Step("late") }

// recall looks for how the timeout ended before.
func (c *clock) recall(rt flow.Runtime) error {
	res, ok, err := rt.Recorded(lateKey(c.step))
	if ok {
		at, _ := res.Outputs.At("at").(string)
		c.ended, c.at = &res, flow.Key(at)
	}
	return err
}

// isOf reports whether the clock is that of the step at key.
func (c *clock) isOf(key flow.Key) bool { return c != nil && c.step == key }

// left returns how much time the step at key has for a call or a wait, which
// goes by the key at; 0 means no bound. The error says that wait would take too long.
func (w *walker) left(key, at flow.Key, wait time.Duration) (time.Duration, error) {
	var first *clock
	for c := w.clock; c != nil; c = c.outer {
		switch {
		case c.ended != nil && c.at == at:
			return 0, c.failure(key, at)
		case c.ended == nil && (first == nil || c.end.Before(first.end)):
			first = c
		}
	}
	if first == nil {
		return 0, nil
	}
	now, err := w.rt.Now("")
	if err != nil {
		return 0, w.stopped(key, err)
	}
	if !now.Add(wait).Before(first.end) {
		return 0, first.failure(key, at)
	}
	return first.end.Sub(now), nil
}

// failure is that of the step at key, which the clock ended at at.
func (c *clock) failure(key, at flow.Key) *Failure {
	f := &Failure{Code: codeTimeout, Step: string(key), Message: c.late, late: c.step, at: at}
	if c.ended != nil {
		f.Operation, _ = c.ended.Outputs.At("operation").(string)
		f.Outcome, f.Status, f.Message, f.Hint = c.ended.Outcome, c.ended.Status, c.ended.Message, c.ended.Hint
		f.told = true
	}
	return f
}

// recordLate makes the end of a timeout, upon which the run acts, a fact.
func (w *walker) recordLate(f *Failure) error {
	return w.rt.Record(flow.CallRequest{CallKey: lateKey(f.late)}, flow.Result{
		Outcome: f.Outcome, Status: f.Status, Code: f.Code, Message: f.Message, Hint: f.Hint,
		Outputs: value.ObjectOf("at", string(f.at), "operation", f.Operation),
	})
}

// unfinished reports whether err says that a timeout ended, and its account may still be added to.
func unfinished(err error) (*Failure, bool) {
	var f *Failure
	if !errors.As(err, &f) || f.late == "" || f.told {
		return nil, false
	}
	return f, true
}
