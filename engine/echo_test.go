package engine_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/state"
)

// echoes is a project whose vendor logs in with a key, and repeats key and token in its answers.
var echoes = fstest.MapFS{
	"specs/echo.yaml": {Data: []byte(`
vendor: echo
version: 1
defaults: {retry: {attempts: 1, first: 1ms, max: 1ms}}
config: {key: {type: string, secret: true}}
auth:
  token: {call: login, with: {key: "${{ config.key }}"}, value: "${{ outputs.token }}"}
  inject: {headers: {X-Token: "${{ token }}", X-Key: "${{ config.key }}"}}
operations:
  login:
    effect: idempotent
    auth: none
    inputs: {key: {type: string, secret: true}}
    request: {method: POST, path: /login, body: {key: "${{ inputs.key }}"}}
    response:
      schema: {type: object, required: [token], properties: {token: {type: string}}}
      outputs: {token: {path: token, secret: true}}
  see:
    effect: read
    inputs: {what: {type: string}}
    request: {method: GET, path: "/${{ inputs.what }}"}
    response:
      schema: {type: object, required: [self], properties: {self: {type: string}}}
      outputs: {self: self}
  make:
    effect: create
    identity: inputs.ref
    inputs: {ref: {type: string}, what: {type: string}}
    request: {method: POST, path: "/${{ inputs.what }}", body: {ref: "${{ inputs.ref }}"}}
    response:
      schema: {type: object, required: [id, self], properties: {id: {type: integer}, self: {type: string}}}
      outputs: {id: id, self: self}
  use:
    effect: idempotent
    inputs: {links: {type: array, items: {type: string, nullable: true}}}
    request: {method: POST, path: /use, body: "${{ inputs.links }}"}
    response: {as: none}
`)},
	"pipelines/p.yaml": {Data: []byte(`
pipeline: p
version: 1
inputs: {what: {type: string}}
connections: {echo: {vendor: echo}}
steps:
  - {id: see, call: echo.see, with: {what: "${{ inputs.what }}"}}
  - {id: make, call: echo.make, with: {ref: R1, what: "${{ inputs.what }}"}}
  - {id: use, call: echo.use, with: {links: ["${{ steps.see.outputs.self }}", "${{ steps.make.outputs.self }}"]}}
outputs: {seen: "${{ steps.see.outputs.self }}", made: "${{ steps.make.outputs.self }}"}
`)},
}

func TestEchoesOfKeysAndTokensAfterAResume(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		what, later string // the key of the resumed run
		wantUsed    string
		wantSees    int
		wantWarned  string
	}{
		"the key of then": {"key", "first key+1234", `["/o?k=first+key%2B1234","/o?k=first+key%2B1234"]`, 1, ""},
		"another key":     {"key", "other/key-5678", `["/o?k=other%2Fkey-5678","/o?k=other%2Fkey-5678"]`, 1, ""},
		// A token has no name: the read is made again, and the create is not.
		"a token": {"token", "first key+1234", `["/o?k=token-of-login-2",null]`, 2, "make: its output self is null, since it holds a secret and was not written down when it was given"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			logins, sees, makes, down := 0, 0, 0, true
			var used []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				body, _ := io.ReadAll(r.Body)
				link := "/o?k=" + url.QueryEscape(r.Header.Get("X-Key"))
				switch r.URL.Path {
				case "/login":
					logins++
					json.NewEncoder(w).Encode(map[string]string{"token": "token-of-login-" + string(rune('0'+logins))})
					return
				case "/use":
					if down {
						w.WriteHeader(http.StatusServiceUnavailable)
						return
					}
					used = append(used, string(body))
					return
				case "/token":
					link = "/o?k=" + url.QueryEscape(r.Header.Get("X-Token"))
				}
				if r.Method == http.MethodGet {
					sees++
				} else {
					makes++
				}
				json.NewEncoder(w).Encode(map[string]any{"id": 7, "self": link})
			}))
			defer server.Close()
			kept := state.NewMemory()
			var warned []string
			program := func(key string) *engine.Program {
				p, err := engine.Load(echoes, engine.Options{State: kept,
					Connections: map[string]engine.Connection{"echo": {Vendor: "echo", BaseURL: server.URL, Config: map[string]any{"key": key}}},
					Events: sinkFunc(func(e event.Event) {
						if n, ok := e.(*event.Note); ok && n.Warning {
							warned = append(warned, n.Text)
						}
					})})
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			first, err := program("first key+1234").Run(t.Context(), engine.Request{Pipeline: "pipelines/p.yaml", InputTexts: map[string]string{"what": c.what}})
			if err == nil {
				t.Fatal("the first run has not failed")
			}
			entries, err := kept.Entries(t.Context(), first.RunID)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if text := string(e.Payload); strings.Contains(text, "first") || strings.Contains(text, "token-of") {
					t.Errorf("%s is kept as %s", e.Key, text)
				}
			}
			mu.Lock()
			down = false
			mu.Unlock()
			res, err := program(c.later).Resume(t.Context(), first.RunID, engine.ResumeRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(used, "\n"); got != c.wantUsed || sees != c.wantSees || makes != 1 {
				t.Errorf("used %s after %d reads and %d creates", got, sees, makes)
			}
			if got := strings.Join(warned, "\n"); got != c.wantWarned {
				t.Errorf("warnings: %s", got)
			}
			if res.Outputs["seen"] != "/o?k=•••" {
				t.Errorf("outputs: %v", res.Outputs)
			}
		})
	}
}
