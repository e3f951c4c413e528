package transport

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/internal/clock"
)

// A Limit bounds the requests that pass a Queue under it: how many are under
// way at a time, and how many leave within any span of a length. The zero Limit
// bounds nothing. Its fields must not change once it is in use; the rest of it
// belongs to the Queue, and a Limit belongs to one Queue only.
//
// The rate is exact: never do more than Count leave in one span, however it is
// laid. A token bucket would let up to twice as many through, or else keep even
// the first requests apart, which at 1000 in an hour is 3.6 seconds.
type Limit struct {
	// Concurrency is how many may be under way; 0 means any number.
	Concurrency int
	// Count is how many may leave within Per; 0 means any number.
	Count int
	Per   time.Duration

	underWay int
	left     []time.Time // when the last ones left, oldest first; Count at most
}

// admits reports whether one more may leave now; when only time stands in the
// way, wait says how much.
func (l *Limit) admits(now time.Time) (ok bool, wait time.Duration) {
	if l.Concurrency > 0 && l.underWay >= l.Concurrency {
		return false, 0
	}
	if l.Count > 0 && len(l.left) == l.Count {
		if wait := l.left[0].Add(l.Per).Sub(now); wait > 0 {
			return false, wait
		}
	}
	return true, 0
}

func (l *Limit) take(now time.Time) {
	l.underWay++
	if l.Count > 0 {
		if len(l.left) == l.Count {
			l.left = l.left[1:]
		}
		l.left = append(l.left, now)
	}
}

// A Queue lets requests pass as their limits allow. Under one limit, who came
// first passes first; a request that waits for a limit of its own keeps nobody
// else waiting. All that share a narrow limit must share the wide one, too: then
// everybody's turn comes. A request passes all its limits at once, so that it holds no
// place under one while it waits for another. Make one with NewQueue; it is safe
// for concurrent use.
type Queue struct {
	mu      sync.Mutex
	waiting []*turn
	clock   clock.Clock
	stop    func() bool // of the alarm for the next one that may pass; nil while none waits for time
}

// turn is one request that waits.
type turn struct {
	limits []*Limit
	urgent bool
	come   chan struct{} // closed when it may pass
	at     time.Time     // when it passed
}

// NewQueue returns a Queue by a clock, in which nobody waits.
func NewQueue(c clock.Clock) *Queue { return &Queue{clock: c} }

// A Pass is the leave to send one request. It belongs to one goroutine.
type Pass struct {
	queue *Queue // nil: nothing to give back
	turn  *turn
}

// Wait waits until a request may be sent under all the limits. An urgent one,
// which others that wait need first, overtakes those that are not. The caller
// calls Done once the answer is there, or Return when nothing was sent. When
// ctx ends first, Wait returns its cause and a Pass that nothing is to be done with.
func (q *Queue) Wait(ctx context.Context, urgent bool, limits ...*Limit) (Pass, error) {
	if ctx.Err() != nil {
		return Pass{}, context.Cause(ctx)
	}
	if len(limits) == 0 {
		return Pass{}, nil
	}
	return q.await(ctx, q.enter(urgent, limits))
}

// enter returns a turn that waits, or has come at once.
func (q *Queue) enter(urgent bool, limits []*Limit) *turn {
	t := &turn{limits: limits, urgent: urgent, come: make(chan struct{})}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.join(t)
	q.admit()
	return t
}

// await waits until t has come, or gives it up when ctx ends first.
func (q *Queue) await(ctx context.Context, t *turn) (Pass, error) {
	ended := q.clock.Await(ctx, t.come)
	if ended == nil {
		return Pass{q, t}, nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, t); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	} else {
		q.giveBack(t)
	}
	q.admit()
	return Pass{}, ended
}

// Done says that the request is no longer under way. Further calls do nothing.
func (p *Pass) Done() { p.end((*Queue).release) }

// Return says that nothing was sent: the turn does not count. It does nothing after Done.
func (p *Pass) Return() { p.end((*Queue).giveBack) }

func (p *Pass) end(how func(*Queue, *turn)) {
	q := p.queue
	if q == nil {
		return
	}
	p.queue = nil
	q.mu.Lock()
	defer q.mu.Unlock()
	how(q, p.turn)
	q.admit()
}

// join puts t behind all others, or behind the urgent ones.
func (q *Queue) join(t *turn) {
	at := len(q.waiting)
	if t.urgent {
		if i := slices.IndexFunc(q.waiting, func(u *turn) bool { return !u.urgent }); i >= 0 {
			at = i
		}
	}
	q.waiting = slices.Insert(q.waiting, at, t)
}

// admit lets everybody pass who may, in order, and sets the timer for the next.
func (q *Queue) admit() {
	now := q.clock.Now()
	var next time.Duration
	// Nobody overtakes somebody who waits for the same limit.
	blocked := map[*Limit]bool{}
	stay := q.waiting[:0]
	for _, t := range q.waiting {
		if wait, ok := t.mayPass(now, blocked); ok {
			t.at = now
			for _, l := range t.limits {
				l.take(now)
			}
			close(t.come)
			continue
		} else if wait > 0 && (next == 0 || wait < next) {
			next = wait
		}
		stay = append(stay, t)
	}
	clear(q.waiting[len(stay):])
	q.waiting = stay
	if q.stop != nil {
		q.stop()
		q.stop = nil
	}
	if next > 0 {
		q.stop = q.clock.AfterFunc(next, func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.admit()
		})
	}
}

// mayPass reports whether all limits admit t. Those that do not are blocked for
// whoever comes after it; wait is how long a limit needs that wants nothing but time.
func (t *turn) mayPass(now time.Time, blocked map[*Limit]bool) (wait time.Duration, ok bool) {
	ok = true
	for _, l := range t.limits {
		if blocked[l] {
			ok = false
			continue
		}
		admits, w := l.admits(now)
		if !admits {
			ok, blocked[l] = false, true
			wait = max(wait, w)
		}
	}
	return wait, ok
}

func (q *Queue) release(t *turn) {
	for _, l := range t.limits {
		l.underWay--
	}
}

// giveBack is release for a turn that was not used.
func (q *Queue) giveBack(t *turn) {
	for _, l := range t.limits {
		l.underWay--
		if i := slices.IndexFunc(l.left, t.at.Equal); i >= 0 {
			l.left = slices.Delete(l.left, i, i+1)
		}
	}
}

// idle reports whether no request passes l or waits for it, and l would let any pass at once.
func (q *Queue) idle(l *Limit) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	waits := slices.ContainsFunc(q.waiting, func(t *turn) bool { return slices.Contains(t.limits, l) })
	last := len(l.left) - 1
	return l.underWay == 0 && !waits && (last < 0 || !q.clock.Now().Before(l.left[last].Add(l.Per)))
}
