package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

const plantedKey = `k3y/with+"quotes"&<b>=é-123456`

// echoVendor repeats the key of each request in its good answers, in every form and place.
const echoVendor = `
vendor: echo
version: 1
defaults: {retry: {attempts: 1, first: 1ms, max: 1ms}}
config: {key: {type: string, secret: true}}
auth: {inject: {query: {api_key: "${{ config.key }}"}}}
operations:
  see:
    effect: read
    request: {method: GET, path: /see}
    response:
      schema: {type: object, required: [self, forms, named, plain], properties: {self: {type: string}, forms: {type: array, items: {type: string}}, named: {type: object}, plain: {type: string}}}
      outputs: {self: self, forms: forms, named: named, plain: plain, head: {header: X-Echo}}
  make:
    effect: create
    identity: inputs.ref
    inputs: {ref: {type: string}}
    request: {method: POST, path: /make, body: "${{ inputs }}"}
    response:
      schema: {type: object, required: [id, self], properties: {id: {type: integer}, self: {type: string}}}
      outputs: {id: id, self: self}
  use:
    effect: idempotent
    inputs: {all: {type: object}}
    request: {method: POST, path: /use, body: "${{ inputs.all }}"}
    response: {as: none}
`

const echoPipeline = `
pipeline: p
version: 1
inputs: {ref: {type: string}}
connections: {echo: {vendor: echo}}
tables: {links: {type: object}}
steps:
  - {id: see, call: echo.see}
  - {id: make, call: echo.make, with: {ref: "${{ steps.see.outputs.self }}"}}
  - id: each
    foreach: steps.see.outputs.forms
    as: form
    key: form
    steps:
      - {id: one, call: echo.use, with: {all: {form: "${{ form }}", made: "${{ steps.make.outputs.self }}"}}}
    outputs: {form: "${{ form }}"}
  - {id: put, call: store.put, with: {table: links, key: "${{ steps.see.outputs.self }}", value: {link: "${{ steps.see.outputs.named }}"}}}
  - {id: get, call: store.get, with: {table: links, key: "${{ steps.see.outputs.self }}"}}
  - id: last
    call: echo.use
    with: {all: {see: "${{ steps.see.outputs }}", made: "${{ steps.make.outputs }}", rows: "${{ steps.each.results }}", got: "${{ steps.get.outputs.value }}", ref: "${{ inputs.ref }}"}}
outputs:
  see: ${{ steps.see.outputs }}
  made: ${{ steps.make.outputs }}
  rows: {value: "${{ steps.each.results }}", file: rows.csv}
  got: ${{ steps.get.outputs.value }}
`

// formsOfKey are the ways in which vendors write a key.
func formsOfKey(key string) []string {
	inJSON := func(s string) string {
		text, _ := json.Marshal(s)
		return string(text)
	}
	net := strings.NewReplacer(`"`, `\u0022`, "&", `\u0026`, "<", `\u003C`, ">", `\u003E`, "+", `\u002B`, "é", `\u00E9`).Replace(key)
	query := url.QueryEscape(key)
	named := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(key)
	numbered := func(format string) string {
		var b strings.Builder
		for _, r := range key {
			fmt.Fprintf(&b, format, r)
		}
		return b.String()
	}
	return []string{
		key, "Bearer " + key, "https://h.example/o?api_key=" + query + "&x=1", "https://h.example/o?api_key=" + strings.ReplaceAll(query, "%2F", "/"),
		strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3D", "%3d").Replace(query), url.PathEscape(key), url.QueryEscape(query),
		inJSON(key), inJSON(inJSON(key)), inJSON(inJSON(inJSON(key))), net, strings.ToLower(net), url.QueryEscape(inJSON(key)),
		named, numbered("&#%d;"), numbered("&#x%X;"), numbered("&#x%x;"), hex.EncodeToString([]byte(key)), strings.ToUpper(hex.EncodeToString([]byte(key))),
		base64.StdEncoding.EncodeToString([]byte(key)), "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+key)), base64.RawURLEncoding.EncodeToString([]byte("u:" + key)),
	}
}

// An echo is the vendor. It hangs at one request, and records the others.
type echo struct {
	mu       sync.Mutex
	hangAt   int // the request that gets no answer; 0 for none
	hangs    chan struct{}
	requests []string
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	e.requests = append(e.requests, r.Method+" "+r.URL.String()+" "+string(body))
	hang := len(e.requests) == e.hangAt
	e.mu.Unlock()
	if hang {
		close(e.hangs)
		<-r.Context().Done()
		return
	}
	key := r.URL.Query().Get("api_key")
	self := "https://h.example/orders/1?api_key=" + url.QueryEscape(key)
	w.Header().Set("X-Echo", "api_key="+url.QueryEscape(key))
	json.NewEncoder(w).Encode(map[string]any{"id": 7, "self": self, "forms": formsOfKey(key), "named": map[string]any{key: []any{key, 1}}, "plain": "•••{config:echo.key}"})
}

// A key that a vendor repeats in its good answers, in any form, is nowhere: not on the screen, not in results, not in the state,
// not in what is told of the run. And a run that was killed goes on with the requests that it would have made.
func TestEchoedSecretsAreNowhereAndComeBack(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts processes")
	}
	t.Parallel()
	run := func(hangAt int) (requests []string, dir string, printed string) {
		dir = t.TempDir()
		vendor := &echo{hangAt: hangAt, hangs: make(chan struct{})}
		server := httptest.NewServer(vendor)
		defer server.Close()
		for name, text := range map[string]string{
			"specs/echo.yaml": echoVendor, "pipelines/p.yaml": echoPipeline,
			"connections.yaml": "connections: {echo: {vendor: echo, base_url: \"" + server.URL + "\", config: {key: \"${{ env.ECHO_KEY }}\"}}}\n",
		} {
			if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		command := func(want int, args ...string) {
			t.Helper()
			p := prepare(t, dir, args...)
			p.Env = append(p.Env, "ECHO_KEY="+plantedKey, "TMPDIR="+dir)
			p.begin(t)
			if want < 0 {
				<-vendor.hangs
				p.signal(t, syscall.SIGKILL)
			}
			if code := p.exit(t); want >= 0 && code != want {
				t.Fatalf("%v: exit code %d\n%s%s", args, code, p.err.String(), p.out.String())
			}
			printed += p.err.String() + p.out.String()
		}
		first := []string{"run", "pipelines/p.yaml", "--key", "k", "--verbose", "--input", "ref=" + plantedKey, "--output", "json"}
		if hangAt > 0 {
			command(-1, first...)
			command(0, "runs", "show", "k", "--output", "json")
			command(0, "resume", "k", "--verbose")
		} else {
			command(0, first...)
		}
		command(0, first...) // its outputs again
		command(0, "runs", "show", "k")
		command(0, "runs", "show", "k", "--output", "json")
		command(0, "call", "store.list", "--input", "table=links")
		return vendor.requests, dir, printed
	}
	undisturbed, dir, printed := run(0)
	mustNotHold(t, dir, printed)
	steps := 1 + 1 + len(formsOfKey(plantedKey)) + 1
	if len(undisturbed) != steps {
		t.Fatalf("%d requests in place of %d:\n%s", len(undisturbed), steps, strings.Join(undisturbed, "\n"))
	}
	for _, hangAt := range []int{3, 12, steps} {
		requests, dir, printed := run(hangAt)
		mustNotHold(t, dir, printed)
		again := slices.Delete(slices.Clone(requests), hangAt-1, hangAt)
		if !slices.Equal(again, undisturbed) {
			for i := range min(len(again), len(undisturbed)) {
				if again[i] != undisturbed[i] {
					t.Errorf("killed at request %d: request %d is\n%s\nwant\n%s", hangAt, i+1, again[i], undisturbed[i])
				}
			}
			t.Errorf("killed at request %d: %d requests, want %d", hangAt, len(again), len(undisturbed))
		}
	}
}

// mustNotHold searches what was printed, and all files of a folder, for the forms of the key.
func mustNotHold(t *testing.T, dir, printed string) {
	t.Helper()
	var parts []string
	for _, form := range formsOfKey(plantedKey) {
		for _, prefix := range []string{"Bearer ", "Basic ", "https://h.example/o?api_key="} {
			form = strings.TrimPrefix(form, prefix)
		}
		form, _, _ = strings.Cut(form, "&x=1")
		inner, _ := json.Marshal(form)
		parts = append(parts, form, strings.Trim(string(inner), `"`))
	}
	look := func(where, text string) {
		for _, part := range parts {
			if strings.Contains(text, part) {
				at := strings.Index(text, part)
				t.Errorf("%s holds %s: %q", where, part, text[max(0, at-60):min(len(text), at+len(part)+20)])
			}
		}
	}
	look("what was printed", printed)
	if !strings.Contains(printed, "•••") {
		t.Error("nothing is masked")
	}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		look(name, string(text))
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
