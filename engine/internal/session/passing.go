package session

import (
	"context"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/state"
)

const (
	// keptFor is how long a passing memory remembers a run that has ended: longer than
	// others may run beside it that must know what it created.
	keptFor = time.Hour
	// lookEvery is how often it looks for runs to forget.
	lookEvery = time.Minute
)

// NewPassing returns a memory for programs that never end: it forgets a run
// some time after the run's end, except for creates that nobody has settled.
func NewPassing() state.Store { return &passing{Memory: state.NewMemory()} }

type passing struct {
	*state.Memory

	mu     sync.Mutex
	looked time.Time
}

// Update records a run, and now and then forgets others.
func (p *passing) Update(ctx context.Context, r state.Run) error {
	if err := p.Memory.Update(ctx, r); err != nil || !p.due() {
		return err
	}
	_, err := p.Prune(ctx, time.Now().Add(-keptFor))
	return err
}

func (p *passing) due() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.looked) < lookEvery {
		return false
	}
	p.looked = time.Now()
	return true
}
