package interp_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// ordering makes one order and shows what its step leaves behind.
func ordering(operation string) string {
	return header + `
steps:
  - {id: it, call: shop.` + operation + `, with: {code: AB}}
outputs:
  id: ${{ steps.it.outputs.id }}
  sent: ${{ steps.it.sent }}
  reconciled: ${{ steps.it.reconciled }}
  outcome: ${{ steps.it.outcome }}
`
}

// callKeys are the keys of the calls that were made, in order.
func callKeys(s *script) string {
	var keys []string
	for _, c := range s.calls {
		keys = append(keys, strings.Fields(c)[0])
	}
	return strings.Join(keys, " ")
}

func TestALostCreateIsLookedFor(t *testing.T) {
	lost := answer(flow.Unknown, "no answer")
	looks := []string{"it", "it/lookup~1", "it/lookup~2", "it/lookup~3", "it/lookup~4"}
	const sentAt = "it may or may not have been done: POST http://shop/create was sent at 2026-01-02T03:04:05Z; no answer; "
	const settle = `Check at the vendor whether "AB" exists; ` +
		`if it does: runner resume r1 --settle 'it=done:{"id":…,"name":"…"}', if not: runner resume r1 --settle it=absent`
	for _, tt := range []struct {
		name, operation string
		answers         map[string][]flow.Result
		want            string // the outputs, or the failure's message
		hint            string
		keys            []string
		took            time.Duration
	}{
		{"found at once", "order", map[string][]flow.Result{"order": {lost}, "find": {items(7)}},
			`{"id":7,"sent":true,"reconciled":true,"outcome":"ok"}`, "", looks[:2], 0},
		{"found later", "order", map[string][]flow.Result{"order": {lost}, "find": {items(), items(), items(7)}},
			`{"id":7,"sent":true,"reconciled":true,"outcome":"ok"}`, "", looks[:4], 10 * time.Second},
		{"found after a look that failed", "order", map[string][]flow.Result{"order": {lost}, "find": {answer(flow.Denied, "no"), items(7)}},
			`{"id":7,"sent":true,"reconciled":true,"outcome":"ok"}`, "", looks[:3], 5 * time.Second},
		{"absent every time", "order", map[string][]flow.Result{"order": {lost}, "find": {items()}},
			"shop.order: unknown: " + sentAt + "not found in 4 look-ups with shop.find, 5s apart", "it was not sent again. " + settle, looks, 15 * time.Second},
		{"a look that fails is not absent", "order", map[string][]flow.Result{"order": {lost}, "find": {answer(flow.NotFound, "what?")}},
			"shop.order: unknown: " + sentAt + "the look-up with shop.find failed: shop.find: not_found: what?", "it was not sent again. " + settle, looks, 15 * time.Second},
		{"a look that fails once is not absent", "order_again", map[string][]flow.Result{"order_again": {lost}, "find": {answer(flow.Denied, "no"), items()}},
			"shop.order_again: unknown: " + sentAt + "not found in the last look-up with shop.find, and an earlier look-up failed",
			"it was not sent again. " + strings.Replace(settle, `,"name":"…"`, "", 1), looks[:3], 3 * time.Second},
		{"sent once more", "order_again", map[string][]flow.Result{"order_again": {lost, ok("id", int64(8))}, "find": {items()}},
			`{"id":8,"sent":true,"reconciled":false,"outcome":"ok"}`, "", []string{"it", "it/lookup~1", "it/lookup~2", "it#2"}, 3 * time.Second},
		{"sent once more and lost again", "order_again", map[string][]flow.Result{"order_again": {lost}, "find": {items()}},
			"shop.order_again: unknown: " + sentAt + "not found in 2 look-ups with shop.find, 3s apart",
			"it was sent twice. " + strings.Replace(settle, `,"name":"…"`, "", 1),
			[]string{"it", "it/lookup~1", "it/lookup~2", "it#2", "it/lookup~1", "it/lookup~2"}, 6 * time.Second},
		{"sent once more and found", "order_again", map[string][]flow.Result{"order_again": {lost}, "find": {items(), items(), items(9)}},
			`{"id":9,"sent":true,"reconciled":true,"outcome":"ok"}`, "",
			[]string{"it", "it/lookup~1", "it/lookup~2", "it#2", "it/lookup~1"}, 3 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: tt.answers}
				began := time.Now()
				r := runMain(t, s, ordering(tt.operation), none())
				if got := callKeys(s); got != strings.Join(tt.keys, " ") {
					t.Errorf("calls %s, want %q", got, tt.keys)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if r.err == nil {
					if r.outputs != tt.want {
						t.Errorf("got  %s\nwant %s", r.outputs, tt.want)
					}
					return
				}
				if f := failure(t, r); f.Error() != tt.want || f.Hint != tt.hint || !f.Ambiguous {
					t.Errorf("got  %v\nwant %s\nhint %s\nwant %s", f, tt.want, f.Hint, tt.hint)
				}
			})
		})
	}
}

const posting = `
inputs: {codes: {type: array, items: {type: string, minLength: 1}}}
steps:
  - id: all
    foreach: inputs.codes
    as: some
    batch: 3
    on_error: collect
    call: shop.OPERATION
    with: {codes: "${{ some }}"}
outputs:
  results: "${{ map(steps.all.results, .key + ' ' + .status + ': ' + (.error ?? '')) }}"
`

func TestRowsOfALostBatchAreLookedFor(t *testing.T) {
	lost := answer(flow.Unknown, "no answer")
	counted := answer(flow.Unknown, "1 of 3 rows were done, and it is not known which")
	counted.Code = flow.CodePartlyDone
	notCounted := answer(flow.Unknown, "3 rows were sent, and the answer does not say how many were done")
	notCounted.Code = flow.CodeNotCounted
	byRow := func(found string) func(flow.CallRequest) flow.Result {
		return func(r flow.CallRequest) flow.Result {
			if strings.Contains(found, r.Inputs.At("code").(string)) {
				return items(1)
			}
			return items()
		}
	}
	ambiguous := func(row string) string {
		return row + " ambiguous: it may or may not have been done: POST http://shop/create was sent at 2026-01-02T03:04:05Z; no answer; " +
			"not found in 2 look-ups with shop.find, 3s apart; check at the vendor whether " + row + " exists; " +
			"if it does: runner resume r1 --settle 'all[batch 1]/rows[" + row + "]=done:{}', if not: runner resume r1 --settle 'all[batch 1]/rows[" + row + "]=absent'"
	}
	absent := func(row, why string) string {
		return row + " failed: " + why + "; not found in 2 look-ups with shop.find, 3s apart"
	}
	for _, tt := range []struct {
		name, operation string
		answer          flow.Result
		find            func(flow.CallRequest) flow.Result
		want            []string
		calls           int
		tally           flow.Tally
	}{
		{"all found", "post", lost, byRow("AABBCC"), []string{"AA done: ", "BB done: ", "CC done: "}, 4, flow.Tally{}},
		{"some absent after a lost answer", "post", lost, byRow("BB"), []string{ambiguous("AA"), "BB done: ", ambiguous("CC")}, 6, flow.Tally{Ambiguous: 2}},
		{"some absent after a count", "post", counted, byRow("BB"),
			[]string{absent("AA", counted.Message), "BB done: ", absent("CC", counted.Message)}, 6, flow.Tally{Failed: 2}},
		{"a refused row that is there", "post", sent(2, done("AA"), refused("BB", "odd"), refused("CC", "odd")), byRow("BB"),
			[]string{"AA done: ", "BB done: ", absent("CC", "odd")}, 4, flow.Tally{Failed: 1}},
		{"an answer without the count that it should have", "post", notCounted, byRow("BB"),
			[]string{strings.Replace(ambiguous("AA"), "no answer", notCounted.Message, 1), "BB done: ", strings.Replace(ambiguous("CC"), "no answer", notCounted.Message, 1)}, 6, flow.Tally{Ambiguous: 2}},
		{"what may be repeated is looked for at once where it was counted", "put", counted, byRow("BB"),
			[]string{absent("AA", counted.Message), "BB done: ", absent("CC", counted.Message)}, 6, flow.Tally{Failed: 2}},
		{"what may be repeated is never ambiguous", "put", lost, byRow("BB"),
			[]string{absent("AA", "no answer"), "BB done: ", absent("CC", "no answer")}, 8, flow.Tally{Failed: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: map[string][]flow.Result{tt.operation: {tt.answer}}, find: tt.find}
				r := runMain(t, s, header+strings.Replace(posting, "OPERATION", tt.operation, 1), codes("AA", "BB", "CC"))
				want := string(value.AppendJSON(nil, value.ObjectOf("results", listOf(tt.want...))))
				if r.err != nil || r.outputs != want {
					t.Errorf("error %v\ngot  %s\nwant %s", r.err, r.outputs, want)
				}
				if len(s.calls) != tt.calls || r.tally != tt.tally {
					t.Errorf("%d calls (want %d), tally %+v: %s", len(s.calls), tt.calls, r.tally, callKeys(s))
				}
			})
		})
	}
}

// A vendor that is down is asked for three rows, not for all of them; what was not looked
// for is not taken for absent.
func TestAVendorThatIsDownIsNotAskedForEveryRow(t *testing.T) {
	down, counted := answer(flow.Busy, "nobody there"), answer(flow.Unknown, "1 of 6 rows were done, and it is not known which")
	down.Exhausted = true
	counted.Code = flow.CodePartlyDone
	for _, tt := range []struct {
		name  string
		looks []flow.Result
		keys  string
		want  string
	}{
		{"at the first look", []flow.Result{down}, "AA1 BB1 CC1", "AA ambiguous, BB ambiguous, CC ambiguous, DD ambiguous, EE ambiguous, FF ambiguous"},
		{"after some were found", []flow.Result{items(1), down, down, items(1), down}, "AA1 BB1 CC1 DD1 EE1 FF1 BB2 CC2 EE2",
			"AA done, BB ambiguous, CC ambiguous, DD done, EE ambiguous, FF ambiguous"},
		{"that knows nothing of a row is not down", []flow.Result{answer(flow.NotFound, "what?")}, "AA1 BB1 CC1 DD1 EE1 FF1 AA2 BB2 CC2 DD2 EE2 FF2",
			"AA ambiguous, BB ambiguous, CC ambiguous, DD ambiguous, EE ambiguous, FF ambiguous"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: map[string][]flow.Result{"post": {counted}, "find": tt.looks}}
				main := strings.NewReplacer("OPERATION", "post", "batch: 3", "batch: 6", " + ': ' + (.error ?? '')", "").Replace(posting)
				r := runMain(t, s, header+main, codes("AA", "BB", "CC", "DD", "EE", "FF"))
				if got := strings.NewReplacer(`{"results":["`, "", `"]}`, "", `","`, ", ").Replace(r.outputs); r.err != nil || got != tt.want {
					t.Errorf("error %v\ngot  %s\nwant %s", r.err, got, tt.want)
				}
				var looks []string
				for _, c := range s.calls[1:] {
					_, row, _ := strings.Cut(c, "/rows[")
					looks = append(looks, row[:2]+strings.TrimPrefix(strings.Fields(row)[0], row[:2]+"]/lookup~"))
				}
				if got := strings.Join(looks, " "); got != tt.keys {
					t.Errorf("looked for %s, want %s", got, tt.keys)
				}
			})
		})
	}
}

func TestABatchByItselfThatWasNotAnsweredFailsAsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]flow.Result{"put": {answer(flow.Unknown, "HTTP 500")}, "find": {items()}}}
		check(t, s, `
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - id: each
    foreach: inputs.codes
    breaker: 2
    on_error: collect
    steps:
      - {id: it, call: shop.put, with: {codes: [AA]}}
outputs:
  ends: "${{ map(steps.each.results, .status) }}"
`, codes("A", "B", "C"), `{"ends":["failed","failed","skipped"]}`)
	})
}

// A batch of which rows stay open, since the vendor did not answer, counts for the breaker as one that could not be sent.
func TestABreakerCountsBatchesThatWereLookedForInVain(t *testing.T) {
	counted := answer(flow.Unknown, "0 of 1 rows were done, and it is not known which")
	counted.Code = flow.CodePartlyDone
	for _, tt := range []struct {
		name, operation string
		answer          flow.Result
		find            flow.Result
		want            string
		sent            int
	}{
		{"a create", "post", answer(flow.Unknown, "HTTP 500"), items(), "AA ambiguous, BB ambiguous, batch 3 skipped, batch 4 skipped", 2},
		{"what may be repeated", "put", answer(flow.Unknown, "HTTP 500"), items(), "AA failed, BB failed, batch 3 skipped, batch 4 skipped", 6},
		{"found all the same", "post", answer(flow.Unknown, "HTTP 500"), items(1), "AA done, BB done, CC done, DD done", 4},
		{"counted", "post", counted, items(), "AA failed, BB failed, CC failed, DD failed", 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answers: map[string][]flow.Result{tt.operation: {tt.answer}, "find": {tt.find}}}
				main := strings.NewReplacer("OPERATION", tt.operation, "batch: 3", "batch: 1\n    breaker: 2", " + ': ' + (.error ?? '')", "").Replace(posting)
				r := runMain(t, s, header+main, codes("AA", "BB", "CC", "DD"))
				if got := strings.NewReplacer(`{"results":["`, "", `"]}`, "", `","`, ", ").Replace(r.outputs); r.err != nil || got != tt.want {
					t.Errorf("error %v\ngot  %s\nwant %s", r.err, got, tt.want)
				}
				sent := 0
				for _, c := range s.calls {
					if strings.Contains(c, " "+tt.operation+" ") {
						sent++
					}
				}
				if sent != tt.sent {
					t.Errorf("sent %d times, want %d", sent, tt.sent)
				}
			})
		})
	}
}

func listOf(texts ...string) value.List {
	list := value.List{}
	for _, text := range texts {
		list = append(list, text)
	}
	return list
}
