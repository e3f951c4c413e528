package transport

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/internal/clock"
)

// pass waits for a turn, and fails the test when there is none.
func pass(t *testing.T, q *Queue, limits ...*Limit) Pass {
	t.Helper()
	p, err := q.Wait(context.Background(), false, limits...)
	if err != nil {
		t.Error(err)
	}
	return p
}

func TestNoMoreAreUnderWayThanMayBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, l := NewQueue(clock.System{}), &Limit{Concurrency: 3}
		var mu sync.Mutex
		now, most := 0, 0
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				p := pass(t, q, l)
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				now--
				mu.Unlock()
				p.Done()
				p.Done() // a second time does nothing
			})
		}
		start := time.Now()
		wg.Wait()
		if most != 3 || time.Since(start) != 7*time.Second {
			t.Errorf("%d at a time, after %v", most, time.Since(start))
		}
	})
}

func TestTheRateHoldsInEverySpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, l := NewQueue(clock.System{}), &Limit{Count: 5, Per: time.Second}
		var left []time.Duration
		start := time.Now()
		take := func(n int) {
			for range n {
				p := pass(t, q, l)
				left = append(left, time.Since(start))
				p.Done()
			}
		}
		take(3)
		time.Sleep(900 * time.Millisecond)
		take(12)
		var text []string
		for i, at := range left {
			text = append(text, at.String())
			if i >= 5 && at-left[i-5] < time.Second {
				t.Errorf("request %d left %v after request %d", i+1, at-left[i-5], i-4)
			}
		}
		if got := strings.Join(text, " "); got != "0s 0s 0s 900ms 900ms 1s 1s 1s 1.9s 1.9s 2s 2s 2s 2.9s 2.9s" {
			t.Error(got)
		}
	})
}

func TestWhoCameFirstPassesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, l := NewQueue(clock.System{}), &Limit{Concurrency: 1}
		held := pass(t, q, l)
		var order []string
		queue := func(name string, urgent bool) {
			go func() {
				p, err := q.Wait(context.Background(), urgent, l)
				if err != nil {
					t.Error(err)
				}
				order = append(order, name) // one at a time
				p.Done()
			}()
			synctest.Wait()
		}
		for i := range 3 {
			queue(fmt.Sprint("call ", i), false)
		}
		queue("login", true)
		queue("another login", true)
		held.Done()
		synctest.Wait()
		if want := []string{"login", "another login", "call 0", "call 1", "call 2"}; !slices.Equal(order, want) {
			t.Errorf("got %q", order)
		}
	})
}

// A request that waits for a limit of its own neither holds places that others
// may use nor is kept from its own place by them.
func TestANarrowLimitKeepsOthersFromNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, all, slow := NewQueue(clock.System{}), &Limit{Concurrency: 2}, &Limit{Count: 1, Per: time.Minute}
		first := pass(t, q, slow, all)
		first.Done()
		start := time.Now()
		passed := make(chan time.Duration, 2)
		for range 2 {
			go func() {
				p := pass(t, q, slow, all)
				passed <- time.Since(start)
				p.Done()
			}()
		}
		synctest.Wait()
		for range 90 { // seconds, of which the first request needs the 60th
			a, b := pass(t, q, all), pass(t, q, all)
			time.Sleep(time.Second)
			a.Done()
			b.Done()
		}
		if waited := time.Since(start); waited != 90*time.Second {
			t.Errorf("the others took %v", waited)
		}
		if a, b := <-passed, <-passed; a != time.Minute || b != 2*time.Minute {
			t.Errorf("passed after %v and %v", a, b)
		}
	})
}

func TestATurnThatWasNotUsedDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, l := NewQueue(clock.System{}), &Limit{Concurrency: 1, Count: 2, Per: time.Hour}
		start := time.Now()
		for range 10 {
			p := pass(t, q, l)
			p.Return()
		}
		p := pass(t, q, l)
		p.Done()
		p.Return() // too late
		p = pass(t, q, l)
		p.Done()
		if time.Since(start) != 0 {
			t.Errorf("waited %v", time.Since(start))
		}
		p = pass(t, q, l)
		if time.Since(start) != time.Hour {
			t.Errorf("waited %v", time.Since(start))
		}
		p.Done()
	})
}

func TestWhoseContextEndsLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, l := NewQueue(clock.System{}), &Limit{Concurrency: 1, Count: 2, Per: time.Hour}
		held := pass(t, q, l)
		enough := errors.New("enough")
		ctx, stop := context.WithCancelCause(context.Background())
		result := make(chan error)
		go func() {
			_, err := q.Wait(ctx, false, l)
			result <- err
		}()
		synctest.Wait()
		stop(enough)
		if err := <-result; err != enough {
			t.Errorf("got %v, want the cause", err)
		}
		if _, err := q.Wait(ctx, false); err != enough {
			t.Errorf("got %v, want the cause", err)
		}
		held.Done()
		start := time.Now()
		p := pass(t, q, l)
		if time.Since(start) != 0 {
			t.Errorf("who left still counts: waited %v", time.Since(start))
		}
		p.Done()
	})
}

// A turn that came when the context ended as well is used or given back, never lost.
func TestNoTurnIsLost(t *testing.T) {
	t.Parallel()
	q, l := NewQueue(clock.System{}), &Limit{Concurrency: 1}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				ctx, stop := context.WithCancel(context.Background())
				go stop()
				if p, err := q.Wait(ctx, false, l); err == nil {
					p.Done()
				}
			}
		})
	}
	wg.Wait()
	p := pass(t, q, l)
	p.Done()
	if l.underWay != 0 || len(q.waiting) != 0 {
		t.Errorf("%d under way, %d waiting", l.underWay, len(q.waiting))
	}
}

func TestWithoutLimitsNobodyWaits(t *testing.T) {
	t.Parallel()
	q := NewQueue(clock.System{})
	for range 100 {
		pass(t, q)
		pass(t, q, &Limit{})
	}
}
