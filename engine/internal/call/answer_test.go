package call

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
)

// Outputs may stand in headers of the answer, also where nothing of its body is read.
func TestOutputsInHeaders(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
operations:
  create:
    effect: create
    request: {method: POST, path: /create}
    response:
      as: none
      outputs:
        location: {header: location}
        left: {header: X-Rate-Left, type: integer, default: 0}
        until: {header: Expires, type: date, format: dd.MM.yyyy, null_if: [never]}
        tags: {header: Tag, trim: true}
  prepare:
    effect: read
    request: {method: GET, path: /prepare}
    response:
      schema: {type: object, required: [name], properties: {name: {type: string}}}
      outputs:
        name: name
        csrf: {header: X-CSRF-Token, secret: true}
`
	for _, tt := range []struct {
		name, operation, body string
		header                http.Header
		want                  string
	}{
		{"all of them", "create", "<html>", http.Header{"Location": {"/orders/7"}, "X-Rate-Left": {" 12 "}, "Expires": {"31.01.2027"}, "Tag": {"a", "b "}},
			`ok {"location":"/orders/7","left":12,"until":"2027-01-31","tags":"a, b"}`},
		{"none of them", "create", "", http.Header{"Expires": {"never"}}, `ok {"location":null,"left":0,"until":null,"tags":null}`},
		{"another type", "create", "", http.Header{"X-Rate-Left": {"plenty"}},
			`unknown contract-broken: the answer of acme.create breaks its contract: specs/acme.yaml:12:24: output left: header X-Rate-Left: expected integer, found text "plenty"`},
		{"beside a body", "prepare", `{"name":"n","seen":"token-of-7"}`, http.Header{"X-Csrf-Token": {"token-of-7"}}, `ok {"name":"n","csrf":"token-of-7"}`},
		{"a broken body", "prepare", `{"seen":"token-of-7"}`, http.Header{"X-Csrf-Token": {"token-of-7"}},
			`invalid contract-broken: the answer of acme.prepare breaks its contract: missing member "name"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				for name, values := range tt.header {
					w.Header()[name] = values
				}
				w.Write([]byte(tt.body))
			})
			e := connect(t, vendorOf(t, spec), base, nil, Options{})
			var s story
			res, err := e.Do(context.Background(), request(e, tt.operation), &s)
			if err != nil {
				t.Fatal(err)
			}
			got := summary(res)
			if res.Outcome == flow.OK {
				got = "ok " + outputs(res)
			}
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("\ngot  %s\nwant %s", got, tt.want)
			}
			if strings.Contains(s.text(), "token-of-7") {
				t.Errorf("the secret is told:\n%s", s.text())
			}
		})
	}
}
