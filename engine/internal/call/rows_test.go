package call

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const stock = `
vendor: acme
version: 1
envelope:
  ok: body.success == true
  data: result
  message: message
operations:
  send:
    effect: EFFECT
    inputs:
      articles: {type: array, items: {type: object, properties: {sku: {type: [string, integer]}}}}
    rows: {of: inputs.articles, as: row}
    identity: row.sku
    request:
      method: POST
      path: /articles
      body: ${{ inputs.articles }}
    response:
      ANSWER
`

// send makes a call with the articles A, 7 and C, answered with answer, and
// returns what became of it in one line.
func send(t *testing.T, effect, response, answer string) (flow.Result, string) {
	t.Helper()
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) })
	v := vendorOf(t, strings.NewReplacer("EFFECT", effect, "ANSWER", response).Replace(stock))
	e := connect(t, v, base, nil, Options{})
	res := ask(t, e, "send", "articles", value.List{
		value.ObjectOf("sku", "A"), value.ObjectOf("sku", int64(7)), value.ObjectOf("sku", "C"),
	})
	text := summary(res)
	for _, row := range res.Rows {
		text += fmt.Sprintf("\n%s %s", row.Key, row.Status)
		if row.Message != "" {
			text += ": " + row.Message
		}
	}
	return res, text
}

func TestRowsOfABatchAreAnswered(t *testing.T) {
	t.Parallel()
	const (
		matched   = `rows: {path: rows, match: art.sku, ok: row.code == 0, message: text}`
		inOrder   = `rows: {path: result, ok: row == "done"}`
		mentioned = `rows: {path: rows, match: sku}`
		done      = "\nA done\n7 done\nC done"
	)
	tests := []struct{ name, effect, response, answer, want string }{
		{"all or nothing", "create", `as: json`, `{"success":true}`, "ok" + done},
		{"refused as a whole", "create", matched, `{"success":false,"message":"closed"}`, "unknown: closed"},
		{"all done", "create", matched,
			`{"success":true,"rows":[{"art":{"sku":"C"},"code":0},{"art":{"sku":"7"},"code":0},{"art":{"sku":"A"},"code":0},{"art":{"sku":"X"},"code":1}]}`,
			"ok" + done},
		{"some refused, one not mentioned", "create", matched,
			`{"success":true,"rows":[{"art":{"sku":"C"},"code":3,"text":" no  size "},{"art":{"sku":7},"code":0},{"art":{}},{}]}`,
			"ok\nA failed: the vendor's answer does not mention the row\n7 done\nC failed: no size"},
		{"refused without words", "create", matched,
			`{"success":true,"rows":[{"art":{"sku":"C"},"code":3},{"art":{"sku":7},"code":0},{"art":{"sku":"A"},"code":0}]}`,
			"ok\nA done\n7 done\nC failed: {\"art\":{\"sku\":\"C\"},\"code\":3}"},
		{"answered twice, once with no", "create", matched,
			`{"success":true,"rows":[{"art":{"sku":"A"},"code":0},{"art":{"sku":"A"},"code":9,"text":"again"},{"art":{"sku":"7"},"code":0},{"art":{"sku":"C"},"code":0}]}`,
			"ok\nA failed: again\n7 done\nC done"},
		{"mentioned is done", "create", mentioned, `{"success":true,"rows":[{"sku":"A"}]}`,
			"ok\nA done\n7 failed: the vendor's answer does not mention the row\nC failed: the vendor's answer does not mention the row"},
		{"in order", "create", inOrder, `{"success":true,"result":["done","no","done"]}`, "ok\nA done\n7 failed: \"no\"\nC done"},
		{"in order, one too few", "create", inOrder, `{"success":true,"result":["done","done"]}`,
			"unknown contract-broken: the answer of acme.send breaks its contract: 3 rows were sent, and 2 are answered"},
		{"in order, one too few, repeatable", "idempotent", inOrder, `{"success":true,"result":["done","done"]}`,
			"invalid contract-broken: the answer of acme.send breaks its contract: 3 rows were sent, and 2 are answered"},
		{"no list", "create", matched, `{"success":true,"rows":{"A":0}}`,
			"unknown contract-broken: the answer of acme.send breaks its contract: path rows: expected a list of the rows' answers, found object"},
		{"nothing", "create", matched, `{"success":true}`,
			"unknown contract-broken: the answer of acme.send breaks its contract: the rows are not answered, path rows finds nothing"},
		{"a condition that makes no sense of the answer", "create", `rows: {path: rows, match: sku, ok: row.code > 0}`, `{"success":true,"rows":[{"sku":"A","code":"x"}]}`,
			"unknown contract-broken: the answer of acme.send breaks its contract: row A: specs/acme.yaml:20:51: cannot compare a string with an integer"},

		{"all counted", "create", `count: {path: message, match: '(\d+) de (\d+)'}`, `{"success":true,"message":"3 de 3 artículos"}`, "ok" + done},
		{"some counted", "create", `count: {path: message, match: '(\d+) de (\d+)'}`, `{"success":true,"message":"2 de 3 artículos"}`,
			"unknown partly-done: 2 of 3 rows were done, and it is not known which: 2 de 3 artículos"},
		{"some counted, repeatable", "idempotent", `count: {path: message, match: '(\d+) de (\d+)'}`, `{"success":true,"message":"2 de 3 artículos"}`,
			"unknown partly-done: 2 of 3 rows were done, and it is not known which: 2 de 3 artículos"},
		{"another number", "create", `count: {path: message, match: '(\d+) de (\d+)'}`, `{"success":true,"message":"4 de 4"}`,
			"unknown not-counted: 3 rows were sent, and the vendor says that 4 of 4 were done: 4 de 4"},
		{"no count", "create", `count: {path: message, match: '(\d+) de (\d+)'}`, `{"success":true,"message":"gracias"}`,
			"unknown not-counted: 3 rows were sent, and the answer does not say how many were done: gracias"},
		{"a count without bounds", "create", `count: {path: message, match: '(\d+) de (\d+)'}`, `{"success":true,"message":"3 de 99999999999999999999"}`,
			"unknown not-counted: 3 rows were sent, and the answer does not say how many were done: 3 de 99999999999999999999"},
		{"not even a message", "create", `count: {path: message, match: '(\d+) de (\d+)'}`, `{"success":true}`,
			"unknown not-counted: 3 rows were sent, and the answer does not say how many were done: {\"success\":true}"},
		{"a number", "create", `count: {path: n, match: '^(\d)(\d)$'}`, `{"success":true,"n":33}`, "ok" + done},
		{"more than all", "create", `count: {path: message, match: '(\d+) de (\d+)'}`, `{"success":true,"message":"4 de 3"}`,
			"unknown not-counted: 3 rows were sent, and the vendor says that 4 of 3 were done: 4 de 3"},
		{"a count with the vendor's words elsewhere", "create", `count: {path: "[n,result]|@tostr", match: '^.(\d).*?(\d)'}`, `{"success":true,"n":1,"result":[3],"message":"  no hay C "}`,
			"unknown partly-done: 1 of 3 rows were done, and it is not known which: no hay C"},
		{"a declared success", "create", "outcomes:\n        - {if: status == 200, is: ok}\n      count: {path: message, match: '(\\d+) de (\\d+)'}", `{"message":"1 de 3"}`,
			"unknown partly-done: 1 of 3 rows were done, and it is not known which: 1 de 3"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			res, got := send(t, test.effect, test.response, test.answer)
			if got != test.want || !res.Sent || (res.Rows != nil) != res.Outcome.Success() || (res.Outputs != nil) != res.Outcome.Success() {
				t.Errorf("got  %s\nwant %s\nsent %v, outputs %v", got, test.want, res.Sent, res.Outputs)
			}
		})
	}
}
