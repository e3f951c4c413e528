package simtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/state"
)

var errKilled = errors.New("the process was killed")

// A process works on one run until the run ends or the process dies. It is the
// way to the state and to the vendor for the engine in it.
type process struct {
	sim    *simulation
	runner string
	life   int           // of this runner, from 1
	calm   bool          // nothing breaks any more
	skew   time.Duration // of its clock, as the state sees it
	ctx    context.Context
	cancel context.CancelCauseFunc

	killed bool // before its run ended
	began  bool // it has begun a run, rather than taken one up

	mu    sync.Mutex
	dead  bool
	held  []func()
	times map[string]int // how often something was done
}

var _ state.Store = (*process)(nil)

// dice returns a source of chance for one thing that happens. It hangs on what happens and not on
// when, so that goroutines may take their turns as they like.
func (p *process) dice(what string) *rand.Rand {
	p.mu.Lock()
	p.times[what]++
	n := p.times[what]
	p.mu.Unlock()
	return diceOf(p.sim.seed, p.runner, p.life, what, n)
}

func diceOf(what ...any) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintln(h, what...)
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}

// mayDie is a moment at which the process may die, alone or with its machine.
func (p *process) mayDie(what string) {
	dice := p.dice(what)
	if !p.sim.late && p.sim.begun.Load() < int64(len(p.sim.runners)) && len(p.sim.runners) > 1 {
		return // a run that begins later may make again, without a look, what another has made before
	}
	if p.calm || p.isDead() || dice.Float64() >= p.sim.crashes {
		return
	}
	if dice.IntN(2) == 0 {
		p.sim.tell("%s is killed %s", p, what)
		p.die()
		return
	}
	p.sim.tell("the power is cut %s of %s", what, p)
	p.sim.cutPower(dice)
}

// die ends all that the process does, and gives its locks back.
func (p *process) die() {
	p.mu.Lock()
	p.dead = true
	held := p.held
	p.held = nil
	p.mu.Unlock()
	p.cancel(errKilled)
	for _, unlock := range held {
		unlock()
	}
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

func (p *process) String() string { return fmt.Sprintf("%s, life %d", p.runner, p.life) }

// RoundTrip brings a request to the vendor. What has left reaches it even when
// the process dies meanwhile.
func (p *process) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	what := fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body)
	p.mayDie("before sending " + what)
	if p.isDead() {
		return nil, errKilled
	}
	f := p.sim.fateOf(p, r, what)
	if f.kind == notReached {
		p.sim.vendor.arrive(p, r, string(body), f)
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}
	q := r.Clone(context.Background())
	q.Body, q.RequestURI, q.RemoteAddr = io.NopCloser(bytes.NewReader(body)), r.URL.RequestURI(), "192.0.2.1:1"
	defer p.sim.uses(p, r)()
	if p.sim.twist == withoutRefusedLook && f.kind == refusedAfter {
		p.sim.vendor.serve(p, q, string(body), fate{kind: inTime}) // as if it were sent again at once
		q.Body = io.NopCloser(bytes.NewReader(body))
	}
	answer := make(chan *http.Response, 1)
	p.sim.underway.Add(1)
	go func() {
		defer p.sim.underway.Add(-1)
		answer <- p.sim.vendor.serve(p, q, string(body), f)
	}()
	p.mayDie("after sending " + what)
	select {
	case resp := <-answer:
		if p.isDead() {
			return nil, errKilled
		}
		if resp == nil {
			return nil, io.ErrUnexpectedEOF
		}
		resp.Request = r
		return p.sim.twisted(p, r, resp), nil
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
}

// uses notes that a process uses its token, until the function that it returns is called. Of an exclusive one
// nobody else may make use meanwhile.
func (s *simulation) uses(p *process, r *http.Request) (ended func()) {
	if !s.plan.exclusive || r.Header.Get("Authorization") == "" {
		return func() {}
	}
	s.mu.Lock()
	var other *process
	for _, q := range s.using {
		if q != nil && !q.isDead() {
			other = q
		}
	}
	s.using[r] = p
	s.mu.Unlock()
	if other != nil && !p.isDead() {
		s.violated("%s and %s make requests at the same time with an exclusive token", p, other)
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.using, r)
	}
}

// twisted returns the answer as it would be understood without a protection.
func (s *simulation) twisted(p *process, r *http.Request, resp *http.Response) *http.Response {
	switch {
	case s.twist == withoutRedirects && resp.StatusCode/100 == 3:
		resp.StatusCode = http.StatusBadRequest
	case s.twist == withoutDoubts && r.URL.Path == "/count" && resp.StatusCode == http.StatusOK:
		s.mu.Lock()
		defer s.mu.Unlock()
		call := r.Header.Get("X-Call")
		if s.counted[call] == nil {
			s.counted[call], _ = io.ReadAll(resp.Body)
		}
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(s.counted[call])), int64(len(s.counted[call]))
	}
	return resp
}
