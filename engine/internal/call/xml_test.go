package call

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const rates = `
vendor: acme
version: 1
envelope:
  message: Envelope.Body.Fault.faultstring
  outcomes:
    - if: body.Envelope.Body.Fault.faultcode == 'soap:Client.Auth'
      is: denied
operations:
  orders:
    effect: read
    inputs: {customer: {type: string}}
    request:
      method: POST
      path: /soap
      as: text
      headers: {Content-Type: text/xml; charset=utf-8, SOAPAction: urn:Orders}
      body: <Orders><Customer>${{ xml(inputs.customer) }}</Customer></Orders>
    response:
      as: xml
      data: Envelope.Body.OrdersResponse
      schema:
        type: object
        required: [Order]
        properties:
          Order:
            type: array
            items:
              type: object
              required: [id, Total]
              properties:
                id: {type: string}
                Total: {type: object, required: [currency, text], properties: {currency: {type: string}, text: {type: string}}}
                Note: {type: string, nullable: true}
                Line: {type: array, items: {type: object, required: [Sku], properties: {Sku: {type: string}}}}
      outputs:
        orders:
          path: Order
          each:
            id: id
            total: {path: Total.text, type: decimal}
            currency: Total.currency
            note: {path: Note, default: null}
            skus: {path: "Line.#.Sku", default: []}
`

func soap(body string) string {
	return `<?xml version="1.0" encoding="utf-8"?>` + "\n" + `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">` +
		"\n <soap:Body>" + body + "</soap:Body>\n</soap:Envelope>\n"
}

func TestAnswersInXML(t *testing.T) {
	t.Parallel()
	const first = `<Order id="7"><Total currency="EUR"> 12.50 </Total><Note xsi:nil="true"/><Line><Sku>A&amp;1</Sku></Line><Line><Sku><![CDATA[<2>]]></Sku></Line></Order>`
	for name, tt := range map[string]struct {
		answer string
		status int
		want   string
	}{
		"two": {soap(`<OrdersResponse xmlns="urn:x">` + first + `<Order id="8"><Total currency="USD">1</Total><Line><Sku>B</Sku></Line></Order></OrdersResponse>`), 200,
			`{"orders":[{"id":"7","total":12.50,"currency":"EUR","note":null,"skus":["A&1","<2>"]},{"id":"8","total":1,"currency":"USD","note":null,"skus":["B"]}]}`},
		"one":       {soap("<OrdersResponse>" + first + "</OrdersResponse>"), 200, `{"orders":[{"id":"7","total":12.50,"currency":"EUR","note":null,"skus":["A&1","<2>"]}]}`},
		"none":      {soap(`<OrdersResponse><Order/></OrdersResponse>`), 200, `invalid contract-broken: the answer of acme.orders breaks its contract: Order[0]: missing member "id" (and 1 more)`},
		"no order":  {soap(`<OrdersResponse/>`), 200, `invalid contract-broken: the answer of acme.orders breaks its contract: missing member "Order"; it says {"Envelope":{"Body":{"OrdersResponse":""}}}`},
		"a fault":   {soap(`<soap:Fault><faultcode>soap:Server</faultcode><faultstring>no such customer</faultstring></soap:Fault>`), 500, "unknown: no such customer"},
		"denied":    {soap(`<soap:Fault><faultcode>soap:Client.Auth</faultcode><faultstring>who are you?</faultstring></soap:Fault>`), 500, "denied: who are you?"},
		"cut off":   {soap("")[:120], 200, "unknown unreadable: the answer is not XML: XML syntax error on line 2: unexpected EOF"},
		"a page":    {"<html><title>Maintenance</title>", 200, "unknown unreadable: the answer is not XML: Maintenance"},
		"a text":    {"busy", 200, "unknown unreadable: the answer is not XML: EOF"},
		"two roots": {"<a/><b/>", 200, "unknown unreadable: the answer is not XML: more than one element, or more than 1000 in each other"},
		"deep":      {strings.Repeat("<a>", 2000), 200, "unknown unreadable: the answer is not XML: more than one element, or more than 1000 in each other"},
		"entities":  {`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`, 200, "unknown unreadable: the answer is not XML: XML syntax error on line 1: invalid character entity &x;"},
		"latin 1": {"<?xml version='1.0' encoding='ISO-8859-1'?><Envelope><Body><OrdersResponse><Order><id>\xfc</id><Total currency='x'>1</Total></Order></OrdersResponse></Body></Envelope>", 200,
			`{"orders":[{"id":"ü","total":1,"currency":"x","note":null,"skus":[]}]}`},
		"windows": {"<?xml version='1.0' encoding='koi8-r'?><a/>", 200, "unknown unreadable: the answer is not XML: xml: opening charset \"koi8-r\": the encoding koi8-r is not read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := ""
			base := serve(t, func(w http.ResponseWriter, r *http.Request) {
				sent = r.Header.Get("Content-Type") + " " + body(r)
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.answer)
			})
			res := ask(t, connect(t, vendorOf(t, rates), base, nil, Options{}), "orders", "customer", `<"A" & 'B'>`)
			got := summary(res)
			if res.Outcome == flow.OK {
				got = outputs(res)
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if sent != "text/xml; charset=utf-8 <Orders><Customer>&lt;&#34;A&#34; &amp; &#39;B&#39;&gt;</Customer></Orders>" {
				t.Error(sent)
			}
		})
	}
}

func TestXMLAsValues(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`<a>x<!-- c -->y</a>`:                     `{"a":"xy"}`,
		"<a>\n</a>":                               `{"a":""}`,
		`<a b="1"/>`:                              `{"a":{"b":"1"}}`,
		`<a b="1">t</a>`:                          `{"a":{"b":"1","text":"t"}}`,
		`<a b="1"><b>2</b><b>3</b></a>`:           `{"a":{"b":["2","3"]}}`,
		`<a text="1">t</a>`:                       `{"a":{"text":"1"}}`,
		`<x:a xmlns:x="u" xmlns="v"><x:b/></x:a>`: `{"a":{"b":""}}`,
		`<a><b>1</b><c/><b><d>2</d></b><b/></a>`:  `{"a":{"b":["1",{"d":"2"},""],"c":""}}`,
	} {
		v, err := fromXML(strings.NewReader(in))
		if got := string(value.AppendJSON(nil, v)); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", in, got, err, want)
		}
	}
}

// FuzzXML holds that whatever comes is read to a value that can be written down, or is refused.
func FuzzXML(f *testing.F) {
	for _, seed := range []string{soap("<a b='1'>x</a>"), `<a><b/><b>2</b></a>`, `<?xml version="1.0" encoding="latin1"?><a>ü</a>`, `<a xmlns:x="y" x:b="1">&lt;</a>`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := fromXML(strings.NewReader(text))
		if err != nil {
			return
		}
		if _, err := value.Decode(value.AppendJSON(nil, v)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// What it takes to read an answer counts against the timeout of the call, in each format.
func TestReadingAnAnswerCountsAgainstTheTimeout(t *testing.T) {
	t.Parallel()
	const n = 300_000
	list := func(begin, format, between, end string) string {
		var b strings.Builder
		b.WriteString(begin)
		for i := range n {
			if i > 0 {
				b.WriteString(between)
			}
			fmt.Fprintf(&b, format, i)
		}
		return b.String() + end
	}
	for as, body := range map[string]string{
		"xml":   list("<a", " x%d='1'", "", "/>"),
		"json":  list("{", `"x%d":1`, ",", "}"),
		"csv":   list("", "x%d", ",", "\n1"+strings.Repeat(",1", n-1)+"\n"),
		"lines": list("", `{"x%d":1}`, "\n", ""),
		"text":  strings.Repeat("x", 8<<20),
	} {
		t.Run(as, func(t *testing.T) {
			t.Parallel()
			v := vendorOf(t, replace(`
vendor: acme
version: 1
operations:
  read: {effect: read, timeout: TIME, request: {method: GET, path: /}, response: {as: AS, schema: {}, outputs: {all: "@this"}}}
`, "AS", as, "TIME", "1m"))
			late := &lateBody{text: body}
			e := connect(t, v, "http://acme.example", nil, Options{Client: &http.Client{Transport: late}, SpoolFrom: 64 << 20})
			if res := ask(t, e, "read"); res.Outcome != flow.OK {
				t.Errorf("in time: %s", summary(res))
			}
			ctx, cancel := context.WithCancelCause(context.Background())
			late.atEnd = func() { cancel(context.DeadlineExceeded) }
			res, err := e.Do(ctx, request(e, "read"), nil)
			if err != nil || res.Outcome != flow.Unknown || !res.Sent || res.Outputs != nil {
				t.Errorf("too late: %s, %v", summary(res), err)
			}
		})
	}
}

// A lateBody answers with a text, at the end of which time is up.
type lateBody struct {
	text  string
	atEnd func()
}

func (l *lateBody) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: &lateReader{strings.NewReader(l.text), l.atEnd}}, nil
}

type lateReader struct {
	*strings.Reader
	atEnd func()
}

func (r *lateReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF && r.atEnd != nil {
		r.atEnd()
	}
	return n, err
}

func (*lateReader) Close() error { return nil }
