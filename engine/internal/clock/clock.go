// Package clock is the time that runs go by: that of the machine, or one that
// passes only when somebody waits.
package clock

import (
	"context"
	"time"
)

// A Clock tells the time and lets it pass. It is safe for concurrent use.
type Clock interface {
	// Now returns the time.
	Now() time.Time
	// AfterFunc calls f once d has passed, unless stop is called before; stop reports
	// whether it kept f from being called. f must not wait for the clock.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
	// Await lets time pass until done is closed, or until ctx ends, whose cause it returns then.
	Await(ctx context.Context, done <-chan struct{}) error
}

// System is the clock of the machine.
type System struct{}

// Now returns the time of the machine.
func (System) Now() time.Time { return time.Now() }

// AfterFunc calls f in a goroutine of its own.
func (System) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}

// Await waits.
func (System) Await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Sleep waits until d has passed on c, or until ctx ends, whose cause it returns then.
func Sleep(ctx context.Context, c Clock, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	passed := make(chan struct{})
	stop := c.AfterFunc(d, func() { close(passed) })
	defer stop()
	return c.Await(ctx, passed)
}

// WithTimeout is context.WithTimeoutCause on c. A nil cause stands for context.DeadlineExceeded.
func WithTimeout(ctx context.Context, c Clock, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	if _, ok := c.(System); ok {
		return context.WithTimeoutCause(ctx, d, cause)
	}
	if cause == nil {
		cause = context.DeadlineExceeded
	}
	bounded, cancel := context.WithCancelCause(ctx)
	stop := c.AfterFunc(d, func() { cancel(cause) })
	return bounded, func() {
		stop()
		cancel(context.Canceled)
	}
}
