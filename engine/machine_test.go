package engine_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/state"
	statefiles "github.com/seed627bd532/runner/engine/state/files"
)

var anvil = fstest.MapFS{"specs/anvil.yaml": {Data: []byte(`
vendor: anvil
version: 1
operations:
  forge:
    effect: create
    identity: inputs.name
    inputs: {name: {type: string}}
    request: {method: POST, path: /forge, body: {name: "${{ inputs.name }}"}}
`)}}

// Stores over one folder are to each other as processes are.
func TestCreatesOfTwoStatesOnOneMachine(t *testing.T) {
	for _, tt := range []struct {
		name, path, thing string // of the second
		most              int
	}{
		{"the same thing", "", "a", 1},
		{"the same place, written otherwise", "/", "a", 1},
		{"another thing", "", "b", 2},
		{"another environment", "/test", "a", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex
			now, most := 0, 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				for range 100 { // until the other is here, who comes at once or never
					time.Sleep(time.Millisecond)
					mu.Lock()
					both := most == 2
					mu.Unlock()
					if both {
						break
					}
				}
				mu.Lock()
				now--
				mu.Unlock()
				w.WriteHeader(http.StatusCreated)
			}))
			defer s.Close()
			dir := t.TempDir()
			var wait sync.WaitGroup
			for _, run := range []struct{ path, thing string }{{"", "a"}, {tt.path, tt.thing}} {
				p, err := engine.Load(anvil, engine.Options{
					Connections: map[string]engine.Connection{"anvil": {Vendor: "anvil", BaseURL: s.URL + run.path}},
					State:       state.NewMemory(),
					Locks:       state.NewMemory(),
					Machine:     statefiles.New(dir),
				})
				if err != nil {
					t.Fatal(testserver.FaultsOf(err))
				}
				wait.Go(func() {
					if _, err := p.Call(t.Context(), "anvil.forge", engine.Request{Inputs: map[string]any{"name": run.thing}}); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			if most != tt.most {
				t.Errorf("%d at a time, want %d", most, tt.most)
			}
		})
	}
}
