package local

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// CodeUnsettled marks a create that was held back or lost because it is not
// known whether an earlier one of the same identity took place.
const CodeUnsettled = "unsettled-create"

// create makes a create that is not on record. Under the lock of its identity
// nobody else looks, intends or sends, so that what was found holds until the
// answer is recorded.
func (rt *runtime) create(r flow.CallRequest) (flow.Result, error) {
	if r.Identity == "" {
		return rt.send(r, "")
	}
	identity := identityOf(r)
	unlock, err := rt.Locks.Lock(rt.ctx, identity)
	if err != nil {
		if endedBy(rt.ctx, err) {
			return flow.Result{}, rt.Interrupted()
		}
		return flow.Result{}, fmt.Errorf("cannot lock the identity of %s: %w", r.Key, err)
	}
	defer unlock()

	earlier, err := rt.Journal.Creates(rt.ctx, identity, rt.Began)
	if err != nil {
		return flow.Result{}, fmt.Errorf("cannot look for earlier creates of %s in the journal: %w", r.Key, err)
	}
	if e, ok := find(earlier, state.Done); ok {
		return rt.reuse(r, e)
	}
	if e, ok := find(earlier, state.Intended); ok {
		return unsettled(r, e), nil
	}
	return rt.send(r, identity)
}

// send writes the intent, sends, and writes what came of it.
func (rt *runtime) send(r flow.CallRequest, identity string) (flow.Result, error) {
	e := state.Entry{Kind: state.Call, Key: string(r.Key), Status: state.Intended, Identity: identity, At: time.Now()}
	if err := rt.record(e); err != nil {
		return flow.Result{}, err
	}
	res, err := rt.do(r)
	switch {
	case err == nil:
		e.Status = statusOf(res)
	case errors.Is(err, rt.Interrupted()):
		e.Status = state.Undone
	default:
		// The engine failed, nobody knows how far it had come: the intent stays.
		return res, err
	}
	if e.Status != state.Intended {
		e.At = time.Time{}
	}
	if err == nil && !res.Fatal {
		e.Payload = rt.encode(r, res)
	}
	if err := rt.record(e); err != nil {
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

// unsettled refuses r because of e. It is not recorded: once e is settled, a
// resumed run may create.
func unsettled(r flow.CallRequest, e state.Entry) flow.Result {
	return flow.Result{
		Outcome: flow.Unknown,
		Code:    CodeUnsettled,
		Message: fmt.Sprintf("not sent: run %s already sent a create of %s as %s at %s, and it is not known whether that was done",
			e.Run, r.Identity, e.Key, e.At.UTC().Format(time.RFC3339)),
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

// identityOf names what must not be created twice. The environment's state
// knows one vendor account under one connection name.
func identityOf(r flow.CallRequest) string {
	return string(value.AppendJSON(nil, value.List{r.Connection, r.Operation, r.Identity}))
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
