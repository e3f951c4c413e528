package engine_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/report"
)

const depotSpec = `
vendor: depot
version: 1
defaults:
  retry: {attempts: 2, first: 1ms, max: 1ms}
operations:
  send:                # the answer tells of each row
    effect: create
    inputs: {skus: {type: array, items: {type: string}}}
    rows: {of: inputs.skus, as: sku}
    identity: sku
    request: {method: POST, path: /send, body: "${{ inputs.skus }}"}
    response:
      schema: {type: object, properties: {rows: {type: array, items: {type: object, properties: {sku: {type: string}, ok: {type: boolean}, why: {type: string}}}}}}
      rows: {path: rows, match: sku, ok: row.ok, message: why}
      outputs: {count: "rows.#"}
  push:                # the answer tells how many
    effect: create
    inputs: {skus: {type: array, items: {type: string}}}
    rows: {of: inputs.skus, as: sku}
    identity: sku
    request: {method: POST, path: /push, body: "${{ inputs.skus }}"}
    response:
      schema: {type: object, properties: {text: {type: string}}}
      count: {path: text, match: "(\\d+) of (\\d+)"}
  get:
    effect: read
    request: {method: GET, path: /get}
    response:
      schema: {type: object, required: [state], properties: {state: {type: string}}}
      outputs: {state: state}
  export:
    effect: read
    request: {method: GET, path: /export}
    response:
      schema: {type: array, items: {type: object, required: [id], properties: {id: {type: integer}, text: {type: string}}}}
      outputs: {rows: "@this"}
`

// A depot answers batches: a sku that begins with "bad" is refused.
type depot struct {
	mu    sync.Mutex
	sent  []string
	state []string // what get says in turn; the last stays
	rows  int      // of an export
	// silent depots let get wait until nobody listens any more.
	silent bool
}

func (d *depot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var skus []string
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&skus); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		d.sent = append(d.sent, strings.TrimPrefix(r.URL.Path, "/")+" "+strings.Join(skus, ","))
	}
	switch r.URL.Path {
	case "/send":
		d.send(w, skus)
	case "/push":
		done := len(skus)
		if slices.Contains(skus, "bad") {
			done--
		}
		fmt.Fprintf(w, `{"text": "%d of %d done"}`, done, len(skus))
	case "/get":
		if d.silent {
			<-r.Context().Done()
			return
		}
		state := d.state[0]
		if len(d.state) > 1 {
			d.state = d.state[1:]
		}
		fmt.Fprintf(w, `{"state": %q}`, state)
	case "/export":
		out := bufio.NewWriter(w)
		defer out.Flush()
		sep := "["
		for i := range d.rows {
			fmt.Fprintf(out, `%s{"id": %d, "text": "%0100d"}`, sep, i, i)
			sep = ","
		}
		fmt.Fprint(out, "]")
	}
}

func (d *depot) send(w http.ResponseWriter, skus []string) {
	type row struct {
		SKU string `json:"sku"`
		OK  bool   `json:"ok"`
		Why string `json:"why"`
	}
	if slices.Contains(skus, "lost") {
		http.Error(w, "out of order", http.StatusInternalServerError)
		return
	}
	if slices.Contains(skus, "closed") {
		http.Error(w, "closed", http.StatusForbidden)
		return
	}
	var rows []row
	for _, sku := range slices.Backward(skus) {
		rows = append(rows, row{sku, !strings.HasPrefix(sku, "bad"), "no " + sku})
	}
	json.NewEncoder(w).Encode(map[string]any{"rows": rows})
}

// runAtDepot runs a pipeline of these steps against d.
func runAtDepot(t *testing.T, d *depot, text string, r engine.Request, events event.Sink) (*engine.Result, error) {
	t.Helper()
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	p, err := engine.Load(fstest.MapFS{
		"specs/depot.yaml":    {Data: []byte(depotSpec)},
		"pipelines/main.yaml": {Data: []byte("pipeline: main\nversion: 1\nconnections: {depot: {vendor: depot}}\n" + text)},
	}, engine.Options{Connections: map[string]engine.Connection{"depot": {Vendor: "depot", BaseURL: server.URL}}, Events: events})
	if err != nil {
		t.Fatal(rendered(err))
	}
	r.Pipeline = "pipelines/main.yaml"
	return p.Run(t.Context(), r)
}

func batchesOf(operation string) string {
	return `
inputs: {skus: {type: array, items: {type: string}}}
steps:
  - {id: all, foreach: inputs.skus, as: some, batch: 2, on_error: collect, call: depot.` + operation + `, with: {skus: "${{ some }}"}}
outputs:
  rows: ${{ map(steps.all.results, .key + ' ' + .status) }}
  done: ${{ steps.all.done }}
  failed: ${{ steps.all.failed }}
`
}

func TestBatchesEndAsTheirRowsDo(t *testing.T) {
	tests := []struct {
		name, operation, skus string
		status                engine.Status
		rows                  string
		sent                  string
	}{
		{"all done", "send", "a;b;c", engine.Succeeded, "a done, b done, c done", "send a,b|send c"},
		{"some refused", "send", "a;bad1;bad2;b", engine.Partial, "a done, bad1 failed, bad2 failed, b done", "send a,bad1|send bad2,b"},
		{"a whole batch refused", "send", "a;closed;b", engine.Partial, "a failed, closed failed, b done", "send a,closed|send b"},
		{"a whole batch lost", "send", "a;lost;b;bad", engine.Ambiguous, "a ambiguous, lost ambiguous, b done, bad failed", "send a,lost|send b,bad"},
		{"all counted", "push", "a;b;c", engine.Succeeded, "a done, b done, c done", "push a,b|push c"},
		{"not all counted", "push", "a;bad;c", engine.Ambiguous, "a ambiguous, bad ambiguous, c done", "push a,bad|push c"},
		{"none", "send", "", engine.Succeeded, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d depot
			var heard []string
			skus := slices.DeleteFunc(strings.Split(tt.skus, ";"), func(s string) bool { return s == "" })
			res, err := runAtDepot(t, &d, batchesOf(tt.operation), engine.Request{
				Inputs: map[string]any{"skus": skus},
				Rows:   func(r engine.Row) { heard = append(heard, r.Key+" "+r.Status) },
			}, nil)
			var failed *engine.Error
			if err != nil && !errors.As(err, &failed) {
				t.Fatal(rendered(err))
			}
			if res.Status != tt.status {
				t.Errorf("status %s, want %s (%v)", res.Status, tt.status, err)
			}
			if got := strings.Trim(fmt.Sprint(res.Outputs["rows"]), "[]"); got != strings.ReplaceAll(tt.rows, ",", "") {
				t.Errorf("rows %s, want %s", got, tt.rows)
			}
			if got := strings.Join(heard, ", "); got != tt.rows {
				t.Errorf("heard %s, want %s", got, tt.rows)
			}
			if got := strings.Join(d.sent, "|"); got != tt.sent {
				t.Errorf("sent %s, want %s", got, tt.sent)
			}
		})
	}
}

func TestABatchThatWasPartlyDoneIsAmbiguousByItself(t *testing.T) {
	var d depot
	res, err := runAtDepot(t, &d, "steps:\n  - {id: it, call: depot.push, with: {skus: [a, bad]}, on_error: continue}\n", engine.Request{}, nil)
	var failed *engine.Error
	if !errors.As(err, &failed) || res.Status != engine.Ambiguous || !strings.Contains(failed.Failure.Message, "1 of 2 rows were done, and it is not known which") {
		t.Errorf("%v, error %v", res, err)
	}
}

func TestATimeoutOfAStepEndsTheCallUnderWay(t *testing.T) {
	d := depot{silent: true}
	_, err := runAtDepot(t, &d, "steps:\n  - {id: it, timeout: 50ms, call: depot.get}\n", engine.Request{}, nil)
	var failed *engine.Error
	if !errors.As(err, &failed) || failed.Failure.Code != "timeout" || failed.Failure.Step != "it" {
		t.Fatalf("error %v", err)
	}
}

func TestLargeAnswersGoThroughAForeachAndIntoFiles(t *testing.T) {
	const rows = 50_000 // more than 4 MiB
	d := depot{rows: rows}
	dir := t.TempDir()
	heard := 0
	res, err := runAtDepot(t, &d, `
steps:
  - {id: export, call: depot.export}
  - {id: all, foreach: steps.export.outputs.rows, as: row, key: row.id, parallel: 2, set: {half: "${{ row.id / 2 }}"}}
outputs:
  done: ${{ steps.all.done }}
  rows: {value: "${{ steps.export.outputs.rows }}", file: rows.jsonl}
`, engine.Request{OutDir: dir, Rows: func(engine.Row) { heard++ }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.Outputs["done"] != int64(rows) || heard != rows {
		t.Errorf("%v rows are done, %d were heard of", res.Outputs["done"], heard)
	}
	text, err := os.ReadFile(filepath.Join(dir, "rows.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if want := fmt.Sprintf(`{"id":%d,"text":"%0100d"}`, rows-1, rows-1); len(lines) != rows || lines[rows-1] != want {
		t.Errorf("%d lines, the last is %s", len(lines), lines[len(lines)-1])
	}
}

func TestRowsOfAGroupAreHeardAndThoseOfCalledPipelinesNot(t *testing.T) {
	files := fstest.MapFS{
		"pipelines/inner.yaml": {Data: []byte("pipeline: inner\nversion: 1\nsteps:\n  - {id: hidden, foreach: \"['x']\", set: {v: 1}}\noutputs: {n: 1}\n")},
		"pipelines/main.yaml": {Data: []byte("pipeline: main\nversion: 1\nsteps:\n  - {id: called, call: ./inner.yaml}\n" +
			"  - id: group\n    steps:\n      - {id: shown, foreach: \"['a', 'b']\", as: name, key: name, set: {v: 1}}\n")},
	}
	p, err := engine.Load(files, engine.Options{})
	if err != nil {
		t.Fatal(rendered(err))
	}
	var heard []string
	_, err = p.Run(context.Background(), engine.Request{Pipeline: "pipelines/main.yaml", Rows: func(r engine.Row) {
		heard = append(heard, r.Step+" "+r.Key+" "+r.Status)
	}})
	if got := strings.Join(heard, ", "); err != nil || got != "shown a done, shown b done" {
		t.Errorf("heard %s, error %v", got, err)
	}
}

// untimed leaves out what differs from run to run.
func untimed(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if before, _, ok := strings.Cut(line, " ("); ok && strings.HasSuffix(strings.TrimSpace(line), ")") {
			line = before + "\n"
		}
		if strings.HasPrefix(line, "pipelines/main.yaml:") {
			continue
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

func TestTheConsoleShowsGroupsSwitchesPollsAndBatches(t *testing.T) {
	d := depot{state: []string{"new", "new", "new", "packed", "sent"}}
	var out strings.Builder
	_, err := runAtDepot(t, &d, `
steps:
  - id: group
    steps:
      - {id: wait, call: depot.get, until: outputs.state == 'sent', every: 1ms, timeout: 1m}
      - id: choice
        switch:
          - if: steps.wait.outputs.state == 'lost'
            steps: [{fail: it is lost}]
  - {id: all, foreach: "['a', 'bad', 'b']", batch: 2, on_error: collect, call: depot.send, with: {skus: "${{ item }}"}}
  - {id: none, call: depot.send, with: {skus: []}}
  - {id: some, call: depot.send, with: {skus: [c, bad2]}, on_error: continue}
`, engine.Request{}, report.NewConsole(&out, report.ConsoleOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	want := `  group/wait: depot.get look 1: {"state":"new"}, again in 1ms
  group/wait: depot.get look 4: {"state":"packed"}, again in 1ms
  group/wait: depot.get ok
  group/choice: skipped
  group: done
  all[bad]: failed: no bad
  all: depot.send 2 done, 1 failed
  none: depot.send empty
  some: depot.send failed: 1 of 2 rows were refused: bad2: no bad2
warning: some failed and the run goes on: depot.send: invalid: 1 of 2 rows were refused: bad2: no bad2
`
	if got := untimed(out.String()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
