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

// Create makes a create that is not on record. Under the locks of its
// identities nobody else looks, intends or sends, so that what was found holds
// until what became of it is recorded. A request takes a token's lock, if it
// needs one, below these, and nobody takes them the other way round.
func (rt *runtime) Create(r flow.CallRequest, settle flow.Settle) (flow.Result, error) {
	if err := rt.Interrupted(); err != nil {
		return flow.Result{}, err
	}
	e, known, err := rt.recorded(state.Call, r.Recorded())
	if err != nil {
		return flow.Result{}, err
	}
	if known && tells(e) {
		return replayed(e)
	}
	targets := targetsOf(r)
	if res, refused := repeated(targets); refused {
		return res, nil
	}
	unlock, err := rt.lock(r, targets)
	if err != nil {
		return flow.Result{}, err
	}
	defer unlock()
	c := &creation{rt: rt, request: r, targets: targets, settle: settle}
	if !known || e.Status != state.Intended {
		return c.begin()
	}
	lost, err := c.lost(e)
	if err != nil {
		return flow.Result{}, err
	}
	return c.conclude(lost)
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

// A creation is a create under the locks of its identities.
type creation struct {
	rt      *runtime
	request flow.CallRequest
	targets []target
	settle  flow.Settle // may be nil
	resent  bool
}

// begin sends, unless an earlier create stands in the way.
func (c *creation) begin() (flow.Result, error) {
	rt, r := c.rt, c.request
	var done []state.Entry
	var labels []string
	for _, t := range c.targets {
		earlier, err := rt.earlier(t.identity)
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
		return c.send()
	case r.Rows == nil:
		return rt.reuse(r, done[0])
	}
	return partlyCreated(labels, done[0]), nil
}

// earlier returns the creates of this identity that are open, or were done since
// the run began. What the run itself did counts whatever the clock says, which may
// have been set back meanwhile.
func (rt *runtime) earlier(identity string) ([]state.Entry, error) {
	all, err := rt.Journal.Creates(rt.ctx, identity, time.Unix(0, 0))
	return slices.DeleteFunc(all, func(e state.Entry) bool {
		return e.Status == state.Done && e.Run != rt.RunID && e.At.Before(rt.Began)
	}), err
}

// send writes the intent, sends, writes what came of it, and settles what stayed open.
func (c *creation) send() (flow.Result, error) {
	intent := c.entries()
	if c.resent {
		intent[0].Payload = encodeResult(flow.Result{Outcome: flow.Unknown, Sent: true, Resent: true, At: intent[0].At})
	}
	if err := c.rt.record(intent[0], intent[1:]...); err != nil {
		return flow.Result{}, err
	}
	res, err := c.rt.do(c.request)
	switch {
	case err == nil:
		res.Resent = c.resent
		if err := c.write(intent, res, c.settle != nil && res.Unsettled()); err != nil {
			return res, err
		}
		return c.conclude(res)
	case errors.Is(err, c.rt.Interrupted()):
		if err := c.write(intent, flow.Result{}, false); err != nil {
			return res, err
		}
	}
	// Where the engine failed nobody knows how far it had come: the intent stays.
	return res, err
}

// conclude settles res, where it leaves something open, and records what is known then.
func (c *creation) conclude(res flow.Result) (flow.Result, error) {
	if c.settle == nil || !res.Unsettled() {
		return res, nil
	}
	settled, err := c.settle(c.rt, res)
	if err != nil {
		return res, err
	}
	if settled.Again != "" && !res.Resent {
		c.request.Key, c.resent = settled.Again, true
		return c.send()
	}
	settled.Again, settled.Resent = "", res.Resent
	entries := c.entries()
	for i := range entries {
		entries[i].At = res.At
	}
	return settled, c.write(entries, settled, false)
}

// entries announce the create: that of the call and, in a batch, one for each
// target. They are dated alike.
func (c *creation) entries() []state.Entry {
	call := state.Entry{Kind: state.Call, Key: string(c.request.Recorded()), Status: state.Intended, At: time.Now()}
	if c.request.Rows == nil && len(c.targets) > 0 {
		call.Identity = c.targets[0].identity
		return []state.Entry{call}
	}
	entries := []state.Entry{call}
	for _, t := range c.targets {
		row := call
		row.Key, row.Identity = string(c.request.RowKey(t.label)), t.identity
		entries = append(entries, row)
	}
	return entries
}

// write records what res tells of the create. What stays open keeps its date;
// open says that all that is not done stays so, since it will be looked for.
func (c *creation) write(entries []state.Entry, res flow.Result, open bool) error {
	status := statusOf(res)
	for i := range entries {
		e := &entries[i]
		e.Status = status
		if i > 0 && status != state.Undone && res.Rows != nil {
			e.Status = rowStatus(res.Rows[c.targets[i-1].row].Status)
		}
		if open && (i == 0 || e.Status != state.Done || res.Rows == nil) {
			e.Status = state.Intended
		}
		if e.Payload = nil; e.Status != state.Intended {
			e.At = time.Time{}
		}
	}
	if entries[0].Status != state.Undone {
		entries[0].Payload = c.rt.encode(c.request, res)
	}
	return c.rt.record(entries[0], entries[1:]...)
}

// statusOf says what a result tells about a create. A broken answer to a
// request that never left, a login's for instance, is no open question.
func statusOf(res flow.Result) state.Status {
	ambiguous := slices.ContainsFunc(res.Rows, func(r flow.RowResult) bool { return r.Status == flow.Ambiguous })
	switch {
	case res.Outcome == flow.Unknown && res.Sent, res.Outcome.Success() && ambiguous:
		return state.Intended
	case res.Outcome.Success():
		return state.Done
	}
	return state.Undone
}

// reuse answers r with what the earlier create e gave.
func (rt *runtime) reuse(r flow.CallRequest, e state.Entry) (flow.Result, error) {
	before, err := decodeResult(e.Payload)
	if err != nil {
		return flow.Result{}, err
	}
	res := flow.Result{Outcome: before.Outcome, Outputs: before.Outputs, Reused: true}
	return res, rt.record(state.Entry{Kind: state.Call, Key: string(r.Recorded()), Payload: rt.encode(r, res)})
}

// unsettled refuses a create of t because of e. It is not recorded: once e is
// settled, a resumed run may create.
func unsettled(t target, e state.Entry) flow.Result {
	return flow.Result{
		Outcome: flow.Unknown,
		Code:    flow.CodeUnsettled,
		Message: fmt.Sprintf("not sent: run %s already sent a create of %s as %s at %s, and it is not known whether that was done",
			e.Run, t.label, e.Key, e.At.UTC().Format(time.RFC3339)),
		Hint: fmt.Sprintf("runner resume %s looks whether it was done; where it cannot tell, it says how to settle it", e.Run),
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
