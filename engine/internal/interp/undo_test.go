package interp_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

const withUndo = `call: shop.create, with: {code: "${{ %s }}"}, undo: {call: shop.update, with: {id: "${{ outputs.id }}"}}`

// numbered answers creates with 1, 2, 3 …, and updates with success.
func numbered(n int64, find flow.Result) map[string][]flow.Result {
	answers := map[string][]flow.Result{"update": {ok("price", nil)}, "find": {find}}
	for id := int64(1); id <= n; id++ {
		answers["create"] = append(answers["create"], ok("id", id))
	}
	return answers
}

// undone returns the calls that undid something.
func undone(s *script) string {
	var calls []string
	for _, c := range s.calls {
		if strings.Contains(c, "/undo ") {
			calls = append(calls, c)
		}
	}
	return strings.Join(calls, "\n")
}

func warnings(r *ran) string {
	var texts []string
	for _, e := range r.events {
		if n, ok := e.(*event.Note); ok && n.Warning {
			texts = append(texts, n.Text)
		}
	}
	return strings.Join(texts, "\n")
}

func TestWhatGroupsPipelinesAndRowsDidIsUndoneInOneOrder(t *testing.T) {
	main := header + "on_failure: undo\ninputs: {codes: {type: array, items: {type: string}}}\nsteps:\n" +
		"  - id: group\n    steps:\n      - {id: one, " + fmt.Sprintf(withUndo, "'G'") + "}\n" +
		"  - {id: called, call: ./inner.yaml}\n" +
		"  - id: all\n    foreach: inputs.codes\n    as: code\n    parallel: 3\n    steps:\n      - {id: row, " + fmt.Sprintf(withUndo, "code") + "}\n" +
		"  - {id: find, call: shop.find, with: {code: CC}}\n"
	inner := "pipeline: inner\nversion: 1\nconnections: {shop: {vendor: shop}}\nsteps:\n  - {id: two, " + fmt.Sprintf(withUndo, "'P'") + "}\n"
	s := &script{answers: numbered(5, answer(flow.Denied, "no"))}
	r := runOn(t, t.Context(), load(t, map[string]string{"main": main, "inner": inner}), s, state.NewMemory(),
		value.ObjectOf("codes", value.List{"A", "B", "C"}))
	var keys []string
	for _, c := range strings.Split(undone(s), "\n") {
		keys = append(keys, strings.Fields(c)[0])
	}
	if want := []string{"all[3]/row/undo", "all[2]/row/undo", "all[1]/row/undo", "called/two/undo", "group/one/undo"}; !slices.Equal(keys, want) {
		t.Errorf("undone %q, want %q", keys, want)
	}
	if f := failure(t, r); f.Hint != "5 of 5 steps that can be undone were" {
		t.Errorf("hint %s", f.Hint)
	}
}

func TestAnUndoThatFailsIsWarnedOfAndTheOthersGoOn(t *testing.T) {
	s := &script{answers: numbered(2, answer(flow.Denied, "no"))}
	s.answers["update"] = []flow.Result{answer(flow.Conflict, "locked"), ok("price", nil)}
	r := runMain(t, s, header+undoing, none())
	if got, want := undone(s), "two/undo update {\"id\":2,\"price\":null}\none/undo update {\"id\":1,\"price\":null}"; got != want {
		t.Errorf("undone\n%s", got)
	}
	if got := warnings(r); got != "two/undo: it could not be undone: shop.update: conflict: locked" {
		t.Errorf("warnings %s", got)
	}
	if f := failure(t, r); f.Hint != "1 of 2 steps that can be undone were; the warnings name the others, which a person must look at" {
		t.Errorf("hint %s", f.Hint)
	}
}

func TestAStepWhoseUndoCannotBeComputedStaysDone(t *testing.T) {
	s := &script{answers: numbered(1, answer(flow.Denied, "no"))}
	r := check(t, s, `
on_failure: undo
steps:
  - id: one
    call: shop.create
    with: {code: AA}
    on_error: continue
    undo: {call: shop.update, with: {id: "${{ int('x') }}"}}
outputs: {id: "${{ steps.one.outputs.id }}"}
`, none(), `{"id":1}`)
	if got := warnings(r); !strings.HasPrefix(got, "one is done, and cannot be undone if the run fails: ") {
		t.Errorf("warnings %s", got)
	}
}

func TestWhatTheRunDidNotDoItselfIsNotUndone(t *testing.T) {
	s := &script{answers: numbered(1, answer(flow.Denied, "no"))}
	check(t, s, `
on_failure: undo
steps:
  - {id: one, call: shop.create, with: {code: AA}}
  - {id: two, `+fmt.Sprintf(withUndo, "'AA'")+`}
  - {id: three, if: false, `+fmt.Sprintf(withUndo, "'BB'")+`}
  - {id: four, call: shop.find, with: {code: CC}}
`, none(), "shop.find: denied: no", `one create {"code":"AA"}`, `four find {"code":"CC"}`)
}

func TestAPassedOverFailureIsNotUndone(t *testing.T) {
	s := &script{answers: numbered(1, answer(flow.Denied, "no"))}
	s.answers["create"] = []flow.Result{answer(flow.Invalid, "odd"), ok("id", int64(2))}
	check(t, s, `
on_failure: undo
steps:
  - {id: one, on_error: [{outputs: {id: 9}}], `+fmt.Sprintf(withUndo, "'AA'")+`}
  - {id: two, on_error: continue, `+fmt.Sprintf(withUndo, "'BB'")+`}
  - {id: three, call: shop.find, with: {code: CC}}
`, none(), "shop.find: denied: no", `one create {"code":"AA"}`, `two create {"code":"BB"}`, `three find {"code":"CC"}`, `two/undo update {"id":2,"price":null}`)
}

func TestARunThatTookTooLongIsUndone(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	s := &script{answers: numbered(3, answer(flow.Denied, "no"))}
	s.before = func(r flow.CallRequest) {
		if r.Key == "two" {
			stop(flow.ErrTimeout)
		}
	}
	memory := state.NewMemory()
	files := load(t, map[string]string{"main": header + undoing})
	for range 2 { // taken up again, it says the same and does nothing
		r := runOn(t, ctx, files, s, memory, none())
		f := failure(t, r)
		if f.Code != "timeout" || f.Hint != "2 of 2 steps that can be undone were" ||
			undone(s) != "two/undo update {\"id\":2,\"price\":null}\none/undo update {\"id\":1,\"price\":null}" {
			t.Errorf("%+v, undone %s", f, undone(s))
		}
		ctx = t.Context()
	}
}

func TestAnInterruptedRunUndoesNothing(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	s := &script{answers: numbered(2, answer(flow.Denied, "no"))}
	s.before = func(r flow.CallRequest) {
		if r.Key == "two" {
			stop(errors.New("ctrl-c"))
		}
	}
	r := runOn(t, ctx, load(t, map[string]string{"main": header + undoing}), s, state.NewMemory(), none())
	if f := failure(t, r); f.Code != "interrupted" || f.Hint != "nothing was undone, since the run did not come to its end" || undone(s) != "" {
		t.Errorf("%+v, undone %s", f, undone(s))
	}
}

// What rows did before a run was stopped is undone by the run that goes on and fails.
func TestAResumedRunUndoesWhatItsFirstRunDid(t *testing.T) {
	main := header + "on_failure: undo\ninputs: {codes: {type: array, items: {type: string}}}\nsteps:\n" +
		"  - {id: one, " + fmt.Sprintf(withUndo, "'Z'") + "}\n" +
		"  - {id: all, foreach: inputs.codes, as: code, " + fmt.Sprintf(withUndo, "code") + "}\n" +
		"  - {id: find, call: shop.find, with: {code: CC}}\n"
	p := load(t, map[string]string{"main": main})
	in := value.ObjectOf("codes", value.List{"A", "B", "C"})
	memory := state.NewMemory()
	ctx, stop := context.WithCancelCause(t.Context())
	s := &script{answers: numbered(4, answer(flow.Denied, "no"))}
	s.before = func(r flow.CallRequest) {
		if r.Key == "all[2]" {
			stop(errors.New("ctrl-c"))
		}
	}
	runOn(t, ctx, p, s, memory, in)
	if undone(s) != "" || len(s.calls) != 3 {
		t.Fatalf("calls %q", s.calls)
	}
	s.before = nil
	check := runOn(t, t.Context(), p, s, memory, in)
	want := `all[3]/undo update {"id":4,"price":null}
all[2]/undo update {"id":3,"price":null}
all[1]/undo update {"id":2,"price":null}
one/undo update {"id":1,"price":null}`
	if got := undone(s); got != want || check.err == nil {
		t.Errorf("error %v, undone\n%s", check.err, got)
	}
}
