package flowtest

import (
	"context"
	"errors"
	"sync"

	"github.com/seed627bd532/runner/engine/state"
)

// ErrDead is what a Mortal says once it is dead.
var ErrDead = errors.New("the machine is dead")

// A Mortal is a journal on a machine that dies around one of its writes. Then it neither writes nor
// reads. It is safe for concurrent use.
type Mortal struct {
	state.Journal
	// DiesAt is the number of the write around which it dies, from 1.
	DiesAt int
	// After says that this write still gets through.
	After bool

	mu     sync.Mutex
	writes int
}

// Writes returns how many writes there were, those of the dead included.
func (m *Mortal) Writes() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes
}

// Put is Put of the journal.
func (m *Mortal) Put(ctx context.Context, entries ...state.Entry) error {
	return m.write(func() error { return m.Journal.Put(ctx, entries...) })
}

// Fold is Fold of the journal.
func (m *Mortal) Fold(ctx context.Context, e state.Entry) error {
	return m.write(func() error { return m.Journal.Fold(ctx, e) })
}

// Get is Get of the journal.
func (m *Mortal) Get(ctx context.Context, run string, kind state.Kind, key string) (state.Entry, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writes >= m.DiesAt {
		return state.Entry{}, false, ErrDead
	}
	return m.Journal.Get(ctx, run, kind, key)
}

func (m *Mortal) write(f func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	if m.writes > m.DiesAt || m.writes == m.DiesAt && !m.After {
		return ErrDead
	}
	if err := f(); err != nil || m.writes < m.DiesAt {
		return err
	}
	return ErrDead
}
