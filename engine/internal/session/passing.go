package session

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/state"
)

// What a passing memory keeps of runs that have stopped, beside those with open creates.
const (
	keptRuns  = 100
	keptKeyed = 1000      // a key must not start a second run soon
	keptFor   = time.Hour // the creates that a stopped run may ask for, when it goes on
	trimEvery = 100       // runs that stop
)

// NewPassing returns a memory for programs of p that never end: it forgets all but the newest of the
// runs that have stopped, except for those with creates that nobody has settled.
func NewPassing(p *project.Project) state.Store {
	all := &passing{Memory: state.NewMemory()}
	for _, name := range p.LoadedVendors() {
		for _, op := range p.LoadedVendor(name).Operations {
			all.reach = max(all.reach, op.Reach())
		}
	}
	return all
}

type passing struct {
	*state.Memory
	reach   time.Duration
	stopped atomic.Int64
}

// Update records a run, and forgets others now and then when one has stopped.
func (p *passing) Update(ctx context.Context, r state.Run) error {
	err := p.Memory.Update(ctx, r)
	if err == nil && r.Status != "" && p.stopped.Add(1)%trimEvery == 0 {
		now := time.Now()
		p.Trim(now, state.Keeping{Runs: keptRuns, Keyed: keptKeyed, Done: isDone, Stopped: now.Add(-keptFor), Reach: p.reach})
	}
	return err
}
