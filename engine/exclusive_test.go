package engine_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	statefiles "github.com/seed627bd532/runner/engine/state/files"
)

var turnstile = fstest.MapFS{
	"specs/turnstile.yaml": {Data: []byte(`
vendor: turnstile
version: 1
config:
  key: {type: string, secret: true}
auth:
  token: {value: "${{ config.key }}", use: exclusive}
  inject:
    headers: {Authorization: "Bearer ${{ token }}"}
operations:
  pass:
    effect: read
    inputs:
      n: {type: integer}
    request:
      method: GET
      path: /pass
      query: {n: "${{ inputs.n }}"}
    response:
      outputs:
        n: n
`)},
	"pipelines/pass.yaml": {Data: []byte(`
pipeline: pass
version: 1
inputs:
  rows: {type: array, items: {type: object, required: [n], properties: {n: {type: integer}}}}
connections:
  turnstile: {vendor: turnstile}
steps:
  - id: each
    foreach: inputs.rows
    as: row
    key: row.n
    parallel: 16
    call: turnstile.pass
    with: {n: "${{ row.n }}"}
`)},
}

// The environment of a process that does the work of TestExclusiveTokensBetweenProcesses.
const (
	turnstileURL   = "RUNNER_TEST_TURNSTILE"
	turnstileState = "RUNNER_TEST_STATE"
)

func passTurnstile(base, dir string) error {
	store := statefiles.New(dir)
	p, err := engine.Load(turnstile, engine.Options{
		Connections: map[string]engine.Connection{"turnstile": {Vendor: "turnstile", BaseURL: base, Config: map[string]any{"key": "k3y-of-both"}}},
		Tokens:      store,
		Locks:       store,
	})
	if err != nil {
		return err
	}
	rows := make([]any, 32)
	for i := range rows {
		rows[i] = map[string]any{"n": int64(i)}
	}
	result, err := p.Run(context.Background(), engine.Request{Pipeline: "pipelines/pass.yaml", Inputs: map[string]any{"rows": rows}})
	if err == nil && result.Status != engine.Succeeded {
		err = fmt.Errorf("the run %s", result.Status)
	}
	return err
}

func TestMain(m *testing.M) {
	base := os.Getenv(turnstileURL)
	if base == "" {
		os.Exit(m.Run())
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin) // both begin when the test says so
	if err := passTurnstile(base, os.Getenv(turnstileState)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Two processes, each with 16 rows at a time, never have two requests under way.
func TestExclusiveTokensBetweenProcesses(t *testing.T) {
	var mu sync.Mutex
	now, most, passed := 0, 0, 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now++
		most = max(most, now)
		passed++
		mu.Unlock()
		time.Sleep(time.Millisecond) // for the others to overlap with
		mu.Lock()
		now--
		mu.Unlock()
		fmt.Fprintf(w, `{"n":%s}`, r.URL.Query().Get("n"))
	}))
	defer s.Close()
	dir := t.TempDir()
	var processes []*exec.Cmd
	for range 2 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), turnstileURL+"="+s.URL, turnstileState+"="+dir)
		processes = append(processes, cmd)
	}
	testserver.AtOnce(t, processes)
	mu.Lock()
	defer mu.Unlock()
	if most != 1 || passed != 64 {
		t.Errorf("%d at a time, %d in all; want 1 and 64", most, passed)
	}
}
