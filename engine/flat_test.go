package engine_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine"
)

var flatRuns = flag.Int("flat-runs", 4000, "how many runs of one program are made while its memory is watched")

// A program that is given no state makes any number of runs in the same memory, however they end.
func TestRunsWithoutAStateStayInFlatMemory(t *testing.T) {
	files := fstest.MapFS{
		"specs/desk.yaml": {Data: []byte(`
vendor: desk
version: 1
defaults: {retry: {attempts: 1, first: 1ms, max: 1ms}}
operations:
  put:
    effect: create
    inputs: {name: {type: string}}
    request: {method: POST, path: /put, body: {name: "${{ inputs.name }}"}}
    response:
      schema: {type: object, required: [id], properties: {id: {type: integer}}}
      outputs: {id: id}
    identity: inputs.name
`)},
		"pipelines/put.yaml": {Data: []byte(`
pipeline: put
version: 1
inputs: {name: {type: string}}
connections: {desk: {vendor: desk}}
steps:
  - {id: put, call: desk.put, with: {name: "${{ inputs.name }}"}}
outputs: {id: "${{ steps.put.outputs.id }}"}
`)},
	}
	answer := func(r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		status := 200
		if strings.Contains(string(body), "3\"") {
			status = 400
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"id":7}`)), Request: r}, nil
	}
	p, err := engine.Load(files, engine.Options{
		Connections: map[string]engine.Connection{"desk": {Vendor: "desk", BaseURL: "http://desk.example"}},
		Client:      &http.Client{Transport: roundTrip(answer)},
	})
	if err != nil {
		t.Fatal(err)
	}
	run := func(i int) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r := engine.Request{Pipeline: "pipelines/put.yaml", Inputs: map[string]any{"name": fmt.Sprint(i)}}
		switch {
		case i%2 == 0: // of these more stay, but they are as many after half the runs
			r.Key = fmt.Sprint("key ", i)
		case i%10 == 5:
			cancel()
		}
		p.Run(ctx, r)
	}
	used := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	half := *flatRuns / 2
	for i := range half {
		run(i)
	}
	before := used()
	for i := range half {
		run(half + i)
	}
	if grown := used() - before; grown > 100*int64(half) { // a run that is kept takes 2 KB
		t.Errorf("%d runs more keep %d bytes, %d each", half, grown, grown/int64(half))
	}
	runtime.KeepAlive(p)
}
