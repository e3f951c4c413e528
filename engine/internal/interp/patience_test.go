package interp_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/interp"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// failure returns the account of a run that failed.
func failure(t *testing.T, r *ran) *interp.Failure {
	t.Helper()
	var f *interp.Failure
	if !errors.As(r.err, &f) {
		t.Fatalf("error %v, want a failure", r.err)
	}
	return f
}

func TestALookThatFailsFailsTheStepAndNotTheLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, outcome := range []flow.Outcome{flow.Auth, flow.Unknown, flow.Denied} {
			s := &script{answers: map[string][]flow.Result{"find": {items(), items(), answer(outcome, "no")}}}
			r := check(t, s, wait, none(), "shop.find: "+string(outcome)+": no")
			if f := failure(t, r); f.Step != "wait" {
				t.Errorf("%s: step %s, want wait", outcome, f.Step)
			}
			for _, e := range r.events {
				if e, ok := e.(*event.RetryScheduled); ok && e.Key != "wait" {
					t.Errorf("%s: a retry of %s was told of, want wait", outcome, e.Key)
				}
			}
		}
	})
}

func TestALookIsRepeatedLikeAnyRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]flow.Result{"find": {items(), answer(flow.Unknown, "lost"), items(7)}}}
		check(t, s, wait, none(), `{"id":7}`,
			`wait~1 find {"code":"AB"}`, `wait~2 find {"code":"AB"}`, `wait~2#2 find {"code":"AB"}`)
	})
}

func TestThePollsTimeoutBoundsTheLookUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var bounds []time.Duration
		s := &script{answers: map[string][]flow.Result{"find": {items(), answer(flow.Unknown, "no answer")}}}
		s.before = func(r flow.CallRequest) {
			bounds = append(bounds, r.Timeout)
			if len(bounds) > 1 {
				time.Sleep(r.Timeout) // as an executor does
			}
		}
		r := check(t, s, wait, none(), `shop.find: unknown: not there after 1h0m0s and 2 looks: len(outputs.items) > 0; last answer: no answer; last seen {"items":[]}`)
		if want := []time.Duration{time.Hour, 59 * time.Minute}; !slices.Equal(bounds, want) || time.Since(began) != time.Hour {
			t.Errorf("bounds %v, want %v; took %v", bounds, want, time.Since(began))
		}
		if f := failure(t, r); f.Code != "timeout" || f.Step != "wait" {
			t.Errorf("%+v", f)
		}
	})
}

func TestATimeoutAroundAPollEndsItsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := &script{answers: map[string][]flow.Result{"find": {items()}}}
		r := check(t, s, `
steps:
  - id: both
    timeout: 3m
    steps:
      - id: first
        steps:
          - {id: wait, call: shop.find, with: {code: AB}, until: len(outputs.items) > 0, every: 2m, timeout: 170s, on_error: continue}
          - {id: more, call: shop.find, with: {code: CD}, until: len(outputs.items) > 0, every: 2m, timeout: 3m, on_error: continue}
`, none(), `shop.find: step both took longer than its timeout of 3m0s; last seen {"items":[]}`,
			`both/first/wait~1 find {"code":"AB"}`, `both/first/wait~2 find {"code":"AB"}`, `both/first/more~1 find {"code":"CD"}`)
		if took := time.Since(began); took != 2*time.Minute {
			t.Errorf("took %v, want no wait that must be in vain", took)
		}
		if f := failure(t, r); f.Step != "both/first/more" {
			t.Errorf("step %s", f.Step)
		}
	})
}

// The run's own timeout ends a poll as an interrupt does: both tell what was seen.
func TestAStoppedPollTellsWhatWasSeen(t *testing.T) {
	for _, cause := range []error{flow.ErrTimeout, errors.New("ctrl-c")} {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancelCause(t.Context())
			time.AfterFunc(5*time.Minute, func() { stop(cause) })
			s := &script{answers: map[string][]flow.Result{"find": {items()}}}
			p := load(t, map[string]string{"main": header + "steps:\n  - {id: wait, call: shop.find, with: {code: AB}, until: len(outputs.items) > 0, every: 2m, timeout: 1h}\n"})
			r := runOn(t, ctx, p, s, state.NewMemory(), none())
			f := failure(t, r)
			if want := "stopped: " + cause.Error() + `; last seen {"items":[]}`; f.Message != want || f.Operation != "shop.find" || f.Step != "wait" || !errors.Is(f, cause) {
				t.Errorf("%+v, want %s", f, want)
			}
		})
	}
}

func TestAPollInAForeachWaitsForEachRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := &script{answers: map[string][]flow.Result{"find": {items(), items(), items(7), items(8)}}}
		check(t, s, `
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - id: all
    foreach: inputs.codes
    as: code
    parallel: 2
    steps:
      - {id: wait, call: shop.find, with: {code: "${{ code }}"}, until: len(outputs.items) > 0, every: 10s, timeout: 1m}
    outputs: {found: "${{ len(steps.wait.outputs.items) }}"}
outputs: {found: "${{ map(steps.all.results, .found) }}"}
`, value.ObjectOf("codes", value.List{"AA", "BB"}), `{"found":[1,1]}`)
		slices.Sort(s.calls)
		if want := []string{`all[1]/wait~1 find {"code":"AA"}`, `all[1]/wait~2 find {"code":"AA"}`, `all[2]/wait~1 find {"code":"BB"}`, `all[2]/wait~2 find {"code":"BB"}`}; !slices.Equal(s.calls, want) {
			t.Errorf("calls %q", s.calls)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestWhatIsLeftOfATimeoutIsGivenToEveryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bounds []time.Duration
		s := &script{answers: map[string][]flow.Result{"find": {items()}}}
		s.before = func(r flow.CallRequest) {
			bounds = append(bounds, r.Timeout)
			time.Sleep(time.Second)
		}
		check(t, s, `
steps:
  - {id: free, call: shop.find, with: {code: AB}}
  - id: both
    timeout: 10s
    steps:
      - {id: one, call: shop.find, with: {code: AB}}
      - {id: two, timeout: 5s, call: shop.find, with: {code: AB}}
      - steps: [{id: three, call: shop.find, with: {code: AB}}]
  - {id: again, call: shop.find, with: {code: AB}}
`, none(), `{}`)
		if want := []time.Duration{0, 10 * time.Second, 5 * time.Second, 8 * time.Second, 0}; !slices.Equal(bounds, want) {
			t.Errorf("bounds %v, want %v", bounds, want)
		}
	})
}

func TestTheTimeoutOfAForeachEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]flow.Result{"find": {items()}}}
		s.before = func(flow.CallRequest) { time.Sleep(2 * time.Second) }
		r := check(t, s, `
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - id: all
    foreach: inputs.codes
    as: code
    timeout: 3s
    on_error: collect
    call: shop.find
    with: {code: "${{ code }}"}
`, value.ObjectOf("codes", value.List{"AA", "BB", "CC", "DD"}), "step all took longer than its timeout of 3s (rows done before: 2)")
		var status []string
		for _, e := range r.events {
			if e, ok := e.(*event.RowFinished); ok {
				status = append(status, e.Status)
			}
		}
		if got := strings.Join(status, " "); got != "done done failed skipped" {
			t.Errorf("rows %s", got)
		}
	})
}

func TestATimeoutCanBeHandledByItsOwnStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]flow.Result{"find": {answer(flow.Unknown, "HTTP 500")}}}
		check(t, s, `
steps:
  - id: both
    timeout: 2s
    steps:
      - {id: one, call: shop.find, with: {code: AB}, on_error: continue}
    outputs: {n: 1}
    on_error:
      - if: error.code == 'timeout'
        outputs: {n: 2}
outputs: {n: "${{ steps.both.outputs.n }}"}
`, none(), `{"n":2}`)
	})
}

func TestAnInterruptedForeachSaysWhatBecameOfItsRows(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	s := &script{answers: map[string][]flow.Result{"create": {ok("id", int64(4))}}}
	s.before = func(r flow.CallRequest) {
		if r.Identity == `"BB"` {
			stop(errors.New("ctrl-c"))
		}
	}
	p := load(t, map[string]string{"main": strings.Replace(each, "parallel: 3", "parallel: 1", 1)})
	f := failure(t, runOn(t, ctx, p, s, state.NewMemory(), rows("AA", "BB", "CC")))
	if f.Code != "interrupted" || f.Error() != "stopped: ctrl-c (rows done before: 2)" ||
		f.Hint != "the rows that are done stay done, those that had not begun were not sent" {
		t.Errorf("%+v", f)
	}
}

func TestAFaultOfTheEngineIsNoInterrupt(t *testing.T) {
	r := runMain(t, &script{}, header+"steps:\n  - {id: it, on_error: continue, call: shop.find, with: {code: AB}}\n", none())
	if f := failure(t, r); f.Code != "internal" || f.Step != "it" || f.Error() != "call it: no answer for find" {
		t.Errorf("%+v", f)
	}
}

// That it was the last attempt to which no answer came says nothing of why the run ended.
func TestARunThatIsStoppedSaysSoInItsLastAttemptToo(t *testing.T) {
	for _, cause := range []error{flow.ErrTimeout, errors.New("ctrl-c")} {
		for stopped := range 3 {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancelCause(t.Context())
				asked := 0
				s := &script{find: func(flow.CallRequest) flow.Result {
					if asked++; asked <= stopped {
						return answer(flow.Unknown, "no answer")
					}
					stop(cause)
					lost := answer(flow.Unknown, "the run was stopped before the answer came")
					lost.Code = "interrupted"
					return lost
				}}
				p := load(t, map[string]string{"main": header + "steps:\n  - {id: look, call: shop.find, with: {code: AB}}\n"})
				f := failure(t, runOn(t, ctx, p, s, state.NewMemory(), none()))
				if asked != stopped+1 || f.Message != "stopped: "+cause.Error() || f.Operation != "shop.find" || !errors.Is(f, cause) {
					t.Errorf("after %d attempts: %+v", asked, f)
				}
			})
		}
	}
}
