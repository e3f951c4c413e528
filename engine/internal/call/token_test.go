package call

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// cookies logs in as a browser does: a session in a cookie, and a second proof in a header.
const cookies = `
vendor: acme
version: 1
auth:
  token:
    call: login
    value: {session: "${{ outputs.session }}", csrf: "${{ outputs.csrf }}"}
  inject:
    headers: {Cookie: "JSESSIONID=${{ token.session }}", X-CSRF-Token: "${{ token.csrf }}"}
operations:
  login:
    effect: idempotent
    auth: none
    request: {method: POST, path: /login}
    response:
      as: none
      outputs:
        session: {cookie: JSESSIONID, secret: true}
        csrf: {header: X-CSRF-Token, secret: true}
  work:
    effect: read
    request: {method: GET, path: /work}
    response: {as: text, outputs: {said: "@this"}}
`

// desk is the vendor of cookies. Each login gives another session.
type desk struct {
	logins atomic.Int64
	cookie func(session string) []string // nil for the usual one
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	session := fmt.Sprintf("session+%d/==", d.logins.Load())
	if r.URL.Path == "/login" {
		session = fmt.Sprintf("session+%d/==", d.logins.Add(1))
		lines := []string{"lang=en; Path=/; Expires=Wed, 21 Oct 2037 07:28:00 GMT", "JSESSIONID=old", "JSESSIONID=" + session + "; Path=/; HttpOnly"}
		if d.cookie != nil {
			lines = d.cookie(session)
		}
		w.Header()["Set-Cookie"] = lines
		w.Header().Set("X-CSRF-Token", "csrf-of-"+session)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if c, err := r.Cookie("JSESSIONID"); err != nil || c.Value != session || r.Header.Get("X-CSRF-Token") != "csrf-of-"+session {
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	fmt.Fprint(w, "done with ", session)
}

func TestTokenOfSeveralParts(t *testing.T) {
	t.Parallel()
	var d desk
	base, kept := serve(t, d.ServeHTTP), state.NewMemory()
	var told story
	for range 2 {
		e := connect(t, vendorOf(t, cookies), base, nil, Options{Tokens: kept, Locks: kept})
		res, err := e.Do(context.Background(), request(e, "work"), &told)
		if got := outputs(res); err != nil || got != `{"said":"done with session+1/=="}` {
			t.Fatal(got, err, summary(res))
		}
	}
	if n := d.logins.Load(); n != 1 {
		t.Errorf("%d logins: the token was not kept", n)
	}
	for _, secret := range []string{"session+1", "csrf-of"} {
		if strings.Contains(told.text(), secret) {
			t.Errorf("%s is shown:\n%s", secret, told.text())
		}
	}
	d.logins.Add(1) // the session ends
	e := connect(t, vendorOf(t, cookies), base, nil, Options{Tokens: kept, Locks: kept})
	if got := outputs(ask(t, e, "work")); got != `{"said":"done with session+3/=="}` {
		t.Error(got)
	}
}

// A token that was kept under another vendor file is no token of this one.
func TestKeptTokenOfAnotherShape(t *testing.T) {
	t.Parallel()
	var d desk
	base, kept := serve(t, d.ServeHTTP), state.NewMemory()
	one := strings.NewReplacer(`{session: "${{ outputs.session }}", csrf: "${{ outputs.csrf }}"}`, "${{ outputs.session }}",
		"token.session", "token", "token.csrf", "'csrf-of-' + token").Replace(cookies)
	two := strings.Replace(cookies, `{session: "${{ outputs.session }}"`, `{more: "${{ outputs.session }}", session: "${{ outputs.session }}"`, 1)
	for i, spec := range []string{one, cookies, two, cookies} {
		e := connect(t, vendorOf(t, spec), base, nil, Options{Tokens: kept, Locks: kept})
		if res := ask(t, e, "work"); res.Outcome != flow.OK {
			t.Errorf("%d: %s", i, summary(res))
		}
	}
	if n := d.logins.Load(); n != 3 {
		t.Errorf("%d logins, and the last token has all parts", n)
	}
}

func TestLoginWithoutCookie(t *testing.T) {
	t.Parallel()
	for _, lines := range [][]string{nil, {"jsessionid=x"}, {"JSESSIONID="}, {"JSESSIONID=x", "JSESSIONID=x; Max-Age=0"}} {
		d := desk{cookie: func(string) []string { return lines }}
		res := ask(t, connect(t, vendorOf(t, cookies), serve(t, d.ServeHTTP), nil, Options{}), "work")
		const want = "auth login-failed: cannot log in to acme: acme.login: there is no session in the answer"
		if got := summary(res); got != want || !res.Fatal || d.logins.Load() != 1 {
			t.Errorf("%q after %d logins: %s", lines, d.logins.Load(), got)
		}
	}
}

// granting is a vendor whose token endpoint tells where its API is.
const granting = `
vendor: acme
version: 1
auth:
  token:
    oauth2: {grant: password, url: /token, params: {username: u, password: p}}
    value: {access: "${{ outputs.access_token }}", api: "${{ outputs.instance_url }}"}
  base_url: ${{ token.api }}
  inject:
    headers: {Authorization: "Bearer ${{ token.access }}"}
operations:
  list:
    effect: read
    paginate: {by: link, items: rows, next: next}
    request: {method: GET, path: /list}
    response: {outputs: {rows: rows}}
  open:
    effect: read
    auth: none
    request: {method: GET, path: /open}
    response: {as: text, outputs: {host: "@this"}}
`

// The API is elsewhere than the login, which tells where: there go the calls with
// credentials, and the links from page to page stay there.
func TestBaseURLFromTheToken(t *testing.T) {
	t.Parallel()
	var api string
	api = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer tok-12345678" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		answer := map[string]any{"rows": []string{r.URL.Path + "?" + r.URL.RawQuery}}
		if r.URL.RawQuery == "" {
			answer["next"] = api + "/eu/list?page=2"
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
	var tell string
	login := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "tok-12345678", "instance_url": tell})
			return
		}
		fmt.Fprint(w, r.URL.Path)
	})
	tell = api + "/eu/"
	kept := state.NewMemory()
	for range 2 {
		var told story
		e := connect(t, vendorOf(t, granting), login, nil, Options{Tokens: kept, Locks: kept})
		res, err := e.Do(context.Background(), request(e, "list"), &told)
		if got := outputs(res); err != nil || got != `{"rows":["/eu/list?","/eu/list?page=2"]}` {
			t.Error(got, err, summary(res))
		}
		if !strings.Contains(told.text(), api+"/eu/list") || strings.Contains(told.text(), "tok-12345678") {
			t.Error(told.text())
		}
		if got := ask(t, e, "open").Outputs.At("host"); got != "/open" {
			t.Errorf("what carries no credentials went elsewhere: %v", got)
		}
	}
	for given, want := range map[string]string{
		"":                  "auth login-failed: cannot log in to acme: auth.token: there is no api in the answer",
		"api.example":       `invalid bad-request: cannot make the request of acme.list: the login tells the base URL "api.example", which must be one of http, without user, query or #`,
		api + "/?x=1":       `invalid bad-request: cannot make the request of acme.list: the login tells the base URL "` + api + `/?x=1", which must be one of http, without user, query or #`,
		"ftp://api.example": `invalid bad-request: cannot make the request of acme.list: the login tells the base URL "ftp://api.example", which must be one of http, without user, query or #`,
	} {
		tell = given
		res := ask(t, connect(t, vendorOf(t, granting), login, nil, Options{}), "list")
		if got := summary(res); got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", given, got, want)
		}
	}
}

// Credentials that a connection sends encrypted do not leave in the clear.
func TestBaseURLStaysEncrypted(t *testing.T) {
	t.Parallel()
	spec := vendorOf(t, strings.NewReplacer("oauth2: {grant: password, url: /token, params: {username: u, password: p}}", "value: tok-12345678",
		`    value: {access: "${{ outputs.access_token }}", api: "${{ outputs.instance_url }}"}`+"\n", "",
		"token.api", "'http://api.example/' + token", "token.access", "token").Replace(granting))
	res := ask(t, connect(t, spec, "https://login.example", value.ObjectOf(), Options{}), "list")
	const want = `invalid bad-request: cannot make the request of acme.list: the login tells the base URL "http://api.example/•••", which must be one of https, without user, query or #`
	if got := summary(res); got != want || res.Sent {
		t.Errorf("%s, sent %v", got, res.Sent)
	}
}
