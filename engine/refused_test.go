package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/state"
)

// orderDepot takes orders, one by one and many at a time; quiet is one that cannot be looked for.
var orderDepot = fstest.MapFS{
	"specs/depot.yaml": {Data: []byte(`
vendor: depot
version: 1
config: {user: {type: string}}
auth:
  token: {call: login, with: {user: "${{ config.user }}"}, value: "${{ outputs.token }}"}
  inject: {headers: {Authorization: "Bearer ${{ token }}"}}
defaults: {timeout: 5s, retry: {attempts: 3, first: 1s, max: 2s}}
operations:
  login:
    effect: idempotent
    auth: none
    inputs: {user: {type: string}}
    request: {method: POST, path: /login, body: "${{ inputs }}"}
    response: {outputs: {token: {path: token, secret: true}}}
  find:
    effect: read
    inputs: {code: {type: string}}
    request: {method: GET, path: /orders, query: {code: "${{ inputs.code }}"}}
    response:
      schema: {type: object, required: [ids], properties: {ids: {type: array, items: {type: string}}}}
      outputs: {ids: ids}
  order:
    effect: create
    identity: inputs.code
    inputs: {code: {type: string}}
    request: {method: POST, path: /orders, body: ["${{ inputs.code }}"]}
    response:
      outcomes:
        - {if: status == 440, is: auth}
        - {if: status == 403, is: throttled}
      schema: {type: object, required: [id], properties: {id: {type: string}}}
      outputs: {id: id}
    reconcile:
      call: find
      with: {code: "${{ inputs.code }}"}
      found: len(outputs.ids) > 0
      outputs: {id: "${{ outputs.ids[0] ?? '' }}"}
      tries: 3
      every: 2s
  quiet:
    effect: create
    identity: inputs.code
    inputs: {code: {type: string}}
    request: {method: POST, path: /orders, body: ["${{ inputs.code }}"]}
    response:
      schema: {type: object, required: [id], properties: {id: {type: string}}}
      outputs: {id: id}
  many:
    effect: create
    inputs: {codes: {type: array, items: {type: string}}}
    rows: {of: inputs.codes, as: row}
    identity: row
    request: {method: POST, path: /orders, body: "${{ inputs.codes }}"}
    reconcile: {call: find, with: {code: "${{ row }}"}, found: len(outputs.ids) > 0, tries: 3, every: 2s}
`)},
	"pipelines/order.yaml": {Data: []byte("pipeline: order\nversion: 1\nconnections: {depot: {vendor: depot}}\n" +
		"steps: [{id: it, call: depot.order, with: {code: A}}]\noutputs: {id: \"${{ steps.it.outputs.id }}\"}\n")},
	"pipelines/quiet.yaml": {Data: []byte("pipeline: quiet\nversion: 1\nconnections: {depot: {vendor: depot}}\n" +
		"steps: [{id: it, call: depot.quiet, with: {code: A}}]\noutputs: {id: \"${{ steps.it.outputs.id }}\"}\n")},
	"pipelines/hurry.yaml": {Data: []byte("pipeline: hurry\nversion: 1\nconnections: {depot: {vendor: depot}}\n" +
		"steps: [{id: it, call: depot.order, timeout: 10s, with: {code: A}}]\noutputs: {id: \"${{ steps.it.outputs.id }}\"}\n")},
	"pipelines/many.yaml": {Data: []byte(`
pipeline: many
version: 1
connections: {depot: {vendor: depot}}
steps:
  - id: all
    foreach: "['A', 'B', 'C']"
    as: codes
    batch: 3
    on_error: collect
    call: depot.many
    with: {codes: "${{ codes }}"}
outputs:
  rows: "${{ map(steps.all.results, .key + ' ' + .status) }}"
`)},
}

// A refusing vendor answers its first orders with a refusal; it has done what of them is listed all the same.
type refusing struct {
	mu       sync.Mutex
	refusals []refusal
	late     time.Duration // until an order is shown
	blind    int           // how many looks fail, after the first refusal
	made     map[string][]time.Time
	log      []string
	logins   int
	onOrder  func()
}

type refusal struct {
	status int
	done   string // the codes that were done before it refused
	after  string // Retry-After
}

func (v *refusing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch r.Method + " " + r.URL.Path {
	case "POST /login":
		v.logins++
		fmt.Fprintf(w, `{"token": "token-%d"}`, v.logins)
	case "GET /orders":
		code := r.URL.Query().Get("code")
		v.log = append(v.log, "look "+code)
		if v.blind > 0 {
			v.blind--
			w.WriteHeader(http.StatusForbidden)
			return
		}
		ids := []string{}
		for _, at := range v.made[code] {
			if time.Since(at) >= v.late {
				ids = append(ids, "id-"+code)
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"ids": ids})
	case "POST /orders":
		v.order(w, r)
	}
}

func (v *refusing) order(w http.ResponseWriter, r *http.Request) {
	var codes []string
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &codes)
	v.log = append(v.log, "order "+strings.Join(codes, ","))
	if v.onOrder != nil {
		v.onOrder()
	}
	done := strings.Join(codes, "")
	var no refusal
	if len(v.refusals) > 0 {
		no, v.refusals = v.refusals[0], v.refusals[1:]
		done = no.done
	}
	for _, code := range codes {
		if strings.Contains(done, code) {
			v.made[code] = append(v.made[code], time.Now())
		}
	}
	if no.status == 0 {
		fmt.Fprintf(w, `{"id": "id-%s"}`, codes[0])
		return
	}
	if no.after != "" {
		w.Header().Set("Retry-After", no.after)
	}
	w.WriteHeader(no.status)
	_, _ = io.WriteString(w, `"not now"`)
}

func (v *refusing) program(t *testing.T, s state.Store) (*engine.Program, func()) {
	v.made = map[string][]time.Time{}
	client, stop := testserver.OverPipes(v)
	program, err := engine.Load(orderDepot, engine.Options{State: s, Client: client,
		Connections: map[string]engine.Connection{"depot": {Vendor: "depot", BaseURL: "http://depot.example", Config: map[string]any{"user": "u"}}}})
	if err != nil {
		t.Fatal(testserver.FaultsOf(err))
	}
	return program, stop
}

// What was refused after it was sent is looked for, when it would be shown, before it is sent again.
func TestARefusedCreateIsLookedForBeforeItIsSentAgain(t *testing.T) {
	done429, done503 := refusal{429, "A", ""}, refusal{503, "A", "1"}
	not429, not503 := refusal{429, "", "2"}, refusal{503, "", "2"}
	const order, look = "order A", "look A"
	for name, tt := range map[string]struct {
		pipeline string
		vendor   *refusing
		want     string
		log      []string
		took     time.Duration
	}{
		"429, done":                          {"order", &refusing{refusals: []refusal{done429}}, "succeeded id-A", []string{order, look}, 6 * time.Second},
		"429, done and shown late":           {"order", &refusing{refusals: []refusal{done429}, late: 5 * time.Second}, "succeeded id-A", []string{order, look}, 6 * time.Second},
		"429, not done":                      {"order", &refusing{refusals: []refusal{not429}}, "succeeded id-A", []string{order, look, order}, 6 * time.Second},
		"429, a long wait":                   {"order", &refusing{refusals: []refusal{{429, "A", "60"}}}, "succeeded id-A", []string{order, look}, time.Minute},
		"429 twice":                          {"order", &refusing{refusals: []refusal{not429, not429}}, "ambiguous", []string{order, look, order, look}, 12 * time.Second},
		"429, then done":                     {"order", &refusing{refusals: []refusal{not429, done429}}, "succeeded id-A", []string{order, look, order, look}, 12 * time.Second},
		"429, the look fails":                {"order", &refusing{refusals: []refusal{not429}, blind: 1}, "ambiguous", []string{order, look}, 6 * time.Second},
		"503, done":                          {"order", &refusing{refusals: []refusal{done503}}, "succeeded id-A", []string{order, look}, 6 * time.Second},
		"503, not done":                      {"order", &refusing{refusals: []refusal{not503}}, "succeeded id-A", []string{order, look, order}, 6 * time.Second},
		"503 twice":                          {"order", &refusing{refusals: []refusal{not503, not503}}, "ambiguous", []string{order, look, order, look}, 12 * time.Second},
		"503 that does not say when":         {"order", &refusing{refusals: []refusal{{503, "", ""}}}, "ambiguous", []string{order, look, look, look}, 4 * time.Second},
		"an ended login, done":               {"order", &refusing{refusals: []refusal{{401, "A", ""}}}, "succeeded id-A", []string{order, look}, 6 * time.Second},
		"an ended login, not done":           {"order", &refusing{refusals: []refusal{{401, "", ""}}}, "succeeded id-A", []string{order, look, order}, 6 * time.Second},
		"a declared end of session, done":    {"order", &refusing{refusals: []refusal{{440, "A", ""}}}, "succeeded id-A", []string{order, look}, 6 * time.Second},
		"a declared throttle, done":          {"order", &refusing{refusals: []refusal{{403, "A", ""}}}, "succeeded id-A", []string{order, look}, 6 * time.Second},
		"a declared throttle, many times":    {"order", &refusing{refusals: []refusal{{403, "", ""}, {403, "", ""}}}, "succeeded id-A", []string{order, look, order, look, order}, 0},
		"no look-up, 429":                    {"quiet", &refusing{refusals: []refusal{not429}}, "succeeded id-A", []string{order, order}, 2 * time.Second},
		"no look-up, an ended login":         {"quiet", &refusing{refusals: []refusal{{401, "", ""}}}, "succeeded id-A", []string{order, order}, 0},
		"no look-up, 503":                    {"quiet", &refusing{refusals: []refusal{not503}}, "ambiguous", []string{order}, 0},
		"no time for the wait, done":         {"hurry", &refusing{refusals: []refusal{{429, "A", "60"}}}, "succeeded id-A", []string{order, look}, 6 * time.Second},
		"no time for the wait, not done":     {"hurry", &refusing{refusals: []refusal{{429, "", "60"}}}, "failed timeout", []string{order, look}, 6 * time.Second},
		"a batch of which a part was done":   {"many", &refusing{refusals: []refusal{{429, "AC", ""}}}, "succeeded A done,B done,C done", []string{"order A,B,C", look, "look B", "look C", "order B"}, 6 * time.Second},
		"a batch that was done":              {"many", &refusing{refusals: []refusal{{503, "ABC", "1"}}}, "succeeded A done,B done,C done", []string{"order A,B,C", look, "look B", "look C"}, 6 * time.Second},
		"a batch that was not":               {"many", &refusing{refusals: []refusal{{401, "", ""}}}, "succeeded A done,B done,C done", []string{"order A,B,C", look, "look B", "look C", "order A,B,C"}, 6 * time.Second},
		"a batch, refused twice":             {"many", &refusing{refusals: []refusal{{429, "A", ""}, {429, "C", ""}}}, "ambiguous A done,B ambiguous,C done", []string{"order A,B,C", look, "look B", "look C", "order B,C", "look B", "look C"}, 12 * time.Second},
		"a batch, a row's look fails":        {"many", &refusing{refusals: []refusal{{429, "AB", ""}}, blind: 1}, "ambiguous A ambiguous,B done,C done", []string{"order A,B,C", look, "look B", "look C", "order C"}, 6 * time.Second},
		"a batch whose rest is refused then": {"many", &refusing{refusals: []refusal{{429, "A", ""}, {400, "", ""}}}, "partial A done,B failed,C failed", []string{"order A,B,C", look, "look B", "look C", "order B,C"}, 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := tt.vendor
				program, stop := v.program(t, state.NewMemory())
				defer stop()
				began := time.Now()
				res, err := program.Run(t.Context(), engine.Request{Pipeline: "pipelines/" + tt.pipeline + ".yaml"})
				v.judge(t, res, err, tt.want, tt.log)
				if took := time.Since(began); tt.took > 0 && took/time.Second != tt.took/time.Second {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

func (v *refusing) judge(t *testing.T, res *engine.Result, err error, want string, log []string) {
	t.Helper()
	got := string(res.Status)
	if id, ok := res.Outputs["id"]; ok {
		got += fmt.Sprint(" ", id)
	}
	if rows, ok := res.Outputs["rows"].([]any); ok {
		got += " " + strings.ReplaceAll(strings.ReplaceAll(strings.Trim(fmt.Sprint(rows), "[]"), "done ", "done,"), "ambiguous ", "ambiguous,")
		got = strings.ReplaceAll(got, "failed ", "failed,")
	}
	var failed *engine.Error
	if errors.As(err, &failed) && res.Status == engine.Failed {
		got += " " + failed.Failure.Code
	}
	if got != want {
		t.Errorf("got %s, want %s: %v", got, want, err)
	}
	if told := strings.Join(v.log, "; "); told != strings.Join(log, "; ") {
		t.Errorf("the vendor saw %s, want %s", told, strings.Join(log, "; "))
	}
	for code, times := range v.made {
		if len(times) > 1 {
			t.Errorf("%s was made %d times", code, len(times))
		}
	}
}

// A run that was stopped while it waited looks before it sends again, too.
func TestARefusedCreateIsLookedForWhenTheRunIsResumed(t *testing.T) {
	for name, tt := range map[string]struct {
		pipeline string
		refusals []refusal
		want     string
		log      []string
	}{
		"done":            {"order", []refusal{{429, "A", ""}}, "succeeded id-A", []string{"order A", "look A"}},
		"not done":        {"order", []refusal{{503, "", "1"}}, "succeeded id-A", []string{"order A", "look A", "order A"}},
		"an ended login":  {"order", []refusal{{401, "A", ""}}, "succeeded id-A", []string{"order A", "look A"}},
		"a batch":         {"many", []refusal{{429, "B", ""}}, "succeeded A done,B done,C done", []string{"order A,B,C", "look A", "look B", "look C", "order A,C"}},
		"refused again":   {"order", []refusal{{429, "", ""}, {429, "", ""}}, "ambiguous", []string{"order A", "look A", "order A", "look A"}},
		"a batch, denied": {"many", []refusal{{401, "ABC", ""}}, "succeeded A done,B done,C done", []string{"order A,B,C", "look A", "look B", "look C"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &refusing{refusals: tt.refusals}
				program, stop := v.program(t, state.NewMemory())
				defer stop()
				ctx, cancel := context.WithCancelCause(t.Context())
				v.onOrder = func() { time.AfterFunc(time.Second, func() { cancel(errors.New("ctrl-c")) }) }
				stopped, err := program.Run(ctx, engine.Request{Pipeline: "pipelines/" + tt.pipeline + ".yaml"})
				if stopped.Status != engine.Interrupted {
					t.Fatalf("%s: %v", stopped.Status, err)
				}
				v.onOrder = nil
				res, err := program.Resume(t.Context(), stopped.RunID, engine.ResumeRequest{})
				v.judge(t, res, err, tt.want, tt.log)
			})
		})
	}
}
