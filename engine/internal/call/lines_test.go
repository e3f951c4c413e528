package call

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const reports = `
vendor: acme
version: 1
envelope: {message: error}
operations:
  csv:
    effect: read
    request: {method: GET, path: /}
    response:
      as: csv
      schema: {type: array, items: {type: object, required: [sku], properties: {sku: {type: string}, qty: {type: string}, "unit price": {type: string}}}}
      outputs:
        rows:
          path: "@this"
          each: {sku: sku, quantity: {path: qty, type: decimal, default: null, null_if: [""]}, price: {path: unit price, default: null}}
  lines:
    effect: read
    request: {method: GET, path: /}
    response: {as: lines, outputs: {rows: "@this"}}
  any:
    effect: read
    request: {method: GET, path: /}
    response: {as: csv, outputs: {rows: "@this"}}
  optional:
    effect: read
    request: {method: GET, path: /}
    response:
      as: csv
      schema: {type: array, items: {type: object, properties: {sku: {type: string}, qty: {type: string}}}}
      outputs: {rows: "@this"}
  nothing:
    effect: read
    request: {method: GET, path: /}
    response:
      as: csv
      schema: {type: array, items: {type: object, required: [sku, qty]}}
      outcomes: [{if: body == null, is: empty}]
      outputs: {rows: {path: "@this", type: array}}
`

func TestAnswersOfLines(t *testing.T) {
	t.Parallel()
	const csvBroken = "invalid contract-broken: the answer of acme.csv breaks its contract: "
	for _, tt := range []struct {
		op, answer string
		status     int
		want       string
	}{
		{"csv", "\ufeffsku,qty\n007,1.50\n\n\"a \"\"b\"\",\nc\",\n", 200, `{"rows":[{"sku":"007","quantity":1.50,"price":null},{"sku":"a \"b\",\nc","quantity":null,"price":null}]}`},
		{"csv", "sku;\"unit price, net\";qty; unit price \r\nA,1;;2;3,50\r\n", 200, `{"rows":[{"sku":"A,1","quantity":2,"price":"3,50"}]}`},
		{"csv", "\"s|ku\"\tsku\nx\ty", 200, `{"rows":[{"sku":"y","quantity":null,"price":null}]}`},
		{"csv", "sku;qty\nca\xf1a;2\n", 200, `{"rows":[{"sku":"caña","quantity":2,"price":null}]}`},
		{"csv", "sku\nx\n", 200, `{"rows":[{"sku":"x","quantity":null,"price":null}]}`},
		{"csv", "sku,qty\n", 200, `{"rows":[]}`},
		{"csv", "sku,qty\rA,1\rB,2\r", 200, `{"rows":[{"sku":"A","quantity":1,"price":null},{"sku":"B","quantity":2,"price":null}]}`},
		{"csv", "", 200, csvBroken + "it is empty"},
		{"csv", " \n\n", 200, csvBroken + "it has no column sku"},
		{"csv", "\n\n", 200, csvBroken + "it is empty"},
		{"csv", "", 204, csvBroken + "it is empty"},
		{"csv", "sku,qty\nA,1\nB\n", 200, csvBroken + "it is not CSV: record on line 3: wrong number of fields; it begins: sku,qty A,1 B"},
		{"csv", "sku,sku\n", 200, csvBroken + `it is not CSV: the column "sku" is there twice; it begins: sku,sku`},
		{"csv", "code\nA\n", 200, csvBroken + `it has no column sku; it begins: code A`},
		{"csv", "Report has expired", 200, csvBroken + `it has no column sku; it begins: Report has expired`},
		{"csv", "<html><head><title>Maintenance</title></head>\n<body>6 pm, \"or so\"</body></html>", 200, csvBroken + `it is not CSV; it begins: Maintenance`},
		{"csv", "\x1f\x8b\x08\x00\x00\n", 200, csvBroken + `it is not CSV: it begins with bytes that are no text`},
		{"csv", `{"error":{"code":"EXPIRED"}}`, 200, csvBroken + "it is not CSV: parse error on line 1, column 2: bare \" in non-quoted-field; it begins: {\"error\":{\"code\":\"EXPIRED\"}}"},
		{"any", "sku;qty\n", 200, `{"rows":[]}`},
		{"any", "sku\nA\n", 200, `{"rows":[{"sku":"A"}]}`},
		{"any", "Report has expired\n", 200, "invalid contract-broken: the answer of acme.any breaks its contract: it is not CSV: it is one line, without anything that separates columns; it begins: Report has expired"},
		{"optional", "qty\n", 200, `{"rows":[]}`},
		{"optional", "Quantity;Code\n", 200, "invalid contract-broken: the answer of acme.optional breaks its contract: it has no columns sku, qty; it begins: Quantity;Code"},
		{"nothing", "", 200, "empty"},
		{"nothing", "Report has expired", 200, "invalid contract-broken: the answer of acme.nothing breaks its contract: it has no columns sku, qty; it begins: Report has expired"},
		{"csv", `{"error": "no such report"}`, 404, "not_found: no such report"},
		{"lines", "\ufeff{\"n\":1.50}\r\n\n[2]\n\"x\"", 200, `{"rows":[{"n":1.50},[2],"x"]}`},
		{"lines", "", 200, "invalid contract-broken: the answer of acme.lines breaks its contract: it is empty"},
		{"lines", "\n", 200, "invalid contract-broken: the answer of acme.lines breaks its contract: it is empty"},
		{"lines", "{}\n{\n", 200, "invalid contract-broken: the answer of acme.lines breaks its contract: it is not JSON Lines: line 2 is not JSON; it begins: {"},
		{"lines", "no report yet", 200, "invalid contract-broken: the answer of acme.lines breaks its contract: it is not JSON Lines: line 1 is not JSON; it begins: no report yet"},
	} {
		base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tt.status)
			fmt.Fprint(w, tt.answer)
		})
		res := ask(t, connect(t, vendorOf(t, reports), base, nil, Options{}), tt.op)
		got := summary(res)
		if res.Outcome == flow.OK {
			got = outputs(res)
		}
		if got != tt.want {
			t.Errorf("%s %q:\ngot  %s\nwant %s", tt.op, tt.answer, got, tt.want)
		}
	}
}

// A report that is larger than memory may be is handed out row by row; one that breaks off
// is no report.
func TestLargeAnswersOfLines(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	text.WriteString("sku,qty\n")
	const rows = 200_000
	for i := range rows {
		fmt.Fprintf(&text, "sku-%06d,%d.50\n", i, i)
	}
	cut := 0
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(text.Len()))
		w.Write(text.Bytes()[:text.Len()-cut])
	})
	e := connect(t, vendorOf(t, reports), base, nil, Options{MaxAnswer: 1 << 20, SpoolFrom: 1 << 18})
	res := ask(t, e, "csv")
	list, ok := res.Outputs.At("rows").(*value.Rows)
	if !ok || list.Len() != rows {
		t.Fatalf("%s: %T", summary(res), res.Outputs.At("rows"))
	}
	if last, err := list.At(rows - 1); err != nil || string(value.AppendJSON(nil, last)) != `{"sku":"sku-199999","quantity":199999.50,"price":null}` {
		t.Error(last, err)
	}
	cut = 5
	if got := summary(ask(t, e, "csv")); !strings.HasPrefix(got, "unknown unreadable: the answer broke off after ") {
		t.Error(got)
	}
}

// FuzzLines holds that what is made of lines is a list in JSON, unless it is refused. JSON may
// still hold a number that is too long to be kept.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "\ufeffa;b\n\"x\";\"y\nz\"", "{\"n\":1}\n\n[]\n", "a\n\xff", "\"", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, as := range []string{"csv", "lines"} {
			list, err := io.ReadAll(asList(&catalog.Response{As: as}, strings.NewReader(text)))
			if err != nil {
				continue
			}
			if len(list) > 0 && (!json.Valid(list) || list[0] != '[') {
				t.Errorf("%s %q: %s", as, text, list)
			}
		}
	})
}
