package local

import (
	"slices"
	"sync"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// lookAhead is how many rows wait, for each that may run, while rows of their
// group are busy: enough that one long group does not hold up the others.
const lookAhead = 4

// Each runs the rows on goroutines of their own and returns when all that
// were started have ended. Rows that an earlier run of the journal finished
// are taken from there. A panic of the body is a panic of the program.
func (rt *runtime) Each(key flow.Key, rows flow.Rows, policy flow.EachPolicy, body flow.Body) (flow.Outcomes, error) {
	l := &loop{
		tally:    tally{policy: policy, interrupted: rt.Interrupted},
		do:       func(row flow.Row) (flow.Item, error) { return rt.item(key, row, body) },
		parallel: max(1, policy.Parallel),
		busy:     map[string]bool{},
	}
	if rt.InOrder {
		l.parallel = 1
	}
	l.changed.L = &l.mu
	for row, err := range rows {
		if !l.take(row, err) {
			break
		}
	}
	return l.finish()
}

// item runs one row, or returns its record. A row that is done is one record.
func (rt *runtime) item(key flow.Key, row flow.Row, body flow.Body) (flow.Item, error) {
	own := *rt
	if row.Err != nil {
		return body.Run(&own, row), nil
	}
	e, ok, err := rt.recorded(state.Item, key.Row(row.Key))
	if err != nil {
		return flow.Item{}, err
	}
	if ok {
		it, err := decodeItem(e.Payload)
		it.Replayed = true
		return it, err
	}
	it := body.Run(&own, row)
	if body.Secret || !summable(it) {
		return it, nil
	}
	return it, rt.fold(state.Entry{Kind: state.Item, Key: string(key.Row(row.Key)), Payload: encodeItem(it)})
}

// summable reports whether a record of it can stand for all that led to it.
// Rows below it that did not end well are tried again by a resumed run, what is doubtful and the rows of
// a large answer are read again, and a secret is computed again.
func summable(it flow.Item) bool {
	return it.Status == flow.Done && it.Tally == (flow.Tally{}) && !it.Doubtful && !value.HoldsRows(it.Outputs) &&
		!slices.ContainsFunc(it.Rows, func(r flow.RowResult) bool { return r.Status == flow.Ambiguous }) &&
		!slices.ContainsFunc(it.Undo, func(u flow.Undo) bool { return u.Secret })
}

// loop is one foreach under way. Rows enter in order, wait until there is room
// and nobody of their group is busy, run, and become items.
type loop struct {
	do       func(flow.Row) (flow.Item, error)
	parallel int

	mu      sync.Mutex // guards all below
	changed sync.Cond  // a row ended
	tally
	waiting []flow.Row
	busy    map[string]bool // the groups of running rows
	running int
}

// take lets a row in, once there is room, and reports whether it wants more.
func (l *loop) take(row flow.Row, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) >= lookAhead*l.parallel && l.open() {
		l.changed.Wait()
	}
	start, more := l.tally.take(row, err)
	if start {
		l.waiting = append(l.waiting, row)
		l.start()
	}
	return more
}

// start sets rows going while there is room. The caller holds mu.
func (l *loop) start() {
	for l.running < l.parallel {
		row, ok := l.next()
		if !ok {
			return
		}
		l.running++
		go l.work(row)
	}
}

// next takes the first row that may run out of those that wait. The caller holds mu.
func (l *loop) next() (row flow.Row, ok bool) {
	if len(l.waiting) == 0 || !l.open() {
		return row, false
	}
	i := slices.IndexFunc(l.waiting, func(r flow.Row) bool { return !l.busy[r.Group] })
	if i < 0 {
		return row, false
	}
	row = l.waiting[i]
	l.waiting = slices.Delete(l.waiting, i, i+1)
	if row.Group != "" {
		l.busy[row.Group] = true
	}
	return row, true
}

// work runs a row, and then others as long as there are any: a goroutine that
// goes on has a stack of the right size, which a new one would have to grow.
func (l *loop) work(row flow.Row) {
	for more := true; more; {
		it, err := l.do(row)
		row, more = l.ended(row, it, err)
	}
}

// ended books a row and returns the one to go on with.
func (l *loop) ended(row flow.Row, it flow.Item, err error) (next flow.Row, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(row, it, err)
	delete(l.busy, row.Group)
	if next, more = l.next(); !more {
		l.running--
	}
	l.start() // the end of a group's row may let in more than one
	l.changed.Broadcast()
	return next, more
}

// finish waits for the rows that run and sums up.
func (l *loop) finish() (flow.Outcomes, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.running > 0 {
		l.changed.Wait()
	}
	for _, row := range l.waiting { // those that nothing will start any more
		l.tally.take(row, nil)
	}
	return l.outcomes()
}
