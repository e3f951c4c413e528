package call

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const subscriptions = `
vendor: acme
version: 1
envelope:
  message: Message
operations:
  create:
    effect: create
    request: {method: POST, path: /, body: {}}
    response:
      schema:
        type: object
        required: [AccountId]
        properties:
          AccountId: {type: integer}
          Cost: {type: number}
          Fields: {type: array, items: {type: object, required: [Name], properties: {Name: {type: string}, Value: {type: string}}}}
      secrets:
        - Fields.#(Name=="InitialPassword").Value
      outputs:
        account_id: AccountId
        fields: {path: Fields, each: {name: Name, value: {path: Value, default: "-"}}}
        cost: Cost
  list:
    effect: read
    request: {method: GET, path: /}
    response:
      secrets:
        - '#.Fields.#(Name=="InitialPassword")#.Value'
        - Fields.#(Name=="InitialPassword")#.Value
      outputs:
        all: "@this"
`

func TestSecretsOfAnAnswerAreMaskedEverywhere(t *testing.T) {
	t.Parallel()
	const password = `hunter2/"x`
	const field = `{"Name":"InitialPassword","Value":"hunter2/\"x"}`
	tests := []struct {
		name, operation string
		status          int
		answer          string
		want            string // outcome and outputs
		body            string
	}{
		{"outputs", "create", 200, `{"AccountId": 7, "Cost": 203.7700, "Fields": [{"Name":"Seats","Value":"5"},` + field + `,{"Name":"Empty"}]}`,
			`ok {"account_id":7,"fields":[{"name":"Seats","value":"5"},{"name":"InitialPassword","value":"•••"},{"name":"Empty","value":"-"}],"cost":203.7700}`, ""},
		{"each element of a list", "list", 200, `[{"Fields":[` + field + `,` + field + `]},{"Fields":null},{},{"Fields":[` + field + `]}]`,
			`ok {"all":[{"Fields":[{"Name":"InitialPassword","Value":"•••"},{"Name":"InitialPassword","Value":"•••"}]},{"Fields":null},{},{"Fields":[{"Name":"InitialPassword","Value":"•••"}]}]}`, ""},
		{"nothing to find", "list", 200, ` [1.50, "a"] `, `ok {"all":[1.50,"a"]}`, ""},
		{"nothing at all", "list", 200, ``, `ok {"all":null}`, ""},
		{"a broken contract", "create", 200, `{"AccountId":"x","Fields":[` + field + `]}`,
			`unknown contract-broken: the answer of acme.create breaks its contract: AccountId: expected integer, found text "x"`,
			`{"AccountId":"x","Fields":[{"Name":"InitialPassword","Value":"•••"}]}`},
		{"a refusal that echoes it", "create", 400, `{"Message":"not hunter2/\"x","Fields":[` + field + `]}`,
			`invalid: not •••`, `{"Message":"not •••","Fields":[{"Name":"InitialPassword","Value":"•••"}]}`},
		{"outputs that echo it", "create", 200, `{"AccountId":7,"Fields":[{"Name":"Hint","Value":"it is hunter2/\"x, or not"},` + field + `]}`,
			`ok {"account_id":7,"fields":[{"name":"Hint","value":"it is •••, or not"},{"name":"InitialPassword","value":"•••"}],"cost":null}`, ""},
		{"a short one is masked in its place alone", "create", 200, `{"AccountId":7,"Fields":[{"Name":"Seats","Value":"1234"},{"Name":"InitialPassword","Value":"1234"}]}`,
			`ok {"account_id":7,"fields":[{"name":"Seats","value":"1234"},{"name":"InitialPassword","value":"•••"}],"cost":null}`, ""},
		{"one of two members with one name", "create", 400, `{"Message":"no","Fields":[` + field + `],"Fields":[` + field + `]}`,
			`invalid: no`, `{"Message":"no","Fields":[{"Name":"InitialPassword","Value":"•••"}]}`},
		{"not JSON", "create", 200, `{"AccountId":7,"Fields":[` + field, `unknown unreadable: the answer is not JSON`, ""},
		{"a web page", "list", 200, `<html><title>Login</title>hunter2`, `unknown unreadable: the answer is not JSON: Login`, ""},
		{"not JSON, for a read", "list", 200, `[{"Fields":[` + field, `unknown unreadable: the answer is not JSON`, ""},
		{"a number that cannot be kept", "list", 500, `{"Message":"no","Fields":[` + field + `],"n":1e999999999}`, `unknown: HTTP status 500 Internal Server Error`, ""},
		{"a number that cannot be kept, in a success", "list", 200, `{"Fields":[` + field + `],"n":1e999999999}`,
			`unknown unreadable: the answer cannot be read (why is not shown: it may hold a secret)`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.answer)
			})
			gate := redact.NewGate()
			e := connect(t, vendorOf(t, subscriptions), base, nil, Options{Gate: gate})
			var s story
			res, err := e.Do(context.Background(), request(e, test.operation), &s)
			if err != nil {
				t.Fatal(err)
			}
			got := summary(res)
			if res.Outcome == flow.OK {
				got += " " + outputs(res)
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			body := ""
			if res.Body != nil {
				body = string(value.AppendJSON(nil, res.Body))
			}
			if body != test.body {
				t.Errorf("got  body %s\nwant %s", body, test.body)
			}
			if text := s.text() + got; strings.Contains(text, "hunter2") {
				t.Errorf("the password is told:\n%s", text)
			}
			if sealed := res.Code == "unreadable" || test.status == 500; strings.Contains(test.answer, "hunter2") && !sealed && gate.Text(password) != redact.Mask {
				t.Error("the gate was not told")
			}
		})
	}
}

// Secrets that an output marks deep inside of a list are masked for people, too.
func TestSecretsWithinMappedListsAreMasked(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
operations:
  list:
    effect: read
    request: {method: GET, path: /}
    response:
      outputs:
        users: {path: users, each: {name: name, password: {path: pw, type: string, secret: true}}}
`
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"users":[{"name":"ann","pw":"pass-of-ann"},{"name":"bob","pw":null}]}`)
	})
	e := connect(t, vendorOf(t, spec), base, nil, Options{})
	var s story
	res, err := e.Do(context.Background(), request(e, "list"), &s)
	if got := outputs(res); err != nil || got != `{"users":[{"name":"ann","password":"pass-of-ann"},{"name":"bob","password":null}]}` {
		t.Errorf("%s: %s, %v", summary(res), got, err)
	}
	if text := s.text(); strings.Contains(text, "pass-of-ann") || !strings.Contains(text, "bob") {
		t.Errorf("told:\n%s", text)
	}
}

func TestInputsHaveDefaultsAndMayBeLeftOut(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
operations:
  send:
    effect: idempotent
    inputs:
      name: {type: string}
      size: {type: integer, default: 10}
      note: {type: string, optional: true}
      pin: {type: string, secret: true, default: "0000-0000"}
    request:
      method: POST
      path: /
      body:
        name: ${{ inputs.name }}
        size: ${{ inputs.size }}
        note: ${{ inputs.note ?? omit }}
        pin: ${{ inputs.pin }}
`
	var sent string
	base := serve(t, func(_ http.ResponseWriter, r *http.Request) { sent = body(r) })
	e := connect(t, vendorOf(t, spec), base, nil, Options{})
	tests := []struct {
		inputs []any
		want   string
	}{
		{[]any{"name", "a"}, `{"name":"a","size":10,"pin":"0000-0000"}`},
		{[]any{"name", "a", "size", nil, "note", nil}, `{"name":"a","size":10,"pin":"0000-0000"}`},
		{[]any{"name", "a", "size", int64(3), "note", "", "pin", "12345678"}, `{"name":"a","size":3,"note":"","pin":"12345678"}`},
	}
	for _, test := range tests {
		var s story
		res, err := e.Do(context.Background(), request(e, "send", test.inputs...), &s)
		if err != nil || res.Outcome != flow.OK || sent != test.want {
			t.Errorf("%s, %v: sent %s, want %s", summary(res), err, sent, test.want)
		}
		if text := s.text(); strings.Contains(text, "0000-0000") || strings.Contains(text, "12345678") {
			t.Errorf("the pin is told:\n%s", text)
		}
	}
	op := e.connections["acme"].operations["send"]
	for want, inputs := range map[string]*value.Object{
		"name is missing":           value.NewObject(0),
		"size expected":             value.ObjectOf("name", "a", "size", "3"),
		"nam is not known here; di": value.ObjectOf("name", "a", "nam", "b"),
	} {
		_, bad := op.Inputs.Bind(inputs)
		if len(bad) != 1 || !strings.HasPrefix(bad[0].Path+" "+bad[0].Message, want) {
			t.Errorf("got %+v, want %s", bad, want)
		}
	}
}
