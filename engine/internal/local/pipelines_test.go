package local_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
	"github.com/seed627bd532/runner/engine/internal/interp"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const shop = `
vendor: shop
version: 1
defaults:
  retry: {attempts: 3, first: 1ms, max: 2ms}
operations:
  find:
    effect: read
    inputs: {code: {type: string}}
    request: {method: GET, path: /find}
    response:
      schema: {type: object, required: [state], properties: {state: {type: string}}}
      outputs: {state: state}
  create:
    effect: create
    inputs: {code: {type: string}}
    identity: inputs.code
    request: {method: POST, path: /create}
    response:
      schema: {type: object, required: [id], properties: {id: {type: string}}}
      outputs: {id: id}
  drop:
    effect: idempotent
    inputs: {id: {type: string}}
    request: {method: DELETE, path: /drop}
    response: {as: none}
  send:
    effect: create
    inputs: {codes: {type: array, items: {type: string}}}
    rows: {of: inputs.codes, as: code}
    identity: code
    request: {method: POST, path: /send, body: "${{ inputs.codes }}"}
    response: {as: none}
`

// answered is a vendor whose answers follow from the inputs of a call, and from
// how often the same was asked for.
func answered(r flow.CallRequest) flow.Result {
	res := flow.Result{Outcome: flow.OK, Status: 200, Sent: true, Outputs: value.NewObject(0)}
	code, _ := r.Inputs.At("code").(string)
	switch r.Operation {
	case "find":
		state := "there"
		if code == "slow" && !strings.Contains(string(r.CallKey), "~3") {
			state = "pending"
		}
		res.Outputs.Set("state", state)
		if code == "busy" && r.Key != r.CallKey.Attempt(2) {
			return flow.Result{Outcome: flow.Busy, Message: "later"}
		}
	case "create":
		res.Outputs.Set("id", "id of "+code)
	case "send":
		for _, row := range r.Rows {
			ended := flow.RowResult{Key: row.Key, Status: flow.Done}
			if row.Key == "bad" {
				ended.Status, ended.Message = flow.Failed, "no"
			}
			res.Rows = append(res.Rows, ended)
		}
	}
	if code == "bad" {
		return flow.Result{Outcome: flow.Conflict, Status: 409, Message: "is there", Sent: true, Body: value.ObjectOf("id", "old")}
	}
	return res
}

// constructs are pipelines that have every step kind and modifier between them.
var constructs = map[string]string{
	"groups and switches": `
steps:
  - id: both
    steps:
      - {id: find, call: shop.find, with: {code: a}}
      - id: choice
        switch:
          - if: steps.find.outputs.state == 'gone'
            steps: [{id: one, call: shop.create, with: {code: one}}]
            outputs: {id: "${{ steps.one.outputs.id }}"}
          - steps:
              - {id: two, call: shop.create, with: {code: two}}
              - {id: three, call: shop.create, with: {code: three}}
            outputs: {id: "${{ steps.three.outputs.id }}"}
    outputs: {id: "${{ steps.choice.outputs.id }}"}
  - {id: called, call: ./inner.yaml, with: {code: b}}
outputs: {id: "${{ steps.both.outputs.id }}", called: "${{ steps.called.outputs.id }}"}
`,
	"polls and timeouts": `
steps:
  - id: both
    timeout: 1h
    steps:
      - {id: busy, call: shop.find, with: {code: busy}}
      - {id: wait, call: shop.find, with: {code: slow}, until: outputs.state == 'there', every: 1ms, timeout: 30m}
      - {id: make, call: shop.create, with: {code: a}, timeout: 1m}
    outputs: {id: "${{ steps.make.outputs.id }}"}
outputs: {id: "${{ steps.both.outputs.id }}"}
`,
	"handlers": `
inputs: {codes: {type: array, items: {type: string}, default: [a, bad, b]}}
steps:
  - {id: one, call: shop.create, with: {code: bad}, on_error: continue}
  - {id: all, foreach: inputs.codes, as: code, key: code, parallel: 2, call: shop.create, with: {code: "${{ code }}"}, on_error: [{outputs: {id: "${{ text(error.body.id) }}"}}]}
outputs: {ids: "${{ map(steps.all.results, .id) }}", outcome: "${{ steps.one.outcome }}"}
`,
	"rows of groups": `
inputs: {codes: {type: array, items: {type: string}, default: [a, slow, bad, b, c]}}
steps:
  - id: all
    foreach: inputs.codes
    as: code
    key: code
    parallel: 3
    on_error: collect
    breaker: 2
    steps:
      - {id: wait, call: shop.find, with: {code: "${{ code }}"}, until: outputs.state == 'there', every: 1ms, timeout: 30m}
      - id: inner
        foreach: "['x', 'y']"
        as: part
        on_error: collect
        call: shop.create
        with: {code: "${{ code + part }}"}
    outputs: {ids: "${{ map(steps.inner.results, .id) }}"}
outputs: {results: "${{ steps.all.results }}"}
`,
	"batches": `
inputs: {codes: {type: array, items: {type: string}, default: [a, bad, b, c, d]}}
steps:
  - {id: all, foreach: inputs.codes, as: some, batch: 2, parallel: 2, on_error: collect, call: shop.send, with: {codes: "${{ some }}"}}
  - {id: whole, call: shop.send, with: {codes: [x, bad]}, on_error: continue}
  - {id: none, call: shop.send, with: {codes: []}}
outputs: {results: "${{ steps.all.results }}", whole: "${{ steps.whole.results }}", none: "${{ steps.none.outcome }}"}
`,
	"undo": `
on_failure: undo
inputs: {codes: {type: array, items: {type: string}, default: [a, b, c]}}
steps:
  - {id: first, call: shop.create, with: {code: first}, undo: {call: shop.drop, with: {id: "${{ outputs.id }}"}}}
  - id: all
    foreach: inputs.codes
    as: code
    parallel: 2
    steps:
      - {id: row, call: shop.create, with: {code: "${{ code }}"}, undo: {call: shop.drop, with: {id: "${{ outputs.id }}"}}}
  - {id: last, call: shop.create, with: {code: bad}}
`,
}

const inner = `pipeline: inner
version: 1
connections: {shop: {vendor: shop}}
inputs: {code: {type: string}}
steps:
  - {id: make, call: shop.create, with: {code: "${{ inputs.code }}"}}
outputs: {id: "${{ steps.make.outputs.id }}"}
`

// walked is a pipeline as a program.
func walked(t *testing.T, name, text string) flowtest.Program {
	t.Helper()
	p, faults := project.Load(fstest.MapFS{
		"specs/shop.yaml":      {Data: []byte(shop)},
		"pipelines/inner.yaml": {Data: []byte(inner)},
		"pipelines/main.yaml":  {Data: []byte("pipeline: main\nversion: 1\nconnections: {shop: {vendor: shop}}" + text)},
	})
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	pl := p.Find("pipelines/main.yaml")
	bound, bad := pl.Inputs.Bind(value.NewObject(0))
	if len(bad) > 0 {
		t.Fatal(bad)
	}
	return flowtest.Program{Name: name, Answer: answered, Run: func(rt flow.Runtime) (value.Value, error) {
		return walk(rt, pl, bound)
	}}
}

func walk(rt flow.Runtime, pl *pipeline.Pipeline, inputs *value.Object) (value.Value, error) {
	outputs, tally, err := interp.Run(rt, pl, interp.Input{RunID: "r1", Values: inputs})
	if err != nil {
		return nil, errors.Join(err, rt.Interrupted()) // an undo goes on when it is stopped
	}
	return value.ObjectOf("outputs", outputs, "failed", int64(tally.Failed), "ambiguous", int64(tally.Ambiguous)), nil
}

// A pipeline that is stopped at any call and taken up again does what an
// undisturbed one does, whatever it is made of.
func TestRuntimesAgreeOnPipelines(t *testing.T) {
	var programs []flowtest.Program
	for name, text := range constructs {
		programs = append(programs, walked(t, name, text))
	}
	t.Run("inline", func(t *testing.T) { flowtest.Agree(t, inline(), inline(), programs) })
	t.Run("durable", func(t *testing.T) { flowtest.Agree(t, inline(), durable(), programs) })
}
