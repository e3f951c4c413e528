package call

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func TestSecretInputsAndOutputsAreMasked(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
operations:
  reset:
    effect: idempotent
    inputs:
      pin: {type: string, secret: true}
      users:
        type: array
        items:
          type: object
          properties:
            name: {type: string}
            password: {type: string, secret: true}
    request:
      method: POST
      path: /reset
      query:
        pin: ${{ inputs.pin }}
      body:
        users: ${{ inputs.users }}
    response:
      outputs:
        initial: {path: initial, secret: true}
        text: text
`
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"initial":"first/pa\"ss","text":%q}`, body(r))
	})
	e := connect(t, vendorOf(t, spec), base, nil, Options{})
	var users value.List
	for _, name := range []string{"ann", "bob"} {
		users = append(users, value.ObjectOf("name", name, "password", "pass-of-"+name))
	}
	var s story
	res, err := e.Do(context.Background(), request(e, "reset", "pin", "98+76/5", "users", users), &s)
	if err != nil || res.Outcome != flow.OK || res.Outputs.At("initial") != `first/pa"ss` {
		t.Fatal(summary(res), outputs(res), err)
	}
	text := s.text() + res.Endpoint
	for _, secret := range []string{"98+76", "98%2B76", "pass-of-ann", "pass-of-bob", "first/pa"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is told:\n%s", secret, text)
		}
	}
	if !strings.Contains(text, "ann") {
		t.Errorf("what is no secret is masked too:\n%s", text)
	}
}

func TestBrokenLoginAnswersDoNotTellWhatTheyHold(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
operations:
  enter:
    effect: read
    request: {method: POST, path: /, body: {}}
    response:
      schema: {type: object, required: [token], properties: {token: {type: string}}}
      outputs:
        token: {path: token, secret: true}
`
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `"tok-s3cret"`) })
	e := connect(t, vendorOf(t, spec), base, nil, Options{})
	var s story
	res, err := e.Do(context.Background(), request(e, "enter"), &s)
	want := "invalid contract-broken: the answer of acme.enter breaks its contract: does not fit (what was found is not shown: it may hold a secret)"
	if got := summary(res); err != nil || got != want || res.Body != nil || strings.Contains(s.text(), "tok-s3cret") {
		t.Errorf("got  %s, body %v, %v\nwant %s\n%s", got, res.Body, err, want, s.text())
	}
}

func TestLongTextsAreMaskedBeforeTheyAreCut(t *testing.T) {
	t.Parallel()
	e := New(Options{})
	secret := "the-secret-" + strings.Repeat("x", 50)
	e.gate.Add(secret)
	for _, text := range []string{
		strings.Repeat("a", maxMessage-20) + secret,
		strings.Repeat("a", maxShown-20) + secret,
		strings.Repeat("a", maxMasked-20) + secret,
		strings.Repeat(secret, maxMasked/len(secret)+1),
	} {
		if got := e.short(text) + e.excerpt(text); strings.Contains(got, "the-sec") {
			t.Errorf("of %d bytes is told: …%s", len(text), got[max(0, len(got)-80):])
		}
	}
}

func TestCookiesOfAnEmbeddersClientAreSentOnce(t *testing.T) {
	t.Parallel()
	var seen []string
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Cookie"))
		http.SetCookie(w, &http.Cookie{Name: "n", Value: "1"})
		if r.URL.Path == "/plain" {
			http.Redirect(w, r, "/next", http.StatusFound)
		}
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	e := connect(t, vendorOf(t, shop), base, nil, Options{Client: &http.Client{Jar: jar}})
	ask(t, e, "plain")
	ask(t, e, "plain")
	if got := strings.Join(seen, "|"); got != "|n=1|n=1|n=1" {
		t.Errorf("cookies %s", got)
	}
}

// FuzzAnswers holds that no answer makes the reader panic, and that nothing
// counts as success which is not JSON where JSON was to come.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{``, `[]`, `null`, `{"success":true,"result":{"n":1}}`, `<html><title>x`, "\xef\xbb\xbf{}", `[{"id":1e999}]`, `"\ud800"`} {
		f.Add(200, seed)
		f.Add(500, seed)
	}
	e := connect(f, vendorOf(f, shop), "http://127.0.0.1:1", nil, Options{})
	f.Fuzz(func(t *testing.T, status int, text string) {
		for name, op := range e.connections["acme"].operations {
			j := &job{connection: e.connections["acme"], op: op}
			a := newAnswer(&http.Response{StatusCode: status, Header: http.Header{}}, bytes.NewBufferString(text), false)
			res := e.read(j, nil, a)
			if res.Outcome == flow.OK && (name == "find" || name == "make" || name == "wrapped") && !a.json {
				t.Errorf("%s took %q for success", name, text)
			}
			if !res.Outcome.Success() && res.Message == "" {
				t.Errorf("%s says nothing of %d %q", name, status, text)
			}
			if len([]rune(res.Message)) > maxMessage || strings.ContainsAny(res.Message, "\r\n") {
				t.Errorf("%s: message %q", name, res.Message)
			}
		}
	})
}

func TestWhatIsInjectedIsNotTold(t *testing.T) {
	t.Parallel()
	const spec = `
vendor: acme
version: 1
config:
  user: {type: string}
  key: {type: string, secret: true}
auth:
  inject:
    headers:
      X-User: ${{ config.user }}
      X-Key: ${{ upper(config.key) }}
operations:
  look:
    effect: read
    request: {method: GET, path: /look}
    response: {as: text, outputs: {text: "@this"}}
`
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("X-Key")) })
	e := connect(t, vendorOf(t, spec), base, value.ObjectOf("user", "joe-smith", "key", "abcdefg"), Options{})
	var s story
	res, err := e.Do(context.Background(), request(e, "look"), &s)
	if err != nil || res.Outputs.At("text") != "ABCDEFG" {
		t.Fatal(summary(res), outputs(res), err)
	}
	if text := s.text(); strings.Contains(text, "ABCDEFG") || strings.Contains(text, "joe-smith") {
		t.Error(text)
	}
}
