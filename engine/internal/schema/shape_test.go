package schema

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/schemas"
)

// shapeFaults returns what users see of a file's faults.
func shapeFaults(t *testing.T, kind, text string) string {
	t.Helper()
	n, faults := source.Read(kind+".yaml", []byte(text))
	if faults.HasErrors() {
		t.Fatalf("cannot be read: %v", faults)
	}
	return langtest.Rendered(CheckShape(kind, n))
}

func TestShapeFaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, kind, text, want string }{
		{"unknown key", "pipeline", "pipeline: p\nversion: 1\nsteps:\n  - id: a\n    cal: x.y\n",
			"pipeline.yaml:5:5: unknown key \"cal\"\n    5 |     cal: x.y\n      |     ^\n  hint: did you mean call?\n"},
		{"missing keys", "vendor", "vendor: v\noperations:\n  get:\n    request: {method: GET}\n",
			"vendor.yaml:1:1: missing key \"version\"\n    1 | vendor: v\n      | ^\nvendor.yaml:4:5: missing key \"effect\"\n    4 |     request: {method: GET}\n      |     ^\n"},
		{"number for text", "pipeline", "pipeline: 123\nversion: \"1\"\nsteps: [{fail: x}]\n",
			"pipeline.yaml:1:11: expected text, found number 123\n    1 | pipeline: 123\n      |           ^\n  hint: in quotes it is text: \"123\"\n" +
				"pipeline.yaml:2:11: expected a whole number, found text \"1\"\n    2 | version: \"1\"\n      |           ^\n  hint: without quotes it is a number: 1\n"},
		{"wrong kind", "pipeline", "pipeline: p\nversion: 1\nsteps: nothing\n",
			"pipeline.yaml:3:8: expected a list, found text \"nothing\"\n    3 | steps: nothing\n      |        ^\n"},
		{"wrong word", "vendor", "vendor: v\nversion: 1\noperations:\n  get:\n    effect: creat\n    request: {method: GET}\n",
			"vendor.yaml:5:13: \"creat\" is not one of read, idempotent, create\n    5 |     effect: creat\n      |             ^\n  hint: did you mean create?\n"},
		{"wrong name", "vendor", "vendor: v\nversion: 1\noperations:\n  GetIt:\n    effect: read\n    request: {method: GET}\n",
			"vendor.yaml:4:3: \"GetIt\" does not fit: a name begins with a small letter and has small letters, digits and _ only\n    4 |   GetIt:\n      |   ^\n"},
		{"duration", "vendor", "vendor: v\nversion: 1\ndefaults: {timeout: 30 seconds}\noperations:\n  get:\n    effect: read\n    request: {method: GET}\n",
			"vendor.yaml:3:21: \"30 seconds\" does not fit: a duration is a whole number and a unit, such as 500ms, 30s, 20m or 24h, without any ${{ }}\n    3 | defaults: {timeout: 30 seconds}\n      |                     ^\n"},
		{"two kinds of step", "pipeline", "pipeline: p\nversion: 1\nsteps:\n  - id: a\n    call: x.y\n    fail: no\n",
			"pipeline.yaml:6:5: \"call\" and \"fail\" exclude each other: exactly one of call, set, fail, steps or switch is needed\n    6 |     fail: no\n      |     ^\n"},
		{"no kind of step", "pipeline", "pipeline: p\nversion: 1\nsteps:\n  - id: a\n",
			"pipeline.yaml:4:5: missing key: one of call, set, fail, steps or switch is needed\n    4 |   - id: a\n      |     ^\n"},
		{"call without id", "pipeline", "pipeline: p\nversion: 1\nsteps:\n  - call: x.y\n",
			"pipeline.yaml:4:5: missing key \"id\", which \"call\" needs beside it\n    4 |   - call: x.y\n      |     ^\n"},
		{"collect without foreach", "pipeline", "pipeline: p\nversion: 1\nsteps:\n  - id: a\n    call: x.y\n    on_error: collect\n",
			"pipeline.yaml:6:15: a step without foreach has no rows to collect\n    6 |     on_error: collect\n      |               ^\n  hint: write continue to go on after a fault\n"},
		{"inside a data schema", "pipeline", "pipeline: p\nversion: 1\ninputs:\n  a: {type: array, items: {minLenght: 1}}\nsteps: [{fail: x}]\n",
			"pipeline.yaml:4:28: unknown key \"minLenght\"\n    4 |   a: {type: array, items: {minLenght: 1}}\n      |                            ^\n  hint: did you mean minLength?\n"},
		{"no value", "connections", "connections:\n  acme: {vendor: acme, base_url: }\n",
			"connections.yaml:2:34: expected text, found nothing\n    2 |   acme: {vendor: acme, base_url: }\n      |                                  ^\n  hint: write a value, or remove the key\n"},
		{"two replies", "sandbox", "sandbox: s\nversion: 1\noperations:\n  a: {method: GET, path: /, rules: [{reply: {text: a, raw: b}}]}\n",
			"sandbox.yaml:4:46: \"text\" and \"raw\" exclude each other\n    4 |   a: {method: GET, path: /, rules: [{reply: {text: a, raw: b}}]}\n      |                                              ^\n"},
		{"two things in place of an answer", "test", "test: t\ncases:\n  - {name: n, expect: {}, answers: {a.b: [{timeout: true, unreachable: true}]}}\n",
			"test.yaml:3:44: \"timeout\" and \"unreachable\" exclude each other\n    3 |   - {name: n, expect: {}, answers: {a.b: [{timeout: true, unreachable: true}]}}\n      |                                            ^\n"},
		{"not an operation", "test", "test: t\ncases:\n  - {name: n, expect: {sent: {create: 1}}}\n",
			"test.yaml:3:31: \"create\" does not fit: an operation is written CONNECTION.OPERATION, as in a call\n    3 |   - {name: n, expect: {sent: {create: 1}}}\n      |                               ^\n"},
		{"an unknown end", "test", "test: t\ncases:\n  - {name: n, expect: {status: succeded}}\n",
			"test.yaml:3:32: \"succeded\" is not one of succeeded, failed, partial, ambiguous\n    3 |   - {name: n, expect: {status: succeded}}\n      |                                ^\n  hint: did you mean succeeded?\n"},
		{"not a mapping", "connections", "- a\n",
			"connections.yaml:1:3: expected a mapping, found a list\n    1 | - a\n      |   ^\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := shapeFaults(t, test.kind, test.text); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestShapesThatHold(t *testing.T) {
	t.Parallel()
	for kind, text := range map[string]string{
		"vendor": `
vendor: acme
version: 1
title: Acme
config:
  user: {type: string}
  password: {type: string, secret: true}
  header: {type: string, default: Token}
auth:
  token: {call: login, with: {user: "${{ config.user }}"}, value: "${{ outputs.token }}", check: ping, lifetime: 20m}
  inject:
    headers:
      ${{ config.header }}: ${{ token }}
defaults: {timeout: 30s, retry: {attempts: 5, first: 500ms, max: 30s}}
envelope: {ok: body.success == true, data: result, message: Message, outcomes: [{if: status == 401, is: auth}]}
operations:
  login:
    effect: idempotent
    auth: none
    request: {method: POST, path: /Login, as: form, query: {a: 1}, headers: {X: y}, body: {user: "${{ inputs.user }}"}}
    response:
      schema: {type: string, minLength: 1}
      outputs:
        token: {path: "@this", secret: true}
        price: {path: Price, type: decimal, default: 0, trim: right, null_if: ["", EMPTY]}
  ping:
    effect: read
    request: {method: POST, body: {}}
    response: {as: text, outcomes: [{if: true, is: ok}], outputs: {all: "@this"}}
  make:
    effect: create
    inputs: {vat_id: {type: [string, "null"], not: {enum: [EMPTY]}, optional: true}}
    request: {method: POST, path: "/Make/${{ inputs.vat_id }}"}
    identity: inputs.vat_id
    timeout: 1m
    retry: {attempts: 1}
schemas:
  Company: {type: object, required: [Id], properties: {Id: {type: integer}}, x-origin: page 7}
`,
		"pipeline": `
pipeline: all
version: 1
inputs:
  rows: {type: array, file: rows.csv, items: {$ref: "one.yaml#/inputs"}}
connections:
  acme: {vendor: acme}
steps:
  - id: each
    foreach: inputs.rows
    as: row
    key: row.vat_id
    parallel: 4
    on_error: collect
    call: ./one.yaml
    with: ${{ row }}
  - id: n
    set: {n: 1}
  - if: steps.each.failed > 0
    fail: ${{ steps.each.failed }} failed
  - id: one
    call: acme.get
    with: {id: 5}
    on_error: continue
outputs:
  results: {value: "${{ steps.each.results }}", file: results.csv}
  done: ${{ steps.each.done }}
`,
		"connections": `
connections:
  acme: {vendor: acme, base_url: https://api.example, config: {user: "${{ env.USER }}"}}
`,
		"test": `
test: ensure
version: 1
title: t
description: d
connections: {a: {config: {region: eu}}}
inputs: {x: 1}
answers: {a.login: [{body: token}], b.auth.token: [{body: {access_token: t}}]}
cases:
  - name: all that can be said
    description: d
    now: 2026-05-01T08:30:00Z
    inputs: {y: [1, null]}
    tables: {numbers: {"PT 1": 7}}
    answers:
      a.find:
        - {status: 404, headers: {Retry-After: 1}, text: none, delay: 10s, times: 3}
        - {raw: "{", truncate: true}
        - {garbage: true}
        - {timeout: true}
        - {lose_answer: true}
        - {unreachable: true}
    expect:
      status: ambiguous
      outputs: {id: 7}
      error: {code: timeout, outcome: unknown, step: "each[1]/create", operation: a.create, message: m}
      sent: {a.create: 1}
      requests: {a.create: [{method: POST, path: /x, query: {a: null}, headers: {B: c}, body: {d: 1}}]}
      tables: {numbers: {"PT 1": null}}
`,
		"sandbox": `
sandbox: acme
version: 1
connection: {base_url: "${{ sandbox.url }}", config: {user: demo}}
state: {sessions: [], companies: [{Id: 1}]}
before:
  - if: operation != 'login'
    reply: {status: 401, text: no session}
operations:
  make:
    method: POST
    path: /Make
    when: request.body.kind == 'x'
    identity: request.body?.vat
    rules:
      - let: {company: {Id: "${{ next('id', 1) }}"}}
        insert: {into: companies, value: "${{ company }}", foreach: request.body.all}
        update: {in: companies, where: row.Id == 1, set: {Id: 2}}
        remove: {from: sessions, where: row.old}
        reply: {status: "${{ 200 }}", headers: {X: y}, body: {ok: true}}
`,
	} {
		if got := shapeFaults(t, kind, strings.TrimPrefix(text, "\n")); got != "" {
			t.Errorf("%s:\n%s", kind, got)
		}
	}
}

// TestGrammarsAreDescribedAndClosed holds the grammar to what editors need:
// every object with named members refuses others, and every one of them says what it is for.
func TestGrammarsAreDescribedAndClosed(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(schemas.Files(), "*.schema.json")
	if err != nil || len(names) != 6 {
		t.Fatalf("got %v, %v", names, err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(schemas.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		var walk func(v value.Value, at string)
		walk = func(v value.Value, at string) {
			switch v := v.(type) {
			case value.List:
				for _, item := range v {
					walk(item, at)
				}
			case *value.Object:
				if props, ok := v.At("properties").(*value.Object); ok {
					// An output is any template, among them an object with a value and a file.
					template := strings.HasSuffix(at, "/outputs/additionalProperties")
					if v.At("additionalProperties") != false && !template && !strings.HasSuffix(at, "/properties") {
						t.Errorf("%s%s: does not refuse unknown keys", name, at)
					}
					for key, p := range props.All() {
						o, ok := p.(*value.Object)
						_, described := o.Get("description")
						_, elsewhere := o.Get("$ref")
						if ok && !described && !elsewhere && !strings.HasSuffix(at, "/properties") {
							t.Errorf("%s%s/properties/%s: has no description", name, at, key)
						}
					}
				}
				for key, m := range v.All() {
					if _, list := m.(value.List); list && key == "examples" {
						continue // values, not schemas
					}
					walk(m, at+"/"+key)
				}
			}
		}
		walk(jsonValue(t, string(text)), "")
	}
}

// TestGrammarsMeanTheSameToEditors compiles the grammar with jsonschema, which
// holds it against the meta-schema.
func TestGrammarsMeanTheSameToEditors(t *testing.T) {
	t.Parallel()
	lib := new(Library)
	names, _ := fs.Glob(schemas.Files(), "*.schema.json")
	for _, name := range names {
		text, _ := fs.ReadFile(schemas.Files(), name)
		lib.Add(name, jsonValue(t, string(text)).(*value.Object))
	}
	for _, name := range names {
		f, err := bundle(lib, lib.docs[name], name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.explain("text", new(report)) {
			t.Errorf("%s accepts a text", name)
		}
	}
}
