package sandbox

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// Options tune a sandbox. The zero value works.
type Options struct {
	// Seed decides what faults with a Chance do: the same seed, the same calls fail.
	Seed uint64
	// LogSize is how many of the last requests Stats shows; 0 means 1000.
	LogSize int
}

// A Sandbox is a vendor that lives in memory. It is an http.Handler that is
// safe for concurrent use: the rules of one request run as a whole before those
// of the next, and leave nothing behind when one of them cannot be evaluated.
// Lost connections are played with http.ErrAbortHandler, as net/http expects it.
//
// Beside the vendor's own paths it serves, to callers on the same machine only:
//
//	GET    /_sandbox/stats    the Stats as JSON
//	GET    /_sandbox/faults   the faults laid over it, one a line as ParseFault reads them
//	POST   /_sandbox/faults   adds such lines
//	DELETE /_sandbox/faults   clears them
//	POST   /_sandbox/reset    does what Reset does
type Sandbox struct {
	def     *Definition
	options Options

	mu     sync.Mutex
	store  *store
	faults []*armed
	count  *counts
}

// New returns a sandbox in its first state.
func New(def *Definition, o Options) *Sandbox {
	o.LogSize = cmp.Or(o.LogSize, 1000)
	s := &Sandbox{def: def, options: o}
	s.Reset()
	return s
}

// Reset brings back the first state, and forgets counters, requests and faults.
// Requests under way are answered still, and leave no trace in the new counters.
func (s *Sandbox) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store = newStore(s.def.state, time.Now())
	s.faults = nil
	s.count = newCounts(s.options.LogSize)
}

// Definition returns what the sandbox was made from.
func (s *Sandbox) Definition() *Definition { return s.def }

// ServeHTTP plays the vendor for one request.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPath) {
		s.control(w, r)
		return
	}
	seen, text, err := readRequest(r)
	if err != nil {
		textAnswer(http.StatusBadRequest, err.Error()).send(w)
		return
	}
	v := s.arrive(r, seen, text)
	a := v.answer
	defer s.leave(v)
	if v.delay > 0 {
		wait := time.NewTimer(v.delay)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	switch v.fault {
	case LoseRequest, LoseAnswer:
		panic(http.ErrAbortHandler)
	case Truncate:
		a.sendHalf(w)
	case Garbage:
		garbage().send(w)
	default:
		a.send(w)
	}
}

// A visit is one request from its arrival to its end.
type visit struct {
	answer *answer
	fault  Kind // what happens to the request or answer; "" for nothing
	delay  time.Duration
	token  string
	log    *Request
	counts *counts // those that it was counted in, which a reset may have replaced
}

// arrive does all that happens under the lock: the request is matched, counted,
// met by faults, and its rules are run.
func (s *Sandbox) arrive(r *http.Request, seen *value.Object, text string) *visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := &visit{log: s.count.request(r, text), counts: s.count}
	t := &turn{number: v.log.Number, store: s.store, request: seen, now: time.Now()}
	v.answer = s.serve(t, v)
	v.log.Status = v.answer.status
	if v.fault == LoseRequest || v.fault == LoseAnswer {
		v.log.Status = 0
	}
	return v
}

func (s *Sandbox) serve(t *turn, v *visit) *answer {
	op, refusal, err := s.def.match(t)
	switch {
	case err != nil:
		return s.broken(err)
	case op == nil:
		return refusal
	}
	t.operation = op.name
	v.log.Operation = op.name
	s.count.calls[op.name]++
	token, err := s.def.tokenOf(t)
	if err != nil {
		return s.broken(err)
	}
	v.token = token
	s.count.begin(token)

	hit := s.meet(op.name)
	v.fault, v.delay, v.log.Fault = hit.kind, hit.delay, hit.text
	switch hit.kind {
	case LoseRequest:
		return &answer{}
	case Status:
		return hit.answer()
	}
	if hit.expire {
		t.store.empty(s.def.tokens)
	}
	a, err := t.run(s.def, op)
	if err != nil {
		return s.broken(err)
	}
	if t.done && op.identity != nil {
		for _, identity := range t.made {
			s.count.create(op.name, identity)
		}
	}
	return a
}

// broken answers for a rule that could not be evaluated: a client sent what
// nobody foresaw, or the sandbox file is wrong.
func (s *Sandbox) broken(err error) *answer {
	s.count.fail(err.Error())
	return textAnswer(http.StatusInternalServerError, "sandbox "+s.def.vendor+": "+err.Error())
}

// leave ends a visit.
func (s *Sandbox) leave(v *visit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.counts.end(v.token)
}
