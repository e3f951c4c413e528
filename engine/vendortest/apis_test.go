package vendortest_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
)

// The vendor files in testdata/apis are a test of generality: habits of public APIs that the five
// vendors of this repository do not have, written without a line of Go in the engine. Each has a
// server here that does as the API's documentation says, in a few lines, and reads raw requests.

// An apiRun is what is run against such a server, in the time of a synctest bubble.
type apiRun struct {
	handler http.Handler
	vendor  string
	config  map[string]any
	// secrets must be seen nowhere.
	secrets []string
}

// run runs a pipeline or makes a call, and returns its outputs as JSON, or why it failed.
func (a apiRun) run(t *testing.T, name string, inputs map[string]any) (r *engine.Result, outputs string) {
	t.Helper()
	client, stop := testserver.OverPipes(a.handler)
	defer stop()
	sink := &testserver.Heard{}
	p, err := engine.Load(os.DirFS("testdata/apis"), engine.Options{
		Connections: map[string]engine.Connection{a.vendor: {Vendor: a.vendor, BaseURL: "http://api.example", Config: a.config}},
		Client:      client,
		Events:      sink,
	})
	if err != nil {
		t.Fatal(err)
	}
	request := engine.Request{Pipeline: name, Inputs: inputs}
	if strings.HasSuffix(name, ".yaml") {
		r, err = p.Run(t.Context(), request)
	} else {
		r, err = p.Call(t.Context(), name, request)
	}
	var failed *engine.Error
	switch {
	case errors.As(err, &failed):
		outputs = failed.Error()
	case err != nil:
		t.Fatal(err)
	default:
		text, _ := json.Marshal(r.Outputs)
		outputs = string(text)
	}
	for _, secret := range a.secrets {
		if strings.Contains(sink.Text()+outputs, secret) {
			t.Errorf("the secret %s is seen", secret)
		}
	}
	return r, outputs
}

// tell answers with JSON.
func tell(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// hangUp breaks the connection off, after whatever was done.
func hangUp() { panic(http.ErrAbortHandler) }

func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}
