package call

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
)

// Each part of the envelope can be said otherwise by an operation, and taken
// away: "@this" is the whole answer, and a message that is no text counts as none.
func TestOperationsOverrideTheEnvelope(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
envelope:
  ok: body.success == true
  data: result
  message: message
  outcomes:
    - {if: 'body.code == 7', is: not_found}
    - {if: 'body.code == 8', is: empty}
operations:
  OPERATION:
    effect: read
    request: {method: GET, path: /a}
    response:
      RESPONSE
`
	tests := []struct {
		name, response string
		status         int
		answer, want   string
	}{
		{"envelope", `outputs: {id: id}`, 200, `{"success":true,"result":{"id":1}}`, `ok {"id":1}`},
		{"envelope says no", `outputs: {id: id}`, 200, `{"success":false,"message":"no way"}`, `unknown: no way`},
		{"envelope's outcome", `outputs: {id: id}`, 200, `{"success":true,"code":7,"message":"gone"}`, `not_found: gone`},

		{"own ok", `ok: body.state == "fine"`, 200, `{"state":"fine"}`, `ok {}`},
		{"own ok is no", `ok: body.state == "fine"`, 200, `{"success":true,"state":"bad","message":"m"}`, `unknown: m`},
		{"no ok", `ok: status >= 200 and status < 300`, 202, `{"success":false}`, `ok {}`},
		{"no ok, refused by status", `ok: status >= 200 and status < 300`, 404, `{"message":"m"}`, `not_found: m`},

		{"own data", `{data: payload.0, outputs: {id: id}}`, 200, `{"success":true,"payload":[{"id":2}],"result":{"id":1}}`, `ok {"id":2}`},
		{"no data", `{data: "@this", outputs: {id: id, ok: success}}`, 200, `{"success":true,"id":3}`, `ok {"id":3,"ok":true}`},

		{"own message", `message: error.text`, 200, `{"message":"m","error":{"text":"own"}}`, `unknown: own`},
		{"a list of messages", `message: "[message,errors]|@flatten"`, 200, `{"message":"m","errors":["a "," b","m",null,"",{"c":1}]}`, `unknown: m; a; b; {"c":1}`},
		{"a list without messages", `message: "[message,errors]|@flatten"`, 200, `{"Message":"m","errors":[]}`, `unknown: {"Message":"m","errors":[]}`},
		{"no message", `message: "@this"`, 200, `{"message":"m"}`, `unknown: {"message":"m"}`},

		{"own outcomes come first", `outcomes: [{if: body.code == 7, is: conflict}]`, 200, `{"code":7,"message":"m"}`, `conflict: m`},
		{"the envelope's come then", `outcomes: [{if: body.code == 9, is: conflict}]`, 200, `{"code":7,"message":"m"}`, `not_found: m`},
		{"an envelope's outcome taken back", `{outcomes: [{if: body.code == 8, is: ok}], outputs: {id: id}}`, 200, `{"code":8,"result":{"id":4}}`, `ok {"id":4}`},
		{"already there is a success", `outcomes: [{if: status == 409, is: ok}]`, 409, `{"message":"m"}`, `ok {}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.answer)
			})
			text := replace(spec, "OPERATION", "get", "\n      RESPONSE", " "+indented(test.response))
			res := ask(t, connect(t, vendorOf(t, text), base, nil, Options{}), "get")
			got := summary(res)
			if res.Outcome == flow.OK {
				got += " " + outputs(res)
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
