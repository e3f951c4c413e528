package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const desk = `vendor: desk
version: 1
operations:
  look:
    effect: read
    inputs: {name: {type: string, optional: true}}
    request: {method: GET, path: /look, query: {name: "${{ inputs.name ?? omit }}"}}
    response:
      outcomes: [{if: status == 404, is: empty}]
      schema: {type: object, required: [id, state], properties: {id: {type: integer}, state: {type: string}}}
      outputs: {id: id, state: state}
  add:
    effect: create
    inputs: {name: {type: string}}
    identity: inputs.name
    request: {method: POST, path: /add, body: {name: "${{ inputs.name }}"}}
    response:
      schema: {type: object, required: [id], properties: {id: {type: integer}}}
      outputs: {id: id}
  drop:
    effect: idempotent
    inputs: {id: {type: integer}}
    request: {method: DELETE, path: "/${{ inputs.id }}"}
  send:
    effect: create
    inputs: {names: {type: array, items: {type: string}, maxItems: 3}}
    rows: {of: inputs.names, as: name}
    identity: name
    request: {method: POST, path: /send, body: "${{ inputs.names }}"}
    response:
      schema: {type: object, required: [total], properties: {total: {type: integer}}}
      outputs: {total: total}
`

// head begins a pipeline whose steps follow from line 12 on.
const head = `pipeline: main
version: 1
inputs:
  rows: {type: array, items: {type: object, required: [name], properties: {name: {type: string}}}}
  names: {type: array, items: {type: string}}
  count: {type: integer, default: 1}
  word: {type: string, optional: true}
connections:
  desk: {vendor: desk}

steps:
`

// files are those of a project, by path: it links pipelines as a project does, except that it knows no circles.
type files struct {
	t      testing.TB
	texts  map[string]string
	vendor map[string]*catalog.Vendor
	linked map[string]*Pipeline
	faults *diag.List
}

func (f *files) node(name, kind string) *source.Node {
	n, faults := source.Read(name, []byte(f.texts[name]))
	if faults = append(faults, schema.CheckShape(kind, n)...); faults.HasErrors() {
		f.t.Fatal(faults.Unwrap())
	}
	return n
}

func (f *files) Vendor(name string) (*catalog.Vendor, []string) {
	if f.texts["specs/"+name+".yaml"] == "" {
		return nil, []string{"desk"}
	}
	if f.vendor[name] == nil {
		f.vendor[name] = catalog.Decode(f.node("specs/"+name+".yaml", "vendor"), name, &schema.Library{}, f.faults)
	}
	return f.vendor[name], nil
}

func (f *files) Pipeline(path string, _ *source.Node) *Pipeline {
	if f.linked[path] == nil && f.texts[path] != "" {
		f.linked[path] = Decode(f.node(path, "pipeline"), path, &schema.Library{}, f, f.faults)
	}
	return f.linked[path]
}

// decode decodes main.yaml, beside which others stand by path.
func decode(t testing.TB, main string, others map[string]string) (*Pipeline, diag.List) {
	t.Helper()
	var faults diag.List
	f := &files{t, map[string]string{"main.yaml": main, "specs/desk.yaml": desk}, map[string]*catalog.Vendor{}, map[string]*Pipeline{}, &faults}
	for name, text := range others {
		f.texts[name] = text
	}
	p := f.Pipeline("main.yaml", nil)
	faults.Sort()
	return p, faults
}

// sound decodes a pipeline without errors whose steps these are.
func sound(t testing.TB, steps string) *Pipeline {
	t.Helper()
	p, faults := decode(t, head+steps, nil)
	if faults.HasErrors() {
		t.Fatal(faults.Unwrap())
	}
	return p
}

// named returns the step with an id.
func (p *Pipeline) named(t testing.TB, id string) *Step {
	t.Helper()
	for s := range AllSteps(p.Steps) {
		if s.ID == id {
			return s
		}
	}
	t.Fatalf("no step %s", id)
	return nil
}

// TestFaultsStandWhereTheMistakeIs holds that each fault has the place that a person changes, and the places
// that it is about beside it.
func TestFaultsStandWhereTheMistakeIs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, steps, want string }{
		{"an operation", "  - {id: a, call: desk.lok}\n", "12:24 unknown-operation"},
		{"a connection", "  - {id: a, call: dsk.look}\n", "12:19 unknown-connection"},
		{"an id that is there", "  - {id: a, call: desk.look}\n  - {id: a, call: desk.look}\n", "13:10 duplicate-step (12:10)"},
		{"the step that ends all", "  - fail: no\n  - {id: a, call: desk.look}\n", "12:5 never-done"},
		{"rows without a key", "  - {id: a, foreach: inputs.names, call: desk.add, with: {name: \"${{ item }}\"}}\n", "12:13 create-without-key"},
		{"a timeout in a shorter one", "  - id: a\n    timeout: 1s\n    steps:\n      - {id: b, timeout: 2s, call: desk.look}\n", "15:26 never-reached (13:14)"},
		{"a wait that looks once", "  - {id: a, call: desk.look, until: outputs.state == 'up', every: 2s, timeout: 1s}\n", "12:67 never-twice"},
		{"a wait for nothing of its own", "  - {id: a, call: desk.look, until: inputs.count > 1, every: 1s, timeout: 9s}\n", "12:37 always-same"},
		{"a wait that would create", "  - {id: a, call: desk.add, with: {name: x}, until: outputs.id > 1, every: 1s, timeout: 9s}\n", "12:46 until-not-read"},
		{"a branch behind the last", "  - id: a\n    switch:\n      - steps: [{id: b, call: desk.look}]\n      - if: inputs.count > 1\n        steps: [{id: c, call: desk.look}]\n", "14:9 branch-without-if"},
		{"a handler without an output", "  - id: a\n    call: desk.look\n    on_error:\n      - outputs: {id: 1}\n", "15:19 missing-output"},
		{"a handler with another output", "  - id: a\n    call: desk.add\n    with: {name: x}\n    on_error:\n      - outputs: {id: 1, ix: 1}\n", "16:26 unknown-output"},
		{"an undo that creates", "  - id: a\n    call: desk.add\n    with: {name: x}\n    undo: {call: desk.add, with: {name: y}}\n", "15:18 undo-not-idempotent"},
		{"a batch that is too large", "  - id: a\n    foreach: inputs.names\n    batch: 4\n    call: desk.send\n    with: {names: \"${{ item }}\"}\n", "16:20 batch-too-large (26:14)"},
		{"a step in a group, read outside", "  - steps:\n      - {id: a, call: desk.look}\n  - {id: b, set: {x: \"${{ steps.a.outputs.id }}\"}}\noutputs: {x: \"${{ steps.b.outputs.x }}\"}\n", "14:33 unknown-member (13:14)"},
		{"two files of one name", "  - {id: a, foreach: inputs.names, call: desk.look}\noutputs:\n  a: {value: \"${{ steps.a.results }}\", file: a.csv}\n  b: {value: \"${{ steps.a.results }}\", file: ./A.csv}\n", "15:46 duplicate-file (14:46)"},
		{"a table of the runner's own", "  - {id: a, call: store.get, with: {table: .runs, key: k}}\n", "12:44 reserved-table"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, faults := decode(t, head+test.steps, nil)
			var got []string
			for _, f := range faults {
				if f.Code == "unused" {
					continue // the inputs that this one does not need
				}
				line := fmt.Sprintf("%d:%d %s", f.Pos.Line, f.Pos.Col, f.Code)
				for _, r := range f.Related {
					line += fmt.Sprintf(" (%d:%d)", r.Pos.Line, r.Pos.Col)
				}
				got = append(got, line)
			}
			if !slices.Equal(got, []string{test.want}) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestCallersAndCalledAgree holds that a run has one connection, and one table, of each name.
func TestCallersAndCalledAgree(t *testing.T) {
	t.Parallel()
	const called = "pipeline: other\nversion: 1\nconnections: {desk: {vendor: %s}}\ntables: {seen: {type: %s}}\nsteps:\n  - {id: a, call: desk.look}\n"
	const caller = "pipeline: main\nversion: 1\nconnections: {desk: {vendor: desk}}\ntables: {seen: {type: integer}}\nsteps:\n  - {id: a, call: desk.look}\n  - {id: b, call: ./other.yaml}\n"
	for _, test := range []struct{ vendor, kind, want string }{
		{"desk", "integer", ""},
		{"desk", "string", "7:19 table-conflict main.yaml:4 other.yaml:4"},
		{"bench", "integer", "7:19 connection-conflict main.yaml:3 other.yaml:3"},
	} {
		p, faults := decode(t, caller, map[string]string{
			"other.yaml":       fmt.Sprintf(called, test.vendor, test.kind),
			"specs/bench.yaml": strings.Replace(desk, "vendor: desk", "vendor: bench", 1),
		})
		got := ""
		for _, f := range faults {
			got += fmt.Sprintf("%d:%d %s", f.Pos.Line, f.Pos.Col, f.Code)
			for _, r := range f.Related {
				got += fmt.Sprintf(" %s:%d", r.File.Name, r.Pos.Line)
			}
		}
		if got != test.want {
			t.Errorf("with %s and %s: got %q, want %q", test.vendor, test.kind, got, test.want)
		}
		if all := p.AllPipelines(); len(all) != 2 || all[0] != p || len(p.AllConnections()) != 1 || len(p.AllTables()) != 2 {
			t.Errorf("%d pipelines, %d connections, %d tables", len(all), len(p.AllConnections()), len(p.AllTables()))
		}
	}
}

// TestRowsAreStreamedWhereNothingElseReadsThem holds when the rows of an input are taken one by one.
func TestRowsAreStreamedWhereNothingElseReadsThem(t *testing.T) {
	t.Parallel()
	const each = "  - {id: a, foreach: inputs.rows, call: desk.look, with: {name: \"${{ item.name }}\"}}\n"
	for _, test := range []struct {
		name, steps string
		want        bool
	}{
		{"one foreach", each, true},
		{"the words in a text", each + "  - if: inputs.count > 1\n    fail: look at inputs.rows\n", true},
		{"two of them", each + strings.Replace(each, "id: a", "id: b", 1), false},
		{"its length as well", each + "  - {if: len(inputs.rows) > 9, fail: too many}\n", false},
		{"all inputs at once", each + "  - {id: b, set: {all: \"${{ inputs }}\"}}\noutputs: {x: \"${{ steps.b.outputs.all }}\"}\n", false},
		{"an output as well", each + "outputs: {n: \"${{ len(inputs.rows) }}\"}\n", false},
		{"in brackets", each + "  - {if: \"len(inputs['rows']) > 9\", fail: too many}\n", false},
		{"in a group", "  - steps:\n    " + each, false},
		{"more than the list alone", strings.Replace(each, "foreach: inputs.rows", "foreach: \"filter(inputs.rows, #.name != '')\"", 1), false},
	} {
		if got := sound(t, test.steps).Inputs.Streamed["rows"]; got != test.want {
			t.Errorf("%s: got %v", test.name, got)
		}
	}
}

// TestStepsLeadToCreates holds on which steps a create of the same list may depend.
func TestStepsLeadToCreates(t *testing.T) {
	t.Parallel()
	const (
		look = "  - {id: look, call: desk.look}\n"
		add  = "  - {id: add, call: desk.add, with: {name: x}}\n"
	)
	for _, test := range []struct {
		name, steps string
		want        bool
	}{
		{"nothing creates", look + "  - {id: b, call: desk.drop, with: {id: \"${{ steps.look.outputs.id ?? 0 }}\"}}\n", false},
		{"a create that does not use it", look + add, false},
		{"a create with it", look + strings.Replace(add, "name: x", "name: \"${{ steps.look.outputs.state ?? '' }}\"", 1), true},
		{"a create if it says so", look + strings.Replace(add, "id: add", "id: add, if: steps.look.outcome == 'empty'", 1), true},
		{"through another step", look + "  - {id: b, set: {x: \"${{ steps.look.outputs.state ?? '' }}\"}}\n" + strings.Replace(add, "name: x", "name: \"${{ steps.b.outputs.x }}\"", 1), true},
		{"a fail before a create", look + "  - {if: steps.look.outcome == 'ok', fail: it is there}\n" + add, true},
		{"a create before it", add + look + "  - {if: steps.look.outcome == 'ok', fail: it is there}\n", false},
	} {
		if got := sound(t, test.steps).named(t, "look").Leads; got != test.want {
			t.Errorf("%s: got %v", test.name, got)
		}
	}
}

// TestOutcomesThatAreSeen holds what steps.ID.outcome can be: after a failure, only what on_error passes over.
func TestOutcomesThatAreSeen(t *testing.T) {
	t.Parallel()
	const on = "    on_error:\n      - "
	for _, test := range []struct {
		call, onError string
		want          []flow.Outcome
		null          bool
	}{
		{"look", "", []flow.Outcome{flow.OK, flow.Empty}, false},
		{"add", "", []flow.Outcome{flow.OK}, false},
		{"add", on + "if: error.outcome == 'conflict'\n", []flow.Outcome{flow.OK, flow.Conflict}, true},
		{"add", on + "if: error.outcome in ['conflict', 'invalid'] and error.code == 'refused'\n", []flow.Outcome{flow.OK, flow.Conflict, flow.Invalid}, true},
		{"add", on + "if: error.outcome == 'conflict'\n      - if: error.status == 418\n", nil, true},
		{"add", "    on_error: continue\n", nil, true},
	} {
		p := sound(t, "  - id: it\n    call: desk."+test.call+"\n    with: {name: x}\n"+test.onError)
		outcome, _ := p.named(t, "it").recordType().Field("outcome")
		want := test.want
		if want == nil { // a create that may have been done ends the run, and so do refused credentials
			want = append([]flow.Outcome{flow.OK}, slices.DeleteFunc(flow.Failures(), func(o flow.Outcome) bool { return o == flow.Unknown || o == flow.Auth })...)
		}
		var got []flow.Outcome
		for _, v := range outcome.Enum {
			got = append(got, flow.Outcome(v.(string)))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || outcome.Nullable != test.null {
			t.Errorf("%s, %q: got %v, null %v", test.call, test.onError, got, outcome.Nullable)
		}
	}
}

// TestRecordsAreOfTheirType holds that what a step leaves behind, whatever came of it, is what the checker says of it.
func TestRecordsAreOfTheirType(t *testing.T) {
	t.Parallel()
	p := sound(t, `  - {id: look, if: inputs.count > 1, call: desk.look}
  - {id: send, call: desk.send, with: {names: "${{ inputs.names }}"}}
  - id: way
    switch:
      - {if: inputs.count == 2, steps: [{id: b, call: desk.look}], outputs: {n: 1}}
      - {if: inputs.count == 3, steps: [{id: c, call: desk.look}], outputs: {n: 2, m: x}}
  - id: each
    foreach: inputs.names
    key: item
    on_error: collect
    call: desk.add
    with: {name: "${{ item }}"}
`)
	look, send, way, each := p.named(t, "look"), p.named(t, "send"), p.named(t, "way"), p.named(t, "each")
	there := value.ObjectOf("id", int64(1), "state", "up")
	rows := []flow.RowResult{{Key: "A", Status: flow.Done}, {Key: "B", Status: flow.Failed, Message: "no"}, {Key: "C", Status: flow.Done, Reused: true}}
	for _, test := range []struct {
		name   string
		step   *Step
		record *value.Object
		want   string
	}{
		{"a call that went well", look, look.Record(flow.Result{Outcome: flow.OK, Sent: true}, there, true),
			`{"outputs":{"id":1,"state":"up"},"ran":true,"sent":true,"reconciled":false,"outcome":"ok"}`},
		{"a call that found nothing", look, look.Record(flow.Result{Outcome: flow.Empty, Sent: true}, nil, true),
			`{"outputs":{"id":null,"state":null},"ran":true,"sent":true,"reconciled":false,"outcome":"empty"}`},
		{"a call that was made before", look, look.Record(flow.Result{Outcome: flow.OK, Sent: true, Reused: true}, there, true),
			`{"outputs":{"id":1,"state":"up"},"ran":true,"sent":false,"reconciled":false,"outcome":"ok"}`},
		{"a call that was skipped", look, look.SkippedRecord(),
			`{"outputs":{"id":null,"state":null},"ran":false,"sent":false,"reconciled":false,"outcome":null}`},
		{"a batch", send, send.Record(flow.Result{Outcome: flow.OK, Sent: true, Rows: rows}, value.ObjectOf("total", int64(2)), true),
			`{"outputs":{"total":2},"ran":true,"results":[{"key":"A","status":"done","sent":true,"error":null},{"key":"B","status":"failed","sent":false,"error":"no"},{"key":"C","status":"done","sent":false,"error":null}],"done":2,"failed":1,"sent":true,"reconciled":false,"outcome":"ok"}`},
		{"a branch with fewer outputs", way, way.Record(flow.Result{}, value.ObjectOf("n", int64(1)), true), `{"outputs":{"n":1,"m":null},"ran":true}`},
		{"no branch", way, way.SkippedRecord(), `{"outputs":{"n":null,"m":null},"ran":false}`},
		{"rows", each, each.ForeachRecord([]flow.Item{
			{Key: "A", Status: flow.Done, Outputs: value.ObjectOf("id", int64(7))}, {Key: "B", Status: flow.Ambiguous, Err: fmt.Errorf("who knows")}}),
			`{"ran":true,"results":[{"key":"A","status":"done","id":7,"error":null},{"key":"B","status":"ambiguous","id":null,"error":"who knows"}],"done":1,"failed":1}`},
		{"no rows", each, each.SkippedRecord(), `{"ran":false,"results":[],"done":0,"failed":0}`},
	} {
		if got := string(value.AppendJSON(nil, test.record)); got != test.want {
			t.Errorf("%s: got\n%s, want\n%s", test.name, got, test.want)
		}
		if why := test.step.recordType().AcceptsValue(test.record); why != "" {
			t.Errorf("%s: it is not of the type of the step: %s", test.name, why)
		}
	}
}

func TestCallOfFindsOperations(t *testing.T) {
	t.Parallel()
	p := sound(t, "  - {id: a, call: desk.look}\n")
	for _, test := range []struct {
		connection, operation string
		known                 bool
	}{{"desk", "drop", true}, {"desk", "drip", false}, {Store, StorePut, true}, {Store, "drop", false}} {
		call, err := p.CallOf(test.connection, test.operation)
		if (err == nil) != test.known || test.known && call.Name() != test.connection+"."+test.operation {
			t.Errorf("%s.%s: got %v, %v", test.connection, test.operation, call, err)
		}
	}
}
