package interp_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// sent is the answer to a batch, of which some rows were refused.
func sent(total int64, rows ...flow.RowResult) flow.Result {
	res := ok("total", total)
	res.Rows = rows
	return res
}

func done(key string) flow.RowResult { return flow.RowResult{Key: key, Status: flow.Done} }

func refused(key, why string) flow.RowResult {
	return flow.RowResult{Key: key, Status: flow.Failed, Message: why}
}

const sending = `
inputs: {codes: {type: array, items: {type: string, minLength: 1}}}
steps:
  - id: all
    foreach: inputs.codes
    as: some
    batch: 2
    on_error: collect
    call: shop.send
    with: {codes: "${{ some }}"}
outputs:
  results: ${{ steps.all.results }}
  done: ${{ steps.all.done }}
  failed: ${{ steps.all.failed }}
`

func codes(codes ...value.Value) *value.Object {
	return value.ObjectOf("codes", append(value.List{}, codes...))
}

func TestRowsOfBatchesAreResultsOfTheirOwn(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{"send": {
		sent(2, done("A"), refused("B", "no B")), answer(flow.Invalid, "closed"), sent(1, done("E")),
	}}}
	r := check(t, s, sending, codes("A", "B", "C", "", "D", "E"), `{"results":[`+
		`{"key":"A","status":"done","sent":true,"error":null},`+
		`{"key":"B","status":"failed","sent":false,"error":"no B"},`+
		`{"key":"row 4","status":"failed","sent":false,"error":"must not be empty"},`+
		`{"key":"C","status":"failed","sent":false,"error":"shop.send: invalid: closed"},`+
		`{"key":"D","status":"failed","sent":false,"error":"shop.send: invalid: closed"},`+
		`{"key":"E","status":"done","sent":true,"error":null}],"done":2,"failed":4}`)
	if r.tally != (flow.Tally{Failed: 4}) {
		t.Errorf("tally %+v", r.tally)
	}
	var told []string
	for _, e := range r.events {
		if e, ok := e.(*event.RowFinished); ok {
			told = append(told, e.Row+" "+e.Status)
		}
	}
	if got := strings.Join(told, ", "); got != "A done, B failed, row 4 failed, C failed, D failed, E done" {
		t.Errorf("told %s", got)
	}
}

func TestAllRowsOfALostBatchAreAmbiguous(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{"send": {answer(flow.Unknown, "lost"), sent(1, done("C"))}}}
	r := check(t, s, strings.ReplaceAll(sending, "${{ steps.all.results }}", "${{ map(steps.all.results, .key + ' ' + .status) }}"),
		codes("A", "B", "C"), `{"results":["A ambiguous","B ambiguous","C done"],"done":1,"failed":2}`)
	if r.tally != (flow.Tally{Ambiguous: 2}) {
		t.Errorf("tally %+v", r.tally)
	}
}

func TestABatchOfARowsGroupLeavesTheRowToTheGroup(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{"send": {sent(2, done("A"), done("A2")), sent(2, done("B"), done("B2"))}}}
	check(t, s, `
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - id: all
    foreach: inputs.codes
    as: code
    steps:
      - {id: send, call: shop.send, with: {codes: "${{ [code, code + '2'] }}"}}
    outputs: {sent: "${{ steps.send.done }}"}
outputs: {results: "${{ steps.all.results }}"}
`, codes("A", "B"), `{"results":[{"key":"1","status":"done","sent":2,"error":null},{"key":"2","status":"done","sent":2,"error":null}]}`)
}

func TestABatchByItselfTellsOfItsRows(t *testing.T) {
	const main = `
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - {id: it, call: shop.send, with: {codes: "${{ inputs.codes }}"}, ON_ERROR}
outputs: {results: "${{ steps.it.results }}", done: "${{ steps.it.done }}", failed: "${{ steps.it.failed }}", outcome: "${{ steps.it.outcome }}", total: "${{ steps.it.outputs.total }}"}
`
	tests := []struct {
		onError string
		answer  flow.Result
		want    string
	}{
		{"on_error: fail", sent(2, done("A"), done("B")), `{"results":[{"key":"A","status":"done","sent":true,"error":null},{"key":"B","status":"done","sent":true,"error":null}],"done":2,"failed":0,"outcome":"ok","total":2}`},
		{"on_error: fail", sent(1, done("A"), refused("B", "no B")), `shop.send: invalid: 1 of 2 rows were refused: B: no B`},
		{"on_error: continue", sent(1, done("A"), refused("B", "no B")), `{"results":[{"key":"A","status":"done","sent":true,"error":null},{"key":"B","status":"failed","sent":false,"error":"no B"}],"done":1,"failed":1,"outcome":"invalid","total":null}`},
		{"on_error: [{outputs: {total: 7}}]", answer(flow.Denied, "closed"), `{"results":[{"key":"A","status":"failed","sent":false,"error":"shop.send: denied: closed"},{"key":"B","status":"failed","sent":false,"error":"shop.send: denied: closed"}],"done":0,"failed":2,"outcome":"denied","total":7}`},
		{"on_error: continue", sent(1, done("A"), flow.RowResult{Key: "B", Status: flow.Ambiguous, Message: "perhaps"}), `shop.send: invalid: 1 of 2 rows were refused: B: perhaps`},
	}
	for _, tt := range tests {
		s := &script{answers: map[string][]flow.Result{"send": {tt.answer}}}
		check(t, s, strings.Replace(main, "ON_ERROR", tt.onError, 1), codes("A", "B"), tt.want)
	}
}

func TestAnEmptyBatchIsNotSent(t *testing.T) {
	s := &script{}
	r := check(t, s, `
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - {id: it, call: shop.send, with: {codes: "${{ inputs.codes }}"}}
outputs: {results: "${{ steps.it.results }}", sent: "${{ steps.it.sent }}", outcome: "${{ steps.it.outcome }}", total: "${{ steps.it.outputs.total }}"}
`, codes(), `{"results":[],"sent":false,"outcome":"empty","total":null}`)
	if len(s.calls) != 0 || r.tally != (flow.Tally{}) {
		t.Errorf("calls %q, tally %+v", s.calls, r.tally)
	}
}

func TestABreakerCountsRowsThatRunSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]flow.Result{"find": {answer(flow.Busy, "nobody there")}}}
		r := check(t, s, `
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - id: all
    foreach: inputs.codes
    as: code
    parallel: 2
    on_error: collect
    breaker: 4
    call: shop.find
    with: {code: "${{ code }}"}
outputs: {failed: "${{ steps.all.failed }}", skipped: "${{ len(filter(steps.all.results, .status == 'skipped')) }}"}
`, codes("A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9"), `{"failed":9,"skipped":4}`)
		if r.tally.Failed != 9 {
			t.Errorf("tally %+v", r.tally)
		}
	})
}
