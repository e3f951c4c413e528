package call

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/transport"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// pipes is a listener of in-memory connections, for tests in a bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.done); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.done:
		return nil, errors.New("closed")
	}
}

// inBubble runs f with a client of the handler, in virtual time.
func inBubble(t *testing.T, h http.HandlerFunc, f func(t *testing.T, client *http.Client)) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		s := &http.Server{Handler: h, IdleTimeout: 10 * time.Second}
		go s.Serve(p)
		client := transport.New(p.dial)
		f(t, client)
		client.CloseIdleConnections()
		s.Close()
		synctest.Wait()
	})
}

func TestTokensAreRenewedBeforeTheyEnd(t *testing.T) {
	var d doorman
	inBubble(t, d.ServeHTTP, func(t *testing.T, client *http.Client) {
		e := connect(t, vendorOf(t, club), "http://acme.example", member("s3cret"), Options{Client: client})
		start := time.Now()
		for time.Since(start) < 72*time.Hour {
			if res := ask(t, e, "work"); res.Outcome != flow.OK {
				t.Fatal(summary(res))
			}
			time.Sleep(5 * time.Minute)
		}
		// A token of 20 minutes is renewed after 19: at every fourth call.
		if got := d.counts(); got != "216 logins, 864 works" {
			t.Error(got)
		}
	})
}

func TestSlowAnswerTimesOut(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		body(r)
		<-r.Context().Done()
	}
	inBubble(t, slow, func(t *testing.T, client *http.Client) {
		e := connect(t, vendorOf(t, shop), "http://acme.example", nil, Options{Client: client})
		start := time.Now()
		res := ask(t, e, "make")
		if got := summary(res); got != "unknown timeout: no answer within 30s" || !res.Sent || time.Since(start) != 30*time.Second {
			t.Errorf("%s, sent %v, after %v", got, res.Sent, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		res, err := e.Do(ctx, request(e, "put"), nil)
		if err != nil || summary(res) != "unknown interrupted: the run was stopped before the answer came" {
			t.Errorf("%s, error %v", summary(res), err)
		}
	})
}

// Cut off, a create would be of unknown outcome: it is let come to its end.
func TestACreateIsNotCutOffByAnInterrupt(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		body(r)
		time.Sleep(10 * time.Second)
		fmt.Fprint(w, `{"id": 7}`)
	}
	inBubble(t, slow, func(t *testing.T, client *http.Client) {
		e := connect(t, vendorOf(t, shop), "http://acme.example", nil, Options{Client: client})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		res, err := e.Do(ctx, request(e, "make"), nil)
		if err != nil || res.Outcome != flow.OK {
			t.Errorf("%s, error %v", summary(res), err)
		}
	})
}

func TestSlowBodyTimesOut(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`{"id":`))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	inBubble(t, slow, func(t *testing.T, client *http.Client) {
		e := connect(t, vendorOf(t, shop), "http://acme.example", nil, Options{Client: client})
		res := ask(t, e, "make")
		if got := summary(res); got != "unknown timeout: no answer within 30s" || !res.Sent {
			t.Errorf("%s, sent %v", got, res.Sent)
		}
	})
}

func TestUnansweredDialIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := transport.New(func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		e := connect(t, vendorOf(t, shop), "http://acme.example", nil, Options{Client: client})
		res := ask(t, e, "make")
		if got := summary(res); got != "busy timeout: no connection within 30s" || res.Sent {
			t.Errorf("%s, sent %v", got, res.Sent)
		}
	})
}

func TestConnectionsThatTheVendorClosedAreNotUsed(t *testing.T) {
	ok := func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(`{"id":1}`)) }
	inBubble(t, ok, func(t *testing.T, client *http.Client) {
		e := connect(t, vendorOf(t, shop), "http://acme.example", nil, Options{Client: client})
		for _, pause := range []time.Duration{time.Second, 11 * time.Second, 49 * time.Second, time.Hour} {
			if res := ask(t, e, "make"); res.Outcome != flow.OK {
				t.Fatalf("before a pause of %v: %s", pause, summary(res))
			}
			time.Sleep(pause)
		}
	})
}

func TestTokensAreRenewedAMinuteEarly(t *testing.T) {
	var d doorman
	inBubble(t, d.ServeHTTP, func(t *testing.T, client *http.Client) {
		e := connect(t, vendorOf(t, club), "http://acme.example", member("s3cret"), Options{Client: client})
		start := time.Now()
		for _, step := range []struct {
			at   time.Duration
			want string
		}{
			{0, "1 logins, 1 works"},
			{18*time.Minute + 59*time.Second, "1 logins, 2 works"},
			{19*time.Minute + time.Second, "2 logins, 3 works"},
		} {
			time.Sleep(time.Until(start.Add(step.at)))
			ask(t, e, "work")
			if got := d.counts(); got != step.want {
				t.Errorf("after %v: %s, want %s", step.at, got, step.want)
			}
		}
	})
}

// A vendor whose login does not work for a while is asked for one token per wait, however many calls need one.
func TestLoginsThatFailForNowAreShared(t *testing.T) {
	var d doorman
	d.answer = func(w http.ResponseWriter, _ *http.Request) {
		if d.logins == 3 {
			d.answer = nil // the next one works
		}
		http.Error(w, "", 500)
	}
	inBubble(t, d.ServeHTTP, func(t *testing.T, client *http.Client) {
		e := connect(t, vendorOf(t, club), "http://acme.example", member("s3cret"), Options{Client: client})
		var rows sync.WaitGroup
		for range 20 {
			rows.Go(func() {
				res := ask(t, e, "work")
				for ; res.Outcome == flow.Busy; res = ask(t, e, "work") {
					if res.RetryAfter <= 0 || res.RetryAfter > 4*time.Second {
						t.Errorf("%s, to be asked for again after %v", summary(res), res.RetryAfter)
					}
					time.Sleep(res.RetryAfter)
				}
				if res.Outcome != flow.OK {
					t.Error(summary(res))
				}
			})
		}
		rows.Wait()
		if got := d.counts(); got != "4 logins, 20 works" {
			t.Error(got)
		}
	})
}

func TestStoppedWhileDiallingIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := transport.New(func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		e := connect(t, vendorOf(t, shop), "http://acme.example", nil, Options{Client: client})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := e.Do(ctx, request(e, "put"), nil)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// A step's timeout holds for what comes before its request, too: a turn under limits, a token, the lock of an exclusive one.
func TestNoWaitBeforeSendingOutlastsTheTimeout(t *testing.T) {
	t.Parallel()
	const spec = `vendor: acme
version: 1
config: {user: {type: string}}
auth:
  token: {call: login, with: {user: "${{ config.user }}"}, value: "${{ outputs.token }}"USE}
  inject: {headers: {X-Key: "${{ token }}"}}
defaults: {timeout: 30s, retry: {attempts: 1}}
operations:
  login:
    effect: idempotent
    auth: none
    timeout: 10h
    inputs: {user: {type: string}}
    request: {method: POST, path: /login, body: "${{ inputs }}"}
    response: {outputs: {token: {path: token, secret: true}}}
  get:
    effect: read
    request: {method: GET, path: /get}
  rare:
    effect: create
    identity: null
    limits: {rate: 1/h}
    request: {method: POST, path: /rare, body: {}}
  none:
    effect: read
    auth: none
    limits: {rate: 1/h}
    request: {method: GET, path: /none}
`
	for name, tt := range map[string]struct {
		use, operation string
		slow           string // the path that takes an hour
		first          int    // calls before
	}{
		"a limit":            {"", "rare", "", 1},
		"a limit, no token":  {"", "none", "", 1},
		"a login":            {"", "get", "/login", 0},
		"an exclusive token": {", use: exclusive", "get", "lock", 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(w http.ResponseWriter, r *http.Request) {
				body(r)
				if r.URL.Path == tt.slow {
					select {
					case <-time.After(time.Hour):
					case <-r.Context().Done():
					}
				}
				fmt.Fprint(w, `{"token": "t-123456789"}`)
			}, func(t *testing.T, client *http.Client) {
				locks := state.NewMemory()
				e := connect(t, vendorOf(t, replace(spec, "USE", tt.use)), "http://acme.example", value.ObjectOf("user", "u"), Options{Client: client, Locks: locks})
				for range tt.first {
					if res := ask(t, e, tt.operation); res.Outcome != flow.OK {
						t.Fatal(summary(res))
					}
				}
				if tt.slow == "lock" {
					unlock, err := locks.Lock(t.Context(), "use token "+e.connections["acme"].exclusive)
					if err != nil {
						t.Fatal(err)
					}
					defer unlock()
				}
				r, began := request(e, tt.operation), time.Now()
				r.Timeout = 5 * time.Second
				res, err := e.Do(t.Context(), r, nil)
				if err != nil || summary(res) != "busy timeout: not sent: it waited 5s for a token, or for its turn under the limits" || res.Sent {
					t.Errorf("%s, %v", summary(res), err)
				}
				if took := time.Since(began); took != 5*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}
