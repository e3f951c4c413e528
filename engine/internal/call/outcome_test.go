package call

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// shop answers every operation with what the test says. Its envelope says
// "success", "message" and "result".
const shop = `
vendor: acme
version: 1
envelope:
  message: message
operations:
  find:
    effect: read
    request: {method: POST, path: /find, body: {}}
    response:
      schema:
        type: array
        items: {type: object, required: [id], properties: {id: {type: integer}, price: {type: decimal}}}
      outcomes:
        - if: status == 200 and body.code == 'none'
          is: empty
      outputs:
        items: "@this"
        first: {path: 0.price, default: null}
  make:
    effect: create
    request: {method: POST, path: /make, body: {}}
    response:
      schema: {type: object, required: [id], properties: {id: {type: integer}}}
      outputs:
        id: id
  put:
    effect: idempotent
    request: {method: PUT, path: /put, body: {}}
    response:
      outcomes:
        - if: status == 409
          is: ok
  wrapped:
    effect: read
    request: {method: GET, path: /wrapped}
    response:
      ok: body.success == true
      data: result
      message: error.text
      outcomes:
        - if: body.error.code == 7
          is: busy
      schema: {type: object, required: [n], properties: {n: {type: decimal}}}
      outputs:
        n: n
  plain:
    effect: read
    request: {method: GET, path: /plain}
    response:
      as: text
      outcomes:
        - if: status == 200 and text != ''
          is: denied
  silent:
    effect: idempotent
    request: {method: DELETE, path: /silent}
    response:
      as: none
  word:
    effect: read
    request: {method: GET, path: /word}
    response:
      as: text
      schema: {type: string}
      outputs:
        word: "@this"
`

func TestOutcomes(t *testing.T) {
	t.Parallel()
	type answer struct {
		status int
		header string // "Name: value"
		body   string
	}
	long := strings.Repeat("word ", 100)
	tests := []struct {
		operation string
		answer    answer
		want      string // outcome, code, message
		outputs   string
	}{
		{"find", answer{200, "", `[{"id":1,"price":203.7700}]`}, "ok", `{"items":[{"id":1,"price":203.7700}],"first":203.7700}`},
		{"find", answer{200, "", "\xef\xbb\xbf[]"}, "ok", `{"items":[],"first":null}`},
		{"find", answer{200, "", `{"code":"none"}`}, "empty", `{"items":[],"first":null}`},
		{"find", answer{400, "", `{"message":"bad\nvat  id"}`}, "invalid: bad vat id", ""},
		{"find", answer{401, "", `who are you`}, "auth not-accepted: who are you", ""},
		{"find", answer{403, "", `"not for you"`}, "denied: not for you", ""},
		{"find", answer{404, "", ``}, "not_found: HTTP status 404 Not Found", ""},
		{"find", answer{408, "", ``}, "unknown: HTTP status 408 Request Timeout", ""},
		{"find", answer{409, "", `{"message":17}`}, "conflict: 17", ""},
		{"find", answer{418, "", `{"message":{"a":1}}`}, `invalid: {"message":{"a":1}}`, ""},
		{"find", answer{429, "", ``}, "throttled: HTTP status 429 Too Many Requests", ""},
		{"find", answer{500, "", long}, "unknown: " + long[:299] + "…", ""},
		{"find", answer{503, "", ``}, "unknown: HTTP status 503 Service Unavailable", ""},
		{"find", answer{503, "Retry-After: 3", ``}, "throttled: HTTP status 503 Service Unavailable", ""},
		{"make", answer{503, "Retry-After: 3", ``}, "unknown refused-after-sending: HTTP status 503 Service Unavailable", ""},
		{"find", answer{304, "", ``}, "unknown: HTTP status 304 Not Modified", ""},
		{"find", answer{799, "", ``}, "unknown: HTTP status 799", ""},
		{"find", answer{200, "", "<!DOCTYPE html>\n<HTML><title>Sorry &amp;\n back soon</title>"}, "unknown unreadable: the answer is not JSON: Sorry & back soon", ""},
		{"find", answer{502, "", "<html><head><title>Bad Gateway</title></head>"}, "unknown: Bad Gateway", ""},
		{"find", answer{200, "", `[{"id":1}`}, `unknown unreadable: the answer is not JSON: [{"id":1}`, ""},
		{"find", answer{200, "", `[{"id":"x"}]`}, `invalid contract-broken: the answer of acme.find breaks its contract: [0].id: expected integer, found text "x"`, ""},
		{"find", answer{200, "", ``}, "invalid contract-broken: the answer of acme.find breaks its contract: expected list, found null", ""},
		{"make", answer{201, "", `{"id":9007199254740993}`}, "ok", `{"id":9007199254740993}`},
		{"make", answer{200, "", `{}`}, `unknown contract-broken: the answer of acme.make breaks its contract: missing member "id"`, ""},
		{"put", answer{204, "", ``}, "ok", `{}`},
		{"put", answer{409, "", `done already`}, "ok", `{}`},
		{"wrapped", answer{200, "", `{"success":true,"result":{"n":1.50}}`}, "ok", `{"n":1.50}`},
		{"wrapped", answer{200, "", `{"success":false,"error":{"text":"no"}}`}, "unknown: no", ""},
		{"wrapped", answer{200, "", `{"error":{"text":"later","code":7}}`}, "busy: later", ""},
		{"wrapped", answer{200, "", `[1]`}, "unknown: [1]", ""},
		{"wrapped", answer{200, "", `<html></html>`}, "unknown unreadable: the answer is not JSON: <html></html>", ""},
		{"wrapped", answer{200, "", `{"success":true}`}, `invalid contract-broken: the answer of acme.wrapped breaks its contract: expected object, found null; it says {"success":true}`, ""},
		{"plain", answer{200, "", ``}, "ok", `{}`},
		{"plain", answer{200, "", `log in first`}, "denied: log in first", ""},
		{"silent", answer{200, "", `<html>whatever`}, "ok", `{}`},
		{"word", answer{200, "", `say "hi"`}, "ok", `{"word":"say \"hi\""}`},
	}
	var now answer
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if name, v, ok := strings.Cut(now.header, ": "); ok {
			w.Header().Set(name, v)
		}
		w.WriteHeader(now.status)
		fmt.Fprint(w, now.body)
	})
	e := connect(t, vendorOf(t, shop), base, nil, Options{})
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s %d %.20s", test.operation, test.answer.status, test.answer.body), func(t *testing.T) {
			now = test.answer
			res := ask(t, e, test.operation)
			if got := summary(res); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if res.Outcome.Success() && outputs(res) != test.outputs {
				t.Errorf("outputs %s, want %s", outputs(res), test.outputs)
			}
			if !res.Outcome.Success() && res.Outputs != nil {
				t.Errorf("a failed call has outputs %s", outputs(res))
			}
			if res.Status != test.answer.status || !res.Sent || res.At.IsZero() || res.Endpoint == "" {
				t.Errorf("status %d, sent %v, at %v, endpoint %q", res.Status, res.Sent, res.At, res.Endpoint)
			}
		})
	}
}

// summary writes "outcome code: message".
func summary(r flow.Result) string {
	s := string(r.Outcome)
	if r.Code != "" {
		s += " " + r.Code
	}
	if r.Message != "" {
		s += ": " + r.Message
	}
	return s
}

func TestFailedCallsKeepTheirBody(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(422)
		fmt.Fprint(w, `{"message":"no","fields":[{"name":"zip","amount":1.10}]}`)
	})
	res := ask(t, connect(t, vendorOf(t, shop), base, nil, Options{}), "make")
	want := `{"message":"no","fields":[{"name":"zip","amount":1.10}]}`
	if got := string(value.AppendJSON(nil, res.Body)); got != want {
		t.Errorf("body %s, want %s", got, want)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return date.Add(d).Format(http.TimeFormat) }
	tests := []struct {
		text string
		want time.Duration
	}{
		{"", 0},
		{"3", 3 * time.Second},
		{" 90 ", 90 * time.Second},
		{"-5", 0},
		{"99999999999999", time.Hour},
		{"999999999999999999999", 0},
		{"soon", 0},
		{at(2 * time.Minute), 2 * time.Minute},
		{at(-time.Minute), 0},
		{at(48 * time.Hour), time.Hour},
	}
	for _, test := range tests {
		h := http.Header{"Retry-After": {test.text}, "Date": {date.Format(http.TimeFormat)}}
		if got := retryAfter(h, time.Now()); got != test.want {
			t.Errorf("retryAfter(%q) = %v, want %v", test.text, got, test.want)
		}
	}
	soon := http.Header{"Retry-After": {time.Now().Add(30 * time.Minute).UTC().Format(http.TimeFormat)}}
	if got := retryAfter(soon, time.Now()); got < 29*time.Minute || got > 30*time.Minute {
		t.Errorf("without a Date: %v, want about 30m", got)
	}
}

// Vendors without Retry-After say when their limit begins anew.
func TestResetAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(d time.Duration, per time.Duration) string { return fmt.Sprint(now.Add(d).UnixNano() / int64(per)) }
	for _, tt := range []struct {
		headers []string
		want    time.Duration
	}{
		{nil, 0},
		{[]string{"X-RateLimit-Reset", at(90*time.Second, time.Second), "X-RateLimit-Remaining", "0"}, 90 * time.Second},
		{[]string{"X-RateLimit-Reset", at(90*time.Second, time.Second) + ".5"}, 91 * time.Second},
		{[]string{"X-RateLimit-Reset", at(90*time.Second, time.Millisecond)}, 90 * time.Second},
		{[]string{"X-Rate-Limit-Reset", at(9*time.Hour, time.Second)}, time.Hour},
		{[]string{"X-RateLimit-Reset", at(-time.Minute, time.Second)}, 0},
		{[]string{"RateLimit-Reset", "30"}, 30 * time.Second},
		{[]string{"RateLimit-Reset", "99999"}, time.Hour},
		{[]string{"RateLimit-Reset", "30", "RateLimit-Remaining", "7"}, 0},
		{[]string{"X-RateLimit-Reset", "7", "X-RateLimit-Remaining", "7", "X-Rate-Limit-Reset", "8"}, 8 * time.Second},
		{[]string{"RateLimit-Reset", "soon"}, 0},
		{[]string{"RateLimit-Reset", "-3"}, 0},
	} {
		h := http.Header{"Date": {now.Format(http.TimeFormat)}}
		for i := 0; i < len(tt.headers); i += 2 {
			h.Set(tt.headers[i], tt.headers[i+1])
		}
		if got := resetAfter(h, time.Now()); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.headers, got, tt.want)
		}
	}
}
