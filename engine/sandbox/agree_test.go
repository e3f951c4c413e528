package sandbox

import (
	"strings"
	"testing"
	"testing/fstest"
)

const agreeing = `vendor: mall
version: 1
config: {key: {type: string, secret: true}, login: {type: string}}
auth:
  token:
    oauth2: {grant: client_credentials, url: "${{ config.login }}", params: {client_id: a, client_secret: "${{ config.key }}", scope: all}}
  inject: {headers: {Authorization: "Bearer ${{ token }}"}, query: {site: north}}
operations:
  find:
    effect: read
    inputs: {name: {type: string}}
    request: {method: GET, path: "/things/${{ inputs.name }}.json", query: {sort: name}}
  add:
    effect: create
    inputs: {lines: {type: array, items: {type: object, required: [sku], properties: {sku: {type: string}, n: {type: integer}}}}}
    identity: null
    request:
      method: POST
      path: /rpc
      body: {action: add, lines: {$each: inputs.lines, as: line, value: {code: "${{ line.sku }}", count: "${{ line.n ?? omit }}"}}}
  drop:
    effect: idempotent
    inputs: {id: {type: integer}, why: {type: string, enum: [late, wrong]}}
    request: {method: POST, path: /rpc, body: {action: drop, id: "${{ inputs.id }}", why: "${{ inputs.why }}"}}
  save:
    effect: idempotent
    inputs: {id: {type: integer}}
    request: {method: PUT, path: "/things/${{ inputs.id }}", as: form, body: {number: "${{ inputs.id }}"}}
  fetch:
    effect: read
    inputs: {at: {type: string}}
    request: {method: GET, url: "${{ inputs.at }}"}
`

const agreed = `sandbox: mall
version: 1
connection: {base_url: "${{ sandbox.url }}/v1", config: {key: k, login: "${{ sandbox.url }}/token"}}
token: request.headers['authorization']
before:
  - if: request.headers['authorization'] == null and operation != 'token'
    reply: {status: 401}
operations:
  token:
    method: POST
    path: /token
    rules:
      - if: request.form.grant_type != 'client_credentials' or request.form.scope != 'all'
        reply: {status: 400}
      - reply: {body: {access_token: t}}
  find:
    method: GET
    path: /v1/things/{file}
    rules:
      - if: request.query.site != 'north'
        reply: {status: 404}
      - reply: {body: {sort: "${{ request.query.sort ?? '' }}", like: "${{ request.headers['user-agent'] ?? '' }}"}}
  add:
    method: POST
    path: /v1/rpc
    when: request.body.action == 'add'
    rules:
      - if: any(request.body.lines, .code == '' or .count == 0)
        reply: {status: 400}
      - reply: {status: 201}
  drop:
    method: POST
    path: /v1/rpc
    when: request.body?.action in ['drop']
    rules:
      - if: request.body.why == 'late'
        reply: {status: 400}
      - reply: {status: 200, body: {id: "${{ request.members.id }}"}}
  save:
    method: PUT
    path: /v1/things/{id}
    rules:
      - reply: {text: "${{ request.form.number ?? '' }}"}
  file:
    method: GET
    path: /files/all.csv
    rules:
      - reply: {text: "${{ request.query.sig ?? '' }}"}
`

func TestASandboxIsHeldAgainstWhatTheVendorFileSends(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ vendor, from, to, want string }{
		{want: ""},
		{"", "path: /v1/things/{id}", "path: /v1/thing/{id}", "never-answered save (PUT /v1/things/…)|never-asked never sends PUT /v1/thing/{id}"},
		{"", "method: PUT", "method: PATCH", "never-answered save (PUT /v1/things/…)|never-asked never sends PATCH /v1/things/{id}"},
		{"", "sandbox.url }}/v1", "sandbox.url }}", "never-answered find|never-answered add|never-answered drop|never-answered save|never-asked |never-asked |never-asked "},
		{"", "== 'add'", "== 'ad'", "never-answered add (POST /v1/rpc)|never-asked never so that this holds"},
		{"", "['drop']", "['drp']", "never-answered drop|never-asked never so that this holds"},
		{"", "request.query.sort", "request.query.sorted", "never-sent unknown member \"sorted\" of request.query"},
		{"", "query.site", "query.sites", "never-sent unknown member \"sites\""},
		{"", "!= 'north'", "!= 'nort'", "never-sent \"nort\" is not a value of request.query.site"},
		{"", "token: request.headers['authorization']", "token: request.headers['authorisation']", "never-sent unknown member \"authorisation\""},
		{"", "headers['user-agent']", "headers['x-agent']", "never-sent unknown member \"x-agent\""},
		{"", ".code == ''", ".kode == ''", "never-sent unknown member \"kode\""},
		{"", "body.lines", "body.line", "never-sent unknown member \"line\" of request.body"},
		{"", "why == 'late'", "why == 'early'", "never-sent \"early\" is not a value"},
		{"", "members.id", "members.ids", "never-sent unknown member \"ids\""},
		{"", "form.number", "form.numbre", "never-sent unknown member \"numbre\" of request.form"},
		{"", "form.number", "body.number", ""}, // a form has no JSON: the rule sees null, and a member of null is told when it runs
		{"", "form.scope", "form.scop", "never-sent unknown member \"scop\""},
		{"", "!= 'client_credentials'", "!= 'password'", "never-sent \"password\" is not a value of request.form.grant_type"},
		{"", "path: /token", "path: /tokens", "never-answered auth.token (POST /token)|never-asked never sends POST /tokens"},
		{"", "path: /files/all.csv", "path: /files/of/all.csv", ""}, // an address that an answer gives may be any
		{"v", ".json\"", ".json/x\"", "never-answered find (GET /v1/things/….json/x)"},
		{"v", "site: north", "side: north", "never-sent unknown member \"site\""},
		{"v", "{sort: name}", "{order: name}", "never-sent unknown member \"sort\""},
		{"v", "code: \"${{ line.sku", "kode: \"${{ line.sku", "never-sent unknown member \"code\""},
	} {
		files := map[string]string{"": agreed, "v": agreeing}
		files[test.vendor] = strings.Replace(files[test.vendor], test.from, test.to, 1)
		fsys := fstest.MapFS{"specs/mall.sandbox.yaml": {Data: []byte(files[""])}, "specs/mall.yaml": {Data: []byte(files["v"])}}
		faults, err := Check(fsys, "specs/mall.sandbox.yaml")
		if err != nil {
			t.Fatal(err)
		}
		var wanted []string
		if test.want != "" {
			wanted = strings.Split(test.want, "|")
		}
		if len(faults) != len(wanted) {
			t.Errorf("%s: got %v, want %q", test.to, faults.Unwrap(), wanted)
			continue
		}
		for _, want := range wanted {
			code, words, _ := strings.Cut(want, " ")
			found := false
			for _, f := range faults {
				found = found || f.Code == code && strings.Contains(f.Message, words)
			}
			if !found {
				t.Errorf("%s: got %v, want %q", test.to, faults.Unwrap(), want)
			}
		}
	}
}
