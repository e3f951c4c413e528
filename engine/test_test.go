package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/seed627bd532/runner/engine"
)

// projectWithTests is a project whose test files must hold.
var projectWithTests = map[string]string{
	"specs/shop.yaml": `vendor: shop
version: 1
config:
  key: {type: string, secret: true}
  login_url: {type: string, pattern: '^https?://'}
auth:
  token:
    oauth2:
      grant: client_credentials
      url: ${{ config.login_url }}
      params: {client_id: me, client_secret: "${{ config.key }}"}
  inject:
    headers: {Authorization: "Bearer ${{ token }}"}
defaults:
  timeout: 30s
  retry: {attempts: 3, first: 1s, max: 30s}
  limits: {rate: 2/h}
operations:
  look:
    effect: read
    inputs: {name: {type: string, default: x}}
    request: {method: GET, path: "/things/${{ inputs.name }}", query: {page: 2}, headers: {X-Key: "${{ call.key }}"}}
    response:
      schema: {type: object, required: [state], properties: {state: {type: string}, price: {type: number}}}
      outputs: {state: state, price: price, place: {header: Location}}
  send:
    effect: idempotent
    inputs: {name: {type: string}}
    request: {method: POST, path: /forms, as: form, body: {name: "${{ inputs.name }}", "tag[]": [a, b]}}
    response: {as: text}
  upload:
    effect: idempotent
    request: {method: POST, path: /files, as: multipart, body: {kind: x, data: {file: a.csv, content: "a,b"}}}
    response: {as: none}
  make:
    effect: create
    identity: inputs.name
    inputs: {name: {type: string}}
    request: {method: POST, path: /things, body: {name: "${{ inputs.name }}"}}
    response:
      schema: {type: object, required: [id], properties: {id: {type: integer}}}
      outputs: {id: id}
`,
	"pipelines/look.yaml": `pipeline: look
version: 1
connections: {shop: {vendor: shop}}
steps:
  - {id: look, call: shop.look}
outputs:
  state: ${{ steps.look.outputs.state }}
  price: ${{ steps.look.outputs.price }}
  place: ${{ steps.look.outputs.place }}
  now: ${{ now() }}
`,
	"pipelines/look.test.yaml": `test: look
answers:
  shop.auth.token: [{body: {access_token: token-one}}]
cases:
  - name: an answer without time
    answers:
      shop.look: [{body: {state: open, price: 10.50}, headers: {Location: /here}}]
    expect:
      outputs: {state: open, price: 10.5, place: /here, now: 2026-01-01T00:00:00Z}
      sent: {shop.look: 1, shop.auth.token: 1}
      requests:
        shop.auth.token: [{method: POST, path: /, body: {grant_type: client_credentials, client_id: me, client_secret: test-key}}]
        shop.look: [{method: GET, path: /things/x, query: {page: 2, size: null}, headers: {authorization: Bearer token-one, X-Key: test/look, X-Other: null}, body: null}]
  - name: nothing in time
    now: 2026-05-01T08:30:00Z
    answers:
      shop.look: [{timeout: true}, {delay: 31s, body: {state: late}}, {delay: 29s, body: {state: done}}]
    expect:
      outputs: {state: done, now: 2026-05-01T08:30:00Z}
  - name: never anything
    answers:
      shop.look: [{timeout: true, times: 3}]
    expect:
      error: {code: timeout, outcome: unknown, step: look, operation: shop.look, message: no answer within 30s}
  - name: a lost connection
    answers:
      shop.look: [{lose_answer: true, times: 3}]
    expect: {error: {code: connection-lost, outcome: unknown}}
  - name: no connection
    answers:
      shop.look: [{unreachable: true, times: 3}]
    expect: {error: {code: unreachable, outcome: busy}}
  - name: half of an answer
    answers:
      shop.look: [{body: {state: open}, truncate: true, times: 3}]
    expect: {error: {code: unreadable, outcome: unknown, message: broke off after 8 bytes}}
  - name: a page of a proxy
    answers:
      shop.look: [{garbage: true, times: 3}]
    expect: {error: {code: unreadable, outcome: unknown}}
  - name: a raw text
    answers:
      shop.look: [{raw: '{"state": "raw"}'}]
    expect: {outputs: {state: raw, price: null}}
  - name: a login that is refused
    answers:
      shop.auth.token: [{status: 401, body: {error: invalid_client}}]
    expect: {error: {code: login-failed, message: invalid_client}}
  - name: the vendor says when
    answers:
      shop.look: [{status: 429, headers: {Retry-After: 600}}, {body: {state: open}}]
    expect: {outputs: {state: open}}
`,
	"pipelines/upload.yaml": `pipeline: upload
version: 1
connections: {shop: {vendor: shop}}
steps:
  - {id: up, call: shop.upload}
`,
	"pipelines/upload.test.yaml": `test: upload
cases:
  - name: a file is sent
    answers:
      shop.auth.token: [{body: {access_token: token-one}}]
      shop.upload: [{status: 204}]
    expect:
      requests: {shop.upload: [{body: {kind: x, data: "a,b"}}]}
`,
	"pipelines/wait.yaml": `pipeline: wait
version: 1
connections: {shop: {vendor: shop}}
steps:
  - id: look
    call: shop.look
    until: outputs.state == 'done'
    every: 12h
    timeout: 240h
outputs:
  state: ${{ steps.look.outputs.state }}
`,
	"pipelines/wait.test.yaml": `test: wait
answers:
  shop.auth.token: [{body: {access_token: token-one, expires_in: 172800}, times: 6}]
cases:
  - name: a poll of days, with tokens of two days
    answers:
      shop.look: [{body: {state: open}, times: 9}, {body: {state: done}}]
    expect:
      outputs: {state: done}
      sent: {shop.look: 10, shop.auth.token: 3}
  - name: in vain
    answers:
      shop.look: [{body: {state: open}, times: 20}]
    expect:
      error: {code: timeout, step: look, message: not there after 240h0m0s and 20 looks}
`,
	"specs/slow.yaml": `vendor: slow
version: 1
config: {token: {type: string, secret: true}}
auth:
  token: {value: "${{ config.token }}", use: exclusive, settle: 1h}
  inject: {headers: {Authorization: "Bearer ${{ token }}"}}
defaults:
  retry: {attempts: 2, first: 1s, max: 2s}
operations:
  list:
    effect: read
    paginate: {by: number, size: 2, items: rows}
    request: {method: GET, path: /rows, query: {page: "${{ page.number }}", size: "${{ page.size }}"}}
    response: {schema: {type: array, items: {type: integer}}, outputs: {rows: "@this"}}
  add:
    effect: idempotent
    request: {method: POST, path: /rows, body: {}}
    response: {as: none}
  drop:
    effect: idempotent
    request: {method: DELETE, path: /rows}
    response: {as: none}
`,
	"pipelines/undo.yaml": `pipeline: undo
version: 1
on_failure: undo
connections: {slow: {vendor: slow}}
steps:
  - {id: add, call: slow.add, undo: {call: slow.drop}}
  - {id: list, timeout: 90m, call: slow.list}
outputs:
  rows: ${{ steps.list.outputs.rows }}
`,
	"pipelines/undo.test.yaml": `test: undo
connections: {slow: {config: {token: token-of-mine}}}
cases:
  - name: pages are read one by one, and a timeout of one is waited out
    answers:
      slow.add: [{status: 204}]
      slow.list: [{body: [1, 2]}, {timeout: true}, {body: [3]}, {body: []}]
    expect:
      outputs: {rows: [1, 2, 3]}
      requests:
        slow.list: [{query: {page: 1, size: 2}}, {query: {page: 2}}, {query: {page: 2}}, {query: {page: 3}}]
  - name: what was done is taken back
    answers:
      slow.add: [{status: 204}]
      slow.list: [{status: 400, text: no such rows}]
      slow.drop: [{timeout: true}, {status: 204}]
    expect:
      error: {step: list, code: refused, message: no such rows}
      sent: {slow.drop: 2}
`,
	"pipelines/rows.yaml": `pipeline: rows
version: 1
inputs: {names: {type: array, items: {type: string}}}
connections: {shop: {vendor: shop}}
steps:
  - id: each
    foreach: inputs.names
    as: name
    key: name
    parallel: 8
    on_error: collect
    steps:
      - {id: make, call: shop.make, with: {name: "${{ name }}"}}
      - {id: send, call: shop.send, with: {name: "${{ name }}"}}
    outputs: {id: "${{ steps.make.outputs.id }}"}
  - {id: keep, call: store.put, with: {table: made, key: all, value: "${{ steps.each.done }}"}}
outputs:
  results: ${{ steps.each.results }}
`,
	"pipelines/rows.test.yaml": `test: rows
inputs: {names: [a, b, c, d]}
answers:
  shop.auth.token: [{body: {access_token: token-one}}]
cases:
  - name: rows take answers in order, and limits take no time
    answers:
      shop.make: [{body: {id: 1}}, {status: 400, text: no}, {timeout: true}, {body: {id: 4}}]
      shop.send: [{text: ok}, {text: ok}]
    expect:
      status: ambiguous
      outputs:
        results: [{key: a, id: 1}, {key: b, status: failed}, {key: c, status: ambiguous}, {key: d, id: 4}]
      requests:
        shop.send: [{body: {name: a, "tag[]": [a, b]}}, {body: {name: d}}]
      tables: {made: {all: 2, none: null}}
`,
}

func testProgram(t *testing.T) *engine.Program {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range projectWithTests {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	p, err := engine.Load(files, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTestsAreAsRunsAre(t *testing.T) {
	t.Parallel()
	p, began := testProgram(t), time.Now()
	cases := p.TestCases()
	if len(cases) != 16 {
		t.Errorf("found %d cases", len(cases))
	}
	for _, c := range cases {
		faults, err := p.Test(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range faults {
			t.Errorf("%v", d)
		}
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestATestCanBeInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	p := testProgram(t)
	if faults, err := p.Test(ctx, p.TestCases()[0]); !errors.Is(err, stopped) || faults != nil {
		t.Errorf("got %v, %v", faults, err)
	}
}

// A test needs nothing of the world, and leaves nothing behind.
func TestTestsKnowNothingOfEachOther(t *testing.T) {
	t.Parallel()
	p := testProgram(t)
	for range 2 {
		for _, c := range p.TestCases() {
			if !strings.Contains(c.Pipeline, "rows") {
				continue
			}
			if faults, err := p.Test(t.Context(), c); err != nil || len(faults) > 0 {
				t.Errorf("got %v, %v", faults.Unwrap(), err)
			}
		}
	}
}

// A run for which an answer is missing is stopped, and told of it once, whatever it does then.
func TestARunWithoutAnswersEnds(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{}
	for name, text := range projectWithTests {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	const file = "pipelines/undo.test.yaml"
	text := projectWithTests[file]
	for lost, want := range map[string]string{
		"      slow.drop: [{timeout: true}, {status: 204}]\n": file + ":12:11: what was done is taken back: step add/undo calls slow.drop, and no answer is left of 0",
		"{body: [3]}, {body: []}":                             file + ":7:7: pages are read one by one, and a timeout of one is waited out: step list calls slow.list, and no answer is left of 2",
	} {
		rest := strings.Replace(text, lost, "", 1)
		if strings.HasPrefix(lost, "{") {
			rest = strings.Replace(text, ", "+lost, "", 1)
		}
		files[file] = &fstest.MapFile{Data: []byte(rest)}
		p, err := engine.Load(files, engine.Options{Paths: []string{file}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range p.TestCases() {
			faults, err := p.Test(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range faults {
				got = append(got, d.Error())
			}
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("got %q\nwant %s", got, want)
		}
	}
}
