package local

import (
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/clock"
)

// stamp numbers and dates the events of all goroutines of a run and hands them
// on one at a time.
type stamp struct {
	run   string
	sink  event.Sink // may be nil
	clock clock.Clock

	mu    sync.Mutex
	seq   uint64
	began map[string]time.Time // of the run, under "", and of the steps that are open, by key
}

var _ event.Detailed = (*stamp)(nil)

// Details passes on what the sink says.
func (s *stamp) Details() bool { return event.WantsDetails(s.sink) }

// listener returns s, or nil when nobody listens.
func (s *stamp) listener() event.Sink {
	if s.sink == nil {
		return nil
	}
	return s
}

// Emit fills in e's head, and how long it took what e ends, and passes it on.
func (s *stamp) Emit(e event.Event) {
	if s.sink == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	now := s.clock.Now()
	*event.HeadOf(e) = event.Head{Seq: s.seq, At: now, Run: s.run}
	switch e := e.(type) {
	case *event.RunStarted:
		s.open("", now)
	case *event.StepStarted:
		s.open(e.Key, now)
	case *event.StepFinished:
		e.Took = s.close(e.Key, now)
	case *event.RunFinished:
		e.Took = s.close("", now)
	}
	s.sink.Emit(e)
}

func (s *stamp) open(key string, now time.Time) {
	if s.began == nil {
		s.began = map[string]time.Time{}
	}
	s.began[key] = now
}

// close returns how long what was opened under key has been open; 0 for what was not.
func (s *stamp) close(key string, now time.Time) time.Duration {
	began, ok := s.began[key]
	if !ok {
		return 0
	}
	delete(s.began, key)
	return now.Sub(began)
}
