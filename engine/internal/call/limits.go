package call

import (
	"context"
	"fmt"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/transport"
)

// limitName names what counts requests: the limits of a vendor or of an operation, for one
// connection or one token. A connection is a place with a config, whatever it is called.
type limitName struct {
	limits  *catalog.Limits
	counted string // the key of the connection, or the token
}

// limit adds l to the limits of a request; l may be nil. token is nil for a request that is counted
// under its connection, whatever l says.
func (c *connection) limit(limits []transport.Named, l *catalog.Limits, token *credential) []transport.Named {
	if l == nil {
		return limits
	}
	name := limitName{l, c.key}
	if l.PerToken && token != nil {
		name.counted = token.Value
	}
	return append(limits, transport.Named{Name: name, Concurrency: l.Concurrency, Count: l.Rate.Count, Per: l.Rate.Per})
}

// wait waits until the job's request may leave, under the limits of its
// operation and its vendor. The time does not count against the operation's
// timeout, but ends with the patience of the caller. The error is that of ctx, or errOutOfTime. One request stands for the redirects that follow it.
func (e *Executor) wait(ctx context.Context, j *job, token *credential) (transport.Pass, error) {
	if j.op.NoAuth {
		token = nil
	}
	limits := j.connection.limit(nil, j.op.Limits, token)
	limits = j.connection.limit(limits, j.connection.Vendor.Limits, token)
	waiting, stop := e.waiting(ctx, j)
	defer stop()
	pass, err := e.traffic.Wait(waiting, j.urgent, j.connection.place, limits...)
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
