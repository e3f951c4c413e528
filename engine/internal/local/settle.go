package local

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// A Record is what Settle works on.
type Record interface {
	state.Journal
	// Entries are those of a run, as in state.Runs.
	Entries(ctx context.Context, run string) ([]state.Entry, error)
}

// Settle writes down a person's word on a create that run sent without learning
// what became of it. key is that of the create, or of one row of a batch, as the account of it names it. It was done
// and gave outputs, which must fit the operation, and hold no secret; or, where done is false, it is
// absent. Nobody may be at work on the run. A key that is not open is refused with a list of those that are.
func Settle(ctx context.Context, journal Record, run, key string, done bool, outputs *value.Object) error {
	entries, err := journal.Entries(ctx, run)
	if err != nil {
		return fmt.Errorf("cannot read run %s from the journal: %w", run, err)
	}
	var settled []state.Entry
	for _, e := range openIn(entries) {
		if e.Key == key || strings.HasPrefix(e.Key, string(flow.Key(key).Step("rows"))+"[") {
			settled = append(settled, settledEntry(e, done, outputs))
		}
	}
	if len(settled) == 0 {
		return notOpen(entries, run, key)
	}
	if err := journal.Put(ctx, settled...); err != nil {
		return fmt.Errorf("cannot write %s to the journal: %w", key, err)
	}
	return nil
}

// Unsettled returns the keys of the creates among a run's entries of which
// nobody knows what became of them: those that Settle takes.
func Unsettled(entries []state.Entry) []string {
	var keys []string
	for _, e := range openIn(entries) {
		keys = append(keys, e.Key)
	}
	return keys
}

// openIn returns the creates that are open, one by one: in place of a batch its rows.
func openIn(entries []state.Entry) []state.Entry {
	var open []state.Entry
	for _, e := range entries {
		if e.Kind == state.Call && e.Status == state.Intended && (e.Identity != "" || !hasRows(entries, e.Key)) {
			open = append(open, e)
		}
	}
	return open
}

// hasRows reports whether the create is a batch with rows of their own.
func hasRows(entries []state.Entry, key string) bool {
	for _, e := range entries {
		if e.Kind == state.Call && strings.HasPrefix(e.Key, string(flow.Key(key).Step("rows"))+"[") {
			return true
		}
	}
	return false
}

func settledEntry(e state.Entry, done bool, outputs *value.Object) state.Entry {
	settled := state.Entry{Run: e.Run, Kind: e.Kind, Key: e.Key, Identity: e.Identity, Status: state.Undone, At: time.Now()}
	if done {
		var told flow.Result // what is unreadable says nothing
		if e.Payload != nil {
			told, _ = decodeResult(e.Payload)
		}
		settled.Status = state.Done
		done := flow.Result{Outcome: flow.OK, Outputs: outputs, Sent: true, Reconciled: true, Apart: told.Apart, At: e.At}
		settled.Payload = encodeResult(done, func(dst []byte) []byte { return againAsked(dst, e.Payload) })
	}
	return settled
}

func notOpen(entries []state.Entry, run, key string) error {
	open := Unsettled(entries)
	if len(open) == 0 {
		return fmt.Errorf("nothing to settle: run %s has no ambiguous creates", run)
	}
	return fmt.Errorf("%s is no ambiguous create of run %s; these are: %s", key, run, strings.Join(open, ", "))
}
