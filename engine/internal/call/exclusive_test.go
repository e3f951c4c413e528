package call

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
	"github.com/seed627bd532/runner/engine/state/files"
)

// lone is badge with a token that serves one request at a time.
func lone(settle string) string {
	return replace(badge, `token: {value: "Key ${{ config.token }}"}`, `token: {value: "Key ${{ config.token }}", use: exclusive`+settle+`}`)
}

func TestExclusiveTokensServeOneRequestAtATime(t *testing.T) {
	c := counter{slow: 4 * time.Second}
	inBubble(t, c.ServeHTTP, func(t *testing.T, client *http.Client) {
		v, shared := vendorOf(t, lone("")), state.NewMemory()
		start := time.Now()
		var wait sync.WaitGroup
		for range 2 {
			// Two executors, as of two runs.
			e := connect(t, v, "http://acme.example", value.ObjectOf("token", "t0k3n-1"), Options{Client: client, Locks: shared})
			for range 8 {
				wait.Go(func() {
					// The last one waits for a minute, with a time-out of ten seconds.
					if res := ask(t, e, "work"); res.Outcome != flow.OK {
						t.Error(summary(res))
					}
				})
			}
		}
		wait.Wait()
		if c.most != 1 || time.Since(start) != 64*time.Second {
			t.Errorf("%d at a time, %v", c.most, time.Since(start))
		}
		// Another token is another matter.
		e := connect(t, v, "http://acme.example", value.ObjectOf("token", "t0k3n-2"), Options{Client: client, Locks: shared})
		unlock, err := shared.Lock(t.Context(), "use token "+exclusiveKey(&Connection{Vendor: v, BaseURL: e.connections["acme"].BaseURL, Config: value.ObjectOf("token", "t0k3n-1")}))
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		if res := ask(t, e, "work"); res.Outcome != flow.OK {
			t.Error(summary(res))
		}
	})
}

func TestExclusiveTokensOfALogin(t *testing.T) {
	var d doorman
	var mu sync.Mutex
	under, most := 0, 0
	h := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		under++
		most = max(most, under)
		mu.Unlock()
		time.Sleep(time.Second)
		d.ServeHTTP(w, r)
		mu.Lock()
		under--
		mu.Unlock()
	}
	inBubble(t, h, func(t *testing.T, client *http.Client) {
		v, shared := vendorOf(t, replace(club, "lifetime: 20m", "lifetime: 20m\n    use: exclusive")), state.NewMemory()
		var wait sync.WaitGroup
		for range 2 {
			e := connect(t, v, "http://acme.example", member("s3cret"), Options{Client: client, Tokens: shared, Locks: shared})
			for range 4 {
				wait.Go(func() {
					if res := ask(t, e, "work"); res.Outcome != flow.OK {
						t.Error(summary(res))
					}
				})
			}
		}
		wait.Wait()
		if got := d.counts(); got != "1 logins, 9 works" || most != 1 {
			t.Errorf("%s, %d at a time", got, most)
		}
	})
}

func TestAfterATimeOutTheVendorIsGivenTimeToEnd(t *testing.T) {
	tests := []struct {
		name, settle string
		want         []string
	}{
		{"as long as the time-out", "", []string{"/work 0s", "/work 20s"}},
		{"as the file says", ", settle: 1m", []string{"/work 0s", "/work 1m10s"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := counter{slow: 15 * time.Second}
			inBubble(t, c.ServeHTTP, func(t *testing.T, client *http.Client) {
				v, shared := vendorOf(t, lone(test.settle)), state.NewMemory()
				var wait sync.WaitGroup
				for range 2 {
					e := connect(t, v, "http://acme.example", value.ObjectOf("token", "t0k3n-1"), Options{Client: client, Locks: shared})
					wait.Go(func() {
						if got := summary(ask(t, e, "work")); got != "unknown timeout: no answer within 10s" {
							t.Error(got)
						}
					})
				}
				wait.Wait()
				c.mu.Lock()
				defer c.mu.Unlock()
				if len(c.came) != 2 || c.came[0] != test.want[0] || c.came[1] != test.want[1] {
					t.Errorf("came %v, want %v", c.came, test.want)
				}
			})
		})
	}
}

func TestWaitingForAnExclusiveTokenCanBeBrokenOff(t *testing.T) {
	var c counter
	inBubble(t, c.ServeHTTP, func(t *testing.T, client *http.Client) {
		shared := state.NewMemory()
		e := connect(t, vendorOf(t, lone("")), "http://acme.example", value.ObjectOf("token", "t0k3n-1"), Options{Client: client, Locks: shared})
		unlock, err := shared.Lock(t.Context(), "use token "+e.connections["acme"].exclusive)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if res, err := e.Do(ctx, request(e, "work"), nil); !errors.Is(err, context.DeadlineExceeded) || len(c.came) != 0 {
			t.Errorf("%s, %v, %v", summary(res), err, c.came)
		}
	})
}

func TestWithoutLocksNoExclusiveTokenIsUsed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var c counter
	e := connect(t, vendorOf(t, lone("")), serve(t, c.ServeHTTP), value.ObjectOf("token", "t0k3n-1"), Options{Locks: files.New(file)})
	res := ask(t, e, "work")
	if res.Outcome != flow.Invalid || res.Code != "no-lock" || !res.Fatal || res.Sent || len(c.came) != 0 {
		t.Errorf("%s, fatal %v, sent %v, %v", summary(res), res.Fatal, res.Sent, c.came)
	}
}
