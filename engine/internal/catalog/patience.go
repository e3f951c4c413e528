package catalog

import (
	"time"

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
	r.First = d.duration(n.Get("first"), r.First)
	r.Max = d.duration(n.Get("max"), r.Max)
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
	if t > longestCall {
		d.faults.Add(n.Warnf("wrong-value", "nothing is known to answer after more than a day (%s)", n.Text).WithHint("a wait for something that takes long is an until"))
	}
	return t
}

// longestCall is more than any answer is worth waiting for.
const longestCall = 24 * time.Hour

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
