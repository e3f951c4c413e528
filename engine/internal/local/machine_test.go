package local

import (
	"context"
	"errors"
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

// onMachine returns a runtime with a state of its own, whose connection leads to at.
func onMachine(t *testing.T, machine state.Locks, at string, vendor flow.Executor, events event.Sink) flow.Runtime {
	m := state.NewMemory()
	return New(t.Context(), Options{Executor: vendor, Journal: m, Locks: m, Machine: machine, Events: events,
		At: map[string]string{create("a", "").Connection: at}, RunID: "r1"})
}

func TestRunsWithOtherStatesWaitForEachOther(t *testing.T) {
	const here, there = "https://shop.example:443", "https://shop.example:443/test"
	tests := []struct {
		name   string
		first  string // where the connections lead
		second string
		one    flow.CallRequest
		other  flow.CallRequest
		took   time.Duration
	}{
		{"the same identity", here, here, create("a", "PT1"), create("b", "PT1"), 2 * time.Second},
		{"another identity", here, here, create("a", "PT1"), create("a", "PT2"), time.Second},
		{"another environment", here, there, create("a", "PT1"), create("a", "PT1"), time.Second},
		{"it is not known where", "", "", create("a", "PT1"), create("a", "PT1"), time.Second},
		{"a row of a batch", here, here, batch("a", "PT1", "PT2"), batch("a", "PT3", "PT2"), 2 * time.Second},
		{"a row and a create", here, here, batch("a", "PT1", "PT2"), create("a", "PT2"), 2 * time.Second},
		{"other rows", here, here, batch("a", "PT1"), batch("a", "PT2"), time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				machine := state.NewMemory()
				vendor := flowtest.Vendor{Delay: time.Second}
				start := time.Now()
				var wait sync.WaitGroup
				wait.Go(func() { mustCall(t, onMachine(t, machine, tt.first, &vendor, nil), tt.one) })
				wait.Go(func() { mustCall(t, onMachine(t, machine, tt.second, &vendor, nil), tt.other) })
				wait.Wait()
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

// The wait ends with the call's time and with the run, and is told of when it is long.
func TestTheWaitForARunWithAnotherStateHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		machine := state.NewMemory()
		vendor := flowtest.Vendor{Delay: time.Hour}
		go func() { onMachine(t, machine, "here", &vendor, nil).Call(create("a", "PT1")) }()
		synctest.Wait()
		var told []string
		rt := onMachine(t, machine, "here", &vendor, notes(func(text string) { told = append(told, text) }))
		r := create("b", "PT1")
		r.CallKey, r.Timeout = "b", time.Minute
		start := time.Now()
		res := mustCall(t, rt, r)
		if res.Outcome != flow.Busy || res.Code != "timeout" || res.Sent || time.Since(start) != time.Minute {
			t.Errorf("after %v: %+v", time.Since(start), res)
		}
		synctest.Wait() // for the timer that tells
		if got := strings.Join(told, "\n"); got != "b: another run is creating PT1, and is waited for" {
			t.Errorf("told %q", got)
		}
		time.Sleep(time.Hour)
		unlock, ok, err := machine.TryLock(t.Context(), `create ["here","v.create","PT1"]`)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		unlock()
	})
}

// Batches of several states that share rows wait in one order.
func TestBatchesOfSeveralStatesNeverWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		machine := state.NewMemory()
		vendor := flowtest.Vendor{Delay: time.Second}
		var wait sync.WaitGroup
		for i := range 6 {
			rt := onMachine(t, machine, "here", &vendor, nil)
			wait.Go(func() {
				rows := []string{"A", "B", "C", "D"}
				mustCall(t, rt, batch("send", append(rows[i%4:], rows[:i%4]...)...))
			})
		}
		wait.Wait()
	})
}

// brokenLocks cannot lock anything.
type brokenLocks struct{ state.Locks }

var errReadOnly = errors.New("the file system is read-only")

func (brokenLocks) Lock(context.Context, string) (func(), error) { return nil, errReadOnly }

func TestAMachineThatCannotLockIsWarnedOfOnce(t *testing.T) {
	var told []string
	vendor := flowtest.Vendor{}
	rt := onMachine(t, brokenLocks{}, "here", &vendor, notes(func(text string) { told = append(told, text) }))
	mustCall(t, rt, batch("a", "PT1", "PT2"))
	mustCall(t, rt, create("b", "PT3"))
	want := "a run with another state may create the same as this one at the same time, since nothing can be locked on this machine: the file system is read-only"
	if got := strings.Join(told, "\n"); got != want {
		t.Errorf("told %q", got)
	}
}
