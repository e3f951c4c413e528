package testrun

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/testfile"
)

// A script answers requests as a case says, and notes them.
type script struct {
	answers map[string]*testfile.Answers
	clock   *clock.Virtual
	// stop ends the run, for want of an answer.
	stop context.CancelCauseFunc

	mu      sync.Mutex
	asked   map[string][]*request // by CONNECTION.OPERATION
	missing *missing              // the first request without an answer; nil for none
}

// A missing answer is one that a request was in want of.
type missing struct{ operation, step string }

func newScript(answers map[string]*testfile.Answers, c *clock.Virtual, stop context.CancelCauseFunc) *script {
	return &script{answers: answers, clock: c, stop: stop, asked: map[string][]*request{}}
}

var errNoAnswer = errors.New("the test has no answer for this")

// answer is a call.Wire.
func (s *script) answer(a call.Asked, r *http.Request) (*http.Response, error) {
	name := a.Connection + "." + a.Operation
	next, err := s.next(name, string(a.Key), r)
	if err != nil {
		return nil, err
	}
	if next.Delay > 0 {
		if err := clock.Sleep(r.Context(), s.clock, next.Delay); err != nil {
			return nil, err
		}
	}
	switch next.Lost {
	case testfile.Timeout:
		return nil, s.endless(r.Context())
	case testfile.LoseAnswer:
		return nil, errors.New("connection reset by peer")
	case testfile.Unreachable:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}
	return respond(next, r), nil
}

// endless waits for the end of the context. Each operation has a timeout.
func (s *script) endless(ctx context.Context) error {
	const ever = 100 * 365 * 24 * time.Hour
	if err := clock.Sleep(ctx, s.clock, ever); err != nil {
		return err
	}
	return errors.New("no answer came in a hundred years")
}

// next notes a request and returns its answer.
func (s *script) next(name, step string, r *http.Request) (*testfile.Answer, error) {
	seen := readRequest(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.missing != nil {
		return nil, errNoAnswer
	}
	n := len(s.asked[name])
	if list := s.answers[name]; list != nil && n < len(list.List) {
		s.asked[name] = append(s.asked[name], seen)
		return list.List[n], nil
	}
	s.missing = &missing{operation: name, step: step}
	s.stop(errNoAnswer)
	return nil, errNoAnswer
}

func respond(a *testfile.Answer, r *http.Request) *http.Response {
	resp := &http.Response{
		StatusCode: a.Status, Status: http.StatusText(a.Status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.Header.Clone(), ContentLength: int64(len(a.Body)), Request: r,
		Body: io.NopCloser(bytes.NewReader(a.Body)),
	}
	if a.Truncate {
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(a.Body[:len(a.Body)/2]), brokenOff{}))
	}
	return resp
}

// brokenOff is the rest of a body that never came.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
