package catalog

import (
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// What a vendor file gets that does not say otherwise.
const (
	defaultTimeout = 30 * time.Second
)

var defaultRetry = Retry{Attempts: 5, First: time.Second, Max: 30 * time.Second}

func (d *decoder) retryOf(n *source.Node, r Retry) Retry {
	if n == nil {
		return r
	}
	if a := n.Get("attempts"); a != nil {
		if attempts, ok := a.Literal().(int64); ok {
			r.Attempts = int(attempts)
		}
	}
	r.First = d.wait(n.Get("first"), "first", r.First)
	r.Max = d.wait(n.Get("max"), "max", r.Max)
	if r.Max == 0 && r.Attempts > 1 && n.Get("max") != nil {
		d.faults.Add(n.Get("max").Errorf("wrong-value", "the longest wait is nothing: the vendor would be asked again at once").
			WithHint("write at least some milliseconds"))
	}
	if r.First > r.Max {
		d.faults.Add(n.Errorf("wrong-value", "the first wait (%v) is longer than the longest (%v)", r.First, r.Max))
	}
	return r
}

// Wait returns the wait after the n-th attempt: exponential, with a jitter
// of up to a half that is taken from the key, so that a resumed run waits alike and
// parallel rows do not return in step.
func (r Retry) Wait(n int, key flow.Key) time.Duration {
	wait := r.Max
	if shift := n - 1; shift < 30 && r.First<<shift < r.Max {
		wait = r.First << shift
	}
	const prime = 1099511628211 // FNV-1a
	h := uint64(14695981039346656037) ^ uint64(n)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * prime
	}
	return wait - time.Duration(h%1024)*(wait/2)/1024
}

func (d *decoder) timeoutOf(n *source.Node, otherwise time.Duration) time.Duration {
	t := d.duration(n, otherwise)
	if t == 0 {
		d.faults.Add(n.Errorf("wrong-value", "a timeout of nothing lets no call end well").WithHint("leave it out for the default"))
		return otherwise
	}
	if n != nil && t < shortestCall {
		d.faults.Add(n.Warnf("wrong-value", "timeout: hardly a vendor answers within %s", n.Text).WithHint("the units are ms, s, m and h"))
	}
	AtMost(n, "timeout", t, longestCall, d.faults)
	return t
}

const (
	// shortestCall is less than any connection over a network takes.
	shortestCall = 100 * time.Millisecond
	// longestCall is more than any answer is worth waiting for, and longestWait than any wait for the next look.
	longestCall = 24 * time.Hour
	longestWait = 24 * time.Hour
	// longestLife is longer than any token is let live that ends at all.
	longestLife = 10 * 365 * 24 * time.Hour
)

// wait reads how long is waited until something is tried once more; n may be nil.
func (d *decoder) wait(n *source.Node, key string, otherwise time.Duration) time.Duration {
	t := d.duration(n, otherwise)
	AtMost(n, key, t, longestWait, d.faults)
	return t
}

// AtMost reports a length of time, at n, that is longer than any that can be meant; key names it. n may be nil.
func AtMost(n *source.Node, key string, t, most time.Duration, faults *diag.List) {
	if n == nil || t <= most {
		return
	}
	faults.Add(n.Errorf("wrong-value", "%s: expected at most %dh, found %s", key, most/time.Hour, n.Text).WithHint("the units are ms, s, m and h"))
}

func (d *decoder) duration(n *source.Node, otherwise time.Duration) time.Duration {
	if n == nil {
		return otherwise
	}
	t, err := time.ParseDuration(n.Text)
	if err != nil || t < 0 {
		d.faults.Add(n.Errorf("wrong-value", "%q is not a duration", n.Text).WithHint("write it as 500ms, 30s, 15m or 2h"))
		return otherwise
	}
	return t
}
