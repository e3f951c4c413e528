// Package flowtest shows that runtimes agree: whatever program runs over them,
// they make the same calls and give the same outputs, and those that remember
// repeat nothing after they were stopped.
package flowtest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Vendor is a scripted flow.Executor that counts what reaches it. The zero
// value answers every call with Echo.
type Vendor struct {
	// Answer makes the answer to a call that was sent; it must not depend on
	// the order of calls.
	Answer func(flow.CallRequest) flow.Result
	// Delay is how long an answer takes.
	Delay time.Duration
	// After is called when a call was sent and before it is answered, with
	// the number of calls sent so far.
	After func(sent int)

	mu   sync.Mutex
	sent []flow.CallRequest
}

// Do answers r. Like every executor, it sends nothing once ctx has ended, and
// lets what was sent come to its end.
func (v *Vendor) Do(ctx context.Context, r flow.CallRequest, events event.Sink) (flow.Result, error) {
	v.mu.Lock()
	if ctx.Err() != nil {
		v.mu.Unlock()
		return flow.Result{}, context.Cause(ctx)
	}
	v.sent = append(v.sent, r)
	if v.After != nil {
		v.After(len(v.sent))
	}
	v.mu.Unlock()
	if events != nil {
		events.Emit(&event.RequestSent{Key: string(r.Key), Operation: r.Operation})
	}
	if v.Delay > 0 {
		time.Sleep(v.Delay)
	}
	if v.Answer != nil {
		return v.Answer(r), nil
	}
	return Echo(r), nil
}

// Requests returns the calls that were sent, in order.
func (v *Vendor) Requests() []flow.CallRequest {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.sent)
}

// Sent returns the keys of all calls that were sent, sorted.
func (v *Vendor) Sent() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var keys []string
	for _, r := range v.sent {
		keys = append(keys, string(r.Key))
	}
	slices.Sort(keys)
	return keys
}

// Echo is a good answer that tells the call's key and inputs.
func Echo(r flow.CallRequest) flow.Result {
	return flow.Result{
		Outcome: flow.OK,
		Status:  200,
		Sent:    true,
		Outputs: value.ObjectOf("key", string(r.Key), "inputs", r.Inputs),
	}
}
