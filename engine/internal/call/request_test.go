package call

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// echo is a vendor whose answers say what it was sent.
const echo = `
vendor: acme
version: 1
config:
  tenant: {type: string, default: t1}
  key: {type: string, secret: true, default: K-3cret/+}
auth:
  inject:
    headers:
      X-Key: Key ${{ config.key }}
    query:
      tenant: ${{ config.tenant }}
operations:
  json:
    effect: create
    inputs:
      name: {type: string}
      id: {type: integer, optional: true}
    request:
      method: POST
      path: /customers/${{ inputs.name }}
      query:
        fixed: a b
        id: ${{ inputs.id ?? omit }}
        tag: ${{ ['x', 'y&z'] }}
      headers:
        X-Name: ${{ inputs.name }}
        Idempotency-Key: ${{ call.key }}
        Accept: application/vnd.acme+json
      body:
        name: ${{ inputs.name }}
        id: ${{ inputs.id ?? omit }}
    response: {as: text, outputs: {echo: "@this"}}
  form:
    effect: read
    inputs:
      name: {optional: true}
    auth: none
    request:
      method: POST
      path: /form
      as: form
      body:
        z: ${{ inputs.name }}
        list: ${{ [1, 'two'] }}
        ok: true
        amount: 2.50
    response: {as: text, outputs: {echo: "@this"}}
  text:
    effect: read
    auth: none
    request: {method: POST, path: /text, as: text, body: "a plain text"}
    response: {as: text, outputs: {echo: "@this"}}
  bare:
    effect: read
    auth: none
    request: {method: GET}
    response: {as: text, outputs: {echo: "@this"}}
  framed:
    effect: read
    auth: none
    request:
      method: GET
      headers: {"${{ 'transfer-encoding' }}": chunked} # what is written out, check finds
`

func echoing(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s\n", r.Method, r.RequestURI)
	for _, name := range []string{"Accept", "Content-Type", "Content-Length", "Idempotency-Key", "User-Agent", "X-Key", "X-Name"} {
		if v := r.Header.Get(name); v != "" {
			fmt.Fprintf(w, "%s: %s\n", name, v)
		}
	}
	if b := body(r); b != "" {
		fmt.Fprintf(w, "\n%s\n", b)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	base := serve(t, echoing)
	e := connect(t, vendorOf(t, echo), base+"/api/v1/?region=eu", nil, Options{UserAgent: "runner/test"})
	tests := []struct {
		operation string
		inputs    []any
		want      string
	}{
		{"json", []any{"name", "Müller 50% & Co"}, `POST /api/v1/customers/M%C3%BCller%2050%25%20&%20Co?region=eu&fixed=a+b&tag=x&tag=y%26z&tenant=t1
Accept: application/vnd.acme+json
Content-Type: application/json
Content-Length: 27
Idempotency-Key: run-1/step
User-Agent: runner/test
X-Key: Key K-3cret/+
X-Name: Müller 50% & Co

{"name":"Müller 50% & Co"}
`},
		{"json", []any{"name", "a", "id", int64(9007199254740993)}, `POST /api/v1/customers/a?region=eu&fixed=a+b&id=9007199254740993&tag=x&tag=y%26z&tenant=t1
Accept: application/vnd.acme+json
Content-Type: application/json
Content-Length: 34
Idempotency-Key: run-1/step
User-Agent: runner/test
X-Key: Key K-3cret/+
X-Name: a

{"name":"a","id":9007199254740993}
`},
		{"form", []any{"name", "x&y=z"}, `POST /api/v1/form?region=eu
Accept: */*
Content-Type: application/x-www-form-urlencoded
Content-Length: 56
User-Agent: runner/test

z=x%26y%3Dz&list=%5B1%2C%22two%22%5D&ok=true&amount=2.50
`},
		{"text", nil, `POST /api/v1/text?region=eu
Accept: */*
Content-Type: text/plain; charset=utf-8
Content-Length: 12
User-Agent: runner/test

a plain text
`},
		{"bare", nil, `GET /api/v1/?region=eu
Accept: */*
User-Agent: runner/test
`},
	}
	for _, test := range tests {
		res := ask(t, e, test.operation, test.inputs...)
		if got, _ := res.Outputs.At("echo").(string); got != test.want {
			t.Errorf("%s %v:\ngot  %s\nwant %s\n%s", test.operation, test.inputs, got, test.want, summary(res))
		}
	}
}

func TestValuesCannotLeaveTheirPlace(t *testing.T) {
	t.Parallel()
	base := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	e := connect(t, vendorOf(t, echo), base, nil, Options{})
	tests := []struct {
		operation, name, want string
	}{
		{"json", "a\r\nX-Evil: 1", `the path holds a control character: "a\r\nX-Evil: 1"`},
		{"json", "", "a value in the path is empty"},
		{"json", "..", `the value ".." must not lead to another path`},
		{"json", "x/../../admin", `the value "x/../../admin" must not lead to another path`},
		{"json", `..\admin`, `the value "..\\admin" must not lead to another path`},
		{"framed", "", "the header Transfer-Encoding is set by the engine alone"},
	}
	for _, test := range tests {
		var inputs []any
		if test.operation == "json" {
			inputs = []any{"name", test.name}
		}
		res := ask(t, e, test.operation, inputs...)
		want := "invalid bad-request: cannot make the request of acme." + test.operation + ": " + test.want
		if got := summary(res); got != want || res.Sent {
			t.Errorf("%q: sent %v\ngot  %s\nwant %s", test.name, res.Sent, got, want)
		}
	}
}

func TestNullIsNotWrittenIntoForms(t *testing.T) {
	t.Parallel()
	res := ask(t, connect(t, vendorOf(t, echo), "http://127.0.0.1:1", nil, Options{}), "form")
	want := "invalid bad-request: cannot make the request of acme.form: the form field z is null"
	if got := summary(res); got != want || res.Hint != orOmit {
		t.Errorf("got  %s\nwant %s (hint %q)", got, want, res.Hint)
	}
}

// A list is one field of JSON text, or one field for each element where its name says so.
func TestListsInForms(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
operations:
  send:
    effect: idempotent
    inputs: {tags: {type: array, items: {}}}
    request:
      method: POST
      path: /
      as: form
      body: {"a[b]": "1&2", "tags[]": "${{ inputs.tags }}", tags: "${{ inputs.tags }}"}
    response: {as: text, outputs: {sent: "@this"}}
`
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(body(r))) })
	e := connect(t, vendorOf(t, spec), base, nil, Options{})
	for _, tt := range []struct {
		tags value.List
		want string
	}{
		{value.List{"x", "y z", int64(3)}, `{"sent":"a%5Bb%5D=1%262&tags%5B%5D=x&tags%5B%5D=y+z&tags%5B%5D=3&tags=%5B%22x%22%2C%22y+z%22%2C3%5D"}`},
		{value.List{}, `{"sent":"a%5Bb%5D=1%262&tags=%5B%5D"}`},
		{value.List{nil}, "invalid bad-request: cannot make the request of acme.send: an element of the form field tags[] is null"},
		{value.List{value.List{}}, "invalid bad-request: cannot make the request of acme.send: an element of the form field tags[] must be a text, number or boolean, found list"},
	} {
		res := ask(t, e, "send", "tags", tt.tags)
		got := summary(res)
		if res.Outcome == flow.OK {
			got = outputs(res)
		}
		if got != tt.want {
			t.Errorf("%v:\ngot  %s\nwant %s", tt.tags, got, tt.want)
		}
	}
}

// Lists and objects stand in a form as the vendor wants them.
func TestNestedValuesInForms(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
operations:
  send:
    effect: idempotent
    inputs: {lines: {}, note: {type: string, optional: true}}
    request:
      method: POST
      path: /
      as: form
      nested: NESTED
      body: {a: 1, meta: {ref: "x&y", note: "${{ inputs.note ?? omit }}"}, lines: "${{ inputs.lines }}"}
    response: {as: text, outputs: {sent: "@this"}}
`
	lines := value.List{value.ObjectOf("price", "p 1", "tags", value.List{"a", "b"}), value.ObjectOf("price", int64(2), "tags", value.List{})}
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := url.QueryUnescape(body(r))
		fmt.Fprint(w, text)
	})
	for _, tt := range []struct {
		nested string
		lines  value.Value
		want   string
	}{
		{"json", lines, `a=1&meta={"ref":"x&y"}&lines=[{"price":"p 1","tags":["a","b"]},{"price":2,"tags":[]}]`},
		{"brackets", lines, "a=1&meta[ref]=x&y&lines[0][price]=p 1&lines[0][tags][0]=a&lines[0][tags][1]=b&lines[1][price]=2"},
		{"brackets", value.List{nil}, "invalid bad-request: cannot make the request of acme.send: the form field lines[0] is null"},
	} {
		e := connect(t, vendorOf(t, strings.Replace(spec, "NESTED", tt.nested, 1)), base, nil, Options{})
		res := ask(t, e, "send", "lines", tt.lines)
		got := summary(res)
		if res.Outcome == flow.OK {
			got = res.Outputs.At("sent").(string)
		}
		if got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.nested, got, tt.want)
		}
	}
	repeat := strings.NewReplacer("NESTED", "repeat", `meta: {ref: "x&y", note: "${{ inputs.note ?? omit }}"}, `, "").Replace(spec)
	e := connect(t, vendorOf(t, repeat), base, nil, Options{})
	if got := outputs(ask(t, e, "send", "lines", value.List{"x", true})); got != `{"sent":"a=1&lines=x&lines=true"}` {
		t.Error(got)
	}
	const refused = "invalid bad-request: cannot make the request of acme.send: the form field lines must be a text, number, boolean or a list of these, found object"
	if got := summary(ask(t, e, "send", "lines", value.ObjectOf("a", "b"))); got != refused {
		t.Error(got)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		value value.Value
		want  string // error
	}{
		{"X-A", "plain\ttext", ""},
		{"x-a", "Grüße", ""},
		{"X-A", int64(7), ""},
		{"X-A", "a\nb", "the header X-A would hold a control character (0x0a)"},
		{"X-A", "a\x00", "the header X-A would hold a control character (0x00)"},
		{"X-A: 1\r\nX-B", "a", `"X-A: 1\r\nX-B" is not a name for a header`},
		{"", "a", `"" is not a name for a header`},
		{"Größe", "a", `"Größe" is not a name for a header`},
		{"content-length", int64(0), "the header Content-Length is set by the engine alone"},
		{"HOST", "evil.example", "the header Host is set by the engine alone"},
		{"X-A", nil, "the header X-A is null"},
		{"X-A", value.List{}, "the header X-A must be a text, number or boolean, found list"},
	}
	for _, test := range tests {
		w := &wire{header: http.Header{}}
		got := ""
		if err := w.setHeader(test.name, test.value); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("setHeader(%q, %v): %q, want %q", test.name, test.value, got, test.want)
		}
	}
}

func TestCredentialsInTheBody(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
config:
  key: {type: string, secret: true}
auth:
  inject:
    body:
      apikey: ${{ config.key }}
operations:
  json:
    effect: read
    request: {method: POST, path: /, body: {apikey: mine, a: [1]}}
    response: {as: text, outputs: {echo: "@this"}}
  form:
    effect: read
    request: {method: POST, path: /, as: form, body: {a: 1}}
    response: {as: text, outputs: {echo: "@this"}}
  field:
    effect: read
    request: {method: POST, path: /, as: form, json_field: data, body: {a: "1", data: {b: 2}}}
    response: {as: text, outputs: {echo: "@this"}}
  field in brackets:
    effect: read
    request: {method: POST, path: /, as: form, nested: brackets, json_field: all, body: {a: {b: 2}}}
    response: {as: text, outputs: {echo: "@this"}}
  field of its own:
    effect: read
    request: {method: POST, path: /, as: form, json_field: data, body: {a: 1}}
    response: {as: text, outputs: {echo: "@this"}}
  none:
    effect: read
    request: {method: POST, path: /}
    response: {as: text, outputs: {echo: "@this"}}
  list:
    effect: read
    request: {method: POST, path: /, body: [1]}
`
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, body(r)) })
	e := connect(t, vendorOf(t, spec), base, value.ObjectOf("key", "s3cret"), Options{})
	for operation, want := range map[string]string{
		"json":              `{"apikey":"s3cret","a":[1]}`,
		"form":              "a=1&apikey=s3cret",
		"field":             "a=1&data=" + url.QueryEscape(`{"b":2,"a":"1","data":{"b":2},"apikey":"s3cret"}`) + "&apikey=s3cret",
		"field in brackets": "a%5Bb%5D=2&apikey=s3cret&all=" + url.QueryEscape(`{"a":{"b":2},"apikey":"s3cret"}`),
		"field of its own":  "a=1&apikey=s3cret&data=" + url.QueryEscape(`{"a":1,"apikey":"s3cret"}`),
		"none":              `{"apikey":"s3cret"}`,
	} {
		if got := ask(t, e, operation).Outputs.At("echo"); got != want {
			t.Errorf("%s: %v, want %s", operation, got, want)
		}
	}
	want := "invalid bad-request: cannot make the request of acme.list: a body that credentials are injected into must be names and values, found list"
	if got := summary(ask(t, e, "list")); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// One operation serves vendors of either style: the connection says which.
func TestConfigSaysHowABodyIsWritten(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
config:
  key: {type: string, secret: true, default: "k&=1"}
  style: {type: string, enum: [json, form], default: json}
auth: {inject: {body: {apikey: "${{ config.key }}"}}}
operations:
  add:
    effect: create
    inputs: {name: {type: string}}
    request:
      method: POST
      as: ${{ config.style }}
      body: {action: add, data: {name: "${{ inputs.name }}", tags: [1, a]}}
    response: {as: text, outputs: {echo: "@this"}}
`
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Content-Type"), " ", body(r))
	})
	for style, want := range map[string]string{
		"":     `application/json {"action":"add","data":{"name":"Ñandú & Co","tags":[1,"a"]},"apikey":"k&=1"}`,
		"json": `application/json {"action":"add","data":{"name":"Ñandú & Co","tags":[1,"a"]},"apikey":"k&=1"}`,
		"form": `application/x-www-form-urlencoded action=add&data=%7B%22name%22%3A%22%C3%91and%C3%BA+%26+Co%22%2C%22tags%22%3A%5B1%2C%22a%22%5D%7D&apikey=k%26%3D1`,
	} {
		config := value.ObjectOf()
		if style != "" {
			config.Set("style", style)
		}
		e := connect(t, vendorOf(t, spec), base, config, Options{})
		if got := ask(t, e, "add", "name", "Ñandú & Co").Outputs.At("echo"); got != want {
			t.Errorf("style %q:\ngot  %v\nwant %s", style, got, want)
		}
	}
}

// FuzzPath holds that whatever stands in a path, the request stays below its
// base and is understood by the server as it was meant.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/a", "/a/b%2F..", "/ä ö", "/;x=1", "//", "/../x", "/a%2e%2e/", "/:@!$&'()*+,=~"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if path == "" || checkPath(path) != nil {
			return
		}
		req, err := http.NewRequest("GET", "http://h/base"+escapePath(path), nil)
		if err != nil {
			t.Fatalf("%q: %v", path, err)
		}
		if req.URL.Path != "/base"+path || req.URL.RawQuery != "" || req.URL.Fragment != "" || req.URL.Host != "h" {
			t.Errorf("%q is understood as %q", path, req.URL)
		}
		if strings.Contains(req.URL.Path+"/", "/../") {
			t.Errorf("%q leads up", path)
		}
	})
}
