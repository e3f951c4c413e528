package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/interp"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

const shop = `vendor: shop
version: 1
config:
  key: {type: string, secret: true}
  region: {type: string, default: eu}
operations:
  create:
    effect: create
    inputs: {name: {type: string}}
    identity: inputs.name
    request: {method: POST, path: /things, headers: {Key: "${{ config.key }}", Region: "${{ config.region }}"}, body: {name: "${{ inputs.name }}"}}
    response:
      schema: {type: object, required: [id, pin], properties: {id: {type: integer}, note: {type: string}, pin: {type: string}}}
      outputs: {id: id, note: {path: note, default: null}, pin: {path: pin, secret: true}}
  drop:
    effect: idempotent
    inputs: {name: {type: string}}
    request: {method: DELETE, path: /things, query: {name: "${{ inputs.name }}"}}
`

const one = `pipeline: one
version: 1
inputs: {name: {type: string}}
connections: {shop: {vendor: shop}}
steps:
  - {id: make, call: shop.create, with: {name: "${{ inputs.name }}"}}
`

const many = `pipeline: many
version: 1
inputs:
  rows: {type: array, items: {type: object, required: [name], properties: {name: {type: string}, n: {type: integer}}}}
  whole: {type: array, items: {type: integer}, file: whole.jsonl}
  pin: {type: integer, secret: true, optional: true}
  day: {type: string, format: date, default: "2026-01-01"}
connections: {shop: {vendor: shop}}
steps:
  - id: each
    foreach: inputs.rows
    as: row
    key: row.name
    on_error: collect
    switch:
      - if: inputs.pin == 1 and inputs.day == '2026-01-01'
        steps: [{id: drop, call: shop.drop, with: {name: "${{ row.name }}"}}]
      - steps:
          - {call: ./one.yaml, with: {name: "${{ row.name }}"}, id: other}
  - {if: len(inputs.whole) > 9, fail: too many}
`

// load loads the project of these tests.
func load(t *testing.T) *project.Project {
	t.Helper()
	p, faults := project.Load(fstest.MapFS{
		"specs/shop.yaml": {Data: []byte(shop)}, "pipelines/one.yaml": {Data: []byte(one)}, "pipelines/many.yaml": {Data: []byte(many)},
		"pipelines/whole.jsonl": {Data: []byte("1\n2\n")},
	})
	if faults.HasErrors() {
		t.Fatal(faults.Unwrap())
	}
	return p
}

// codes are those of faults, in order.
func codes(faults diag.List) string {
	var all []string
	for _, f := range faults {
		all = append(all, f.Code)
	}
	return strings.Join(all, " ")
}

// A failing state records no end of a run.
type failing struct{ *state.Memory }

func (failing) Update(context.Context, state.Run) error { return errors.New("disk full") }

// TestStatusOfRuns holds what a run comes to: of several things the one that asks most of a person.
func TestStatusOfRuns(t *testing.T) {
	t.Parallel()
	refused := &interp.Failure{Code: "refused", Step: "make", Operation: "shop.create", Outcome: flow.Invalid, Message: "hunter22 is no name"}
	perhaps := &interp.Failure{Code: "timeout", Outcome: flow.Unknown, Message: "no answer", Ambiguous: true}
	for _, test := range []struct {
		name        string
		err         error
		rows        flow.Tally
		interrupted bool
		unrecorded  bool
		status      Status
		code        string
		message     string // a part of it
	}{
		{name: "all is done", status: Succeeded},
		{name: "rows failed", rows: flow.Tally{Failed: 2}, status: Partial},
		{name: "a row is ambiguous", rows: flow.Tally{Failed: 2, Ambiguous: 1}, status: Ambiguous, code: "ambiguous", message: "1 row"},
		{name: "rows are ambiguous", rows: flow.Tally{Ambiguous: 2}, status: Ambiguous, code: "ambiguous", message: "2 rows"},
		{name: "a step failed", err: refused, status: Failed, code: "refused", message: redact.Mask + " is no name"},
		{name: "a step failed, wrapped", err: fmt.Errorf("step: %w", refused), status: Failed, code: "refused", message: redact.Mask},
		{name: "a step failed, and a row is ambiguous", err: refused, rows: flow.Tally{Ambiguous: 1}, status: Ambiguous, code: "refused", message: "1 row"},
		{name: "a create is ambiguous", err: perhaps, status: Ambiguous, code: "timeout", message: "no answer"},
		{name: "something else", err: errors.New("broken"), status: Failed, code: "internal", message: "broken"},
		{name: "it took too long", err: flow.ErrTimeout, status: Failed, code: "timeout"},
		{name: "interrupted", err: refused, interrupted: true, status: Interrupted, code: "refused"},
		{name: "interrupted, and ambiguous", err: perhaps, interrupted: true, status: Interrupted, code: "timeout"},
		{name: "interrupted once all was done", interrupted: true, status: Succeeded},
		{name: "the end is not recorded", unrecorded: true, status: Failed, code: "state", message: "disk full"},
		{name: "nor is that of a failure", err: refused, unrecorded: true, status: Failed, code: "refused", message: "disk full"},
	} {
		ctx, stop := context.WithCancel(context.Background())
		if test.interrupted {
			stop()
		}
		memory := state.NewMemory()
		run := state.Run{ID: "r1", Pipeline: "one.yaml"}
		if err := memory.Begin(ctx, run); err != nil {
			t.Fatal(err)
		}
		s := &session{job: &job{target: &target{name: "one.yaml"}, run: run}, state: memory, gate: redact.NewGate(), clock: clock.System{}}
		s.gate.Add("hunter22")
		if test.unrecorded {
			s.state = failing{memory}
		}
		end := s.end(ctx, nil, test.rows, test.err)
		code, message := "", ""
		if end.Failure != nil {
			code, message = end.Failure.Code, end.Failure.Message
		}
		if end.Status != test.status || code != test.code || !strings.Contains(message, test.message) || end.Outputs == nil {
			t.Errorf("%s: got %s, %s: %s", test.name, end.Status, code, message)
		}
		if end.Err != nil && (!errors.Is(end.Err, test.err) && !test.unrecorded || strings.Contains(end.Err.Error(), "hunter22")) {
			t.Errorf("%s: the cause is %v", test.name, end.Err)
		}
		recorded, _, _ := memory.Run(context.Background(), "r1")
		if !test.unrecorded && (recorded.Status != string(test.status) || recordedCode(recorded) != test.code) {
			t.Errorf("%s: recorded are %s, %s", test.name, recorded.Status, recordedCode(recorded))
		}
		if recorded.Ended.IsZero() != (test.unrecorded || test.status == Interrupted) {
			t.Errorf("%s: recorded to have ended at %v", test.name, recorded.Ended)
		}
		if isDone(recorded) != (!test.unrecorded && (test.status == Succeeded || test.status == Partial)) {
			t.Errorf("%s: done is %v", test.name, isDone(recorded))
		}
		stop()
	}
}

// TestSettledOutputs holds what a person may say of a create that took place.
func TestSettledOutputs(t *testing.T) {
	t.Parallel()
	create := load(t).LoadedVendor("shop").Operation("create")
	for _, test := range []struct {
		name  string
		given map[string]any
		want  string // as JSON; or a part of what is wrong
	}{
		{"all that it gives", map[string]any{"id": 7, "note": "n"}, `{"id":7,"note":"n"}`},
		{"all that must be there", map[string]any{"id": 7}, `{"id":7,"note":null}`},
		{"nothing", nil, "output id"},
		{"another type", map[string]any{"id": "seven"}, "output id"},
		{"another output", map[string]any{"id": 7, "nite": "n"}, "did you mean note"},
		{"a secret", map[string]any{"id": 7, "pin": "1234"}, "output pin is secret"},
	} {
		outputs, bad := settledOutputs(create, Settlement{Done: true, Outputs: test.given})
		if outputs != nil {
			bad += string(value.AppendJSON(nil, outputs))
		}
		if !strings.Contains(bad, test.want) || (outputs != nil) != strings.HasPrefix(test.want, "{") {
			t.Errorf("%s: got %s", test.name, bad)
		}
	}
	if outputs, bad := settledOutputs(create, Settlement{}); outputs != nil || bad != "" {
		t.Errorf("of one that did not take place: %v, %s", outputs, bad)
	}
}

// TestKeysLeadToOperations holds that the key of a create leads through groups, branches and pipelines to what was called.
func TestKeysLeadToOperations(t *testing.T) {
	t.Parallel()
	w := &World{Project: load(t)}
	target, faults := w.pipelineTarget("pipelines/many.yaml")
	if faults != nil {
		t.Fatal(faults)
	}
	for key, want := range map[string]string{
		"each[A]/other/make": "create", "each[A]/drop": "drop", "each[A]": "", "each[A]/other": "", "each[A]/gone": "", "gone": "", "": "",
	} {
		got := ""
		if op := target.called(key); op != nil {
			got = op.Name
		}
		if got != want {
			t.Errorf("%q leads to %q, want %q", key, got, want)
		}
	}
}

// TestAStateServesOneEnvironment holds which connections a state accepts that has served the shop at shop.test.
func TestAStateServesOneEnvironment(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	had := site{"shop", "shop", "https://shop.test"}
	for _, test := range []struct {
		name  string
		want  site
		moved bool
		fresh bool
		fault string // a part of its hint
	}{
		{"the same", had, false, false, ""},
		{"another connection", site{"other", "shop", "https://elsewhere.test"}, false, true, ""},
		{"another place", site{"shop", "shop", "https://new.test"}, false, false, "--moved"},
		{"one that has moved", site{"shop", "shop", "https://new.test"}, true, true, ""},
		{"another vendor", site{"shop", "store2", "https://shop.test"}, true, false, "--state"},
		{"a sandbox", site{"shop", "shop", "sandbox"}, true, false, "--state"},
	} {
		s := state.NewMemory()
		first := newNewcomers(s, []site{had}, false)
		if fresh, _, _ := strangers(ctx, s, []site{had}, false); len(fresh) != 1 {
			t.Fatal("a connection is known before its vendor has answered")
		}
		if err := first.answered(ctx, "shop"); err != nil {
			t.Fatal(err)
		}
		fresh, faults, err := strangers(ctx, s, []site{test.want}, test.moved)
		if err != nil || slices.Contains(fresh, test.want) != test.fresh || (len(faults) == 1) != (test.fault != "") {
			t.Errorf("%s: got %v, %v, %v", test.name, fresh, faults, err)
		}
		if len(faults) == 1 && (faults[0].Code != "other-environment" || !strings.Contains(faults[0].Hint, test.fault)) {
			t.Errorf("%s: got %s: %s", test.name, faults[0].Code, faults[0].Hint)
		}
		// A run that began before the other one had its answer must not overwrite what that one remembers.
		err = newNewcomers(s, []site{test.want}, test.moved).answered(ctx, test.want.connection)
		if (err != nil) != (test.fault != "") {
			t.Errorf("%s: remembering it gives %v", test.name, err)
		}
	}
}

// TestConnectionsThatARunNeeds holds what is wrong with connections before anything is sent.
func TestConnectionsThatARunNeeds(t *testing.T) {
	t.Parallel()
	needed := []pipeline.Connection{{Name: "shop", Vendor: load(t).LoadedVendor("shop")}}
	key := map[string]any{"key": "hunter22hunter22"}
	for _, test := range []struct {
		name, as string
		given    Connection
		want     string
	}{
		{"all is there", "shop", Connection{Vendor: "shop", BaseURL: "https://shop.test", Config: key}, ""},
		{"under another name", "shp", Connection{Vendor: "shop", BaseURL: "https://shop.test", Config: key}, "missing-connection"},
		{"to another vendor", "shop", Connection{Vendor: "desk", BaseURL: "https://shop.test", Config: key}, "wrong-vendor"},
		{"at no place", "shop", Connection{Vendor: "shop", BaseURL: "shop.test", Config: key}, "bad-connection"},
		{"without its config, at no place", "shop", Connection{Vendor: "shop", BaseURL: "shop.test"}, "bad-connection bad-connection"},
		{"with config that it has not", "shop", Connection{Vendor: "shop", BaseURL: "https://shop.test", Config: map[string]any{"key": "hunter22hunter22", "keys": 1}}, "bad-connection"},
	} {
		all, faults := Connect(needed, map[string]Connection{test.as: test.given})
		if got := codes(faults); got != test.want {
			t.Errorf("%s: got %q: %v", test.name, got, faults.Unwrap())
		}
		if strings.Contains(fmt.Sprint(faults.Unwrap()), "hunter22") {
			t.Errorf("%s: a secret is shown: %v", test.name, faults.Unwrap())
		}
		if c := all["shop"]; test.want == "" && c.Config.At("region") != "eu" {
			t.Errorf("%s: the default is %v", test.name, c.Config.At("region"))
		}
	}
}

// TestTheStateHoldsNoSecret holds that what is kept refers to secrets, that a run reads them as they are now, and that a
// call whose secret has no name is not kept, so that it is made again.
func TestTheStateHoldsNoSecret(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	memory := state.NewMemory()
	with := func(key string) *guard {
		gate := redact.NewGate()
		c := &call.Connection{Name: "shop", Vendor: load(t).LoadedVendor("shop"), Config: value.ObjectOf("key", key)}
		call.HideConfig(gate, c)
		gate.Add("token-of-today")
		return &guard{Store: memory, gate: gate, connections: map[string]*call.Connection{"shop": c}}
	}
	entry := func(key string, status state.Status, payload string) state.Entry {
		return state.Entry{Run: "r", Kind: state.Call, Key: key, Status: status, At: time.Unix(1, 0), Payload: []byte(payload)}
	}
	before := with("hunter22hunter22")
	if err := before.Put(ctx,
		entry("a[hunter22hunter22]", "", `{"outcome":"ok","outputs":{"x":"is hunter22hunter22"}}`),
		entry("b", "", `{"outputs":{"x":"token-of-today"}}`),
		entry("c", state.Done, `{"outputs":{"id":1,"x":"token-of-today"}}`),
	); err != nil {
		t.Fatal(err)
	}
	kept, _ := memory.Entries(ctx, "r")
	if text := fmt.Sprintf("%+q", kept); strings.Contains(text, "hunter22") || strings.Contains(text, "token-of-today") {
		t.Errorf("kept are %s", text)
	}
	now := with("changed-changed")
	for _, test := range []struct{ key, want string }{
		{"a[changed-changed]", `{"outcome":"ok","outputs":{"x":"is changed-changed"}}`},
		{"b", ""},
		{"c", `{"outputs":{"id":1}}`},
	} {
		e, ok, err := now.Get(ctx, "r", state.Call, test.key)
		if err != nil || ok != (test.want != "") || string(e.Payload) != test.want {
			t.Errorf("%s: got %s, %v, %v", test.key, e.Payload, ok, err)
		}
	}
	if err := now.PutValue(ctx, "t", "k", []byte(`"token-of-today"`)); err == nil {
		t.Error("a table holds a token")
	}
	stranger := &guard{Store: memory, gate: redact.NewGate()}
	if _, err := stranger.Entries(ctx, "r"); err == nil || !strings.Contains(err.Error(), "config:shop.key") {
		t.Errorf("without the secret: %v", err)
	}
}
