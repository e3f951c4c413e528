package local

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
	"github.com/seed627bd532/runner/engine/state"
)

func TestSleepKeepsItsDeadlineOverAResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, start := open(&flowtest.Vendor{})
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Minute)
		defer stop()
		m := state.NewMemory()
		first := New(ctx, Options{Executor: &flowtest.Vendor{}, Journal: m, Locks: m, RunID: "r1"})
		if err := first.Sleep("poll", time.Hour); err != context.DeadlineExceeded {
			t.Fatalf("got %v", err)
		}
		time.Sleep(10 * time.Minute) // the machine was down

		began := time.Now()
		second := New(t.Context(), Options{Executor: &flowtest.Vendor{}, Journal: m, Locks: m, RunID: "r1"})
		if err := second.Sleep("poll", time.Hour); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(began); got != 30*time.Minute {
			t.Errorf("slept %v more, want 30m", got)
		}
		if err := second.Sleep("poll", time.Hour); err != nil || time.Since(began) != 30*time.Minute {
			t.Errorf("a wait that was over was made again: %v", err)
		}

		other := start("r2")
		began = time.Now()
		if err := other.Sleep("poll", time.Hour); err != nil || time.Since(began) != time.Hour {
			t.Errorf("slept %v, %v", time.Since(began), err)
		}
	})
}

func TestSleepIsNotLongerThanAskedForWhenTheClockWasSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := state.NewMemory()
		err := m.Put(t.Context(), state.Entry{Run: "r1", Kind: state.Sleep, Key: "poll", Payload: []byte(`"2100-01-01T00:00:00Z"`)})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		rt := New(t.Context(), Options{Executor: &flowtest.Vendor{}, Journal: m, Locks: m, RunID: "r1"})
		if err := rt.Sleep("poll", time.Minute); err != nil || time.Since(began) != time.Minute {
			t.Errorf("slept %v, %v", time.Since(began), err)
		}
	})
}

func TestNowStaysTheSameOnResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, start := open(&flowtest.Vendor{})
		first, err := start("r1").Now("a")
		if err != nil || first.Format(time.RFC3339) != at {
			t.Fatal(first, err)
		}
		time.Sleep(time.Hour)
		if again, err := start("r1").Now("a"); err != nil || again != first {
			t.Errorf("got %v, %v; want %v", again, err, first)
		}
		if later, err := start("r1").Now("b"); err != nil || later.Sub(first) != time.Hour {
			t.Errorf("got %v, %v", later, err)
		}
	})
}

func TestAnInterruptedRuntimeDoesNothing(t *testing.T) {
	enough := errors.New("enough")
	ctx, stop := context.WithCancelCause(t.Context())
	stop(enough)
	var vendor flowtest.Vendor
	m := state.NewMemory()
	for name, rt := range map[string]flow.Runtime{
		"inline":  NewInline(ctx, &vendor, "r1", nil),
		"durable": New(ctx, Options{Executor: &vendor, Journal: m, Locks: m, RunID: "r1"}),
	} {
		t.Run(name, func(t *testing.T) {
			_, called := rt.Call(create("a", "PT1"))
			_, asked := rt.Now("a")
			_, err := rt.Each("each", flowtest.Rows(), flow.EachPolicy{}, flow.Body{})
			for _, err := range []error{called, asked, rt.Sleep("a", time.Hour), rt.Interrupted()} {
				if err != enough {
					t.Errorf("got %v", err)
				}
			}
			if err != nil {
				t.Errorf("a foreach without rows: %v", err)
			}
			cleaned := rt.Cleanup(flow.Result{}, func(rt flow.Runtime) error {
				_, err := rt.Call(flow.CallRequest{Key: flow.Key(name + "-tidy"), Effect: flow.Idempotent})
				return errors.Join(err, rt.Interrupted(), rt.Sleep("nap", time.Millisecond))
			})
			if cleaned != nil {
				t.Errorf("the clean-up got %v", cleaned)
			}
		})
	}
	wantSent(t, &vendor, "durable-tidy", "inline-tidy")
}

func TestCleanupReturnsWhatItsFunctionDoes(t *testing.T) {
	want := errors.New("still there")
	for _, rt := range []flow.Runtime{durable(t.Context()), NewInline(t.Context(), nil, "r1", nil)} {
		if got := rt.Cleanup(flow.Result{}, func(flow.Runtime) error { return want }); got != want {
			t.Errorf("got %v", got)
		}
	}
}

// account is a sink that is not safe for concurrent use.
type account struct{ lines []string }

func (a *account) Emit(e event.Event) {
	h := event.HeadOf(e)
	a.lines = append(a.lines, fmt.Sprintf("%d %s %s %T", h.Seq, h.Run, h.At.UTC().Format(time.RFC3339), e))
}

func TestEventsAreStampedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, inline := range []bool{true, false} {
			var a account
			var rt flow.Runtime = NewInline(t.Context(), &flowtest.Vendor{}, "r1", &a)
			if !inline {
				m := state.NewMemory()
				rt = New(t.Context(), Options{Executor: &flowtest.Vendor{}, Journal: m, Locks: m, RunID: "r1", Events: &a})
			}
			rt.Emit(&event.StepStarted{})
			mustCall(t, rt, flow.CallRequest{Key: "a", Effect: flow.Read})
			rt.Emit(&event.StepFinished{})
			want := "1 r1 " + at + " *event.StepStarted\n2 r1 " + at + " *event.RequestSent\n3 r1 " + at + " *event.StepFinished"
			if got := strings.Join(a.lines, "\n"); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		}
	})
}

func TestEventsOfManyRowsComeOneAtATime(t *testing.T) {
	var a account
	m := state.NewMemory()
	rt := New(t.Context(), Options{Executor: &flowtest.Vendor{}, Journal: m, Locks: m, RunID: "r1", Events: &a})
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() { rt.Emit(&event.Note{}) })
	}
	wait.Wait()
	for i, line := range a.lines {
		if !strings.HasPrefix(line, fmt.Sprint(i+1, " r1 ")) {
			t.Fatalf("event %d is %s", i+1, line)
		}
	}
	if len(a.lines) != 50 {
		t.Errorf("%d events came", len(a.lines))
	}
}
