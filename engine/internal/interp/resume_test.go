package interp_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
	"github.com/seed627bd532/runner/engine/internal/local"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// market is a vendor that keeps its orders. Answers of creates whose code begins with L are
// lost; what begins with N it refuses as long as there is no order P3.
type market struct {
	mu      sync.Mutex
	orders  map[string]int64
	sent    map[string]int // calls by operation and code
	updates []string
}

func newMarket() *market { return &market{orders: map[string]int64{}, sent: map[string]int{}} }

func (m *market) Do(_ context.Context, r flow.CallRequest, _ event.Sink) (flow.Result, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	code, _ := r.Inputs.At("code").(string)
	m.sent[r.Operation+" "+code]++
	switch r.Operation {
	case "find":
		if id := m.orders[code]; id != 0 {
			return items(id), nil
		}
		return items(), nil
	case "update":
		m.updates = append(m.updates, fmt.Sprintf("%s %v", r.Key, r.Inputs.At("id")))
		return ok("price", nil), nil
	}
	if strings.HasPrefix(code, "N") && m.orders["P3"] == 0 {
		return answer(flow.Denied, "not today"), nil
	}
	if m.orders[code] != 0 {
		panic("a second order " + code)
	}
	m.orders[code] = int64(len(code)*100) + int64(code[1])
	if strings.HasPrefix(code, "L") {
		return answer(flow.Unknown, "no answer"), nil
	}
	return ok("id", m.orders[code], "name", nil), nil
}

// A pipeline of everything that leaves a trace: a create that is lost, a failure that is
// handled, rows, and a wait.
const trade = header + `
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - {id: first, call: shop.order, with: {code: L1}}
  - id: second
    call: shop.order
    with: {code: N2}
    on_error:
      - {if: error.outcome == 'denied', outputs: {id: 0, name: "${{ error.message }}"}}
  - id: instead
    if: steps.second.outcome == 'denied'
    call: shop.order
    with: {code: P3}
  - id: all
    foreach: inputs.codes
    as: code
    parallel: 1
    on_error: collect
    steps:
      - {id: found, call: shop.find, with: {code: "${{ code }}"}}
      - id: made
        if: len(steps.found.outputs.items) == 0
        call: shop.order
        with: {code: "${{ code }}"}
    outputs: {id: "${{ steps.made.outputs.id ?? first(steps.found.outputs.items)?.id }}", sent: "${{ steps.made.sent }}"}
outputs:
  first: ${{ steps.first.outputs.id }}
  reconciled: ${{ steps.first.reconciled }}
  second: ${{ steps.second.outputs.name }}
  instead: ${{ steps.instead.outputs.id }}
  all: ${{ map(steps.all.results, [.key, .status, .id, .sent]) }}
`

// A run whose machine dies at any moment ends, taken up again, as one that nothing disturbed.
func TestARunThatDiesEndsAsIfNothingHadHappened(t *testing.T) {
	synctest.Test(t, dieEverywhere)
}

func dieEverywhere(t *testing.T) {
	p := load(t, map[string]string{"main": trade})
	in := value.ObjectOf("codes", value.List{"A4", "L5", "B6"})
	run := func(m *market, j state.Journal, locks state.Locks) *ran {
		return runAs(t, t.Context(), p, local.Options{Executor: m, Journal: j, Locks: locks, RunID: "r1", Began: began}, in)
	}
	memory := state.NewMemory()
	undisturbed := run(newMarket(), memory, memory)
	want := `{"first":249,"reconciled":true,"second":"not today","instead":251,"all":[["1","done",252,true],["2","done",253,true],["3","done",254,true]]}`
	if undisturbed.err != nil || undisturbed.outputs != want {
		t.Fatalf("error %v, outputs %s", undisturbed.err, undisturbed.outputs)
	}
	for write := 1; ; write++ {
		for _, after := range []bool{false, true} {
			memory, vendor := state.NewMemory(), newMarket()
			j := &flowtest.Mortal{Journal: memory, DiesAt: write, After: after}
			if first := run(vendor, j, memory); first.err == nil {
				if write < 20 {
					t.Errorf("it made only %d writes", j.Writes())
				}
				return
			}
			// What was announced and never left is not there, and might still come.
			last := run(vendor, memory, memory)
			if open := unsettled(t, memory); len(open) > 0 {
				if code := orderOf[open[0]]; len(open) > 1 || vendor.orders[code] != 0 {
					t.Errorf("write %d, after %v: open is %q, although %s is there", write, after, open, code)
				}
				continue
			}
			if last.err != nil || last.outputs != want {
				t.Errorf("write %d, after %v: error %v\ngot  %s\nwant %s", write, after, last.err, last.outputs, want)
			}
			for what, n := range vendor.sent {
				if n > 1 && !strings.HasPrefix(what, "find ") && what != "order N2" {
					t.Errorf("write %d, after %v: %s was sent %d times", write, after, what, n)
				}
			}
		}
	}
}

// orderOf are the orders of a trade by the keys of their steps.
var orderOf = map[string]string{"first": "L1", "second": "N2", "instead": "P3", "all[1]/made": "A4", "all[2]/made": "L5", "all[3]/made": "B6"}

// unsettled returns the creates of run r1 of which nobody knows what became of them.
func unsettled(t *testing.T, m *state.Memory) []string {
	t.Helper()
	entries, err := m.Entries(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	return local.Unsettled(entries)
}

// A timeout that a handler passed over has ended for good: what the vendor would do by
// now is no longer asked. One that failed the run gets all its time again.
func TestATimeoutThatWasActedUponStaysOne(t *testing.T) {
	const main = header + `
steps:
  - id: wait
    call: shop.find
    with: {code: AA}
    until: len(outputs.items) > 0
    every: 10s
    timeout: 25s
    HANDLER
  - {id: order, call: shop.order, with: {code: L1}}
outputs:
  items: ${{ len(steps.wait.outputs.items ?? []) }}
  said: "${{ steps.wait.outputs.items == null ? 'not there' : 'there' }}"
`
	for _, tt := range []struct {
		name, handler string
		first, last   string
	}{
		{"acted upon", "on_error: [{outputs: {items: null}}]", "cannot write order to the journal: the machine is dead", `{"items":0,"said":"not there"}`},
		{"failed", "on_error: fail", "shop.find: not there after 25s and 3 looks: len(outputs.items) > 0; last seen {\"items\":[]}", `{"items":1,"said":"there"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := load(t, map[string]string{"main": strings.Replace(main, "HANDLER", tt.handler, 1)})
				vendor, memory := newMarket(), state.NewMemory()
				run := func(j state.Journal) *ran {
					return runAs(t, t.Context(), p, local.Options{Executor: vendor, Journal: j, Locks: memory, RunID: "r1", Began: began}, none())
				}
				if first := run(&flowtest.Mortal{Journal: memory, DiesAt: 8}); fmt.Sprint(first.err) != tt.first {
					t.Errorf("first %v", first.err)
				}
				vendor.orders["AA"] = 5
				time.Sleep(time.Hour)
				if last := run(memory); last.err != nil || last.outputs != tt.last {
					t.Errorf("error %v, outputs %s", last.err, last.outputs)
				}
			})
		})
	}
}

// Once a run takes back what it did, it does nothing else any more: a run that died
// meanwhile undoes what is left, although the vendor would let it go on by now.
func TestARunThatDiesWhileItUndoesGoesOnUndoing(t *testing.T) {
	synctest.Test(t, dieUndoing)
}

func dieUndoing(t *testing.T) {
	const main = header + `
on_failure: undo
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - {id: one, call: shop.order, with: {code: L1}, undo: {call: shop.update, with: {id: "${{ outputs.id }}"}}}
  - id: all
    foreach: inputs.codes
    as: code
    call: shop.order
    with: {code: "${{ code }}"}
    undo: {call: shop.update, with: {id: "${{ outputs.id }}"}}
  - {id: last, call: shop.order, with: {code: N7}}
`
	p := load(t, map[string]string{"main": main})
	in := value.ObjectOf("codes", value.List{"A4", "B5"})
	want := []string{"all[2]/undo 253", "all[1]/undo 252", "one/undo 249"}
	died := 0
	for write := 8; ; write++ {
		vendor, memory := newMarket(), state.NewMemory()
		run := func(j state.Journal) *ran {
			return runAs(t, t.Context(), p, local.Options{Executor: vendor, Journal: j, Locks: memory, RunID: "r1", Began: began}, in)
		}
		first := run(&flowtest.Mortal{Journal: memory, DiesAt: write})
		begun := len(vendor.updates) > 0
		if begun && errors.Is(first.err, flowtest.ErrDead) {
			died++
		}
		if begun {
			vendor.orders["P3"] = 1 // N7 would be taken by now
		}
		last := run(memory)
		if len(unsettled(t, memory)) > 0 {
			if len(vendor.updates) > 0 {
				t.Errorf("write %d: undone %q, although it is not known what was done", write, vendor.updates)
			}
			continue
		}
		if f := failure(t, last); f.Error() != "shop.order: denied: not today" || f.Hint != "3 of 3 steps that can be undone were" || f.Step != "last" {
			t.Errorf("write %d: got %v, step %s, hint %s", write, f, f.Step, f.Hint)
		}
		if got := slices.Compact(vendor.updates); !slices.Equal(got, want) {
			t.Errorf("write %d: undone %q", write, got)
		}
		if !errors.Is(first.err, flowtest.ErrDead) {
			break
		}
	}
	if died < 3 {
		t.Errorf("it died only %d times while it undid", died)
	}
}

// What nobody could tell is looked for anew whenever the run is taken up again.
func TestAnAmbiguousRunIsSettledWhenItIsTakenUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, memory := load(t, map[string]string{"main": ordering("order")}), state.NewMemory()
		s := &script{answers: map[string][]flow.Result{"order": {answer(flow.Unknown, "no answer")}, "find": {items()}}}
		first := failure(t, runOn(t, t.Context(), p, s, memory, none()))
		second := failure(t, runOn(t, t.Context(), p, s, memory, none()))
		if first.Error() != second.Error() || first.Hint != second.Hint || !second.Ambiguous {
			t.Errorf("first  %v: %s\nsecond %v: %s", first, first.Hint, second, second.Hint)
		}
		s.answers["find"] = []flow.Result{items(), items(7)}
		if r := runOn(t, t.Context(), p, s, memory, none()); r.err != nil || r.outputs != `{"id":7,"sent":true,"reconciled":true,"outcome":"ok"}` {
			t.Errorf("error %v, outputs %s", r.err, r.outputs)
		}
		if n := strings.Count(strings.Join(s.calls, "\n"), "it order "); n != 1 {
			t.Errorf("ordered %d times", n)
		}
	})
}

// Two runs that ensure the same thing at once make it once.
func TestTwoRunsThatEnsureTheSameAtOnceOrderOnce(t *testing.T) {
	const main = header + `
steps:
  - {id: look, call: shop.find, with: {code: L1}}
  - {id: order, if: len(steps.look.outputs.items) == 0, call: shop.order, with: {code: L1}}
outputs:
  id: ${{ steps.order.outputs.id ?? first(steps.look.outputs.items)?.id }}
  sent: ${{ steps.order.sent }}
`
	synctest.Test(t, func(t *testing.T) {
		p, memory, vendor := load(t, map[string]string{"main": main}), state.NewMemory(), newMarket()
		slow := slowly{vendor}
		outputs := make(chan string)
		for _, id := range []string{"r1", "r2"} {
			go func() {
				r := runAs(t, t.Context(), p, local.Options{Executor: slow, Journal: memory, Locks: memory, RunID: id}, none())
				if r.err != nil {
					t.Error(r.err)
				}
				outputs <- r.outputs
			}()
		}
		both := []string{<-outputs, <-outputs}
		slices.Sort(both)
		if want := []string{`{"id":249,"sent":false}`, `{"id":249,"sent":true}`}; !slices.Equal(both, want) || vendor.sent["order L1"] != 1 {
			t.Errorf("got %q, ordered %d times", both, vendor.sent["order L1"])
		}
	})
}

// Two runs at once whose batches have rows in common make each of them once, and both are told that it is done.
func TestTwoRunsOfTheSameRowsSendEachOnce(t *testing.T) {
	main := header + strings.NewReplacer("OPERATION", "post", " + ': ' + (.error ?? '')", "").Replace(posting)
	synctest.Test(t, func(t *testing.T) {
		p, memory := load(t, map[string]string{"main": main}), state.NewMemory()
		s := &script{answers: map[string][]flow.Result{}}
		outputs := make(chan string)
		for id, in := range map[string]*value.Object{"r1": codes("AA", "BB", "CC"), "r2": codes("CC", "XX", "AA")} {
			go func() {
				r := runAs(t, t.Context(), p, local.Options{Executor: slowly{batches{s}}, Journal: memory, Locks: memory, RunID: id}, in)
				if r.err != nil || r.tally != (flow.Tally{}) {
					t.Error(r.err, r.tally)
				}
				outputs <- r.outputs
			}()
		}
		both := []string{<-outputs, <-outputs}
		slices.Sort(both)
		if want := []string{`{"results":["AA done","BB done","CC done"]}`, `{"results":["CC done","XX done","AA done"]}`}; !slices.Equal(both, want) {
			t.Errorf("got %q", both)
		}
		sent := strings.Join(s.calls, "\n")
		for _, code := range []string{"AA", "BB", "CC", "XX"} {
			if n := strings.Count(sent, `"`+code+`"`); n != 1 {
				t.Errorf("%s was sent %d times:\n%s", code, n, sent)
			}
		}
	})
}

// What becomes of a batch is not the fate of the rows that were kept out of it.
func TestRowsThatAreDoneStayDoneWhateverBecomesOfTheOthers(t *testing.T) {
	main := header + strings.NewReplacer("OPERATION", "send", " + ': ' + (.error ?? '')", "").Replace(posting)
	p := load(t, map[string]string{"main": main})
	for outcome, want := range map[flow.Outcome]string{
		flow.Invalid: `{"results":["AA done","BB failed","CC failed"]}`,
		flow.Unknown: `{"results":["AA done","BB ambiguous","CC ambiguous"]}`,
	} {
		memory := state.NewMemory()
		s := &script{answers: map[string][]flow.Result{"send": {sent(1, done("AA")), answer(outcome, "no")}}}
		options := local.Options{Executor: s, Journal: memory, Locks: memory, RunID: "r0", Began: began}
		runAs(t, t.Context(), p, options, codes("AA"))
		options.RunID = "r1"
		for range 2 {
			if r := runAs(t, t.Context(), p, options, codes("AA", "BB", "CC")); r.err != nil || r.outputs != want {
				t.Errorf("%s: error %v, outputs %s", outcome, r.err, r.outputs)
			}
		}
	}
}

// batches is a vendor that does all rows that it is sent.
type batches struct{ *script }

func (b batches) Do(_ context.Context, r flow.CallRequest, _ event.Sink) (flow.Result, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, fmt.Sprintf("%s %s %s", r.Key, r.Operation, value.AppendJSON(nil, r.Inputs)))
	res := ok()
	for _, row := range r.Rows {
		res.Rows = append(res.Rows, done(row.Key))
	}
	return res, nil
}

// Of a batch of which another run has done a row, the others are sent once and no more, at whatever moment the machine dies.
func TestABatchWithRowsThatAreDoneSurvivesEveryCrash(t *testing.T) {
	main := header + strings.NewReplacer("OPERATION", "post", " + ': ' + (.error ?? '')", "").Replace(posting)
	p := load(t, map[string]string{"main": main})
	for write := 1; write <= 4; write++ {
		for _, after := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				memory := state.NewMemory()
				s := &script{find: func(r flow.CallRequest) flow.Result { return items(1) }}
				options := local.Options{Executor: lookable{batches{s}}, Journal: memory, Locks: memory, RunID: "r0", Began: began}
				runAs(t, t.Context(), p, options, codes("BB"))
				options.RunID, options.Journal = "r1", &flowtest.Mortal{Journal: memory, DiesAt: write, After: after}
				runAs(t, t.Context(), p, options, codes("AA", "BB", "CC"))
				options.Journal = memory
				r := runAs(t, t.Context(), p, options, codes("AA", "BB", "CC"))
				if r.err != nil || r.outputs != `{"results":["AA done","BB done","CC done"]}` {
					t.Errorf("write %d, after %v: error %v, outputs %s", write, after, r.err, r.outputs)
				}
				sent := strings.Join(s.calls, "\n")
				if strings.Count(sent, "BB") != 1 || strings.Count(sent, "AA") > 1 || strings.Count(sent, "CC") > 1 {
					t.Errorf("write %d, after %v: sent\n%s", write, after, sent)
				}
			})
		}
	}
}

// lookable finds everything, whether it was sent or not.
type lookable struct{ batches }

func (l lookable) Do(ctx context.Context, r flow.CallRequest, events event.Sink) (flow.Result, error) {
	if r.Operation == "find" {
		return l.find(r), nil
	}
	return l.batches.Do(ctx, r, events)
}

// What was undone is there no more: the next run creates it, however soon it follows.
func TestWhatWasUndoneIsCreatedByTheNextRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := load(t, map[string]string{"main": header + `
on_failure: undo
inputs: {codes: {type: array, items: {type: string}}}
steps:
  - id: all
    foreach: inputs.codes
    as: code
    steps:
      - {id: it, call: shop.order, with: {code: "${{ code }}"}, undo: {call: shop.update, with: {id: "${{ outputs.id }}"}}}
  - {id: last, call: shop.update, with: {id: 7}}
`})
		memory := state.NewMemory()
		s := &script{answers: map[string][]flow.Result{"order": {ok("id", int64(4))}, "update": {answer(flow.Invalid, "odd"), ok("price", nil)}, "find": {items(4)}}}
		for _, id := range []string{"r1", "r2", "r3"} {
			runAs(t, t.Context(), p, local.Options{Executor: s, Journal: memory, Locks: memory, RunID: id}, codes("AA"))
			time.Sleep(time.Second)
		}
		if got, want := callKeys(s), "all[1]/it last all[1]/it/undo all[1]/it last all[1]/it/lookup~1 last"; got != want {
			t.Errorf("calls %s, want %s", got, want)
		}
	})
}

// What another run created a moment ago, and this one does not see, may be shown late, or be
// gone: it is looked for as long as the vendor may take to show it.
func TestWhatIsGoneIsCreatedByTheNextRun(t *testing.T) {
	const looks = " it/lookup~1 it/lookup~2 it/lookup~3 it/lookup~4 it/lookup~5"
	for name, test := range map[string]struct {
		shown func(look int) flow.Result
		id    int
		calls string
		took  time.Duration
	}{
		"it is gone":              {func(int) flow.Result { return items() }, 5, "it" + looks + " it", 20 * time.Second},
		"it is there":             {func(int) flow.Result { return items(4) }, 4, "it it/lookup~1", 0},
		"it is shown late":        {func(look int) flow.Result { return map[bool]flow.Result{true: items(4), false: items()}[look == 5] }, 4, "it" + looks, 20 * time.Second},
		"it cannot be looked for": {func(int) flow.Result { return answer(flow.Invalid, "odd") }, 4, "it" + looks, 20 * time.Second},
		"one of the looks is in vain": {func(look int) flow.Result {
			return map[bool]flow.Result{true: answer(flow.Denied, "no"), false: items()}[look == 2]
		}, 4, "it" + looks, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := load(t, map[string]string{"main": header + `
steps:
  - {id: it, call: shop.order, with: {code: AA}}
outputs: {id: "${{ steps.it.outputs.id }}", sent: "${{ steps.it.sent }}"}
`})
				memory := state.NewMemory()
				look := 0
				s := &script{answers: map[string][]flow.Result{"order": {ok("id", int64(4)), ok("id", int64(5))}}}
				s.find = func(flow.CallRequest) flow.Result { look++; return test.shown(look) }
				runAs(t, t.Context(), p, local.Options{Executor: s, Journal: memory, Locks: memory, RunID: "r1"}, none())
				time.Sleep(time.Nanosecond)
				began := time.Now()
				r := runAs(t, t.Context(), p, local.Options{Executor: s, Journal: memory, Locks: memory, RunID: "r2"}, none())
				if want := fmt.Sprintf(`{"id":%d,"sent":%v}`, test.id, test.id == 5); r.err != nil || r.outputs != want {
					t.Errorf("%v, outputs %s, want %s", r.err, r.outputs, want)
				}
				if got := callKeys(s); got != test.calls || time.Since(began) != test.took {
					t.Errorf("calls %s in %v, want %s in %v", got, time.Since(began), test.calls, test.took)
				}
			})
		})
	}
}

// The timeout of a step holds while it waits for another run that creates the same.
func TestATimeoutEndsTheWaitForAnotherRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, memory := load(t, map[string]string{"main": header + "steps:\n  - {id: it, timeout: 20s, call: shop.order, with: {code: AB}}\n"}), state.NewMemory()
		s := &script{answers: map[string][]flow.Result{"order": {ok("id", int64(4))}}}
		unlock, err := memory.Lock(t.Context(), `["shop","order","\"AB\""]`)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		began := time.Now()
		f := failure(t, runAs(t, t.Context(), p, local.Options{Executor: s, Journal: memory, Locks: memory, RunID: "r1"}, none()))
		want := `shop.order: busy: step it took longer than its timeout of 20s; last answer: not sent: another run holds "AB", and did not let go of it within 20s`
		if f.Error() != want || f.Code != "timeout" || f.Ambiguous || time.Since(began) != 20*time.Second || len(s.calls) > 0 {
			t.Errorf("after %v: %s %v", time.Since(began), f.Code, f)
		}
	})
}

// slowly is a vendor that takes a second for everything.
type slowly struct{ flow.Executor }

func (s slowly) Do(ctx context.Context, r flow.CallRequest, events event.Sink) (flow.Result, error) {
	time.Sleep(time.Second)
	return s.Executor.Do(ctx, r, events)
}

const safe = `
vendor: safe
version: 1
operations:
  keep:
    effect: create
    inputs: {name: {type: string}}
    request: {method: POST, path: /keep}
    response:
      schema: {type: object, required: [id, pin], properties: {id: {type: integer}, pin: {type: string}}}
      outputs: {id: id, pin: {path: pin, secret: true}}
    identity: inputs.name
  open:
    effect: idempotent
    inputs: {name: {type: string}, pin: {type: string, secret: true, optional: true}}
    request: {method: POST, path: /open}
    response:
      schema: {type: object, required: [key], properties: {key: {type: string}}}
      outputs: {key: {path: key, secret: true}}
`

// Secrets are nowhere on record. What a create gave is gone with the process, and people are told; what may
// be repeated is, and rows that depend on a secret are gone through again.
func TestSecretsAreNotOnRecord(t *testing.T) {
	files := fstest.MapFS{"specs/safe.yaml": {Data: []byte(safe)}, "pipelines/main.yaml": {Data: []byte(`
pipeline: main
version: 1
connections: {safe: {vendor: safe}}
inputs: {names: {type: array, items: {type: string}}}
steps:
  - id: all
    foreach: inputs.names
    as: name
    parallel: 1
    steps:
      - id: kept
        call: safe.keep
        with: {name: "${{ name }}"}
        undo: {call: safe.open, with: {name: "${{ name }}", pin: "${{ outputs.pin }}"}}
    outputs: {id: "${{ steps.kept.outputs.id }}"}
  - {id: opened, call: safe.open, with: {name: A}}
  - {id: last, call: safe.keep, with: {name: Z}}
outputs:
  ids: ${{ map(steps.all.results, .id) }}
`)}}
	p, faults := project.Load(files)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	memory := state.NewMemory()
	s := &script{answers: map[string][]flow.Result{
		"keep": {ok("id", int64(1), "pin", "hunter2"), ok("id", int64(2), "pin", "hunter2"), ok("id", int64(3), "pin", "hunter2")},
		"open": {ok("key", "hunter2")},
	}}
	ctx, stop := context.WithCancelCause(t.Context())
	s.before = func(r flow.CallRequest) {
		if r.Key == "opened" {
			stop(errors.New("ctrl-c"))
		}
	}
	in := value.ObjectOf("names", value.List{"A", "B"})
	first := runOn(t, ctx, p, s, memory, in)
	if f := failure(t, first); f.Code != "interrupted" {
		t.Fatal(f)
	}
	entries, err := memory.Entries(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(string(e.Payload), "hunter2") {
			t.Errorf("%s holds %s", e.Key, e.Payload)
		}
	}
	s.before = nil
	last := runOn(t, t.Context(), p, s, memory, in)
	if last.err != nil || last.outputs != `{"ids":[1,2]}` {
		t.Errorf("error %v, outputs %s", last.err, last.outputs)
	}
	if got := callKeys(s); got != "all[1]/kept all[2]/kept opened opened last" {
		t.Errorf("calls %s", got)
	}
	want := "all[1]/kept: its output pin is null, since it is secret and was not written down when it was given\n" +
		"all[2]/kept: its output pin is null, since it is secret and was not written down when it was given"
	if got := warnings(last); got != want {
		t.Errorf("warnings %s", got)
	}
}
