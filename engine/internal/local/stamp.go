package local

import (
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/event"
)

// stamp numbers and dates the events of all goroutines of a run and hands them
// on one at a time.
type stamp struct {
	run  string
	sink event.Sink // may be nil

	mu  sync.Mutex
	seq uint64
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

// Emit fills in e's head and passes it on.
func (s *stamp) Emit(e event.Event) {
	if s.sink == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	*event.HeadOf(e) = event.Head{Seq: s.seq, At: time.Now(), Run: s.run}
	s.sink.Emit(e)
}
