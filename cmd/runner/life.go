package main

import (
	"sync"

	"github.com/seed627bd532/runner/engine/event"
)

// A life says how far a command has come, for whoever stops it. The zero value is
// one that has not begun: nothing was sent.
type life struct {
	mu    sync.Mutex
	begun bool
	name  string         // of what runs, for its result
	open  map[string]int // requests of creates without an answer, by key
}

var (
	_ event.Sink     = (*life)(nil)
	_ event.Detailed = (*life)(nil)
)

// Details is false: neither requests nor answers are looked at.
func (l *life) Details() bool { return false }

// begin says that something may be sent from now on, or, of a sandbox, that it serves.
func (l *life) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun = true
}

func (l *life) hasBegun() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begun
}

// call names what runs.
func (l *life) call(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.name = name
}

func (l *life) called() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.name
}

// creating reports whether the answer to a create is waited for.
func (l *life) creating() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open) > 0
}

// Emit takes in what a run does.
func (l *life) Emit(e event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e := e.(type) {
	case *event.RunStarted:
		l.begun = true
	case *event.RequestSent:
		if e.Creates {
			if l.open == nil {
				l.open = map[string]int{}
			}
			l.open[e.Key]++
		}
	case *event.ResponseReceived:
		if n := l.open[e.Key]; n > 1 {
			l.open[e.Key] = n - 1
		} else {
			delete(l.open, e.Key)
		}
	}
}
