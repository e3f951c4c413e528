package engine_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/state"
)

// bank opens accounts, and tells the PIN of each once.
var bank = fstest.MapFS{
	"specs/bank.yaml": {Data: []byte(`
vendor: bank
version: 1
defaults:
  retry: {attempts: 1, first: 1ms, max: 1ms}
operations:
  open:
    effect: create
    identity: inputs.owner
    inputs: {owner: {type: string}}
    request: {method: POST, path: /accounts, body: "${{ inputs }}"}
    response:
      schema: {type: object, required: [id, pin], properties: {id: {type: integer}, pin: {type: string}}}
      outputs: {id: id, pin: {path: pin, secret: true}}
  mail:
    effect: idempotent
    inputs: {id: {type: integer}, pin: {type: string, secret: true}}
    request: {method: POST, path: /letters, body: "${{ inputs }}"}
    response: {as: none}
`)},
	"pipelines/open.yaml": {Data: []byte(`
pipeline: open
version: 1
inputs: {owner: {type: string}}
connections: {bank: {vendor: bank}}
steps:
  - {id: open, call: bank.open, with: {owner: "${{ inputs.owner }}"}}
  - {id: mail, call: bank.mail, with: {id: "${{ steps.open.outputs.id }}", pin: "${{ steps.open.outputs.pin }}"}}
`)},
}

// The PIN that a create gave is nowhere when the run is taken up again: the step that
// needs it fails by name, sends nothing in its place, and nothing is opened twice.
func TestASecretOfAFinishedCreateIsMissedClearly(t *testing.T) {
	var opened, mailed atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/accounts" {
			opened.Add(1)
			w.Write([]byte(`{"id": 7, "pin": "4711-very-secret"}`))
			return
		}
		mailed.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	var warned []string
	p, err := engine.Load(bank, engine.Options{
		Connections: map[string]engine.Connection{"bank": {Vendor: "bank", BaseURL: server.URL}},
		State:       state.NewMemory(),
		Events: sinkFunc(func(e event.Event) {
			if n, ok := e.(*event.Note); ok && n.Warning {
				warned = append(warned, n.Text)
			}
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	first, err := p.Run(t.Context(), engine.Request{Pipeline: "pipelines/open.yaml", InputTexts: map[string]string{"owner": "Ana"}})
	if err == nil || mailed.Load() != 1 {
		t.Fatalf("the first run: %v, %d letters", err, mailed.Load())
	}
	_, err = p.Resume(t.Context(), first.RunID, engine.ResumeRequest{})
	const want = "bank.mail: invalid: pin: expected text, found null"
	if err == nil || err.Error() != want {
		t.Errorf("the resumed run: %v, want %s", err, want)
	}
	if opened.Load() != 1 || mailed.Load() != 1 {
		t.Errorf("%d accounts were opened, and %d letters were sent", opened.Load(), mailed.Load())
	}
	if got := strings.Join(warned, "\n"); got != "open: its output pin is null, since it is secret and was not written down when it was given" {
		t.Errorf("warnings:\n%s", got)
	}
}
