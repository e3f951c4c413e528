package call

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// club lets in whoever holds the newest token.
const club = `
vendor: acme
version: 1
config:
  user: {type: string}
  password: {type: string, secret: true}
auth:
  token:
    call: login
    with:
      user: ${{ config.user }}
      password: ${{ config.password }}
    value: ${{ outputs.token }}
    check: ping
    lifetime: 20m
  inject:
    headers:
      Authorization: Bearer ${{ token }}
defaults:
  timeout: 10s
operations:
  login:
    effect: idempotent
    auth: none
    inputs:
      user: {type: string}
      password: {type: string, secret: true}
    request:
      method: POST
      path: /login
      body:
        user: ${{ inputs.user }}
        password: ${{ inputs.password }}
    response:
      schema: {type: string, minLength: 1}
      outputs:
        token: {path: "@this", secret: true}
  ping:
    effect: read
    request: {method: POST, path: /ping, body: {}}
  work:
    effect: read
    request: {method: POST, path: /work, body: {}}
  make:
    effect: create
    request: {method: POST, path: /work, body: {}}
`

// doorman is the vendor of club. Its zero value accepts the password "s3cret".
type doorman struct {
	mu     sync.Mutex
	token  string // the one that is accepted
	logins int
	works  int // accepted
	each   int // how many works a token is good for; 0 for any number
	left   int // of each
	shut   bool
	// answer, when set, answers logins in the place of the doorman.
	answer http.HandlerFunc
}

func (d *doorman) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case r.URL.Path == "/login" && d.answer != nil:
		d.logins++
		d.answer(w, r)
	case r.URL.Path == "/login" && !strings.Contains(body(r), `"s3cret"`):
		d.logins++
		http.Error(w, "user or password wrong", 400)
	case r.URL.Path == "/login":
		d.logins++
		d.token, d.left = fmt.Sprintf("token-%d", d.logins), d.each
		fmt.Fprintf(w, "%q", d.token)
	case d.shut || d.token == "" || r.Header.Get("Authorization") != "Bearer "+d.token:
		http.Error(w, "session is not active", 401)
	default:
		d.works++
		fmt.Fprint(w, `{}`)
		if d.left--; d.left == 0 {
			d.token = "another"
		}
	}
}

func (d *doorman) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.token = "another"
}

func (d *doorman) counts() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fmt.Sprintf("%d logins, %d works", d.logins, d.works)
}

func member(password string) *value.Object {
	return value.ObjectOf("user", "joe", "password", password)
}

func TestManyCallsLogInOnce(t *testing.T) {
	t.Parallel()
	var d doorman
	e := connect(t, vendorOf(t, club), serve(t, d.ServeHTTP), member("s3cret"), Options{})
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if res := ask(t, e, "work"); res.Outcome != flow.OK {
				t.Error(summary(res))
			}
		})
	}
	wg.Wait()
	if got := d.counts(); got != "1 logins, 32 works" {
		t.Error(got)
	}
	// Now the session ends under all of them.
	d.expire()
	for range 32 {
		wg.Go(func() {
			if res := ask(t, e, "make"); res.Outcome != flow.OK {
				t.Error(summary(res))
			}
		})
	}
	wg.Wait()
	if got := d.counts(); got != "2 logins, 64 works" {
		t.Error(got)
	}
}

// A token that others use up while it is renewed is not one that lets nobody in.
func TestTokensThatAreGoodForFewCallsAreRenewedAgain(t *testing.T) {
	t.Parallel()
	d := doorman{each: 4}
	e := connect(t, vendorOf(t, club), serve(t, d.ServeHTTP), member("s3cret"), Options{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				if res := ask(t, e, "make"); res.Outcome != flow.OK {
					t.Error(summary(res))
				}
			}
		})
	}
	wg.Wait()
	if got := d.counts(); got != "10 logins, 40 works" {
		t.Error(got)
	}
}

func TestAuthThatStaysAfterRenewalIsFatal(t *testing.T) {
	t.Parallel()
	d := doorman{shut: true}
	e := connect(t, vendorOf(t, club), serve(t, d.ServeHTTP), member("s3cret"), Options{})
	res := ask(t, e, "work")
	if got := summary(res); got != "auth not-accepted: session is not active" || !res.Fatal || res.Hint != `the login succeeded, and acme accepts no request after it: does somebody else log in as the user of connection "acme"? Or check auth.inject` {
		t.Errorf("%s, fatal %v, hint %s", got, res.Fatal, res.Hint)
	}
	if got := d.counts(); got != "2 logins, 0 works" {
		t.Error(got)
	}
}

// Another user of the same account ends sessions, new ones too. Where we had been let in
// before, that is worth another login, and never one without end.
func TestSessionsThatSomebodyElseEndsAreRenewed(t *testing.T) {
	t.Parallel()
	for ended, want := range map[int]string{
		1: "ok after 3 logins, 2 works",
		3: "ok after 5 logins, 2 works",
		4: "auth not-accepted: session is not active after 5 logins, 1 works",
	} {
		for _, status := range []int{401, 403} { // of 403 only the check tells that the session has ended
			var d doorman
			left, dead := 0, map[string]bool{}
			base := serve(t, func(w http.ResponseWriter, r *http.Request) {
				token := r.Header.Get("Authorization")
				switch {
				case r.URL.Path == "/ping" && dead[token]:
					http.Error(w, "session is not active", 401)
				case r.URL.Path == "/work" && left > 0:
					left--
					dead[token] = true
					http.Error(w, "session is not active", status)
				default:
					d.ServeHTTP(w, r)
				}
			})
			e := connect(t, vendorOf(t, club), base, member("s3cret"), Options{})
			if got := summary(ask(t, e, "work")); got != "ok" {
				t.Fatal(got)
			}
			left = ended + 1
			want := want
			if status == 403 && ended == 4 {
				want = "denied: session is not active after 5 logins, 1 works"
			}
			if got := summary(ask(t, e, "make")) + " after " + d.counts(); got != want {
				t.Errorf("%d, %d: got %s, want %s", status, ended, got, want)
			}
		}
	}
}

func TestWrongPasswordIsFatalAndTriedOnce(t *testing.T) {
	t.Parallel()
	var d doorman
	e := connect(t, vendorOf(t, club), serve(t, d.ServeHTTP), member("wrong-one"), Options{})
	for range 3 {
		res := ask(t, e, "make")
		if got := summary(res); got != "auth login-failed: cannot log in to acme: acme.login: user or password wrong" || !res.Fatal || res.Sent || res.Hint != `check the credentials of connection "acme"` {
			t.Errorf("%s, fatal %v, sent %v, hint %s", got, res.Fatal, res.Sent, res.Hint)
		}
	}
	if got := d.counts(); got != "1 logins, 0 works" {
		t.Error(got)
	}
}

func TestLoginsThatFail(t *testing.T) {
	t.Parallel()
	answer := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		}
	}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
		fatal  bool
		wait   time.Duration // at the most; where the vendor asks for none, half of it is jitter
	}{
		{"denied", answer(403, `locked`), "auth login-failed: cannot log in to acme: acme.login: locked", true, 0},
		{"refused in JSON", answer(400, `"user or password wrong"`), "auth login-failed: cannot log in to acme: acme.login: user or password wrong", true, 0},
		{"throttled", answer(429, `slow down`), "busy login-failed: cannot log in to acme: acme.login: slow down", false, 7 * time.Second},
		{"down", answer(500, ``), "busy login-failed: cannot log in to acme: acme.login: HTTP status 500 Internal Server Error", false, 7 * time.Second},
		{"a page", answer(200, `<html><title>Maintenance</title>`), "busy login-failed: cannot log in to acme: acme.login: the answer is not JSON: Maintenance", false, time.Second},
		{"a bare token", answer(200, `tok-ABCDEF`), "busy login-failed: cannot log in to acme: acme.login: the answer is not JSON", false, time.Second},
		{"forbidden without a word", answer(403, ``), "auth login-failed: cannot log in to acme: acme.login: HTTP status 403 Forbidden", true, 0},
		{"empty", answer(200, `""`), `auth login-failed: cannot log in to acme: acme.login: the answer of acme.login breaks its contract: must not be empty`, true, 0},
		{"evil", answer(200, `"a\r\nX-Evil: 1"`), "auth login-failed: cannot log in to acme: the token holds a control character (0x0d)", true, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := doorman{answer: test.answer}
			e := connect(t, vendorOf(t, club), serve(t, d.ServeHTTP), member("s3cret"), Options{})
			res := ask(t, e, "make")
			if blames := strings.Contains(res.Hint, "credentials"); blames != (strings.Contains(test.name, "denied") || strings.Contains(test.name, "refused")) {
				t.Errorf("the hint is %s", res.Hint)
			}
			if got := summary(res); got != test.want || res.Fatal != test.fatal || res.Sent || res.RetryAfter > test.wait || res.RetryAfter < test.wait/2 {
				t.Errorf("fatal %v, sent %v, wait %v\ngot  %s\nwant %s", res.Fatal, res.Sent, res.RetryAfter, got, test.want)
			}
		})
	}
}

func TestRenewalThatFailsKeepsThatNothingWasDone(t *testing.T) {
	t.Parallel()
	var d doorman
	e := connect(t, vendorOf(t, club), serve(t, d.ServeHTTP), member("s3cret"), Options{})
	ask(t, e, "work")
	d.expire()
	d.mu.Lock()
	d.answer = func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "tired", 500) }
	d.mu.Unlock()
	res := ask(t, e, "make")
	if got := summary(res); got != "busy login-failed: cannot log in to acme: acme.login: tired" || !res.Sent || res.Status != 401 || res.Endpoint == "" {
		t.Errorf("%s, sent %v, status %d", got, res.Sent, res.Status)
	}
}

func TestOneCallerGivingUpDoesNotFailTheOthers(t *testing.T) {
	t.Parallel()
	var d doorman
	arrived, leave := make(chan struct{}), make(chan struct{})
	var logins atomic.Int64
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" && logins.Add(1) == 1 {
			close(arrived)
			select {
			case <-leave:
			case <-r.Context().Done():
			}
			return
		}
		d.ServeHTTP(w, r)
	})
	e := connect(t, vendorOf(t, club), base, member("s3cret"), Options{})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer close(leave)
	wg.Go(func() {
		if res, err := e.Do(ctx, request(e, "work"), nil); !errors.Is(err, context.Canceled) {
			t.Errorf("the first: %s, %v", summary(res), err)
		}
	})
	<-arrived
	for range 4 {
		wg.Go(func() {
			if res := ask(t, e, "work"); res.Outcome != flow.OK {
				t.Error(summary(res))
			}
		})
	}
	cancel()
	wg.Wait()
	if n := logins.Load(); n != 2 {
		t.Errorf("%d logins, want 2", n)
	}
}

// A vendor may say "forbidden" of a session that has ended and of a right that is
// missing: its check tells which.
func TestDeniedCallAsksWhetherTheSessionLives(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		work, check int // statuses under the first token
		want        string
		requests    string
	}{
		{"ended, and the check says so", 403, 401, "ok", "login work ping login work"},
		{"ended, and all is forbidden", 403, 403, "ok", "login work ping login work"},
		{"a right is missing", 403, 200, "denied: forbidden", "login work ping"},
		{"the check does not tell", 403, 500, "denied: forbidden", "login work ping"},
		{"another refusal", 400, 401, "invalid: forbidden", "login work"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var d doorman
			var requests []string
			base := serve(t, func(w http.ResponseWriter, r *http.Request) {
				requests = append(requests, strings.TrimPrefix(r.URL.Path, "/"))
				status := map[string]int{"/work": test.work, "/ping": test.check}[r.URL.Path]
				if status > 200 && r.Header.Get("Authorization") == "Bearer token-1" {
					http.Error(w, "forbidden", status)
					return
				}
				d.ServeHTTP(w, r)
			})
			e := connect(t, vendorOf(t, club), base, member("s3cret"), Options{})
			if got := summary(ask(t, e, "make")); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if got := strings.Join(requests, " "); got != test.requests {
				t.Errorf("requests: %s, want %s", got, test.requests)
			}
		})
	}
}

func TestTokensFromBeforeAreTriedOnce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, kept, want string
	}{
		{"none", "", "1 logins, 2 works"},
		{"alive", "old-token", "0 logins, 3 works"}, // the check counts as work
		{"dead", "dead-token", "1 logins, 2 works"},
		{"broken", "a\nb", "1 logins, 2 works"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := doorman{token: "old-token"}
			s := state.NewMemory()
			e := connect(t, vendorOf(t, club), serve(t, d.ServeHTTP), member("s3cret"), Options{Tokens: s})
			key := tokenKey(e.connections["acme"].Connection)
			if test.kept != "" {
				s.PutToken(t.Context(), key, auth.Token{Value: test.kept})
			}
			for range 2 {
				if res := ask(t, e, "work"); res.Outcome != flow.OK {
					t.Error(summary(res))
				}
			}
			kept, _, _ := s.Token(t.Context(), key)
			if got := d.counts(); got != test.want || kept.Value != d.token {
				t.Errorf("%s, want %s; kept %q", got, test.want, kept.Value)
			}
		})
	}
}

func TestStaticKeysAreNeverRenewed(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		http.Error(w, "who is "+r.Header.Get("X-Key"), 401)
	})
	gate := redact.NewGate()
	e := connect(t, vendorOf(t, echo), base, nil, Options{Gate: gate})
	res := ask(t, e, "json", "name", "a")
	if got := summary(res); got != "auth not-accepted: who is Key •••" && got != "auth not-accepted: who is •••" || !res.Fatal || n.Load() != 1 {
		t.Errorf("%s, fatal %v, %d requests", got, res.Fatal, n.Load())
	}
	if res := ask(t, e, "text"); res.Outcome != flow.Auth || res.Fatal {
		t.Errorf("without credentials: %s, fatal %v", summary(res), res.Fatal)
	}
}

// faulty is an embedder's kind.
type faulty struct {
	token auth.Token
	err   error
}

func (f faulty) Get(context.Context, auth.Login) (auth.Token, error) { return f.token, f.err }

func TestKindsOfAnEmbedder(t *testing.T) {
	t.Parallel()
	var d doorman
	base := serve(t, d.ServeHTTP)
	tests := []struct {
		kind auth.Kind
		want string
	}{
		{faulty{err: errors.New("no luck with s3cret")}, "auth login-failed: cannot log in to acme: no luck with •••"},
		{faulty{err: &auth.Failure{Message: "vault is sealed", Temporary: true}}, "busy login-failed: cannot log in to acme: vault is sealed"},
		{faulty{}, "auth login-failed: cannot log in to acme: the token is empty"},
		{nil, `auth login-failed: cannot log in to acme: no way to get a token is called "call"`},
	}
	for _, test := range tests {
		kinds := auth.Kinds{}
		if test.kind != nil {
			kinds["call"] = test.kind
		}
		e := connect(t, vendorOf(t, club), base, member("s3cret"), Options{Auth: kinds})
		if got := summary(ask(t, e, "work")); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestNoEventHoldsASecret(t *testing.T) {
	t.Parallel()
	var d doorman
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/login" {
			w.Header().Set("X-Echo", r.Header.Get("Authorization"))
			w.WriteHeader(500)
			fmt.Fprintf(w, `{"you":%q,"padding":%q}`, r.Header.Get("Authorization"), strings.Repeat("x", 1<<17))
			return
		}
		d.ServeHTTP(w, r)
	})
	e := connect(t, vendorOf(t, club), strings.Replace(base, "http://", "http://me:pass-w0rd@", 1), member("s3cret"), Options{})
	var s story
	res, err := e.Do(context.Background(), request(e, "work"), &s)
	if err != nil || res.Outcome != flow.Unknown {
		t.Fatal(summary(res), err)
	}
	text := s.text() + summary(res) + res.Endpoint + res.Hint
	for _, secret := range []string{"s3cret", "token-1", "pass-w0rd"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is told:\n%s", secret, text)
		}
	}
	if len(s.events) != 4 || !strings.Contains(text, `"Operation":"acme.login"`) || !strings.Contains(text, `"Key":"step"`) || !strings.Contains(text, `"Attempt":2`) {
		t.Errorf("the story is not whole:\n%s", text)
	}
}

func TestAnswerWhoseSecretsWereNotFoundIsNotTold(t *testing.T) {
	t.Parallel()
	d := doorman{answer: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `TOP-s3cr3t-token`) }}
	e := connect(t, vendorOf(t, club), serve(t, d.ServeHTTP), member("s3cret"), Options{})
	var s story
	res, _ := e.Do(context.Background(), request(e, "work"), &s)
	if text := s.text() + summary(res); strings.Contains(text, "s3cr3t") || !strings.Contains(text, "not shown: it may hold a secret") {
		t.Error(text)
	}
}
