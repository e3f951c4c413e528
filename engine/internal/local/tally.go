package local

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/seed627bd532/runner/engine/internal/flow"
)

// tally keeps what became of the rows of a foreach: whether more may start,
// and what it all comes to. Its user guards it.
type tally struct {
	policy      flow.EachPolicy
	interrupted func() error

	items   []flow.Item
	failed  bool
	down    int        // rows in a row that found the vendor down
	stopped *flow.Item // the first by index that ends the foreach
	held    error      // the interrupt, once it has kept a row from starting
	broken  error      // the source's fault
	err     error      // the engine's fault
}

// open reports whether a row may start.
func (t *tally) open() bool {
	return t.err == nil && t.stopped == nil && !t.tripped() && (t.policy.Collect || !t.failed) && t.interrupted() == nil
}

// tripped reports whether the vendor was down for too many rows in a row.
func (t *tally) tripped() bool {
	return t.policy.Collect && t.policy.Breaker > 0 && t.down >= t.policy.Breaker
}

// take books the next row of the source. start says whether it may run; if
// not, it is either booked as skipped or nothing more is wanted. A broken
// source does not keep the rows before the break from running.
func (t *tally) take(row flow.Row, err error) (start, more bool) {
	if cause := t.interrupted(); cause != nil {
		t.held = cause
		return false, false
	}
	if err != nil {
		t.broken = err
		return false, false
	}
	if t.open() {
		return true, true
	}
	why := t.whySkipped()
	if why == nil {
		return false, false
	}
	t.items = append(t.items, flow.Item{Index: row.Index, Key: row.Key, Status: flow.Skipped, Err: why})
	return false, true
}

// whySkipped says why the rows that are left are booked as skipped; nil when
// they are not booked at all.
func (t *tally) whySkipped() error {
	switch {
	case t.policy.Collect && t.stopped != nil:
		return fmt.Errorf("not started, since row %s ended the foreach", t.stopped.Key)
	case t.tripped():
		return fmt.Errorf("not started, since %d rows one after another found the vendor down", t.down)
	}
	return nil
}

// end books what a row came to.
func (t *tally) end(row flow.Row, it flow.Item, err error) {
	if err != nil {
		t.err = cmp.Or(t.err, err)
		return
	}
	it.Index, it.Key = row.Index, row.Key
	t.items = append(t.items, it)
	t.failed = t.failed || failed(it)
	switch {
	case it.Down:
		t.down++
	case !t.tripped():
		t.down = 0
	}
	if it.Stop && (t.stopped == nil || it.Index < t.stopped.Index) {
		t.stopped = &it
	}
}

// outcomes sums up, in the order of rows whatever the order of their ends.
func (t *tally) outcomes() (flow.Outcomes, error) {
	if t.err != nil {
		return flow.Outcomes{}, t.err
	}
	slices.SortFunc(t.items, func(a, b flow.Item) int { return cmp.Compare(a.Index, b.Index) })
	return flow.Outcomes{Items: t.items, Err: t.reason()}, nil
}

// reason returns why the foreach as a whole failed, or nil.
func (t *tally) reason() error {
	first := slices.IndexFunc(t.items, failed)
	switch {
	case t.held != nil:
		return t.held
	case first >= 0 && !t.policy.Collect:
		return t.items[first].Err
	case t.stopped != nil:
		return t.stopped.Err
	}
	return t.broken
}

func failed(it flow.Item) bool { return it.Status == flow.Failed || it.Status == flow.Ambiguous }
