package call

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state/files"
)

const granted = `
vendor: acme
version: 1
config:
  login_url: {type: string}
  client_id: {type: string}
  client_secret: {type: string, secret: true}
auth:
  token:
    oauth2:
      grant: client_credentials
      url: ${{ config.login_url }}
      params:
        client_id: ${{ config.client_id }}
        client_secret: ${{ config.client_secret }}
        resource: "https://api.example"
    lifetime: 20m
  inject:
    headers:
      Authorization: Bearer ${{ token }}
defaults:
  timeout: 10s
operations:
  work:
    effect: read
    request: {method: GET, path: /work}
`

// issuer is a token endpoint and the vendor that takes its newest token. It
// rotates refresh tokens.
type issuer struct {
	mu    sync.Mutex
	n     int
	asked []string // form of each request, without the client's secret
	// fields are put beside the token in its answers; status, when set, refuses.
	fields string
	status int
	secret string // as it came
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !strings.HasSuffix(r.URL.Path, "/token") {
		if r.Header.Get("Authorization") != fmt.Sprintf("Bearer access-%d", i.n) {
			http.Error(w, "expired", 401)
			return
		}
		fmt.Fprint(w, `{}`)
		return
	}
	form, err := url.ParseQuery(body(r))
	if err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	i.secret = form.Get("client_secret")
	form.Del("client_secret")
	i.asked = append(i.asked, r.URL.RequestURI()+" "+form.Encode())
	if i.status != 0 {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(i.status)
		fmt.Fprintf(w, `{"error":"invalid_client","error_description":%q}`, "the secret "+i.secret+" is wrong")
		return
	}
	i.n++
	fmt.Fprintf(w, `{"access_token":"access-%d","refresh_token":"refresh-%d","token_type":"Bearer"%s}`, i.n, i.n, i.fields)
}

func (i *issuer) expire() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.n += 10
}

func (i *issuer) requests() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return strings.Join(i.asked, "\n")
}

const nastySecret = "s&3c=r+e%t/ ü\"~"

func client(login string) *value.Object {
	return value.ObjectOf("login_url", login, "client_id", "me", "client_secret", nastySecret)
}

func TestTokensComeFromAnEndpointElsewhereAndAreRefreshed(t *testing.T) {
	t.Parallel()
	var i issuer
	base, login := serve(t, i.ServeHTTP), serve(t, i.ServeHTTP)
	e := connect(t, vendorOf(t, granted), base, client(login+"/token?v=2"), Options{})
	var s story
	for range 2 {
		res, err := e.Do(context.Background(), request(e, "work"), &s)
		if err != nil || res.Outcome != flow.OK {
			t.Fatal(summary(res), err)
		}
		i.expire()
	}
	want := "/token?v=2 client_id=me&grant_type=client_credentials&resource=https%3A%2F%2Fapi.example\n" +
		"/token?v=2 client_id=me&grant_type=refresh_token&refresh_token=refresh-1&resource=https%3A%2F%2Fapi.example"
	if got := i.requests(); got != want || i.secret != nastySecret {
		t.Errorf("asked %s\nwant %s\nsecret %q", got, want, i.secret)
	}
	text := s.text()
	if !strings.Contains(text, `"Operation":"acme.auth.token"`) {
		t.Errorf("the story is not whole:\n%s", text)
	}
	for _, secret := range []string{nastySecret, "s&3c", "s%263c", `s\u0026`, "access-", "refresh-1", "refresh-2"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is told:\n%s", secret, text)
		}
	}
}

func TestTokenEndpointsBelowTheBaseURL(t *testing.T) {
	t.Parallel()
	var i issuer
	e := connect(t, vendorOf(t, replace(granted, "${{ config.login_url }}", "/oauth/token?v=2")), serve(t, i.ServeHTTP)+"/base/", client("-"), Options{})
	if res := ask(t, e, "work"); res.Outcome != flow.OK {
		t.Fatal(summary(res))
	}
	if got := i.requests(); !strings.HasPrefix(got, "/base/oauth/token?v=2 ") {
		t.Error(got)
	}
}

func TestTokenEndpointsThatGiveNone(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		url    string // "" for that of the issuer
		want   string // HOST stands for its host
		hint   string
		fatal  bool
	}{
		{"wrong secret", 401, "", "auth login-failed: cannot log in to acme: HOST/token: the secret ••• is wrong (invalid_client)", "check the credentials of the connection", true},
		{"throttled", 429, "", "busy login-failed: cannot log in to acme: HOST/token: the secret ••• is wrong (invalid_client)", "", false},
		{"down", 503, "", "busy login-failed: cannot log in to acme: HOST/token: the secret ••• is wrong (invalid_client)", "", false},
		{"unreachable", 0, "http://127.0.0.1:1/token", "busy login-failed: cannot log in to acme: cannot reach 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused", "", false},
		{"no URL", 0, "ftp://" + nastySecret, "auth login-failed: cannot log in to acme: the token endpoint cannot be read as a URL", "", true},
		{"no host", 0, "token", "auth login-failed: cannot log in to acme: the token endpoint must begin with https:// or http://, or with / to continue base_url", "", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			i := issuer{status: test.status}
			base := serve(t, i.ServeHTTP)
			login := test.url
			if login == "" {
				login = base + "/token"
			}
			e := connect(t, vendorOf(t, granted), base, client(login), Options{})
			var res flow.Result
			for range 2 {
				res = ask(t, e, "work")
			}
			want := strings.ReplaceAll(test.want, "HOST", strings.TrimPrefix(base, "http://"))
			if got := summary(res); got != want || res.Fatal != test.fatal || res.Sent || test.fatal == (res.RetryAfter != 0) && test.status != 0 {
				t.Errorf("fatal %v, sent %v, wait %v\ngot  %s\nwant %s", res.Fatal, res.Sent, res.RetryAfter, got, want)
			}
			if test.hint != "" && res.Hint != test.hint {
				t.Errorf("hint %q", res.Hint)
			}
			if n := len(i.asked); test.fatal && n > 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

func TestTheAnswersExpiryBeatsTheDocuments(t *testing.T) {
	i := issuer{fields: `,"expires_in":"100"`}
	inBubble(t, i.ServeHTTP, func(t *testing.T, c *http.Client) {
		e := connect(t, vendorOf(t, granted), "http://acme.example", client("http://login.example/token"), Options{Client: c})
		for range 3 {
			for range 9 { // within 90 seconds, a tenth before the end
				if res := ask(t, e, "work"); res.Outcome != flow.OK {
					t.Fatal(summary(res))
				}
				time.Sleep(10 * time.Second)
			}
		}
		if got := len(i.asked); got != 3 {
			t.Errorf("%d tokens, want 3", got)
		}
	})
}

func TestSilentTokenEndpointsTimeOut(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		body(r)
		<-r.Context().Done()
	}
	inBubble(t, slow, func(t *testing.T, c *http.Client) {
		e := connect(t, vendorOf(t, granted), "http://acme.example", client("http://login.example/token"), Options{Client: c})
		start := time.Now()
		res := ask(t, e, "work")
		if got := summary(res); got != "busy login-failed: cannot log in to acme: login.example: no answer within 10s" || time.Since(start) != 10*time.Second {
			t.Errorf("%s after %v", got, time.Since(start))
		}
	})
}

const badge = `
vendor: acme
version: 1
config:
  token: {type: string, secret: true}
auth:
  token: {value: "Key ${{ config.token }}"}
  inject:
    headers:
      Authorization: ${{ token }}
operations:
  work:
    effect: read
    timeout: 10s
    request: {method: GET, path: /work}
`

func TestTokensOfTheConfigAreNeverRenewed(t *testing.T) {
	t.Parallel()
	n := 0
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		http.Error(w, "no such key: "+r.Header.Get("Authorization"), 401)
	})
	store := files.New(t.TempDir())
	e := connect(t, vendorOf(t, badge), base, value.ObjectOf("token", "t0k3n-1"), Options{Tokens: store})
	res := ask(t, e, "work")
	if got := summary(res); got != "auth not-accepted: no such key: •••" || !res.Fatal || n != 1 {
		t.Errorf("%s, fatal %v, %d requests", got, res.Fatal, n)
	}
	if _, ok, err := store.Token(t.Context(), tokenKey(e.connections["acme"].Connection)); ok || err != nil {
		t.Errorf("it was kept: %v, %v", ok, err)
	}
}

// Executors that share a folder are to each other as processes are.
func TestProcessesThatStartTogetherLogInOnce(t *testing.T) {
	t.Parallel()
	var d doorman
	base, dir := serve(t, d.ServeHTTP), t.TempDir()
	v := vendorOf(t, club)
	var executors []*Executor
	for range 3 {
		store := files.New(dir)
		executors = append(executors, connect(t, v, base, member("s3cret"), Options{Tokens: store, Locks: store}))
	}
	work := func() {
		var wait sync.WaitGroup
		for _, e := range executors {
			for range 4 {
				wait.Go(func() {
					if res := ask(t, e, "work"); res.Outcome != flow.OK {
						t.Error(summary(res))
					}
				})
			}
		}
		wait.Wait()
	}
	work() // the other two try the token that they find
	if got := d.counts(); got != "1 logins, 14 works" {
		t.Error(got)
	}
	d.expire() // one renews it for all
	work()
	if got := d.counts(); got != "2 logins, 28 works" {
		t.Error(got)
	}
	other := files.New(dir)
	e := connect(t, v, base, member("wrong-one"), Options{Tokens: other, Locks: other})
	if res := ask(t, e, "work"); res.Outcome != flow.Auth {
		t.Errorf("another password uses the kept token: %s", summary(res))
	}
}

func TestTokensAreKeptWithTheirEnd(t *testing.T) {
	var d doorman
	dir := t.TempDir()
	inBubble(t, d.ServeHTTP, func(t *testing.T, c *http.Client) {
		run := func() {
			store := files.New(dir)
			e := connect(t, vendorOf(t, replace(club, "    check: ping\n", "")), "http://acme.example", member("s3cret"), Options{Client: c, Tokens: store, Locks: store})
			if res := ask(t, e, "work"); res.Outcome != flow.OK {
				t.Fatal(summary(res))
			}
		}
		run()
		time.Sleep(15 * time.Minute)
		run()
		if got := d.counts(); got != "1 logins, 2 works" {
			t.Error(got)
		}
		time.Sleep(5 * time.Minute) // 20 minutes after the login, though not after the last use
		run()
		if got := d.counts(); got != "2 logins, 3 works" {
			t.Error(got)
		}
	})
}

// A store that does not work keeps nobody from working.
func TestStoresThatFailAreWarnedOf(t *testing.T) {
	t.Parallel()
	v := vendorOf(t, granted)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := t.TempDir()
	if err := os.MkdirAll(filepath.Join(damaged, "tokens"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, dir string
		want      []string
	}{
		{"no folder", filepath.Join(file, "runner"), []string{"cannot see whether others log in", "a kept token is not used", "the token is not kept for later runs"}},
		{"damaged", damaged, []string{"is damaged"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var i issuer
			base := serve(t, i.ServeHTTP)
			store := files.New(test.dir)
			e := connect(t, v, base, client(base+"/token"), Options{Tokens: store, Locks: store})
			if test.dir == damaged {
				key := tokenKey(e.connections["acme"].Connection)
				if err := store.PutToken(t.Context(), key, auth.Token{Value: "access-7"}); err != nil {
					t.Fatal(err)
				}
				kept, err := filepath.Glob(filepath.Join(damaged, "tokens", "*.json"))
				if err != nil || len(kept) != 1 {
					t.Fatal(kept, err)
				}
				if err := os.WriteFile(kept[0], []byte(`{"token":"access-7`), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var s story
			res, err := e.Do(context.Background(), request(e, "work"), &s)
			if err != nil || res.Outcome != flow.OK {
				t.Fatal(summary(res), err)
			}
			for _, want := range test.want {
				if !strings.Contains(s.text(), `"Warning":true`) || !strings.Contains(s.text(), want) {
					t.Errorf("not told: %s\n%s", want, s.text())
				}
			}
			if strings.Contains(s.text(), "access-") {
				t.Error(s.text())
			}
		})
	}
}
