package call

import (
	"context"
	"fmt"
	"sync"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/transport"
)

// limitSet holds what counts the requests of one connection, or of one token.
// The zero set is ready to use, by many goroutines at once.
type limitSet struct {
	mu sync.Mutex
	of map[*catalog.Limits]*transport.Limit
}

// limit returns the counter for l, the same each time.
func (s *limitSet) limit(l *catalog.Limits) *transport.Limit {
	s.mu.Lock()
	defer s.mu.Unlock()
	counter := s.of[l]
	if counter == nil {
		if s.of == nil {
			s.of = make(map[*catalog.Limits]*transport.Limit, 1)
		}
		counter = &transport.Limit{Concurrency: l.Concurrency, Count: l.Rate.Count, Per: l.Rate.Per}
		s.of[l] = counter
	}
	return counter
}

// wait waits until the job's request may leave, under the limits of its
// operation and its vendor. The time does not count against the operation's
// timeout, but ends with the patience of the caller. The error is that of ctx, or errOutOfTime. One request stands for the redirects that follow it.
func (e *Executor) wait(ctx context.Context, j *job, token *credential) (transport.Pass, error) {
	var limits []*transport.Limit
	for _, l := range []*catalog.Limits{j.op.Limits, j.connection.Vendor.Limits} {
		switch {
		case l == nil:
		case l.PerToken && token != nil && !j.op.NoAuth:
			limits = append(limits, token.limits.limit(l))
		default:
			limits = append(limits, j.connection.limits.limit(l))
		}
	}
	waiting, stop := e.waiting(ctx, j)
	defer stop()
	pass, err := j.connection.queue.Wait(waiting, j.urgent, limits...)
	if err != nil {
		return pass, fmt.Errorf("%s: %w", j.name(), err)
	}
	return pass, nil
}

// attempt waits for its turn and sends the job's request. token may be nil.
func (e *Executor) attempt(ctx context.Context, j *job, token *credential) (flow.Result, error) {
	pass, err := e.wait(ctx, j, token)
	if err != nil {
		return flow.Result{}, err
	}
	return e.sendInTurn(ctx, j, token, pass)
}
