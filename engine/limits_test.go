package engine_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/state"
)

// gate is a vendor that takes a second for each request.
const gateSpec = `
vendor: gate
version: 1
config:
  key: {type: string, secret: true}
auth: AUTH
defaults:
  limits: LIMITS
operations:
  enter:
    effect: idempotent
    auth: none
    request: {method: POST, path: /enter}
    response:
      schema: {type: object, required: [token], properties: {token: {type: string}}}
      outputs: {token: {path: token, secret: true}}
  pass:
    effect: read
OWN    request: {method: GET, path: /pass}
`

const (
	gateKeys  = `{token: {value: "${{ config.key }}"}, inject: {headers: {Key: "${{ token }}"}}}`
	gateLogin = `{token: {call: enter, value: "${{ outputs.token }}"}, inject: {headers: {Key: "${{ token }}"}}}`
)

// gateKeeper counts who is in, all together and by key.
type gateKeeper struct {
	mu        sync.Mutex
	in        map[string]int
	most      map[string]int
	came      []time.Time
	all, peak int
}

func (g *gateKeeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Key")
	g.mu.Lock()
	g.came = append(g.came, time.Now())
	g.in[key]++
	g.all++
	g.most[key] = max(g.most[key], g.in[key])
	g.peak = max(g.peak, g.all)
	g.mu.Unlock()
	time.Sleep(time.Second)
	g.mu.Lock()
	g.in[key]--
	g.all--
	g.mu.Unlock()
	fmt.Fprint(w, `{"token": "the-same-for-all"}`)
}

// peakRate is the most that came within any span of this length.
func (g *gateKeeper) peakRate(span time.Duration) int {
	most := 0
	for i, from := range g.came {
		n := 0
		for _, at := range g.came[i:] {
			if at.Sub(from) < span {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func gateConnection(key string) engine.Connection {
	return engine.Connection{Vendor: "gate", BaseURL: "http://gate.example", Config: map[string]any{"key": key}}
}

// Limits are those of a Program, however many runs it makes, side by side or one after another.
func TestLimitsHoldOverAllRunsOfAProgram(t *testing.T) {
	const one, other = "key-of-the-one", "key-of-the-other"
	tests := []struct {
		name, auth, limits, own string
		keys                    []string      // one run for each
		span                    time.Duration // of the rate
		peak, rate              int           // at a time; within span
	}{
		{"concurrency", gateKeys, "{concurrency: 1}", "", []string{one, one, one, one, one, one}, time.Second, 1, 1},
		{"concurrency of an operation", gateKeys, "{concurrency: 4}", "{concurrency: 2}", []string{one, one, one, one, one}, time.Second, 2, 2},
		{"rate", gateKeys, "{rate: 2/m}", "", []string{one, one, one, one, one}, time.Minute, 2, 2},
		{"rate of an operation", gateKeys, "{rate: 100/m}", "{rate: 3/m}", []string{one, one, one, one, one}, time.Minute, 3, 3},
		{"logins count", gateLogin, "{concurrency: 1}", "", []string{one, one, one}, time.Second, 1, 1},
		{"per token, one token", gateKeys, "{concurrency: 1, per: token}", "", []string{one, one, one}, time.Second, 1, 1},
		{"per token, two tokens", gateKeys, "{concurrency: 1, per: token}", "", []string{one, one, other, other}, time.Second, 2, 2},
		{"per token, one token of two logins", gateLogin, "{rate: 1/h, per: token}", "", []string{one, one}, time.Hour, 2, 3},
		{"two accounts", gateKeys, "{concurrency: 1}", "", []string{one, one, other, other}, time.Second, 2, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gateKeeper{in: map[string]int{}, most: map[string]int{}}
				client, stop := testserver.OverPipes(g)
				defer stop()
				own := ""
				if tt.own != "" {
					own = "    limits: " + tt.own + "\n"
				}
				spec := strings.NewReplacer("AUTH", tt.auth, "LIMITS", tt.limits, "OWN", own).Replace(gateSpec)
				p, err := engine.Load(fstest.MapFS{"specs/gate.yaml": {Data: []byte(spec)}}, engine.Options{})
				if err != nil {
					t.Fatal(testserver.FaultsOf(err))
				}
				// Each run has its own state and connections, under names that mean nothing.
				run := func(i int, key string) {
					program := p.With(engine.Options{Client: client, State: state.NewMemory(), Tokens: state.NewMemory(),
						Connections: map[string]engine.Connection{fmt.Sprint("gate", i): gateConnection(key)}})
					if _, err := program.Call(t.Context(), "gate.pass", engine.Request{}); err != nil {
						t.Error(err)
					}
				}
				var wait sync.WaitGroup
				for i, key := range tt.keys[1:] {
					wait.Go(func() { run(i, key) })
				}
				wait.Wait()
				run(9, tt.keys[0])
				if rate := g.peakRate(tt.span); g.peak > tt.peak || rate > tt.rate {
					t.Errorf("%d at a time, %d within %v; want at most %d and %d", g.peak, rate, tt.span, tt.peak, tt.rate)
				}
				for key, most := range g.most {
					if strings.HasPrefix(tt.limits, "{concurrency: 1") && most != 1 {
						t.Errorf("%d at a time with %s", most, key)
					}
				}
			})
		})
	}
}
