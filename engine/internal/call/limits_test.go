package call

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
)

// counter is a vendor that takes its time, and notes when each request came.
type counter struct {
	slow time.Duration

	mu        sync.Mutex
	now, most int
	came      []string // path and time since the first request
	first     time.Time
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	if c.first.IsZero() {
		c.first = time.Now()
	}
	c.came = append(c.came, fmt.Sprintf("%s %v", r.URL.Path, time.Since(c.first)))
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	time.Sleep(c.slow)
	c.mu.Lock()
	c.now--
	n := len(c.came)
	c.mu.Unlock()
	fmt.Fprintf(w, `{"token":"token-%d"}`, n)
}

const limited = `
vendor: acme
version: 1
LIMITS
operations:
  list:
    effect: read
    timeout: 5s
    request: {method: GET, path: /list}
  slow:
    effect: create
    timeout: 5s
    limits: {concurrency: 1, rate: 2/m}
    request: {method: POST, path: /slow}
`

// together makes n calls at the same time and returns how they ended.
func together(t *testing.T, e *Executor, n int, operation string) []flow.Result {
	t.Helper()
	results := make([]flow.Result, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			res, err := e.Do(context.Background(), request(e, operation), nil)
			if err != nil {
				t.Error(err)
			}
			results[i] = res
		})
	}
	wg.Wait()
	return results
}

func TestCallsWaitForTheirLimits(t *testing.T) {
	tests := []struct {
		name, limits, operation string
		calls                   int
		most                    int
		came                    string
	}{
		{"none", "", "list", 4, 4, "0s 0s 0s 0s"},
		{"concurrency", "defaults: {limits: {concurrency: 2}}", "list", 6, 2, "0s 0s 4s 4s 8s 8s"},
		{"rate", "defaults: {limits: {rate: 2/s}}", "list", 6, 6, "0s 0s 1s 1s 2s 2s"},
		{"both", "defaults: {limits: {concurrency: 3, rate: 2/s}}", "list", 5, 3, "0s 0s 1s 4s 4s"},
		{"an operation's own", "", "slow", 4, 1, "0s 4s 1m0s 1m4s"},
		{"an operation's own below the vendor's", "defaults: {limits: {rate: 3/m}}", "slow", 3, 1, "0s 4s 1m0s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := counter{slow: 4 * time.Second}
			inBubble(t, c.ServeHTTP, func(t *testing.T, client *http.Client) {
				v := vendorOf(t, strings.Replace(limited, "LIMITS", test.limits, 1))
				e := connect(t, v, "http://acme.example", nil, Options{Client: client})
				for _, res := range together(t, e, test.calls, test.operation) {
					// The wait is longer than the operation's timeout of 5 s.
					if res.Outcome != flow.OK {
						t.Error(summary(res))
					}
				}
				var came []string
				for _, line := range c.came {
					came = append(came, strings.Fields(line)[1])
				}
				if got := strings.Join(came, " "); got != test.came || c.most != test.most {
					t.Errorf("came at %s, %d at a time; want %s, %d", got, c.most, test.came, test.most)
				}
			})
		})
	}
}

func TestALimitOfOneOperationKeepsNoOtherWaiting(t *testing.T) {
	c := counter{slow: time.Second}
	inBubble(t, c.ServeHTTP, func(t *testing.T, client *http.Client) {
		v := vendorOf(t, strings.Replace(limited, "LIMITS", "defaults: {limits: {concurrency: 2}}", 1))
		e := connect(t, v, "http://acme.example", nil, Options{Client: client})
		var wg sync.WaitGroup
		wg.Go(func() { together(t, e, 4, "slow") })
		synctest.Wait()
		together(t, e, 3, "list")
		wg.Wait()
		want := []string{"/slow 0s", "/list 0s", "/slow 1s", "/list 1s", "/list 2s", "/slow 1m0s", "/slow 1m1s"}
		slices.Sort(want)
		slices.Sort(c.came)
		if !slices.Equal(c.came, want) {
			t.Errorf("got %q", c.came)
		}
	})
}

func TestAnInterruptEndsTheWaitForALimit(t *testing.T) {
	var c counter
	inBubble(t, c.ServeHTTP, func(t *testing.T, client *http.Client) {
		v := vendorOf(t, strings.Replace(limited, "LIMITS", "", 1))
		e := connect(t, v, "http://acme.example", nil, Options{Client: client})
		together(t, e, 2, "slow")
		enough := errors.New("enough")
		ctx, stop := context.WithCancelCause(context.Background())
		time.AfterFunc(10*time.Second, func() { stop(enough) })
		start := time.Now()
		res, err := e.Do(ctx, request(e, "slow"), nil)
		if !errors.Is(err, enough) || res.Sent || time.Since(start) != 10*time.Second {
			t.Errorf("after %v: %s, %v", time.Since(start), summary(res), err)
		}
		if len(c.came) != 2 {
			t.Errorf("got %q", c.came)
		}
	})
}

func TestWhatCannotBeSentTakesNoTurn(t *testing.T) {
	const spec = `
vendor: acme
version: 1
operations:
  get:
    effect: read
    limits: {rate: 1/h}
    inputs:
      id: {type: string, optional: true}
    request:
      method: GET
      path: /x
      headers:
        Id: ${{ inputs.id ?? "a" }}
`
	var c counter
	inBubble(t, c.ServeHTTP, func(t *testing.T, client *http.Client) {
		e := connect(t, vendorOf(t, spec), "http://acme.example", nil, Options{Client: client})
		start := time.Now()
		for range 3 {
			if res := ask(t, e, "get", "id", "a\nb"); res.Code != "bad-request" {
				t.Fatal(summary(res))
			}
		}
		if res := ask(t, e, "get"); res.Outcome != flow.OK || time.Since(start) != 0 {
			t.Errorf("%s after %v", summary(res), time.Since(start))
		}
	})
}

const guarded = `
vendor: acme
version: 1
auth:
  token:
    call: enter
    value: ${{ outputs.token }}
    lifetime: 10m
  inject:
    headers:
      Token: ${{ token }}
defaults:
  limits: LIMITS
operations:
  enter:
    effect: idempotent
    auth: none
    request: {method: POST, path: /enter}
    response:
      schema: {type: object, required: [token], properties: {token: {type: string}}}
      outputs:
        token: {path: token, secret: true}
  work:
    effect: read
    timeout: 5s
    request: {method: GET, path: /work}
`

// A login that waited behind the calls that need it would never have its turn.
func TestLoginsCountAndGoFirst(t *testing.T) {
	c := counter{slow: time.Second}
	inBubble(t, c.ServeHTTP, func(t *testing.T, client *http.Client) {
		v := vendorOf(t, strings.Replace(guarded, "LIMITS", "{concurrency: 1}", 1))
		e := connect(t, v, "http://acme.example", nil, Options{Client: client})
		together(t, e, 3, "work")
		if want := []string{"/enter 0s", "/work 1s", "/work 2s", "/work 3s"}; !slices.Equal(c.came, want) {
			t.Errorf("got %q", c.came)
		}
	})
}

// Calls that wait longer than a token lives are sent with a new one.
func TestTokensThatEndInTheQueueAreRenewed(t *testing.T) {
	var c counter
	inBubble(t, c.ServeHTTP, func(t *testing.T, client *http.Client) {
		v := vendorOf(t, strings.Replace(guarded, "LIMITS", "{rate: 3/h}", 1))
		e := connect(t, v, "http://acme.example", nil, Options{Client: client})
		for _, res := range together(t, e, 6, "work") {
			if res.Outcome != flow.OK {
				t.Error(summary(res))
			}
		}
		want := []string{
			"/enter 0s", "/work 0s", "/work 0s",
			"/enter 1h0m0s", "/work 1h0m0s", "/work 1h0m0s",
			"/enter 2h0m0s", "/work 2h0m0s", "/work 2h0m0s",
		}
		if !slices.Equal(c.came, want) {
			t.Errorf("got %q", c.came)
		}
	})
}

func TestLimitsPerTokenCountEachToken(t *testing.T) {
	var c counter
	inBubble(t, c.ServeHTTP, func(t *testing.T, client *http.Client) {
		v := vendorOf(t, strings.Replace(guarded, "LIMITS", "{rate: 2/h, per: token}", 1))
		e := connect(t, v, "http://acme.example", nil, Options{Client: client})
		for range 2 {
			for range 2 {
				ask(t, e, "work")
			}
			time.Sleep(10 * time.Minute) // the token ends
		}
		want := []string{"/enter 0s", "/work 0s", "/work 0s", "/enter 10m0s", "/work 10m0s", "/work 10m0s"}
		if !slices.Equal(c.came, want) {
			t.Errorf("got %q", c.came)
		}
	})
}
