package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/state"
)

// CodeUnsettled marks a create that was held back or lost because it is not
// known whether an earlier one of the same identity took place.
const CodeUnsettled = "unsettled-create"

// create makes a create that is not on record. Under the locks of its
// identities nobody else looks, intends or sends, so that what was found holds
// until the answer is recorded.
func (rt *runtime) create(r flow.CallRequest) (flow.Result, error) {
	targets := targetsOf(r)
	if res, refused := repeated(targets); refused {
		return res, nil
	}
	unlock, err := rt.lock(r, targets)
	if err != nil {
		return flow.Result{}, err
	}
	defer unlock()

	var done []state.Entry
	var labels []string
	for _, t := range targets {
		earlier, err := rt.Journal.Creates(rt.ctx, t.identity, rt.Began)
		if err != nil {
			return flow.Result{}, fmt.Errorf("cannot look for earlier creates of %s in the journal: %w", r.Key, err)
		}
		if e, ok := find(earlier, state.Done); ok {
			done, labels = append(done, e), append(labels, t.label)
		} else if e, ok := find(earlier, state.Intended); ok {
			return unsettled(t, e), nil
		}
	}
	switch {
	case len(done) == 0:
		return rt.send(r, targets)
	case r.Rows == nil:
		return rt.reuse(r, done[0])
	}
	return partlyCreated(labels, done[0]), nil
}

// lock takes the locks of all targets, in an order that is the same for all
// who lock, so that no two wait for each other.
func (rt *runtime) lock(r flow.CallRequest, targets []target) (unlock func(), err error) {
	var names []string
	for _, t := range targets {
		names = append(names, t.identity)
	}
	slices.Sort(names)
	var held []func()
	unlock = func() {
		for _, u := range held {
			u()
		}
	}
	for _, name := range names {
		one, err := rt.Locks.Lock(rt.ctx, name)
		if err != nil {
			unlock()
			if endedBy(rt.ctx, err) {
				return nil, rt.Interrupted()
			}
			return nil, fmt.Errorf("cannot lock the identity of %s: %w", r.Key, err)
		}
		held = append(held, one)
	}
	return unlock, nil
}

// send writes the intent, sends, and writes what came of it.
func (rt *runtime) send(r flow.CallRequest, targets []target) (flow.Result, error) {
	call, rows := intents(r, targets)
	if err := rt.record(call, rows...); err != nil {
		return flow.Result{}, err
	}
	res, err := rt.do(r)
	switch {
	case err == nil:
		call.Status = statusOf(res)
	case errors.Is(err, rt.Interrupted()):
		call.Status = state.Undone
	default:
		// The engine failed, nobody knows how far it had come: the intent stays.
		return res, err
	}
	for i, t := range targets[:len(rows)] {
		rows[i].Status = call.Status
		if call.Status == state.Done && t.row < len(res.Rows) {
			rows[i].Status = rowStatus(res.Rows[t.row].Status)
		}
		if rows[i].Status != state.Intended {
			rows[i].At = time.Time{}
		}
	}
	if call.Status != state.Intended {
		call.At = time.Time{}
	}
	if err == nil && !res.Fatal {
		call.Payload = rt.encode(r, res)
	}
	if err := rt.record(call, rows...); err != nil {
		return res, err
	}
	return res, err
}

// reuse answers r with what the earlier create e gave.
func (rt *runtime) reuse(r flow.CallRequest, e state.Entry) (flow.Result, error) {
	before, err := decodeResult(e.Payload)
	if err != nil {
		return flow.Result{}, err
	}
	res := flow.Result{Outcome: before.Outcome, Outputs: before.Outputs, Reused: true}
	return res, rt.record(state.Entry{Kind: state.Call, Key: string(r.Key), Payload: rt.encode(r, res)})
}

// statusOf says what a result tells about a create. A broken answer to a
// request that never left, a login's for instance, is no open question.
func statusOf(res flow.Result) state.Status {
	switch {
	case res.Outcome.Success():
		return state.Done
	case res.Outcome == flow.Unknown && res.Sent:
		return state.Intended
	}
	return state.Undone
}

// unsettled refuses a create of t because of e. It is not recorded: once e is
// settled, a resumed run may create.
func unsettled(t target, e state.Entry) flow.Result {
	return flow.Result{
		Outcome: flow.Unknown,
		Code:    CodeUnsettled,
		Message: fmt.Sprintf("not sent: run %s already sent a create of %s as %s at %s, and it is not known whether that was done",
			e.Run, t.label, e.Key, e.At.UTC().Format(time.RFC3339)),
		Hint: "look at the vendor whether it was done, and settle that run first",
	}
}

// lost is the result of our own create e whose answer nobody saw.
func lost(e state.Entry) flow.Result {
	return flow.Result{
		Outcome: flow.Unknown,
		Code:    CodeUnsettled,
		Message: fmt.Sprintf("the run ended at %s, while this create was on its way, and it is not known whether it was done",
			e.At.UTC().Format(time.RFC3339)),
		Hint: "look at the vendor whether it was done",
		Sent: true,
		At:   e.At,
	}
}

// find returns the first of entries with this status.
func find(entries []state.Entry, s state.Status) (state.Entry, bool) {
	for _, e := range entries {
		if e.Status == s {
			return e, true
		}
	}
	return state.Entry{}, false
}

// endedBy reports whether err says that ctx ended.
func endedBy(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}
