// Package local holds the runtimes that work inside one process: the durable
// one, which journals what it does and runs rows in parallel, and the inline
// one, which just does it.
package local

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// Options say what a local runtime works with. Executor, Journal, Locks and
// RunID are needed.
type Options struct {
	Executor flow.Executor
	Journal  state.Journal
	Locks    state.Locks
	// Machine are locks that runs with other journals share: of two that would create the same at
	// the same place, one waits. nil means that there are no such runs.
	Machine state.Locks
	// At says where each connection leads, as Machine knows it; for one that is not there, or leads to
	// "", nobody else is waited for.
	At map[string]string
	// RunID names the run in the journal. A runtime with the ID of an earlier
	// run takes that run up again.
	RunID string
	// Began is when the run began for the first time; zero means now. Creates
	// that were done since then are not made again.
	Began time.Time
	// Doubted is since when reads that are on record are asked for anew; zero doubts none.
	// Nothing that was written may depend on them.
	Doubted time.Time
	// Events gets the events, stamped, one at a time; nil drops them. It must
	// mask what people may not see, and must not call the runtime.
	Events event.Sink
	// Mask replaces secrets in what a write asks for before that is recorded for people. Results are recorded as they
	// are, but for outputs that a request calls secret: the Journal sees to secrets in them. nil masks nothing.
	Mask func(value.Value) value.Value
	// Resume is the command that people are told where an open create stands in the way.
	Resume flow.ResumeCommand
	// Clock is what the run goes by; nil means that of the machine.
	Clock clock.Clock
	// InOrder runs the rows of every foreach one after another, whatever it says itself.
	InOrder bool
}

// New returns the durable runtime. It lives as long as ctx, whose cause, when
// it ends, is what Interrupted returns.
func New(ctx context.Context, o Options) flow.Runtime {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Began.IsZero() {
		o.Began = o.Clock.Now()
	}
	return &runtime{ctx: ctx, calm: context.WithoutCancel(ctx), Options: o, unlocked: new(sync.Once), events: &stamp{run: o.RunID, sink: o.Events, clock: o.Clock}}
}

// runtime is the durable runtime: what it was asked before is answered from
// the journal. Its copies are the runtimes of rows and clean-ups.
type runtime struct {
	// ctx is a field because the interface that durable code is written
	// against knows no contexts: a runtime stands for one.
	ctx context.Context
	// calm is ctx without its end, for what must be written down regardless.
	calm context.Context
	Options
	events   *stamp
	unlocked *sync.Once // tells of a machine whose locks do not work
}

// Sleep waits until d has passed since the first time that key was slept on;
// without a key, since now.
func (rt *runtime) Sleep(key flow.Key, d time.Duration) error {
	if key == "" {
		return clock.Sleep(rt.ctx, rt.Clock, d)
	}
	deadline, err := rt.moment(state.Sleep, key, d)
	if err != nil {
		return err
	}
	// A clock that was set back must not make the wait longer than asked for.
	return clock.Sleep(rt.ctx, rt.Clock, min(d, deadline.Sub(rt.Clock.Now())))
}

// Now returns the time at which key was asked for first; without a key, that of now.
func (rt *runtime) Now(key flow.Key) (time.Time, error) {
	if key == "" {
		return rt.Clock.Now(), rt.Interrupted()
	}
	return rt.moment(state.Time, key, 0)
}

// cleanup is the kind of the entry which says that a run takes back what it
// did: Intended while it does, since that must be on the disk before, then Done.
const cleanup state.Kind = "cleanup"

// Cleanup runs f with a runtime that is never interrupted, once it is on record that it does.
func (rt *runtime) Cleanup(why flow.Result, f func(flow.Runtime) error) error {
	calm := *rt
	calm.ctx = rt.calm
	e := state.Entry{Kind: cleanup, Key: string(cleanup), Status: state.Intended, Payload: rt.encode(flow.CallRequest{}, why)}
	if err := rt.record(e); err != nil {
		return err
	}
	if err := f(&calm); err != nil {
		return err
	}
	e.Status = state.Done
	return rt.record(e)
}

// CleaningUp returns what Cleanup has recorded.
func (rt *runtime) CleaningUp() (flow.Result, bool, error) {
	e, ok, err := rt.recorded(cleanup, flow.Key(cleanup))
	if err != nil || !ok {
		return flow.Result{}, false, err
	}
	why, err := decodeResult(e.Payload)
	return why, err == nil, err
}

// Emit stamps e and passes it on.
func (rt *runtime) Emit(e event.Event) { rt.events.Emit(e) }

// Heard reports whether there is a sink.
func (rt *runtime) Heard() bool { return rt.events.sink != nil }

// Interrupted returns the cause of the context's end.
func (rt *runtime) Interrupted() error { return context.Cause(rt.ctx) }

// moment returns the time recorded under key, or records now and later.
func (rt *runtime) moment(kind state.Kind, key flow.Key, later time.Duration) (time.Time, error) {
	if err := rt.Interrupted(); err != nil {
		return time.Time{}, err
	}
	e, ok, err := rt.recorded(kind, key)
	if err != nil {
		return time.Time{}, err
	}
	if ok {
		return decodeTime(e.Payload)
	}
	// Rounded to what the record holds, so that a resumed run is told the same.
	t := rt.Clock.Now().Add(later).UTC().Round(0)
	return t, rt.record(state.Entry{Kind: kind, Key: string(key), Payload: value.AppendJSON(nil, encodeTime(t))})
}

// recorded returns what this run recorded under kind and key, if anything.
func (rt *runtime) recorded(kind state.Kind, key flow.Key) (state.Entry, bool, error) {
	e, ok, err := rt.Journal.Get(rt.ctx, rt.RunID, kind, string(key))
	switch {
	case err == nil:
	case endedBy(rt.ctx, err):
		return e, false, rt.Interrupted()
	default:
		return e, false, &flow.StateError{What: fmt.Sprintf("cannot read %s from the journal", key), Err: err}
	}
	return e, ok, nil
}

// record writes e, and with it what else belongs to it, for this run.
func (rt *runtime) record(e state.Entry, more ...state.Entry) error {
	entries := append([]state.Entry{e}, more...)
	for i := range entries {
		entries[i] = rt.dated(entries[i])
	}
	return writing(e, rt.Journal.Put(rt.calm, entries...))
}

// fold writes e in place of all that led to it.
func (rt *runtime) fold(e state.Entry) error {
	return writing(e, rt.Journal.Fold(rt.calm, rt.dated(e)))
}

// dated returns e as an entry of this run, of now unless it has a date.
func (rt *runtime) dated(e state.Entry) state.Entry {
	e.Run = rt.RunID
	if e.At.IsZero() {
		e.At = rt.Clock.Now()
	}
	return e
}

func writing(e state.Entry, err error) error {
	if err != nil {
		return &flow.StateError{What: fmt.Sprintf("cannot write %s to the journal", e.Key), Err: err}
	}
	return nil
}
