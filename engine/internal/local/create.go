package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
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
	var before flow.Result
	if known && tells(e) {
		if before, err = replayed(e); err != nil || !before.HeldBack() {
			return before, err
		}
	}
	if known {
		if same, err := tellsOf(r, e); err != nil || !same {
			return otherRows(e), err
		}
	}
	c := &creation{rt: rt, whole: r, request: r, targets: targetsOf(r), settle: settle}
	waited := rt.Clock.Now()
	unlock, held, err := rt.lock(r, c.targets)
	switch {
	case err != nil:
		return flow.Result{}, err
	case held != nil:
		return tooLate(r, *held), nil
	}
	defer unlock()
	if r.Timeout > 0 {
		c.request.Timeout = max(1, r.Timeout-rt.Clock.Now().Sub(waited))
	}
	var res flow.Result
	if known && e.Status == state.Intended {
		res, err = c.goOn(e)
	} else {
		res, err = c.begin(before)
	}
	return res.Whole(), err
}

// errTooLate ends the wait for an identity that took all the time there was.
var errTooLate = errors.New("the time for the call has ended")

// longWait is how long another run is waited for in silence: it may have been stopped, and nobody knows.
const longWait = 10 * time.Second

// lock takes the locks of all targets: first those of the state, whose records go by connections, then those of the
// machine, which go by where these lead. Each are taken in an order that is the same for all who lock, so that
// no two wait for each other. held is a target that somebody else held until the request's Timeout; no
// lock is taken then.
func (rt *runtime) lock(r flow.CallRequest, targets []target) (unlock func(), held *target, err error) {
	ctx := rt.ctx
	if r.Timeout > 0 {
		bounded, stop := clock.WithTimeout(ctx, rt.Clock, r.Timeout, errTooLate)
		defer stop()
		ctx = bounded
	}
	locked := make([]func(), 0, 2*len(targets))
	unlock = func() {
		for _, u := range locked {
			u()
		}
	}
	for _, w := range rt.locksOf(r, targets) {
		quiet := rt.Clock.AfterFunc(longWait, func() {
			rt.Emit(&event.Note{Warning: true, Text: fmt.Sprintf("%s: another run is creating %s, and is waited for", r.CallKey, w.target.label)})
		})
		one, err := w.locks.Lock(ctx, w.name)
		quiet()
		switch {
		case err == nil:
			locked = append(locked, one)
			continue
		case w.machine && !endedBy(ctx, err):
			rt.unlocked.Do(func() {
				rt.Emit(&event.Note{Warning: true, Text: fmt.Sprintf("a run with another state may create the same as this one at the same time, since nothing can be locked on this machine: %v", err)})
			})
			return unlock, nil, nil
		}
		unlock()
		switch {
		case endedBy(rt.ctx, err):
			return nil, nil, rt.Interrupted()
		case endedBy(ctx, err):
			return nil, &w.target, nil
		}
		return nil, nil, &flow.StateError{What: "cannot lock the identity of " + string(r.Key), Err: err}
	}
	return unlock, nil, nil
}

// wanted is a lock of a target.
type wanted struct {
	locks   state.Locks
	name    string
	target  target
	machine bool // it is one of the machine
}

// locksOf returns the locks of targets in the order in which they are to be taken, each once.
func (rt *runtime) locksOf(r flow.CallRequest, targets []target) []wanted {
	var all []wanted
	add := func(locks state.Locks, machine bool, name func(t target) string) {
		first := len(all)
		for _, t := range targets {
			all = append(all, wanted{locks, name(t), t, machine})
		}
		slices.SortStableFunc(all[first:], func(a, b wanted) int { return state.LockOrder(a.name, b.name) })
	}
	add(rt.Locks, false, func(t target) string { return t.identity })
	if at := rt.At[r.Connection]; at != "" && rt.Machine != nil {
		add(rt.Machine, true, func(t target) string { return "create " + canonical(at, r.Operation, t.value) })
	}
	return slices.CompactFunc(all, func(a, b wanted) bool { return a.name == b.name })
}

// tooLate is the result of a create that waited for t in vain. Nothing was sent.
func tooLate(r flow.CallRequest, t target) flow.Result {
	return flow.Result{
		Outcome: flow.Busy,
		Code:    "timeout",
		Message: fmt.Sprintf("not sent: another run holds %s, and did not let go of it within %v", t.label, r.Timeout),
	}
}

// A creation is a create under the locks of its identities.
type creation struct {
	rt      *runtime
	whole   flow.CallRequest // of a batch, with all rows
	request flow.CallRequest // what is sent: of a batch, the rows that are not apart
	targets []target         // those of request
	apart   []flow.RowResult // as in flow.Result; nil where all rows are sent
	settle  flow.Settle      // may be nil
	resent  bool
	goesOn  bool // with rows that an earlier pass did not send, or that were absent
	open    bool // there are rows among those apart that this run sent, and that are open still
	// found are the entries of rows that were found before the others are sent again.
	found []state.Entry
}

// begin sends, unless an earlier create stands in the way. before is what is known of
// a batch of which rows were held back, or were absent: Whole, and zero otherwise.
func (c *creation) begin(before flow.Result) (flow.Result, error) {
	rt, r := c.rt, c.request
	c.goesOn = before.Rows != nil
	apart := repeated(r, c.targets)
	for i, row := range before.Rows {
		open := row.Status == flow.Ambiguous && r.Rows[i].Identity == "" // nobody else holds that back
		if c.open = c.open || open; open || row.Status != flow.Ambiguous {
			apart[i] = row
		}
	}
	for _, t := range c.targets {
		if r.Rows != nil && apart[t.row].Status != "" {
			continue
		}
		earlier, err := rt.earlier(r, t.identity)
		if err != nil {
			return flow.Result{}, &flow.StateError{What: fmt.Sprintf("cannot look for earlier creates of %s in the journal", r.Key), Err: err}
		}
		done, isDone := find(earlier, state.Done)
		open, isOpen := find(earlier, state.Intended)
		if isDone && !isOpen && r.Rows == nil && c.settle != nil && done.Run != rt.RunID && done.At.Before(rt.Began) {
			gone, err := c.gone()
			if err != nil {
				return flow.Result{}, err
			}
			isDone = !gone
		}
		switch {
		case isDone && r.Rows == nil:
			return rt.reuse(r, done)
		case isDone:
			apart[t.row] = flow.RowResult{Key: t.label, Status: flow.Done, Reused: true}
		case isOpen && r.Rows == nil:
			return rt.unsettled(t, open), nil
		case isOpen && c.goesOn && open.Run == rt.RunID && open.Key == string(r.RowKey(t.label)):
			apart[t.row], c.open = before.Rows[t.row], true
		case isOpen:
			res := rt.unsettled(t, open)
			apart[t.row] = flow.RowResult{Key: t.label, Status: flow.Ambiguous, Message: strings.TrimSuffix(res.Message+"; "+res.Hint, "; ")}
		}
	}
	c.leave(apart)
	if len(r.Rows) > 0 && len(c.request.Rows) == 0 {
		return c.sendNothing(before)
	}
	return c.send()
}

// gone reports whether what another run created, before this one began, is surely not
// there any more: this run has looked for it as if it were, or would not create it.
func (c *creation) gone() (bool, error) {
	seen, err := c.settle(c.rt, c.request, flow.Result{Outcome: flow.Unknown, Reused: true})
	return err == nil && seen.Again != "", err
}

// leave takes the rows that are apart, of all, out of what is sent.
func (c *creation) leave(apart []flow.RowResult) {
	if !slices.ContainsFunc(apart, func(row flow.RowResult) bool { return row.Status != "" }) {
		return
	}
	c.apart = apart
	r := &c.request
	list, _ := c.whole.Inputs.At(r.RowsOf).(value.List)
	refs, rows := []flow.RowRef{}, value.List{}
	for i, ref := range c.whole.Rows {
		if apart[i].Status != "" {
			continue
		}
		refs = append(refs, ref)
		if i < len(list) {
			rows = append(rows, list[i])
		}
	}
	r.Rows, r.Inputs = refs, r.Inputs.Clone()
	r.Inputs.Set(r.RowsOf, rows)
	c.targets = targetsOf(*r)
}

// sendNothing is the end of a batch whose rows are all apart. It is not recorded as long
// as rows are held back: once they are settled, a resumed run may send them.
func (c *creation) sendNothing(before flow.Result) (flow.Result, error) {
	res := flow.Result{Outcome: flow.OK, Reused: true}
	if before.Outcome != "" {
		res = before
	}
	res.Rows, res.Apart, res.Replayed = []flow.RowResult{}, c.apart, false
	if res.HeldBack() {
		return res, nil
	}
	return res, c.rt.record(state.Entry{Kind: state.Call, Key: string(c.request.Recorded()), Payload: c.rt.encode(c.request, res)})
}

// earlier returns the creates of this identity that are open, or were done since
// the run began, or so shortly before that the run need not have seen it. What the run itself
// did counts whatever the clock says, which may have been set back meanwhile.
func (rt *runtime) earlier(r flow.CallRequest, identity string) ([]state.Entry, error) {
	all, err := rt.Journal.Creates(rt.ctx, identity, time.Unix(0, 0))
	return slices.DeleteFunc(all, func(e state.Entry) bool {
		return e.Status == state.Done && e.Run != rt.RunID && e.At.Before(rt.Began.Add(-r.Reach))
	}), err
}

// goOn settles the create that this very run has sent before, as e says. Of a batch, it then
// sends the rows that nothing keeps back any more.
func (c *creation) goOn(e state.Entry) (flow.Result, error) {
	rest := &creation{rt: c.rt, whole: c.whole, request: c.request, targets: c.targets, settle: c.settle}
	lost, err := c.lost(e)
	if err != nil {
		return flow.Result{}, err
	}
	res, err := c.conclude(lost)
	waits := slices.ContainsFunc(c.apart, func(row flow.RowResult) bool { return row.Status == flow.Ambiguous })
	switch {
	case err != nil || res.Rows == nil:
		return res, err
	case waits:
		return rest.begin(res.Whole())
	case statusOf(res) == state.Done && (c.settle == nil || !lost.Unsettled()): // a person has settled the last of it
		return res, c.write(c.entries(), res, false)
	}
	return res, nil
}

// send writes the intent, sends, writes what came of it, and settles what stayed open.
func (c *creation) send() (flow.Result, error) {
	intent := c.entries()
	lost := lostAnswer(intent[0]) // which a run that is taken up again has to know
	lost.Resent, lost.Apart = c.resent, c.apart
	intent[0].Payload = c.rt.encode(c.request, lost)
	if err := c.rt.record(intent[0], append(intent[1:], c.found...)...); err != nil {
		return flow.Result{}, err
	}
	c.found = nil
	res, err := c.rt.do(c.request)
	switch {
	case err == nil:
		res.Resent, res.Apart = c.resent, c.apart
		if err := c.write(intent, res, c.asks(res)); err != nil {
			return res, err
		}
		return c.conclude(res)
	case errors.Is(err, c.rt.Interrupted()):
		if err := c.write(intent, flow.Result{Message: "the run was interrupted"}, false); err != nil {
			return res, err
		}
	}
	// Where the engine failed nobody knows how far it had come: the intent stays.
	return res, err
}

// asks reports whether res leaves something open that can be settled.
func (c *creation) asks(res flow.Result) bool {
	return c.settle != nil && (res.Unsettled() || res.Refused())
}

// conclude settles res, where it leaves something open, and records what is known then.
func (c *creation) conclude(res flow.Result) (flow.Result, error) {
	if !c.asks(res) {
		return res, nil
	}
	settled, err := c.settle(c.rt, c.request, res)
	if err != nil {
		return res, err
	}
	if settled.Again != "" && !res.Resent {
		c.setApart(settled.Rows)
		c.request.Key, c.resent = settled.Again, true
		return c.send()
	}
	settled.Again, settled.Resent, settled.Apart = "", res.Resent, c.apart
	entries := c.entries()
	for i := range entries {
		entries[i].At = res.At
	}
	return settled, c.write(entries, settled, false)
}

// setApart takes the rows that were sent and shall not be sent again out of the batch: those that were found, and
// those that stay open. What is known of them is written with the next intent.
func (c *creation) setApart(rows []flow.RowResult) {
	if rows == nil {
		return
	}
	entries := c.entries()
	for i, t := range c.targets {
		if e := entries[i+1]; rows[t.row].Status == flow.Done {
			e.Status, e.At = state.Done, time.Time{}
			c.found = append(c.found, e)
		}
	}
	c.open = c.open || slices.ContainsFunc(rows, func(row flow.RowResult) bool { return row.Status == flow.Ambiguous })
	all := slices.Clone(flow.Result{Apart: c.apart}.Among(rows))
	c.goesOn = c.goesOn || slices.ContainsFunc(all, func(row flow.RowResult) bool { return row.Status != "" })
	c.leave(all)
}

// entries announce the create: that of the call and, in a batch, one for each
// target. They are dated alike.
func (c *creation) entries() []state.Entry {
	call := state.Entry{Kind: state.Call, Key: string(c.request.Recorded()), Status: state.Intended, At: c.rt.Clock.Now()}
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
	call := status
	if status == state.Undone && c.goesOn {
		call, res = state.Done, c.notSent(res)
	}
	if call == state.Done && c.open {
		call = state.Intended
	}
	for i := range entries {
		e := &entries[i]
		switch e.Status = status; {
		case i == 0:
			e.Status = call
		case status != state.Undone && res.Rows != nil:
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

// notSent is what is known of a batch after its last rows were refused with res, all of them: a
// resumed run may send these, and no others.
func (c *creation) notSent(res flow.Result) flow.Result {
	rows := make([]flow.RowResult, len(c.request.Rows))
	for i, ref := range c.request.Rows {
		rows[i] = flow.RowResult{Key: ref.Key, Status: flow.Ambiguous, Message: res.Message}
	}
	return flow.Result{Outcome: flow.OK, Rows: []flow.RowResult{}, Apart: flow.Result{Apart: c.apart}.Among(rows), At: res.At}
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
func (rt *runtime) unsettled(t target, e state.Entry) flow.Result {
	res := flow.Result{
		Outcome: flow.Unknown,
		Code:    flow.CodeUnsettled,
		Message: fmt.Sprintf("not sent: run %s sent a create of %s as %s at %s, and it is ambiguous: it may or may not have reached the vendor",
			e.Run, t.label, e.Key, e.At.UTC().Format(time.RFC3339)),
	}
	if command := rt.Resume.Of(e.Run); command != "" {
		res.Hint = command + " looks it up; if that does not decide it, it says how to settle it"
	}
	return res
}

// find returns the last of entries with this status.
func find(entries []state.Entry, s state.Status) (state.Entry, bool) {
	for _, e := range slices.Backward(entries) {
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
