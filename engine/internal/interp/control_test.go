package interp_test

import (
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
)

func items(ids ...int64) flow.Result {
	list := value.List{}
	for _, id := range ids {
		list = append(list, value.ObjectOf("id", id, "name", "n"))
	}
	return ok("items", list)
}

func none() *value.Object { return value.NewObject(0) }

// check runs a pipeline and compares outputs or error, and the calls made.
func check(t *testing.T, s *script, main string, in *value.Object, want string, calls ...string) *ran {
	t.Helper()
	r := runMain(t, s, header+main, in)
	got := r.outputs
	if r.err != nil {
		got = r.err.Error()
	}
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(calls) > 0 && !slices.Equal(s.calls, calls) {
		t.Errorf("calls\n%s\nwant\n%s", strings.Join(s.calls, "\n"), strings.Join(calls, "\n"))
	}
	return r
}

func TestAGroupShowsItsOutputsOnly(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{"find": {items(7)}}}
	check(t, s, `
steps:
  - id: both
    steps:
      - {id: inner, call: shop.find, with: {code: AB}}
      - {id: sum, set: {n: "${{ len(steps.inner.outputs.items) + 1 }}"}}
    outputs:
      n: ${{ steps.sum.outputs.n }}
outputs:
  n: ${{ steps.both.outputs.n }}
`, none(), `{"n":2}`, `both/inner find {"code":"AB"}`)
}

func TestASwitchDoesTheFirstBranchThatHolds(t *testing.T) {
	const main = `
inputs: {kind: {type: string}}
steps:
  - id: choice
    switch:
      - if: inputs.kind == 'a'
        steps: [{id: one, set: {v: 1}}]
        outputs: {v: "${{ steps.one.outputs.v }}", extra: x}
      - if: inputs.kind == 'b'
        steps: [{id: two, set: {v: 2}}]
        outputs: {v: "${{ steps.two.outputs.v }}"}
      - steps: [{id: rest, set: {v: 3}}]
        outputs: {v: "${{ steps.rest.outputs.v }}"}
outputs:
  v: ${{ steps.choice.outputs.v }}
  extra: ${{ steps.choice.outputs.extra ?? 'none' }}
`
	for kind, want := range map[string]string{
		"a": `{"v":1,"extra":"x"}`, "b": `{"v":2,"extra":"none"}`, "c": `{"v":3,"extra":"none"}`,
	} {
		check(t, &script{}, main, value.ObjectOf("kind", kind), want)
	}
}

const wait = `
steps:
  - id: wait
    call: shop.find
    with: {code: AB}
    until: len(outputs.items) > 0
    fail_if: any(outputs.items, .id == 13)
    every: 1m
    timeout: 1h
outputs:
  id: ${{ first(steps.wait.outputs.items)?.id }}
`

func TestAPollEndsWhenItIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := &script{answers: map[string][]flow.Result{"find": {items(), items(), items(7)}}}
		r := check(t, s, wait, none(), `{"id":7}`,
			`wait~1 find {"code":"AB"}`, `wait~2 find {"code":"AB"}`, `wait~3 find {"code":"AB"}`)
		if took := time.Since(began); took != 2*time.Minute {
			t.Errorf("took %v", took)
		}
		looks := 0
		for _, e := range r.events {
			if p, ok := e.(*event.PollScheduled); ok {
				looks++
				if want := `{"items":[]}`; p.Seen != want {
					t.Errorf("seen %s, want %s", p.Seen, want)
				}
			}
		}
		if looks != 2 {
			t.Errorf("%d polls were told of, want 2", looks)
		}
	})
}

func TestAPollThatNeverEndsSaysWhatItLastSaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]flow.Result{"find": {items()}}}
		check(t, s, wait, none(), `shop.find: not there after 1h0m0s and 60 looks: len(outputs.items) > 0; last seen {"items":[]}`)
	})
}

func TestAPollEndsAtOnceWhenItCannotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]flow.Result{"find": {items(), items(13)}}}
		check(t, s, wait, none(), `shop.find: what it waits for cannot come any more: any(outputs.items, .id == 13); last seen {"items":[{"id":13,"name":"n"}]}`)
	})
}

func TestTheFirstHandlerThatFitsCounts(t *testing.T) {
	const main = `
steps:
  - id: create
    call: shop.create
    with: {code: AB}
    on_error:
      - if: error.outcome == 'conflict'
        outputs: {id: "${{ error.body.existing }}"}
      - if: error.outcome == 'denied' and error.status == 403
        outputs: {id: null}
outputs:
  id: ${{ steps.create.outputs.id ?? 0 }}
  sent: ${{ steps.create.sent }}
  outcome: ${{ steps.create.outcome ?? '' }}
`
	conflict := answer(flow.Conflict, "it is there")
	conflict.Body = value.ObjectOf("existing", int64(99))
	denied := answer(flow.Denied, "not you")
	denied.Status = 403
	for _, tt := range []struct {
		res  flow.Result
		want string
	}{
		{conflict, `{"id":99,"sent":false,"outcome":"conflict"}`},
		{denied, `{"id":0,"sent":false,"outcome":"denied"}`},
		{answer(flow.Invalid, "no"), "shop.create: invalid: no"},
		{answer(flow.Unknown, "lost"), "shop.create: unknown: it may or may not have been done: POST http://shop/create was sent at 2026-01-02T03:04:05Z; lost"},
	} {
		check(t, &script{answers: map[string][]flow.Result{"create": {tt.res}}}, main, none(), tt.want)
	}
}

const undoing = `
on_failure: undo
steps:
  - id: one
    call: shop.create
    with: {code: AA}
    undo:
      call: shop.update
      with: {id: "${{ outputs.id }}"}
  - id: two
    call: shop.create
    with: {code: BB}
    undo:
      call: shop.update
      with: {id: "${{ outputs.id }}"}
  - {id: three, call: shop.find, with: {code: CC}}
`

func TestAFailedRunIsUndoneLastFirst(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{
		"create": {ok("id", int64(1)), ok("id", int64(2))}, "find": {answer(flow.Denied, "no")}, "update": {ok("price", nil)},
	}}
	r := check(t, s, undoing, none(), "shop.find: denied: no",
		`one create {"code":"AA"}`, `two create {"code":"BB"}`, `three find {"code":"CC"}`,
		`two/undo update {"id":2,"price":null}`, `one/undo update {"id":1,"price":null}`)
	var f *interp.Failure
	if errors.As(r.err, &f); f == nil || f.Hint != "2 of 2 steps that can be undone were" {
		t.Errorf("%+v", f)
	}
}

func TestNothingIsUndoneAfterAnAmbiguousStep(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{"create": {ok("id", int64(1)), answer(flow.Unknown, "lost")}}}
	r := runMain(t, s, header+undoing, none())
	var f *interp.Failure
	if errors.As(r.err, &f); f == nil || !f.Ambiguous || !strings.HasSuffix(f.Hint, "nothing was undone, since it is not known what was done") || len(s.calls) != 2 {
		t.Errorf("%+v, calls %q", f, s.calls)
	}
}

func TestNothingIsUndoneUnlessThePipelineSaysSo(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{"create": {ok("id", int64(1))}, "find": {answer(flow.Denied, "no")}}}
	check(t, s, strings.Replace(undoing, "on_failure: undo\n", "", 1), none(), "shop.find: denied: no",
		`one create {"code":"AA"}`, `two create {"code":"BB"}`, `three find {"code":"CC"}`)
}

func TestRowsAreUndoneToo(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{
		"create": {ok("id", int64(1)), ok("id", int64(2)), answer(flow.Invalid, "odd")}, "update": {ok("price", nil)},
	}}
	check(t, s, `
on_failure: undo
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - id: all
    foreach: inputs.codes
    as: code
    call: shop.create
    with: {code: "${{ code }}"}
    undo: {call: shop.update, with: {id: "${{ outputs.id }}"}}
`, value.ObjectOf("codes", value.List{"A", "B", "C"}), "shop.create: invalid: odd (rows done before: 2)",
		`all[1] create {"code":"A"}`, `all[2] create {"code":"B"}`, `all[3] create {"code":"C"}`,
		`all[2]/undo update {"id":2,"price":null}`, `all[1]/undo update {"id":1,"price":null}`)
}

func TestBatchesHandOutLists(t *testing.T) {
	check(t, &script{}, `
inputs: {codes: {type: array, items: {type: string, minLength: 1}}}
steps:
  - id: all
    foreach: inputs.codes
    as: batch
    batch: 2
    on_error: collect
    set: {joined: "${{ join(batch, '+') }}"}
outputs:
  results: ${{ steps.all.results }}
`, value.ObjectOf("codes", value.List{"A", "B", "", "C"}), `{"results":[`+
		`{"key":"batch 1","status":"done","joined":"A+B","error":null},`+
		`{"key":"row 3","status":"failed","joined":null,"error":"must not be empty"},`+
		`{"key":"batch 2","status":"done","joined":"C","error":null}]}`)
}

func TestABreakerStopsWhenTheVendorIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]flow.Result{"find": {answer(flow.Busy, "nobody there")}}}
		r := check(t, s, `
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - id: all
    foreach: inputs.codes
    as: code
    on_error: collect
    breaker: 2
    call: shop.find
    with: {code: "${{ code }}"}
outputs:
  status: ${{ map(steps.all.results, .status) }}
`, value.ObjectOf("codes", value.List{"AA", "BB", "CC", "DD"}), `{"status":["failed","failed","skipped","skipped"]}`)
		if len(s.calls) != 6 || r.tally.Failed != 4 {
			t.Errorf("%d calls, tally %+v", len(s.calls), r.tally)
		}
	})
}

func TestAStepTimeoutBoundsItsRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := &script{answers: map[string][]flow.Result{"find": {answer(flow.Unknown, "HTTP 500")}}}
		check(t, s, `
steps:
  - {id: it, call: shop.find, with: {code: AB}, timeout: 2s}
`, none(), "shop.find: unknown: step it took longer than its timeout of 2s; last answer: HTTP 500")
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestATimeoutOfAGroupBoundsWhatIsInIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]flow.Result{"find": {items()}}}
		s.before = func(flow.CallRequest) { time.Sleep(3 * time.Second) }
		check(t, s, `
steps:
  - id: both
    timeout: 5s
    steps:
      - {id: one, call: shop.find, with: {code: AB}}
      - {id: two, call: shop.find, with: {code: CD}}
      - {id: three, call: shop.find, with: {code: EF}}
`, none(), "step both took longer than its timeout of 5s", `both/one find {"code":"AB"}`, `both/two find {"code":"CD"}`)
	})
}

func TestAForeachOverAGroupHasTheGroupsOutputs(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{"find": {items(), items(8)}, "create": {ok("id", int64(5))}}}
	check(t, s, `
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - id: all
    foreach: inputs.codes
    as: code
    key: code
    steps:
      - {id: look, call: shop.find, with: {code: "${{ code }}"}}
      - id: make
        if: len(steps.look.outputs.items) == 0
        call: shop.create
        with: {code: "${{ code }}"}
    outputs:
      id: ${{ steps.make.outputs.id ?? first(steps.look.outputs.items)?.id }}
outputs:
  results: ${{ steps.all.results }}
`, value.ObjectOf("codes", value.List{"AA", "BB"}),
		`{"results":[{"key":"AA","status":"done","id":5,"error":null},{"key":"BB","status":"done","id":8,"error":null}]}`,
		`all[AA]/look find {"code":"AA"}`, `all[AA]/make create {"code":"AA"}`, `all[BB]/look find {"code":"BB"}`)
}
