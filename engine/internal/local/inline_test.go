package local

import (
	"context"
	"fmt"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/flow"
)

// NewInline returns a runtime that remembers nothing and runs rows one after
// another: a create is sent by each call that asks for it. Events go to events,
// stamped; nil drops them.
func NewInline(ctx context.Context, x flow.Executor, runID string, events event.Sink) flow.Runtime {
	return &inline{ctx: ctx, executor: x, events: &stamp{run: runID, sink: events, clock: clock.System{}}}
}

// inline does what it is asked, at once.
type inline struct {
	ctx      context.Context // see runtime
	executor flow.Executor
	events   *stamp
}

func (rt *inline) Call(r flow.CallRequest) (flow.Result, error) {
	if err := rt.Interrupted(); err != nil {
		return flow.Result{}, err
	}
	res, err := rt.executor.Do(rt.ctx, r, rt.events.listener())
	switch {
	case err == nil:
		return res, nil
	case endedBy(rt.ctx, err):
		return flow.Result{}, rt.Interrupted()
	}
	return flow.Result{}, fmt.Errorf("call %s: %w", r.Key, err)
}

// Create has no lock: an inline runtime is alone.
func (rt *inline) Create(r flow.CallRequest, settle flow.Settle) (flow.Result, error) {
	res, err := rt.Call(r)
	for err == nil && settle != nil && (res.Unsettled() || res.Refused()) {
		var settled flow.Result
		if settled, err = settle(rt, r, res); err != nil {
			return res, err
		}
		if settled.Again == "" || res.Resent {
			settled.Again = ""
			return settled, nil
		}
		r.Key = settled.Again
		res, err = rt.Call(r)
		res.Resent = true
	}
	return res, err
}

func (rt *inline) Record(flow.CallRequest, flow.Result) error { return nil }

func (rt *inline) Recorded(flow.Key) (flow.Result, bool, error) { return flow.Result{}, false, nil }

func (rt *inline) Sleep(_ flow.Key, d time.Duration) error {
	return clock.Sleep(rt.ctx, clock.System{}, d)
}

func (rt *inline) Now(flow.Key) (time.Time, error) {
	return time.Now().UTC().Round(0), rt.Interrupted()
}

func (rt *inline) Each(_ flow.Key, rows flow.Rows, policy flow.EachPolicy, body flow.Body) (flow.Outcomes, error) {
	t := tally{policy: policy, interrupted: rt.Interrupted}
	for row, err := range rows {
		start, more := t.take(row, err)
		if start {
			t.end(row, body.Run(rt, row), nil)
		}
		if !more {
			break
		}
	}
	return t.outcomes()
}

func (rt *inline) CleaningUp() (flow.Result, bool, error) { return flow.Result{}, false, nil }

func (rt *inline) Cleanup(_ flow.Result, f func(flow.Runtime) error) error {
	calm := *rt
	calm.ctx = context.WithoutCancel(rt.ctx)
	return f(&calm)
}

func (rt *inline) Emit(e event.Event) { rt.events.Emit(e) }

func (rt *inline) Heard() bool { return rt.events.sink != nil }

func (rt *inline) Interrupted() error { return context.Cause(rt.ctx) }
