package interp_test

import (
	"testing"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func TestASwitchWithoutMatchingBranchDidNotRun(t *testing.T) {
	r := check(t, &script{}, `
inputs: {kind: {type: string}}
steps:
  - id: choice
    switch:
      - if: inputs.kind == 'a'
        steps: [{id: one, set: {v: 1}}]
        outputs: {v: "${{ steps.one.outputs.v }}"}
outputs: {ran: "${{ steps.choice.ran }}", v: "${{ steps.choice.outputs.v }}"}
`, value.ObjectOf("kind", "z"), `{"ran":false,"v":null}`)
	last := r.events[len(r.events)-1].(*event.StepFinished)
	if last.Key != "choice" || !last.Skipped {
		t.Errorf("told %+v", last)
	}
}

func TestASkippedGroupHasNullsForOutputs(t *testing.T) {
	check(t, &script{}, `
steps:
  - id: both
    if: false
    steps: [{id: one, set: {v: 1}}]
    outputs: {v: "${{ steps.one.outputs.v }}"}
outputs: {ran: "${{ steps.both.ran }}", v: "${{ steps.both.outputs.v ?? 5 }}"}
`, none(), `{"ran":false,"v":5}`)
}

func TestAGroupsFailureIsHandledAsAWhole(t *testing.T) {
	tests := []struct {
		onError, want string
		res           flow.Result
	}{
		{"continue", `{"ran":true,"n":null}`, answer(flow.Denied, "no")},
		{"[{if: \"error.outcome == 'denied'\", outputs: {n: 2}}, {outputs: {n: 3}}]", `{"ran":true,"n":2}`, answer(flow.Denied, "no")},
		{"[{if: \"error.outcome == 'denied'\", outputs: {n: 2}}, {outputs: {n: 3}}]", `{"ran":true,"n":3}`, answer(flow.Conflict, "no")},
		{"[{if: \"error.outcome == 'denied'\"}]", `shop.create: conflict: no`, answer(flow.Conflict, "no")},
		{"continue", "shop.create: unknown: it may or may not have been done: POST http://shop/create was sent at 2026-01-02T03:04:05Z; lost", answer(flow.Unknown, "lost")},
	}
	for _, tt := range tests {
		check(t, &script{answers: map[string][]flow.Result{"create": {tt.res}}}, `
steps:
  - id: both
    steps:
      - {id: one, call: shop.create, with: {code: AA}}
      - {id: two, call: shop.create, with: {code: BB}}
    outputs: {n: "${{ steps.two.outputs.id }}"}
    on_error: `+tt.onError+`
outputs: {ran: "${{ steps.both.ran }}", n: "${{ steps.both.outputs.n }}"}
`, none(), tt.want)
	}
}

func TestHandlersOfAForeachDealWithEachRow(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{"create": {ok("id", int64(1)), answer(flow.Conflict, "is there"), ok("id", int64(3)), answer(flow.Invalid, "odd")}}}
	main := `
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - id: all
    foreach: inputs.codes
    as: code
    call: shop.create
    with: {code: "${{ code }}"}
    on_error:
      - if: error.outcome == 'conflict' and code == 'B'
        outputs: {id: 99}
outputs: {ids: "${{ map(steps.all.results, .id) }}", failed: "${{ steps.all.failed }}"}
`
	check(t, s, main, codes("A", "B", "C"), `{"ids":[1,99,3],"failed":0}`)
	check(t, s, main, codes("D", "E"), "shop.create: invalid: odd")
}

func TestTheOutcomeOfAFaultOutsideOfACallIsNull(t *testing.T) {
	check(t, &script{}, `
steps:
  - {id: it, call: shop.find, with: {code: "${{ 'x' }}"}, on_error: [{if: "error.code == 'invalid-input'", outputs: {items: []}}]}
  - {id: by, steps: [{fail: stop}], on_error: [{if: error.outcome == null}]}
outputs: {outcome: "${{ steps.it.outcome }}", ran: "${{ steps.by.ran }}"}
`, none(), `{"outcome":"invalid","ran":true}`)
}
