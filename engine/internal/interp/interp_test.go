package interp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/interp"
	"github.com/seed627bd532/runner/engine/internal/local"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

const shop = `
vendor: shop
version: 1
defaults:
  retry: {attempts: 3, first: 1s, max: 4s}
operations:
  find:
    effect: read
    inputs: {code: {type: string, minLength: 2}}
    request: {method: GET, path: /find}
    response:
      schema:
        type: array
        items: {type: object, required: [id], properties: {id: {type: integer}, name: {type: string}}}
      outputs: {items: "@this"}
  update:
    effect: idempotent
    inputs: {id: {type: integer}, price: {type: decimal, optional: true}}
    request: {method: PUT, path: /update}
    response:
      schema: {type: object, properties: {price: {type: number}}}
      outputs: {price: price}
  create:
    effect: create
    inputs: {code: {type: string}}
    request: {method: POST, path: /create}
    response:
      schema: {type: object, required: [id], properties: {id: {type: integer}}}
      outputs: {id: id}
    identity: inputs.code
  send:
    effect: create
    inputs: {codes: {type: array, items: {type: string}}}
    rows: {of: inputs.codes, as: code}
    identity: code
    request: {method: POST, path: /send, body: "${{ inputs.codes }}"}
    response:
      schema: {type: object, properties: {total: {type: integer}}}
      outputs: {total: total}
  order:
    effect: create
    inputs: {code: {type: string}}
    request: {method: POST, path: /order}
    response:
      schema: {type: object, required: [id], properties: {id: {type: integer}, name: {type: string}}}
      outputs: {id: id, name: name}
    identity: inputs.code
    reconcile:
      call: find
      with: {code: "${{ inputs.code }}"}
      found: len(outputs.items) > 0
      outputs: {id: "${{ first(outputs.items)?.id }}"}
  order_again:
    effect: create
    inputs: {code: {type: string}}
    request: {method: POST, path: /order}
    response:
      schema: {type: object, required: [id], properties: {id: {type: integer}}}
      outputs: {id: id}
    identity: inputs.code
    reconcile:
      call: find
      with: {code: "${{ inputs.code }}"}
      found: len(outputs.items) > 0
      outputs: {id: "${{ first(outputs.items)?.id }}"}
      tries: 2
      every: 3s
      if_absent: resend
  post:
    effect: create
    inputs: {codes: {type: array, items: {type: string}}}
    rows: {of: inputs.codes, as: code}
    identity: code
    request: {method: POST, path: /send, body: "${{ inputs.codes }}"}
    reconcile:
      call: find
      with: {code: "${{ code }}"}
      found: len(outputs.items) > 0
      tries: 2
      every: 3s
  put:
    effect: idempotent
    inputs: {codes: {type: array, items: {type: string}}}
    rows: {of: inputs.codes, as: code}
    identity: code
    request: {method: POST, path: /send, body: "${{ inputs.codes }}"}
    reconcile:
      call: find
      with: {code: "${{ code }}"}
      found: len(outputs.items) > 0
      tries: 2
      every: 3s
`

// A script answers calls by operation, in turn; the last answer stands for all later ones.
type script struct {
	mu      sync.Mutex
	answers map[string][]flow.Result
	calls   []string
	before  func(flow.CallRequest)
	find    func(flow.CallRequest) flow.Result // answers find in place of answers
}

func (s *script) Do(_ context.Context, r flow.CallRequest, _ event.Sink) (flow.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, fmt.Sprintf("%s %s %s", r.Key, r.Operation, value.AppendJSON(nil, r.Inputs)))
	if s.before != nil {
		s.before(r)
	}
	if s.find != nil && r.Operation == "find" {
		return s.find(r), nil
	}
	answers := s.answers[r.Operation]
	if len(answers) == 0 {
		return flow.Result{}, fmt.Errorf("no answer for %s", r.Operation)
	}
	if len(answers) > 1 {
		s.answers[r.Operation] = answers[1:]
	}
	return answers[0], nil
}

func ok(pairs ...any) flow.Result {
	return flow.Result{Outcome: flow.OK, Status: 200, Outputs: value.ObjectOf(pairs...), Sent: true}
}

func answer(o flow.Outcome, message string) flow.Result {
	return flow.Result{Outcome: o, Message: message, Sent: o != flow.Busy, Endpoint: "POST http://shop/create", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func load(t *testing.T, pipelines map[string]string) *project.Project {
	t.Helper()
	files := fstest.MapFS{"specs/shop.yaml": {Data: []byte(shop)}}
	for name, text := range pipelines {
		files["pipelines/"+name+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	p, faults := project.Load(files)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

// began is before every create that the tests make, in real and in virtual time.
var began = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)

type ran struct {
	outputs string
	tally   flow.Tally
	err     error
	events  []event.Event
}

func (r *ran) Emit(e event.Event) { r.events = append(r.events, e) }

func runMain(t *testing.T, s *script, main string, inputs *value.Object) *ran {
	t.Helper()
	return runOn(t, t.Context(), load(t, map[string]string{"main": main}), s, state.NewMemory(), inputs)
}

func runOn(t *testing.T, ctx context.Context, p *project.Project, s flow.Executor, memory *state.Memory, inputs *value.Object) *ran {
	t.Helper()
	return runAs(t, ctx, p, local.Options{Executor: s, Journal: memory, Locks: memory, RunID: "r1", Began: began}, inputs)
}

func runAs(t *testing.T, ctx context.Context, p *project.Project, o local.Options, inputs *value.Object) *ran {
	t.Helper()
	pl := p.Find("pipelines/main.yaml")
	sources := map[string]interp.Source{}
	plain := inputs.Clone()
	for name, list := range inputs.All() {
		if pl.Inputs.Streamed[name] {
			plain.Set(name, value.List{})
			sources[name] = func(yield func(value.Value, error) bool) error {
				for _, v := range list.(value.List) {
					if !yield(v, nil) {
						break
					}
				}
				return nil
			}
		}
	}
	bound, bad := pl.Inputs.Bind(plain)
	if bad != nil {
		t.Fatal(bad)
	}
	r := &ran{}
	o.Events = r
	outputs, tally, err := interp.Run(local.New(ctx, o), pl, interp.Input{RunID: o.RunID, Values: bound, Rows: sources})
	r.outputs, r.tally, r.err = string(value.AppendJSON(nil, outputs)), tally, err
	return r
}

const header = "pipeline: main\nversion: 1\nconnections: {shop: {vendor: shop}}\n"

const ensure = header + `
inputs: {code: {type: string}}
steps:
  - id: lookup
    call: shop.find
    with: {code: "${{ inputs.code }}"}
  - if: len(steps.lookup.outputs.items) > 1
    fail: "${{ inputs.code }} is there ${{ len(steps.lookup.outputs.items) }} times"
  - id: create
    if: len(steps.lookup.outputs.items) == 0
    call: shop.create
    with: {code: "${{ inputs.code }}"}
outputs:
  id: ${{ steps.create.outputs.id ?? first(steps.lookup.outputs.items)?.id }}
  created: ${{ steps.create.sent }}
`

func TestEnsureFindsOrCreatesOrRefuses(t *testing.T) {
	item := func(id int64) value.Value { return value.ObjectOf("id", id) }
	for _, tt := range []struct {
		name    string
		answers map[string][]flow.Result
		outputs string
		calls   int
		err     string
	}{
		{"found", map[string][]flow.Result{"find": {ok("items", value.List{item(7)})}}, `{"id":7,"created":false}`, 1, ""},
		{"created", map[string][]flow.Result{"find": {ok("items", value.List{})}, "create": {ok("id", int64(9007199254740993))}},
			`{"id":9007199254740993,"created":true}`, 2, ""},
		{"twice there", map[string][]flow.Result{"find": {ok("items", value.List{item(7), item(8)})}}, "", 1, "AB is there 2 times"},
		{"refused", map[string][]flow.Result{"find": {ok("items", value.List{})}, "create": {answer(flow.Invalid, "code is odd")}},
			"", 2, "shop.create: invalid: code is odd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &script{answers: tt.answers}
			r := runMain(t, s, ensure, value.ObjectOf("code", "AB"))
			if got := fmt.Sprint(r.err); tt.err == "" && r.err != nil || tt.err != "" && got != tt.err {
				t.Errorf("error %v, want %q", r.err, tt.err)
			}
			if r.err == nil && r.outputs != tt.outputs {
				t.Errorf("outputs %s, want %s", r.outputs, tt.outputs)
			}
			if len(s.calls) != tt.calls {
				t.Errorf("calls %q, want %d", s.calls, tt.calls)
			}
		})
	}
}

// The table of the language: what is repeated follows from effect and outcome.
func TestWhetherACallIsRepeatedFollowsFromEffectAndOutcome(t *testing.T) {
	again := map[flow.Outcome]string{
		flow.Throttled: "read idempotent create",
		flow.Busy:      "read idempotent create",
		flow.Unknown:   "read idempotent",
		flow.Auth:      "", flow.Invalid: "", flow.Denied: "", flow.NotFound: "", flow.Conflict: "",
	}
	calls := map[flow.Effect]string{
		flow.Read:       "call: shop.find\n    with: {code: AB}",
		flow.Idempotent: "call: shop.update\n    with: {id: 1}",
		flow.Create:     "call: shop.create\n    with: {code: AB}",
	}
	success := map[string]flow.Result{"find": ok("items", value.List{}), "update": ok("price", int64(1)), "create": ok("id", int64(1))}
	for outcome, effects := range again {
		for effect, step := range calls {
			t.Run(fmt.Sprintf("%s %s", outcome, effect), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &script{answers: map[string][]flow.Result{}}
					for name, good := range success {
						s.answers[name] = []flow.Result{answer(outcome, "no"), good}
					}
					r := runMain(t, s, header+"steps:\n  - id: it\n    "+step+"\n", value.NewObject(0))
					repeated := len(s.calls) == 2
					if want := strings.Contains(effects, string(effect)); repeated != want || (r.err == nil) != want {
						t.Errorf("repeated %v, want %v; error %v", repeated, want, r.err)
					}
				})
			})
		}
	}
}

func TestRetriesWaitLongerEachTimeAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{answers: map[string][]flow.Result{"find": {answer(flow.Unknown, "HTTP 500")}}}
		began := time.Now()
		r := runMain(t, s, header+"steps:\n  - {id: it, call: shop.find, with: {code: AB}}\n", value.NewObject(0))
		if len(s.calls) != 3 {
			t.Errorf("calls %q, want 3", s.calls)
		}
		if took := time.Since(began); took < 1500*time.Millisecond || took > 3*time.Second {
			t.Errorf("waited %v in all, want between half and all of 1s + 2s", took)
		}
		if want := "shop.find: unknown: HTTP 500"; r.err == nil || r.err.Error() != want {
			t.Errorf("error %v, want %s", r.err, want)
		}
	})
}

func TestRetryAfterIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := answer(flow.Throttled, "slow down")
		slow.RetryAfter = time.Minute
		s := &script{answers: map[string][]flow.Result{"create": {slow, ok("id", int64(1))}}}
		began := time.Now()
		r := runMain(t, s, header+"steps:\n  - {id: it, call: shop.create, with: {code: AB}}\n", value.NewObject(0))
		if r.err != nil || time.Since(began) != time.Minute {
			t.Errorf("error %v after %v, want success after a minute", r.err, time.Since(began))
		}
	})
}

func TestALostCreateIsAmbiguousAndSaysWhatToDo(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{"create": {answer(flow.Unknown, "the connection broke")}}}
	r := runMain(t, s, header+"steps:\n  - {id: it, call: shop.create, with: {code: AB}}\n", value.NewObject(0))
	var f *interp.Failure
	if !errors.As(r.err, &f) || !f.Ambiguous || len(s.calls) != 1 {
		t.Fatalf("error %v after %d calls, want an ambiguous failure after one", r.err, len(s.calls))
	}
	want := "shop.create: unknown: it may or may not have been done: POST http://shop/create was sent at 2026-01-02T03:04:05Z; the connection broke"
	if f.Error() != want {
		t.Errorf("got  %s\nwant %s", f, want)
	}
}

const each = header + `
inputs: {rows: {type: array, items: {type: object, required: [code], properties: {code: {type: string, minLength: 2}}}}}
steps:
  - id: all
    foreach: inputs.rows
    as: row
    key: row.code
    parallel: 3
    on_error: collect
    call: shop.create
    with: {code: "${{ row.code }}"}
outputs:
  results: ${{ steps.all.results }}
  done: ${{ steps.all.done }}
  failed: ${{ steps.all.failed }}
`

func rows(codes ...string) *value.Object {
	list := value.List{}
	for _, code := range codes {
		list = append(list, value.ObjectOf("code", code))
	}
	return value.ObjectOf("rows", list)
}

func TestABadRowIsRecordedAndTheOthersGoOn(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{"create": {ok("id", int64(1))}}}
	in := rows("AA", "B", "CC")
	in.At("rows").(value.List)[2].(*value.Object).Set("code", nil)
	r := runMain(t, s, each, in)
	want := `{"results":[` +
		`{"key":"AA","status":"done","id":1,"error":null},` +
		`{"key":"B","status":"failed","id":null,"error":"code: expected at least 2 characters, found 1"},` +
		`{"key":"row 3","status":"failed","id":null,"error":"code: expected text, found null"}],"done":1,"failed":2}`
	if r.err != nil || r.outputs != want {
		t.Errorf("error %v\ngot  %s\nwant %s", r.err, r.outputs, want)
	}
	if r.tally != (flow.Tally{Failed: 2}) {
		t.Errorf("tally %+v", r.tally)
	}
}

// The second row's create would be a second company, as long as nobody knows
// what became of the first.
func TestARowWhoseTwinIsAmbiguousIsNotSent(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{"create": {answer(flow.Unknown, "lost"), ok("id", int64(1))}}}
	r := runMain(t, s, each, rows("AA", "AA"))
	if len(s.calls) != 1 || r.tally.Ambiguous != 2 {
		t.Errorf("calls %q, tally %+v: want one call, and both rows ambiguous", s.calls, r.tally)
	}
}

func TestARowWhoseTwinIsDoneTakesItsOutputs(t *testing.T) {
	s := &script{answers: map[string][]flow.Result{"create": {ok("id", int64(5))}}}
	r := runMain(t, s, each, rows("AA", "AA"))
	want := `{"results":[{"key":"AA","status":"done","id":5,"error":null},{"key":"AA#2","status":"done","id":5,"error":null}],"done":2,"failed":0}`
	if len(s.calls) != 1 || r.outputs != want {
		t.Errorf("calls %q\ngot  %s\nwant %s", s.calls, r.outputs, want)
	}
}

func TestALoginThatFailedEndsTheRunDespiteCollect(t *testing.T) {
	bad := flow.Result{Outcome: flow.Auth, Fatal: true, Code: "login-failed", Message: "wrong password"}
	s := &script{answers: map[string][]flow.Result{"create": {bad}}}
	r := runMain(t, s, strings.Replace(each, "parallel: 3", "parallel: 1", 1), rows("AA", "BB", "CC"))
	want := "shop.create: auth: wrong password"
	if len(s.calls) != 1 || r.err == nil || r.err.Error() != want {
		t.Errorf("calls %q, error %v, want %s", s.calls, r.err, want)
	}
}

func TestOnErrorContinueLeavesNullsBehind(t *testing.T) {
	main := header + `
steps:
  - id: price
    on_error: continue
    call: shop.update
    with: {id: 5}
outputs:
  price: ${{ steps.price.outputs.price ?? 203.7700 }}
  outcome: ${{ steps.price.outcome }}
`
	s := &script{answers: map[string][]flow.Result{"update": {answer(flow.Conflict, "locked")}}}
	r := runMain(t, s, main, value.NewObject(0))
	if want := `{"price":203.7700,"outcome":"conflict"}`; r.err != nil || r.outputs != want {
		t.Errorf("error %v, got %s, want %s", r.err, r.outputs, want)
	}
}

func TestNumbersStayExactFromEndToEnd(t *testing.T) {
	main := header + `
inputs: {price: {type: decimal}, id: {type: integer}}
steps:
  - id: sums
    set:
      same: ${{ inputs.price }}
      tenth: ${{ 0.1 + 0.2 == 0.3 }}
      next: ${{ inputs.id + 1 }}
outputs:
  price: ${{ steps.sums.outputs.same }}
  tenth: ${{ steps.sums.outputs.tenth }}
  next: ${{ steps.sums.outputs.next }}
`
	price, _ := value.ParseNumber("203.7700")
	r := runMain(t, &script{}, main, value.ObjectOf("price", price, "id", int64(9007199254740993)))
	if want := `{"price":203.7700,"tenth":true,"next":9007199254740994}`; r.err != nil || r.outputs != want {
		t.Errorf("error %v, got %s, want %s", r.err, r.outputs, want)
	}
}

func TestPipelinesCallPipelines(t *testing.T) {
	p := load(t, map[string]string{
		"main": "pipeline: main\nversion: 1\nsteps:\n  - {id: one, call: ./inner.yaml, with: {code: AB}}\n" +
			"outputs: {id: \"${{ steps.one.outputs.id }}\"}\n",
		"inner": strings.Replace(ensure, "pipeline: main", "pipeline: inner", 1),
	})
	s := &script{answers: map[string][]flow.Result{"find": {ok("items", value.List{})}, "create": {ok("id", int64(3))}}}
	r := runOn(t, t.Context(), p, s, state.NewMemory(), value.NewObject(0))
	want := []string{`one/lookup find {"code":"AB"}`, `one/create create {"code":"AB"}`}
	if r.err != nil || r.outputs != `{"id":3}` || fmt.Sprint(s.calls) != fmt.Sprint(want) {
		t.Errorf("error %v, outputs %s, calls %q", r.err, r.outputs, s.calls)
	}
}

// A run that is stopped at any call and taken up again with the same journal
// repeats nothing that was finished, and comes to the same outputs.
func TestAResumedRunRepeatsNothingThatWasFinished(t *testing.T) {
	p := load(t, map[string]string{"main": strings.Replace(each, "parallel: 3", "parallel: 1", 1)})
	in := rows("AA", "BB", "CC", "AA")
	undisturbed := runOn(t, t.Context(), p, &script{answers: map[string][]flow.Result{"create": {ok("id", int64(4))}}}, state.NewMemory(), in)
	for stop := range 3 {
		memory := state.NewMemory()
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		s := &script{answers: map[string][]flow.Result{"create": {ok("id", int64(4))}}}
		s.before = func(flow.CallRequest) {
			if calls++; calls == stop+1 {
				cancel()
			}
		}
		first := runOn(t, ctx, p, s, memory, in)
		if first.err == nil && stop < 2 {
			t.Fatalf("stop %d: the run was not interrupted", stop)
		}
		second := runOn(t, t.Context(), p, s, memory, in)
		if second.err != nil || second.outputs != undisturbed.outputs || len(s.calls) != 3 {
			t.Errorf("stop %d: error %v, calls %q\ngot  %s\nwant %s", stop, second.err, s.calls, second.outputs, undisturbed.outputs)
		}
		cancel()
	}
}

func TestARunThatIsStoppedWhileACallWaitsSaysWhatCameLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		s := &script{answers: map[string][]flow.Result{"find": {answer(flow.Busy, "nobody there")}}}
		p := load(t, map[string]string{"main": header + "steps:\n  - {id: it, call: shop.find, with: {code: AB}}\n"})
		r := runOn(t, ctx, p, s, state.NewMemory(), value.NewObject(0))
		if want := "shop.find: busy: stopped: context deadline exceeded; last answer: nobody there"; r.err == nil || r.err.Error() != want {
			t.Errorf("got  %v\nwant %s", r.err, want)
		}
	})
}

func TestACreateThatIsStoppedWhileItIsLookedForSaysHowToSettleIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		s := &script{answers: map[string][]flow.Result{"order": {answer(flow.Unknown, "no answer")}, "find": {ok("items", value.List{})}}}
		p := load(t, map[string]string{"main": header + "steps:\n  - {id: it, call: shop.order, with: {code: AB}}\n"})
		r := runOn(t, ctx, p, s, state.NewMemory(), value.NewObject(0))
		var f *interp.Failure
		if !errors.As(r.err, &f) || !f.Ambiguous {
			t.Fatalf("error %v, want an ambiguous failure", r.err)
		}
		const (
			want = "shop.order: unknown: stopped: context deadline exceeded; it may or may not have been done: POST http://shop/create was sent at 2026-01-02T03:04:05Z; no answer"
			hint = `it was not sent again. Check at the vendor whether "AB" exists`
		)
		if f.Error() != want || !strings.HasPrefix(f.Hint, hint) {
			t.Errorf("got  %s\nwant %s\nhint %s\nwant %s", f, want, f.Hint, hint)
		}
	})
}
