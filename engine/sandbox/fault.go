package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind says what a fault does.
type Kind string

// The kinds of faults.
const (
	LoseRequest Kind = "lose_request" // the connection breaks before anything is done
	LoseAnswer  Kind = "lose_answer"  // the work is done, the connection breaks without an answer
	Delay       Kind = "delay"        // the work is done at once, the answer comes late
	Status      Kind = "status"       // nothing is done, a status is answered
	Truncate    Kind = "truncate"     // the work is done, the answer breaks off in its middle
	Garbage     Kind = "garbage"      // the work is done, a web page under 200 is answered instead
	Expire      Kind = "expire"       // all sessions end before the request is looked at
)

var kinds = []Kind{LoseRequest, LoseAnswer, Delay, Status, Truncate, Garbage, Expire}

// A Fault is laid over a sandbox, whichever vendor it plays. It counts the calls
// that it is about from the moment it was added. Which of them it strikes follows
// from Nth, Count and Chance; all zero, it strikes every one.
type Fault struct {
	Kind Kind
	// Operation is the sandbox's name of what is struck; "" for any.
	Operation string
	// Nth is the first call that is struck, from 1. Count is how many are from
	// there on; 0 means one where Nth is given, and all where it is not.
	Nth, Count int
	// Chance, between 0 and 1, lets that share of these calls be struck; 0 means all.
	// Which ones follows from the sandbox's seed and the number of the call.
	Chance float64
	// Status is answered by the kind Status; 0 means 503.
	Status int
	// RetryAfter goes with it in whole seconds; 0 for no such header.
	RetryAfter time.Duration
	// Delay is how late the kind Delay is.
	Delay time.Duration
}

// check says what is wrong with a fault.
func (f Fault) check(operations []string) error {
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("no fault %q, there are %s", f.Kind, listed(kinds))
	case f.Operation != "" && !slices.Contains(operations, f.Operation):
		return fmt.Errorf("no operation %q, there are %s", f.Operation, listed(operations))
	case f.Nth < 0 || f.Count < 0:
		return errors.New("calls are counted from 1")
	case f.Chance < 0 || f.Chance > 1:
		return fmt.Errorf("a chance is between 0 and 1, found %v", f.Chance)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("a status is from 200 to 599, found %d", f.Status)
	case f.Delay < 0 || f.RetryAfter < 0:
		return errors.New("a time is not negative")
	case f.Kind == Delay && f.Delay == 0:
		return errors.New("a delay says how long: delay=200ms")
	}
	return nil
}

func listed[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}

// armed is a fault at work.
type armed struct {
	Fault
	number uint64 // among the faults of its sandbox, for its own row of chances
	calls  int
}

// strikes reports whether the next call of operation is struck.
func (f *armed) strikes(operation string, seed uint64) bool {
	if f.Operation != "" && f.Operation != operation {
		return false
	}
	f.calls++
	first, count := max(f.Nth, 1), f.Count
	if count == 0 && f.Nth > 0 {
		count = 1
	}
	if f.calls < first || count > 0 && f.calls >= first+count {
		return false
	}
	if f.Chance == 0 {
		return true
	}
	// A generator for each call: the answer does not hang on the order in which
	// requests that run at once ask for it.
	dice := rand.New(rand.NewPCG(seed+f.number, uint64(f.calls)))
	return dice.Float64() < f.Chance
}

// A hit is what the faults together do to one call.
type hit struct {
	kind   Kind // the first that strikes, of those that exclude each other
	text   string
	delay  time.Duration
	expire bool
	fault  Fault
}

// meet counts a call at every fault, and adds up those that strike.
func (s *Sandbox) meet(operation string) hit {
	var h hit
	var texts []string
	for _, f := range s.faults {
		if !f.strikes(operation, s.options.Seed) {
			continue
		}
		switch {
		case f.Kind == Delay:
			h.delay += f.Delay
		case f.Kind == Expire:
			h.expire = true
		case h.kind == "":
			h.kind, h.fault = f.Kind, f.Fault
		default:
			continue
		}
		texts = append(texts, f.String())
	}
	h.text = strings.Join(texts, " ")
	return h
}

// answer is what the kind Status answers.
func (h hit) answer() *answer {
	status := orDefault(h.fault.Status)
	a := textAnswer(status, fmt.Sprintf("injected status %d", status))
	if h.fault.RetryAfter > 0 {
		seconds := (h.fault.RetryAfter + time.Second - 1) / time.Second
		a.header.Set("Retry-After", strconv.Itoa(int(seconds)))
	}
	return a
}

func orDefault(status int) int { return cmp.Or(status, http.StatusServiceUnavailable) }

// garbage is the page of a proxy that stands in the way.
func garbage() *answer {
	return &answer{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
		body:   []byte("<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"),
	}
}

// AddFault lays a fault over the sandbox. Its operation is named as in the sandbox file, or as in the vendor file
// beside it where one operation of the sandbox answers it. The error says what is wrong with it.
func (s *Sandbox) AddFault(f Fault) error {
	f, err := s.fitted(f)
	if err != nil {
		return err
	}
	s.arm(f)
	return nil
}

// fitted returns a fault with the sandbox's own name of its operation.
func (s *Sandbox) fitted(f Fault) (Fault, error) {
	names := s.def.Operations()
	var err error
	if f.Operation != "" {
		switch answering := s.def.Answering(f.Operation); len(answering) {
		case 0: // check lists those that there are
		case 1:
			f.Operation = answering[0]
		default:
			err = fmt.Errorf("%s is answered as %s: name one of these", f.Operation, strings.Join(answering, " or "))
		}
	}
	if err == nil {
		err = f.check(names)
	}
	if err == nil && f.Kind == Expire && s.def.tokens == "" {
		err = errors.New("its file names no tokens that could expire")
	}
	if err != nil {
		return f, fmt.Errorf("fault %s of sandbox %s: %w", f, s.def.vendor, err)
	}
	return f, nil
}

func (s *Sandbox) arm(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &armed{Fault: f, number: uint64(len(s.faults))})
}

// ClearFaults takes all faults away. Delays under way are seen through.
func (s *Sandbox) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Faults returns the faults that are laid over the sandbox.
func (s *Sandbox) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	faults := make([]Fault, len(s.faults))
	for i, f := range s.faults {
		faults[i] = f.Fault
	}
	return faults
}
