package call

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
)

func TestAttemptsAreReadFromTheKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		key, callKey, want flow.Key
		attempt            int
	}{
		{"a/b", "a/b", "a/b", 1},
		{"a/b#3", "a/b", "a/b", 3},
		{"each[K#2]/b", "each[K#2]/b", "each[K#2]/b", 1},
		{"each[K#2]/b#2", "each[K#2]/b", "each[K#2]/b", 2},
		{"a/b#x", "a/b", "a/b", 1},
		{"a/b#2", "", "a/b#2", 1},
	}
	for _, test := range tests {
		r := flow.CallRequest{Key: test.key, CallKey: test.callKey}
		key, attempt := r.Recorded(), r.Attempt()
		if key != test.want || attempt != test.attempt {
			t.Errorf("%s of %s: %s, %d", test.key, test.callKey, key, attempt)
		}
	}
}

func TestAnExpressionThatFailsIsARefusedRequestWithItsPlace(t *testing.T) {
	t.Parallel()
	const spec = `vendor: acme
version: 1
operations:
  half:
    effect: create
    inputs:
      n: {type: integer}
    request:
      method: POST
      path: /half
      body:
        half: ${{ 1 / inputs.n }}
`
	e := connect(t, vendorOf(t, spec), "http://127.0.0.1:1", nil, Options{})
	res := ask(t, e, "half", "n", int64(0))
	if got := summary(res); !strings.HasPrefix(got, "invalid bad-request: specs/acme.yaml:12:") || !strings.Contains(got, "zero") || res.Sent {
		t.Errorf("%s, sent %v", got, res.Sent)
	}
}

func TestTheStoryOfACallWithoutAnswer(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(nil)
	s.Close()
	e := connect(t, vendorOf(t, shop), s.URL, nil, Options{})
	var told story
	if _, err := e.Do(context.Background(), request(e, "find"), &told); err != nil {
		t.Fatal(err)
	}
	text := told.text()
	for _, want := range []string{
		`"Method":"POST","URL":"` + s.URL + `/find"`,
		`"Body":"{}"`,
		`"Status":0,"Outcome":"busy","Error":"cannot reach the vendor: dial tcp`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}

func TestTheContractIsHeldBelowData(t *testing.T) {
	t.Parallel()
	const spec = `vendor: acme
version: 1
operations:
  find:
    effect: read
    request: {method: GET, path: /find}
    response:
      data: result
      schema:
        type: object
        properties:
          id: {type: integer}
          name: {type: object, required: [first], properties: {first: {type: string}}}
      outputs:
        id: {path: id, type: integer}
        name: {path: name.first, type: string}
`
	tests := []struct{ answer, want string }{
		{`{"result":{"id":1,"name":{"first":"Ann"}}}`, `ok`},
		{`{"result":{"id":1.5}}`, "invalid contract-broken: the answer of acme.find breaks its contract: id: expected integer, found number 1.5"},
		{`{"result":{"id":1,"name":{}}}`, `invalid contract-broken: the answer of acme.find breaks its contract: name: missing member "first"`},
		{`{"id":1}`, `invalid contract-broken: the answer of acme.find breaks its contract: expected object, found null; it says {"id":1}`},
	}
	var answer string
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) })
	e := connect(t, vendorOf(t, spec), base, nil, Options{})
	for _, test := range tests {
		answer = test.answer
		if got := summary(ask(t, e, "find")); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.answer, got, test.want)
		}
	}
}
