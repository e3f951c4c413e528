package engine_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/state"
)

// counter makes things, counts them, and keeps a note.
var counter = fstest.MapFS{
	"specs/counter.yaml": {Data: []byte(`
vendor: counter
version: 1
defaults: {retry: {attempts: 1}}
operations:
  make:
    effect: create
    identity: inputs.name
    inputs: {name: {type: string}}
    request: {method: POST, path: "/things/${{ inputs.name }}"}
  count:
    effect: read
    request: {method: GET, path: /count}
    response:
      schema: {type: object, required: [n], properties: {n: {type: integer}}}
      outputs: {n: n}
  note:
    effect: idempotent
    inputs: {n: {type: integer}}
    request: {method: PUT, path: "/note/${{ inputs.n }}"}
`)},
	"pipelines/main.yaml": {Data: []byte(`
pipeline: main
version: 1
connections: {counter: {vendor: counter}}
steps:
  - {id: before, call: counter.count}
  - id: first
    foreach: "['A', 'B']"
    as: name
    key: name
    on_error: collect
    call: counter.make
    with: {name: "${{ name }}"}
  - {id: between, call: counter.count}
  - {id: note, call: counter.note, with: {n: "${{ steps.between.outputs.n }}"}}
  - id: second
    foreach: "['C']"
    as: name
    on_error: collect
    steps: [{id: one, call: counter.make, with: {name: "${{ name }}"}}]
  - {id: inner, steps: [{id: total, call: counter.count}], outputs: {n: "${{ steps.total.outputs.n }}"}}
  - {id: look, call: counter.count}
  - {id: many, set: {yes: "${{ steps.look.outputs.n < 3 }}"}}
  - {id: extra, if: steps.many.outputs.yes, call: counter.make, with: {name: D}}
  - {id: last, foreach: "['x']", as: x, call: counter.count}
outputs:
  counts: "${{ [steps.before.outputs.n, steps.between.outputs.n, steps.inner.outputs.n, steps.last.results[0].n] }}"
  extra: ${{ steps.extra.ran }}
`)},
}

// What was read behind rows that were ambiguous is read again once they are settled, and what
// was written of it, too; what led to a create is not.
func TestWhatIsReadBehindAmbiguousRowsIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		made, log := map[string]bool{}, []string{}
		lost := "A"
		client, stop := testserver.OverPipes(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			what := strings.TrimPrefix(r.URL.Path, "/")
			log = append(log, what)
			name, make := strings.CutPrefix(what, "things/")
			switch {
			case make && name == lost: // it is done later
				w.WriteHeader(http.StatusBadGateway)
			case make:
				made[name] = true
				_, _ = io.WriteString(w, "{}")
			default:
				fmt.Fprintf(w, `{"n": %d}`, len(made))
			}
		}))
		defer stop()
		program, err := engine.Load(counter, engine.Options{State: state.NewMemory(), Client: client,
			Connections: map[string]engine.Connection{"counter": {Vendor: "counter", BaseURL: "http://counter.example"}}})
		if err != nil {
			t.Fatal(testserver.FaultsOf(err))
		}
		res, err := program.Run(t.Context(), engine.Request{Pipeline: "pipelines/main.yaml"})
		const counts = "[0 1 2 3]"
		if res.Status != engine.Ambiguous || fmt.Sprint(res.Outputs["counts"]) != counts || res.Outputs["extra"] != true {
			t.Fatalf("%s, %v: %v", res.Status, res.Outputs, err)
		}
		made["A"], lost, log = true, "", nil
		res, err = program.Resume(t.Context(), res.RunID, engine.ResumeRequest{Settle: map[string]engine.Settlement{"first[A]": {Done: true}}})
		if res.Status != engine.Succeeded || fmt.Sprint(res.Outputs["counts"]) != "[0 4 4 4]" || res.Outputs["extra"] != true {
			t.Errorf("%s, %v: %v", res.Status, res.Outputs, err)
		}
		if got := strings.Join(log, " "); got != "count note/4 count count" {
			t.Errorf("the vendor was asked for %s", got)
		}
	})
}
