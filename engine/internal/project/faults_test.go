package project_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/project"
)

var update = flag.Bool("update", false, "rewrite testdata/faults.golden")

// sound is a project without fault; every case spoils it somewhere.
var sound = map[string]string{
	"specs/shop.yaml": `vendor: shop
version: 1
config:
  key: {type: string, secret: true}
  region: {type: string, default: eu}
auth:
  token:
    call: login
    with: {key: "${{ config.key }}"}
    value: ${{ outputs.token }}
    check: ping
    lifetime: 20m
  inject:
    headers: {Token: "${{ token }}", X-Region: "${{ config.region }}"}
defaults:
  timeout: 30s
  retry: {attempts: 3, first: 1s, max: 8s}
operations:
  login:
    effect: idempotent
    auth: none
    inputs:
      key: {type: string, secret: true}
    request:
      method: POST
      path: /login
      body: {key: "${{ inputs.key }}"}
    response:
      schema: {type: string}
      outputs:
        token: {path: "@this", secret: true}
  ping:
    effect: read
    request: {method: GET, path: /ping}
    response: {as: none}
  find:
    effect: read
    inputs:
      name: {type: string, minLength: 1}
      limit: {type: integer, default: 10}
      tags: {type: array, items: {type: string}, optional: true}
    request:
      method: GET
      path: /things
      query: {name: "${{ inputs.name }}", limit: "${{ inputs.limit }}", tag: "${{ inputs.tags ?? omit }}"}
    response:
      schema: {type: array, items: {$ref: "#/schemas/Thing"}}
      outputs:
        things: "@this"
  create:
    effect: create
    inputs:
      name: {type: string}
      note: {type: string, optional: true}
    identity: inputs.name
    request:
      method: POST
      path: /things
      body: {name: "${{ inputs.name }}", note: "${{ inputs.note ?? omit }}"}
    response:
      schema: {$ref: "#/schemas/Thing"}
      outputs:
        id: id
schemas:
  Thing:
    type: object
    required: [id]
    properties:
      id: {type: integer}
      note: {type: string}
`,
	"pipelines/one.yaml": `pipeline: one
version: 1
inputs:
  name: {type: string, minLength: 1}
  count: {type: integer, optional: true}
  pin: {type: string, secret: true, optional: true}
connections:
  shop: {vendor: shop}
steps:
  - id: find
    call: shop.find
    with:
      name: ${{ inputs.name }}
  - id: create
    if: len(steps.find.outputs.things) == 0
    call: shop.create
    with:
      name: ${{ inputs.name }}
  - if: len(steps.find.outputs.things) > 1
    fail: several are called ${{ inputs.name }}
  - if: inputs.count == 2 and inputs.pin == '0'
    fail: this is not meant
outputs:
  id: ${{ steps.create.outputs.id ?? first(steps.find.outputs.things)?.id }}
`,
	"pipelines/many.yaml": `pipeline: many
version: 1
inputs:
  rows:
    type: array
    items: {$ref: "one.yaml#/inputs"}
    file: rows.csv
connections:
  shop: {vendor: shop}
steps:
  - id: each
    foreach: inputs.rows
    as: row
    key: row.name
    on_error: collect
    call: ./one.yaml
    with: ${{ row }}
outputs:
  results: {value: "${{ steps.each.results }}", file: results.csv}
`,
}

const (
	shop = "specs/shop.yaml"
	one  = "pipelines/one.yaml"
	many = "pipelines/many.yaml"
)

// An edit replaces the one place in a file where old stands; old "" writes the whole file.
type edit struct{ file, old, text string }

func spoil(t testing.TB, edits ...edit) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range sound {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	for _, e := range edits {
		if e.old == "" {
			files[e.file] = &fstest.MapFile{Data: []byte(e.text)}
			continue
		}
		text := string(files[e.file].Data)
		if n := strings.Count(text, e.old); n != 1 {
			t.Fatalf("%s has %q %d times", e.file, e.old, n)
		}
		files[e.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, e.old, e.text, 1))}
	}
	return files
}

func TestASoundProjectHasNoFaults(t *testing.T) {
	p, faults := project.Load(spoil(t))
	if len(faults) > 0 {
		t.Fatalf("%v", faults)
	}
	if len(p.Pipelines()) != 2 || p.LoadedVendor("shop") == nil {
		t.Fatalf("loaded %d pipelines and vendors %v", len(p.Pipelines()), p.LoadedVendors())
	}
}

// TestWhatVendorsWriteIsNoFault holds files that are right, and were refused or warned of.
func TestWhatVendorsWriteIsNoFault(t *testing.T) {
	for _, test := range []struct {
		name  string
		edits []edit
	}{
		{"a range over an input", []edit{{one, "  - if: inputs.count == 2", "  - id: each\n    foreach: 1..(inputs.count ?? 0)\n    as: n\n    set: {m: \"${{ n + 1 }}\"}\n  - if: steps.each.done == 7"}, {one, "outputs:\n", "outputs:\n  each: ${{ map(steps.each.results, .m) }}\n"}, {one, "inputs.pin == '0'", "inputs.pin != '0'"}}},
		{"a range without blanks", []edit{{one, "  count: {type: integer, optional: true}", "  count: {type: integer}"}, {one, "inputs.count == 2", "len(1..inputs.count) == 2"}, {many, "with: ${{ row }}", "with: {name: \"${{ row.name }}\", count: \"${{ row.count }}\"}"}}},
		{"?. in a flow mapping", []edit{{shop, "    response: {as: none}", "    response: {as: none, outcomes: [{if: body?.x == null and status == 404, is: empty}]}"}}},
		{"a directive", []edit{{one, "pipeline: one", "%YAML 1.2\n---\npipeline: one"}}},
		{"// in a path", []edit{{shop, "path: /ping", "path: //ping//x"}}},
		{"names with capitals and hyphens", []edit{
			{one, "  count: {type: integer, optional: true}", "  vatId: {type: string, optional: true}\n  tax-number: {type: string, default: x}\n  _rev: {type: string, optional: true}\n  count: {type: integer, optional: true}"},
			{one, "outputs:\n", "outputs:\n  vatId: ${{ inputs.vatId }}\n  tax-number: ${{ inputs['tax-number'] }}\n  Rev: ${{ inputs?._rev }}\n"},
			{shop, "        id: id\n", "        id: id\n        thingId: id\n        thing-id: {path: id}\n"}}},
		{"a member of page in brackets", []edit{
			{shop, "limit: \"${{ inputs.limit }}\"", "page: \"${{ page['number'] }}\", limit: \"${{ inputs.limit }}\""},
			{shop, "  find:\n    effect: read\n", "  find:\n    effect: read\n    paginate: {by: number, items: things}\n"}}},
		{"braces in the expression of a path", []edit{{shop, "path: /ping", "path: \"/ping/${{ {'a?': {'b': 'c'}}['a?']['b'] }}\""}}},
		{"a variable in brackets", []edit{{"connections.yaml", "", "connections:\n  shop: {vendor: shop, base_url: \"https://a.example\", config: {key: \"${{ env['KEY'] }}\"}}\n"}}},
		{"plain words", []edit{{one, "fail: this is not meant", "fail: inputs and steps are not meant, see run.sh or config.ini"}}},
		{"None among the values of an enum", []edit{{shop, "region: {type: string, default: eu}", "region: {type: string, enum: [None, eu], default: None}"}}},
	} {
		var paths []string
		if test.edits[0].file == "connections.yaml" {
			paths = []string{"connections.yaml"}
		}
		if _, faults := project.Load(spoil(t, test.edits...), paths...); len(faults) > 0 {
			t.Errorf("%s: %v", test.name, faults)
			for _, d := range faults {
				t.Log(d)
			}
		}
	}
}

func TestAMentionInATextIsNoUse(t *testing.T) {
	_, faults := project.Load(spoil(t,
		edit{one, "  count: {type: integer, optional: true}\n", "  count: {type: integer, optional: true}\n  spare: {type: string, optional: true}\n"},
		edit{one, "fail: this is not meant", "fail: the text of inputs.spare is not meant"},
		edit{shop, "    effect: read\n    request: {method: GET, path: /ping}", "    effect: read\n    description: it needs no inputs.spare and no config.spare\n    inputs: {spare: {type: string, optional: true}}\n    request: {method: GET, path: /ping}"},
		edit{shop, "  region: {", "  spare: {type: string, default: x}\n  region: {"}))
	var all []string
	for _, d := range faults {
		all = append(all, d.Message)
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{"inputs.spare has no ${{ }} around it", "nothing uses the config spare", "nothing uses the input spare\n"} {
		if !strings.Contains(text+"\n", want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

type faultCase struct {
	name  string
	edits []edit
}

var faultCases = []faultCase{
	{"unknown vendor", []edit{{one, "{vendor: shop}", "{vendor: shup}"}}},
	{"unknown connection", []edit{{one, "call: shop.find", "call: shoop.find"}}},
	{"unknown operation", []edit{{one, "call: shop.create", "call: shop.creat"}}},
	{"unknown pipeline", []edit{{many, "./one.yaml", "./ones.yaml"}}},
	{"call of a file that is no pipeline", []edit{{many, "./one.yaml", "../specs/shop.yaml"}}},
	{"call of the pipeline itself", []edit{{many, "./one.yaml\n    with: ${{ row }}", "./many.yaml\n    with: {rows: []}"}}},
	{"pipelines in a circle", []edit{{one, "  - if: len", "  - id: back\n    call: ./many.yaml\n    with: {rows: []}\n  - if: len"}}},
	{"unknown step", []edit{{one, "first(steps.find.", "first(steps.fin."}}},
	{"step used before it ran", []edit{{one, "name: ${{ inputs.name }}\n  - id: create", "name: ${{ steps.create.outcome ?? '' }}\n  - id: create"}}},
	{"unknown input of the pipeline", []edit{{one, "several are called ${{ inputs.name }}", "several are called ${{ inputs.nam }}"}}},
	{"unknown output of a step", []edit{{one, "steps.create.outputs.id ??", "steps.create.outputs.ids ??"}}},
	{"unknown config in a request", []edit{{shop, "path: /ping", "path: \"/${{ config.regio }}/ping\""}}},
	{"missing input of an operation", []edit{{one, "    call: shop.find\n    with:\n      name: ${{ inputs.name }}\n", "    call: shop.find\n"}}},
	{"missing input below with", []edit{{one, "    call: shop.find\n    with:\n      name: ${{ inputs.name }}\n", "    call: shop.find\n    with: {limit: 3}\n"}}},
	{"surplus input", []edit{{one, "    call: shop.create\n    with:\n", "    call: shop.create\n    with:\n      nam: x\n"}}},
	{"surplus input beside a literal", []edit{{one, "    call: shop.create\n    with:\n      name: ${{ inputs.name }}", "    call: shop.create\n    with: {name: x, color: red}"}}},
	{"misspelt input", []edit{{one, "    call: shop.create\n    with:\n      name:", "    call: shop.create\n    with:\n      nmae:"}}},
	{"missing input of a called pipeline", []edit{{many, "with: ${{ row }}", "with: {count: 1}"}}},
	{"row that does not fit a called pipeline", []edit{{many, "items: {$ref: \"one.yaml#/inputs\"}", "items: {type: object, required: [name], properties: {name: {type: integer}}}"}}},
	{"look-up by an unknown operation", []edit{{shop, "    identity: inputs.name\n", "    identity: inputs.name\n    reconcile: {call: fnd, with: {name: \"${{ inputs.name }}\"}, found: len(outputs.things) > 0}\n"}}},
	{"look-up by an operation that is no read", []edit{{shop, "    identity: inputs.name\n", "    identity: inputs.name\n    reconcile: {call: login, with: {key: \"${{ inputs.name }}\"}, found: \"true\"}\n"}}},
	{"look-up that gives too few outputs", []edit{{shop, "    identity: inputs.name\n", "    identity: inputs.name\n    reconcile: {call: find, with: {name: \"${{ inputs.name }}\"}, found: len(outputs.things) > 0}\n"}}},
	{"look-up whose outputs cannot be computed", []edit{{shop, "    identity: inputs.name\n", "    identity: inputs.name\n    reconcile: {call: find, with: {name: \"${{ inputs.name }}\"}, found: len(outputs.thing) > 0, outputs: {\"${{ inputs.name }}\": 1}}\n"}}},
	{"look-up that would find anything", []edit{{shop, "    identity: inputs.name\n", "    identity: inputs.name\n    reconcile: {call: find, with: {name: x}, found: len(outputs.things) > 0, outputs: {id: \"${{ first(outputs.things)?.id }}\"}}\n"}}},
	{"number for a text", []edit{{one, "    call: shop.create\n    with:\n      name: ${{ inputs.name }}", "    call: shop.create\n    with:\n      name: 5"}}},
	{"text for an integer", []edit{{one, "    call: shop.find\n    with:\n", "    call: shop.find\n    with:\n      limit: ten\n"}}},
	{"list of integers for a list of texts", []edit{{one, "    call: shop.find\n    with:\n", "    call: shop.find\n    with:\n      tags: [1, 2]\n"}}},
	{"with that is no object", []edit{{one, "    call: shop.find\n    with:\n      name: ${{ inputs.name }}", "    call: shop.find\n    with: ${{ inputs.name }}"}}},
	{"nullable into required", []edit{{one, "    call: shop.create\n    with:\n      name: ${{ inputs.name }}", "    call: shop.create\n    with:\n      name: ${{ first(steps.find.outputs.things)?.note }}"}}},
	{"omitted for required", []edit{{one, "    call: shop.create\n    with:\n      name: ${{ inputs.name }}", "    call: shop.create\n    with:\n      name: ${{ omit }}"}}},
	{"skipped outputs used as if they were there", []edit{{one, "id: ${{ steps.create.outputs.id ?? first(steps.find.outputs.things)?.id }}", "id: ${{ steps.create.outputs.id + 1 }}"}}},
	{"secret into an input that is not", []edit{{one, "    call: shop.create\n    with:\n      name: ${{ inputs.name }}", "    call: shop.create\n    with:\n      name: ${{ inputs.pin ?? '' }}"}}},
	{"object with a secret into an input that is not", []edit{
		{shop, "      note: {type: string, optional: true}\n", "      note: {type: object, optional: true}\n"},
		{one, "    call: shop.create\n    with:\n", "    call: shop.create\n    with:\n      note: ${{ inputs }}\n"}}},
	{"secret as output", []edit{{one, "outputs:\n  id:", "outputs:\n  pin: ${{ inputs.pin }}\n  id:"}}},
	{"secret inside an output", []edit{{one, "outputs:\n  id:", "outputs:\n  all: ${{ inputs }}\n  id:"}}},
	{"secret through set to an output", []edit{
		{one, "  - if: len", "  - id: keep\n    set: {pin: \"${{ inputs.pin }}\"}\n  - if: len"},
		{one, "outputs:\n  id:", "outputs:\n  pin: ${{ steps.keep.outputs.pin }}\n  id:"}}},
	{"secret in fail", []edit{{one, "several are called ${{ inputs.name }}", "several are called ${{ inputs.pin ?? '' }}"}}},
	{"secret in a file", []edit{{many, "${{ steps.each.results }}", "${{ inputs.rows }}"}}},
	{"secret key", []edit{{many, "key: row.name", "key: row.pin"}}},
	{"secret identity", []edit{{shop, "      name: {type: string}\n      note", "      name: {type: string, secret: true}\n      note"}}},
	{"missing id of a call", []edit{{one, "  - id: find\n    call", "  - call"}}},
	{"missing id of set", []edit{{one, "  - if: len", "  - set: {a: 1}\n  - if: len"}}},
	{"duplicate step", []edit{{one, "  - id: create", "  - id: find"}}},
	{"collect without foreach", []edit{{one, "    call: shop.create", "    on_error: collect\n    call: shop.create"}}},
	{"foreach over a text", []edit{{many, "foreach: inputs.rows", "foreach: run.id"}}},
	{"foreach over what may be null", []edit{{many, "    file: rows.csv", "    optional: true"}}},
	{"as that hides a name", []edit{{many, "as: row\n    key: row.name", "as: steps\n    key: steps.name"}, {many, "with: ${{ row }}", "with: ${{ steps }}"}}},
	{"key that is a list", []edit{{many, "key: row.name", "key: " + `"[row.name]"`}}},
	{"condition that is a number", []edit{{one, "  - if: len(steps.find.outputs.things) > 1", "  - if: len(steps.find.outputs.things)"}}},
	{"condition that may be null", []edit{{one, "count: {type: integer, optional: true}", "count: {type: boolean, optional: true}"}, {one, "  - if: len(steps.find.outputs.things) > 1", "  - if: inputs.count"}}},
	{"results with a name of their own", []edit{{one, "outputs:\n  id:", "outputs:\n  status: \"1\"\n  id:"}}},
	{"output file of an unknown format", []edit{{many, "results.csv", "results.xlsx"}}},
	{"output file outside of its folder", []edit{{many, "results.csv", "../results.csv"}}},
	{"two outputs in one file", []edit{{many, "outputs:\n", "outputs:\n  again: {value: \"${{ steps.each.results }}\", file: ./results.csv}\n"}}},
	{"file of what is no list", []edit{{many, "\"${{ steps.each.results }}\"", "\"${{ steps.each.done }}\""}}},
	{"file of what may be null", []edit{{many, "\"${{ steps.each.results }}\"", "\"${{ steps.each.done > 0 ? steps.each.results : null }}\""}}},
	{"csv of unknown columns", []edit{{many, "\"${{ steps.each.results }}\"", "\"${{ [] }}\""}}},
	{"surplus key beside file", []edit{{many, "file: results.csv}", "file: results.csv, mode: append}"}}},
	{"file for an input that is no list", []edit{{one, "count: {type: integer, optional: true}", "count: {type: integer, file: count.csv}"}}},
	{"default beside file", []edit{{many, "    file: rows.csv", "    file: rows.csv\n    default: []"}}},
	{"connections of one name to two vendors", []edit{
		{"specs/mall.yaml", "", "vendor: mall\nversion: 1\noperations:\n  ping:\n    effect: read\n    request: {method: GET, path: /}\n"},
		{many, "{vendor: shop}", "{vendor: mall}"}}},
	{"identity of a read", []edit{{shop, "    effect: create\n", "    effect: read\n"}}},
	{"unknown login", []edit{{shop, "call: login", "call: logon"}}},
	{"login that needs a token", []edit{{shop, "    auth: none\n", ""}}},
	{"login that creates", []edit{{shop, "    effect: idempotent\n", "    effect: create\n"}}},
	{"login without its input", []edit{{shop, "    with: {key: \"${{ config.key }}\"}\n", ""}}},
	{"check that writes", []edit{{shop, "  ping:\n    effect: read", "  ping:\n    effect: idempotent"}}},
	{"unknown check", []edit{{shop, "check: ping", "check: pong"}}},
	{"token that is no text", []edit{{shop, "value: ${{ outputs.token }}", "value: ${{ len(outputs.token) }}"}}},
	{"token that nobody uses", []edit{{shop, "  inject:\n    headers: {Token: \"${{ token }}\", X-Region: \"${{ config.region }}\"}\n", ""}}},
	{"token where there is none", []edit{{shop, "  token:\n    call: login\n    with: {key: \"${{ config.key }}\"}\n    value: ${{ outputs.token }}\n    check: ping\n    lifetime: 20m\n", ""}}},
	{"bad duration", []edit{{shop, "timeout: 30s", "timeout: 30 seconds"}}},
	{"timeout of nothing", []edit{{shop, "timeout: 30s", "timeout: 0s"}}},
	{"first wait longer than the longest", []edit{{shop, "first: 1s", "first: 1m"}}},
	{"schema with an unknown type", []edit{{shop, "id: {type: integer}", "id: {type: integr}"}}},
	{"schema with a bad pattern", []edit{{one, "name: {type: string, minLength: 1}", "name: {type: string, pattern: \"(\"}"}}},
	{"input that is no schema", []edit{{one, "name: {type: string, minLength: 1}", "name: string"}}},
	{"default that does not fit", []edit{{shop, "limit: {type: integer, default: 10}", "limit: {type: integer, default: ten}"}}},
	{"secret default that does not fit", []edit{{shop, "region: {type: string, default: eu}", "region: {type: integer, secret: true, default: hunter2}"}}},
	{"bad pattern in a schema that others refer to", []edit{{shop, "schemas:\n", "schemas:\n  Code: {type: string, pattern: \"[\"}\n"}, {shop, "      note: {type: string, optional: true}\n", "      note: {$ref: \"#/schemas/Code\", optional: true}\n      more: {$ref: \"#/schemas/Code\", optional: true}\n"}}},
	{"misspelt name among those required", []edit{{shop, "      id: {type: integer}", "      id: {type: integer}\n  Other:\n    type: object\n    required: [namee]\n    properties:\n      name: {type: string}"}}},
	{"create without identity", []edit{{shop, "    identity: inputs.name\n", ""}, {one, "call: shop.create", "call: shop.creat"}}},
	{"query over a list", []edit{{shop, "        things: \"@this\"", "        things: \"@this\"\n        named: '#(nme==\"x\").id'\n        ids: '#(note==\"x\")#.idd'"}}},
	{"ref to a missing file", []edit{{many, "one.yaml#/inputs", "two.yaml#/inputs"}}},
	{"ref to a missing part of another file", []edit{{many, "one.yaml#/inputs", "one.yaml#/input"}}},
	{"ref to a missing part", []edit{{shop, "schema: {$ref: \"#/schemas/Thing\"}", "schema: {$ref: \"#/schemas/Thin\"}"}}},
	{"ref to a whole file", []edit{{many, "one.yaml#/inputs", "one.yaml"}}},
	{"path that is no text", []edit{{shop, "path: /login", "path: ${{ 1 + 1 }}"}}},
	{"path that may be null", []edit{{shop, "path: /things\n      query", "path: ${{ first(inputs.tags) }}\n      query"}}},
	{"as without body", []edit{{shop, "{method: GET, path: /ping}", "{method: GET, path: /ping, as: form}"}}},
	{"text body that is an object", []edit{{shop, "      body: {key: \"${{ inputs.key }}\"}\n", "      body: {key: \"${{ inputs.key }}\"}\n      as: text\n"}}},
	{"outputs of an answer that is not read", []edit{{shop, "response: {as: none}", "response: {as: none, outputs: {pong: \"@this\"}}"}}},
	{"output path that finds nothing", []edit{{shop, "id: id", "id: ID"}}},
	{"vendor in the wrong place", []edit{{shop, "vendor: shop\n", "vendor: stall\n"}}},
	{"vendor with the name of the built-in one", []edit{{"specs/store.yaml", "", "vendor: store\nversion: 1\noperations:\n  ping:\n    effect: read\n    request: {method: GET, path: /}\n"}}},
	{"connection with the name of the built-in vendor", []edit{{"connections.yaml", "", "connections:\n  store: {vendor: shop, base_url: \"https://a.example\", config: {key: a-long-key}}\n"}}},
	{"pipeline in the wrong file", []edit{{one, "pipeline: one\n", "pipeline: uno\n"}}},
	{"unknown first key", []edit{{one, "pipeline: one\n", "pipline: one\n"}}},
	{"first key that is not first", []edit{{one, "pipeline: one\nversion: 1\n", "version: 1\npipeline: one\n"}}},
	{"file that holds a list", []edit{{one, "", "- a\n- b\n"}}},
	{"empty file", []edit{{one, "", "\n"}}},
	{"forgotten markers", []edit{{one, "name: ${{ inputs.name }}\n  - id: create", "name: inputs.name\n  - id: create"}, {shop, "X-Region: \"${{ config.region }}\"", "X-Region: config.region"}, {shop, "path: /ping", "path: /ping/config.region"}}},
	{"markers of other languages", []edit{{one, "name: ${{ inputs.name }}\n  - id: create", "name: $(inputs.name)\n  - id: create"}, {shop, "X-Region: \"${{ config.region }}\"", "X-Region: \"%{config.region}\""}, {shop, "name: \"${{ inputs.name }}\", limit", "name: \"{name}\", limit"}}},
	{"patterns that cannot be checked", []edit{{one, "name: {type: string, minLength: 1}", "name: {type: string, pattern: '^(?=.*[0-9])'}"}, {shop, "limit: {type: integer, default: 10}", "limit: {type: object, default: {}, patternProperties: {'^(a)\\1$': {}}}"}, {shop, "note: {type: string}\n", "note: {type: string, pattern: 'a{1,2000}'}\n"}}},
	{"words of other languages for null", []edit{{one, "count: {type: integer, optional: true}", "count: {type: integer, default: None}"}, {shop, "region: {type: string, default: eu}", "region: {type: string, default: \"N/A\"}"}, {shop, "        id: id\n", "        id: id\n        note: {path: note, default: undefined}\n"}}},
	{"names of query parameters", []edit{{shop, "query: {name:", "query: {\"?name\":"}, {shop, "limit: \"${{", "\"a&limit\": \"${{"}}},
	{"name of a header with a colon", []edit{{shop, "X-Region:", "\"X-Region:\":"}}},
	{"this for @this", []edit{{shop, "things: \"@this\"", "things: this"}, {shop, "path: \"@this\", secret", "path: this, secret"}}},
	{"name with a hyphen behind a dot", []edit{{one, "  count: {type: integer, optional: true}", "  tax-number: {type: string}\n  count: {type: integer, optional: true}"}, {one, "fail: this is not meant", "fail: ${{ inputs.tax-number }}"}}},
	{"unknown key", []edit{{one, "    fail: several", "    fial: several"}}},
	{"two faults in each of two files", []edit{
		{one, "call: shop.create", "call: shop.creat"}, {one, "several are called ${{ inputs.name }}", "several are called ${{ inputs.nam }}"},
		{many, "key: row.name", "key: row.nam"}, {many, "steps.each.results", "steps.each.result"}}},
	{"a fault in a vendor file hides none in a pipeline", []edit{
		{shop, "timeout: 30s", "timeout: soon"}, {one, "several are called ${{ inputs.name }}", "several are called ${{ inputs.nam }}"}}},
	{"connections file", []edit{{"connections.yaml", "", "connections:\n  a: {vendor: shop, base_url: \"https://a.example\", config: {kei: x}}\n  b: {vendor: shup, base_url: \"${{ env.B_URL }}\"}\n  c: {vendor: shop, base_url: \"ftp://c.example\", config: {key: \"${{ evn.KEY }}\"}}\n"}}},
}

func TestFaultsAreReportedWithPlaceAndHint(t *testing.T) {
	const golden = "testdata/faults.golden"
	var got bytes.Buffer
	cases := faultCases
	for _, c := range controlFaults {
		cases = append(cases, faultCase{c.name, control(c.rest)})
	}
	cases = append(cases, storeFaults...)
	cases = append(cases, testFileFaults()...)
	for _, tt := range cases {
		paths := []string(nil)
		if tt.edits[0].file == "connections.yaml" {
			paths = []string{"connections.yaml"}
		}
		_, faults := project.Load(spoil(t, tt.edits...), paths...)
		if !faults.HasErrors() {
			t.Errorf("%s: no fault found", tt.name)
		}
		fmt.Fprintf(&got, "== %s\n", tt.name)
		if err := diag.Render(&got, faults); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	gotCases, wantCases := sections(got.String()), sections(string(want))
	for _, tt := range cases {
		if gotCases[tt.name] != wantCases[tt.name] {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", tt.name, gotCases[tt.name], wantCases[tt.name])
		}
	}
	if len(gotCases) != len(cases) || len(wantCases) != len(cases) {
		t.Errorf("%d cases, %d names, %d in %s", len(cases), len(gotCases), len(wantCases), golden)
	}
}

func sections(text string) map[string]string {
	all := map[string]string{}
	for _, s := range strings.Split("\n"+text, "\n== ")[1:] {
		name, body, _ := strings.Cut(s, "\n")
		all[name] = strings.TrimRight(body, "\n")
	}
	return all
}
