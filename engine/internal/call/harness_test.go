package call

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// vendorOf compiles a vendor file.
func vendorOf(t testing.TB, text string) *catalog.Vendor {
	t.Helper()
	n, faults := source.Read("specs/acme.yaml", []byte(text))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	doc, ok := n.Literal().(*value.Object)
	if !ok {
		t.Fatal("the vendor file is no mapping")
	}
	var lib schema.Library
	lib.Add("specs/acme.yaml", doc)
	var list diag.List
	v := catalog.Decode(n, "specs/acme.yaml", &lib, &list)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return v
}

// connect returns an Executor with one connection, acme. o's Connections are filled in.
func connect(t testing.TB, v *catalog.Vendor, base string, config *value.Object, o Options) *Executor {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	bound, violations := v.Config.Bind(config)
	if len(violations) > 0 {
		t.Fatal(violations)
	}
	o.Connections = map[string]*Connection{"acme": {Name: "acme", Vendor: v, BaseURL: u, Config: bound}}
	e := New(o)
	t.Cleanup(e.client.CloseIdleConnections)
	return e
}

// serve starts a vendor and returns its URL.
func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// ask makes one call, and fails the test when the engine itself does.
func ask(t testing.TB, e *Executor, operation string, inputs ...any) flow.Result {
	t.Helper()
	res, err := e.Do(context.Background(), request(e, operation, inputs...), nil)
	if err != nil {
		t.Fatalf("Do(%s): %v", operation, err)
	}
	return res
}

// request returns a bound request for the connection acme.
func request(e *Executor, operation string, inputs ...any) flow.CallRequest {
	op := e.connections["acme"].operations[operation]
	bound, violations := op.Inputs.Bind(value.ObjectOf(inputs...))
	if len(violations) > 0 {
		panic(violations)
	}
	return flow.CallRequest{
		Key: "step#2", CallKey: "step", RunID: "run-1",
		Connection: "acme", Operation: operation, Effect: op.Effect, Inputs: bound,
	}
}

// story collects events; it may be used by many goroutines.
type story struct {
	mu     sync.Mutex
	events []event.Event
}

func (s *story) Emit(e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

// text returns all that the events say.
func (s *story) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, e := range s.events {
		j, _ := json.Marshal(e)
		b.Write(j)
		b.WriteByte('\n')
	}
	return b.String()
}

// outputs returns a result's outputs as JSON.
func outputs(r flow.Result) string { return string(value.AppendJSON(nil, r.Outputs)) }

func body(r *http.Request) string {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return "unreadable: " + err.Error()
	}
	return string(b)
}

// replace returns text with old, new pairs applied.
func replace(text string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(text) }

// indented makes a block of what is not written in braces.
func indented(yaml string) string {
	if strings.HasPrefix(yaml, "{") {
		return yaml
	}
	return "\n      " + yaml
}
