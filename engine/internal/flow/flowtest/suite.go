package flowtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Program is anything that runs over a runtime. It must be deterministic,
// and return the interruption when it was interrupted. Its creates have
// different identities.
type Program struct {
	Name string
	// Answer scripts the vendor; nil means Echo.
	Answer func(flow.CallRequest) flow.Result
	Run    func(rt flow.Runtime) (value.Value, error)
}

// Start makes a runtime for one pass over a run. Those that one Start makes
// share the run's ID and memory, if they have any.
type Start func(ctx context.Context, x flow.Executor, events event.Sink) flow.Runtime

// A Kind is a kind of runtime under test.
type Kind struct {
	// Open begins a new run with empty memory.
	Open func(t *testing.T) Start
	// Durable says that a run can be taken up again.
	Durable bool
}

// Agree runs the programs over the reference and holds kind against it.
func Agree(t *testing.T, reference, kind Kind, programs []Program) {
	for _, p := range programs {
		t.Run(p.Name, func(t *testing.T) {
			var vendor Vendor
			want := run(t.Context(), reference.Open(t), p, &vendor)
			calls := vendor.Sent()

			t.Run("makes the same calls", func(t *testing.T) {
				var vendor Vendor
				got := run(t.Context(), kind.Open(t), p, &vendor)
				want.check(t, got)
				checkCalls(t, vendor.Sent(), calls)
			})
			if !kind.Durable {
				return
			}
			t.Run("repeats nothing on a second pass", func(t *testing.T) {
				var vendor, silent Vendor
				start := kind.Open(t)
				want.check(t, run(t.Context(), start, p, &vendor))
				want.check(t, run(t.Context(), start, p, &silent))
				checkCalls(t, p.finished(silent.Requests()), nil)
			})
			for n := range len(calls) {
				t.Run(fmt.Sprintf("goes on after a stop at call %d", n), func(t *testing.T) {
					stopAndResume(t, kind.Open(t), p, n, want, calls)
				})
			}
		})
	}
}

// errStopped is why a pass is stopped.
var errStopped = errors.New("stopped by the test")

// stopAndResume stops a pass when n calls were sent and takes it up again:
// together they must have done what an undisturbed one does.
func stopAndResume(t *testing.T, start Start, p Program, n int, want ending, calls []string) {
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	first := &Vendor{After: func(sent int) {
		if sent == n {
			stop(errStopped)
		}
	}}
	if n == 0 {
		stop(errStopped)
	}
	if got := run(ctx, start, p, first); !errors.Is(got.err, errStopped) {
		t.Errorf("the stopped pass ended with %v, %v", text(got.out), got.err)
	}

	var second Vendor
	want.check(t, run(t.Context(), start, p, &second))
	checkCalls(t, p.withoutRepeats(slices.Concat(first.Requests(), second.Requests())), calls)
}

// finished returns the keys of the calls that no resumed run may make again:
// those that the vendor answered well, but for looks at what is true now.
func (p Program) finished(calls []flow.CallRequest) []string {
	var keys []string
	for _, r := range calls {
		if !p.mayRepeat(r) {
			keys = append(keys, string(r.Key))
		}
	}
	return keys
}

func (p Program) mayRepeat(r flow.CallRequest) bool {
	return r.Fresh || p.Answer != nil && !mayBeDone(p.Answer(r))
}

// mayBeDone reports whether the vendor did, or may have done, what was asked.
func mayBeDone(res flow.Result) bool { return res.Outcome.Success() || res.Unsettled() }

// withoutRepeats returns the keys of calls, sorted, of those that may be
// repeated each once.
func (p Program) withoutRepeats(calls []flow.CallRequest) []string {
	var keys []string
	for _, r := range calls {
		if !p.mayRepeat(r) || !slices.Contains(keys, string(r.Key)) {
			keys = append(keys, string(r.Key))
		}
	}
	slices.Sort(keys)
	return keys
}

// ending is what a pass came to.
type ending struct {
	out    value.Value
	err    error
	events []event.Head
}

// run makes one pass.
func run(ctx context.Context, start Start, p Program, vendor *Vendor) ending {
	vendor.Answer = p.Answer
	var heads heads
	out, err := p.Run(start(ctx, vendor, &heads))
	return ending{out, err, heads.all}
}

// check compares outputs and errors, and looks after the events' heads.
func (want ending) check(t *testing.T, got ending) {
	t.Helper()
	if text(got.out) != text(want.out) || errorText(got.err) != errorText(want.err) {
		t.Errorf("got %s, error %q; want %s, error %q", text(got.out), errorText(got.err), text(want.out), errorText(want.err))
	}
	for i, h := range got.events {
		if h.Seq != uint64(i+1) || h.Run == "" || h.At.IsZero() {
			t.Errorf("event %d has the head %+v", i+1, h)
		}
	}
}

func checkCalls(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("calls:\n got %q\nwant %q", got, want)
	}
}

// heads keeps the heads of events. Sinks get one at a time, or the race
// detector tells.
type heads struct {
	all []event.Head
	mu  sync.Mutex
}

func (h *heads) Emit(e event.Event) {
	if !h.mu.TryLock() {
		panic("two events at once")
	}
	defer h.mu.Unlock()
	h.all = append(h.all, *event.HeadOf(e))
}

func text(v value.Value) string { return string(value.AppendJSON(nil, v)) }

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
