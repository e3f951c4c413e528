package clock

import (
	"context"
	"sync"
	"time"
)

// A Virtual clock stands still while anybody works: time passes at once, as much
// as it takes, when somebody waits for it. It is for one chain of work: of two that wait at
// a time, both make it pass.
type Virtual struct {
	mu     sync.Mutex
	now    time.Time
	alarms []*alarm // in the order in which they were set
}

type alarm struct {
	at time.Time
	f  func()
}

// NewVirtual returns a clock that stands at a time.
func NewVirtual(at time.Time) *Virtual { return &Virtual{now: at} }

// Now returns the time that has been reached.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// AfterFunc has f called by whoever waits for that time, or for a later one.
func (v *Virtual) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := &alarm{at: v.now.Add(max(d, 0)), f: f}
	v.alarms = append(v.alarms, a)
	return func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.take(a)
	}
}

// take takes an alarm out, and reports whether it was there. The caller holds mu.
func (v *Virtual) take(a *alarm) bool {
	for i, other := range v.alarms {
		if other == a {
			v.alarms = append(v.alarms[:i], v.alarms[i+1:]...)
			return true
		}
	}
	return false
}

// Await goes from one alarm to the next. Where none is set, somebody else must be at work.
func (v *Virtual) Await(ctx context.Context, done <-chan struct{}) error {
	for {
		select {
		case <-done:
			return nil
		default:
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		next := v.next()
		if next == nil {
			return System{}.Await(ctx, done)
		}
		next.f()
	}
}

// next takes the first alarm out and goes to its time; nil where there is none.
func (v *Virtual) next() *alarm {
	v.mu.Lock()
	defer v.mu.Unlock()
	var first *alarm
	for _, a := range v.alarms {
		if first == nil || a.at.Before(first.at) {
			first = a
		}
	}
	if first == nil {
		return nil
	}
	v.take(first)
	if first.at.After(v.now) {
		v.now = first.at
	}
	return first
}
