package transport

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/internal/clock"
)

// Traffic counts requests to any number of places against limits that go by names.
// All who share it count together, however long each of them lives. It forgets a limit that no
// request passes or waits for, once that makes no difference. Make it with NewTraffic;
// it is safe for concurrent use.
type Traffic struct {
	clock clock.Clock

	mu    sync.Mutex
	roads map[string]*road
	sweep int // how many roads there are when those that are idle are forgotten
}

// road is one place: limits hold for its requests only, so that one queue is enough.
type road struct {
	queue  *Queue
	limits map[any]*Limit
}

// Named is a Limit by name, which must be comparable.
type Named struct {
	Name        any
	Concurrency int
	Count       int
	Per         time.Duration
}

// minSweep is how many places are kept in any case.
const minSweep = 64

// NewTraffic returns Traffic by a clock, without any request.
func NewTraffic(c clock.Clock) *Traffic {
	return &Traffic{clock: c, roads: map[string]*road{}, sweep: minSweep}
}

// Wait is Queue.Wait under the limits of these names at a place. Who names a limit first says what it is.
func (t *Traffic) Wait(ctx context.Context, urgent bool, place string, limits ...Named) (Pass, error) {
	if ctx.Err() != nil || len(limits) == 0 {
		return Pass{}, context.Cause(ctx)
	}
	q, turn := t.enter(place, limits, urgent)
	return q.await(ctx, turn)
}

// enter lets a request wait at a place. What nobody waits for may be forgotten at any time.
func (t *Traffic) enter(place string, limits []Named, urgent bool) (*Queue, *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.roads[place]
	if r == nil {
		t.forget()
		r = &road{queue: NewQueue(t.clock), limits: map[any]*Limit{}}
		t.roads[place] = r
	}
	if slices.ContainsFunc(limits, func(l Named) bool { return r.limits[l.Name] == nil }) {
		r.forget()
	}
	named := make([]*Limit, len(limits))
	for i, l := range limits {
		if named[i] = r.limits[l.Name]; named[i] == nil {
			named[i] = &Limit{Concurrency: l.Concurrency, Count: l.Count, Per: l.Per}
			r.limits[l.Name] = named[i]
		}
	}
	return r.queue, r.queue.enter(urgent, named)
}

// forget forgets places without limits, now and then.
func (t *Traffic) forget() {
	if len(t.roads) < t.sweep {
		return
	}
	for name, r := range t.roads {
		if r.forget(); len(r.limits) == 0 {
			delete(t.roads, name)
		}
	}
	t.sweep = max(minSweep, 2*len(t.roads))
}

// forget forgets the limits that keep nobody waiting, and would not if somebody came.
func (r *road) forget() {
	for name, l := range r.limits {
		if r.queue.idle(l) {
			delete(r.limits, name)
		}
	}
}
