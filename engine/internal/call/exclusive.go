package call

import (
	"context"
	"fmt"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/flow"
)

// exclusiveKey names the lock under which a token serves one request at a time.
// A token of the config is named by itself: two connections may hold the same one.
// Others are shared by all who log in with the same config, so that names them too.
func exclusiveKey(c *Connection) string {
	var login auth.Login
	if c.Vendor.Auth.Token.Kind != catalog.TokenValue || resolve(&login, c) != nil {
		return tokenKey(c)
	}
	return hashed(c.Vendor.Name, c.BaseURL.Scheme, c.BaseURL.Host, login.Value)
}

// doExclusively makes a call under a token that serves one request at a time,
// over all who share the locks. What the call does beside its request under the
// token, such as a check or the repetition after a renewal, has the same turn.
//
// The vendor may still be at work on a request that timed out. The lock is kept
// until it has had the time to end, and the result with it: else the process might
// end first, and free the lock.
func (e *Executor) doExclusively(ctx context.Context, j *job) (flow.Result, error) {
	waiting, stop := e.waiting(ctx, j)
	unlock, err := e.locks.Lock(waiting, "use token "+j.connection.exclusive)
	ended := waiting.Err() != nil
	stop()
	switch {
	case err == nil:
		defer unlock()
	case ended && ctx.Err() == nil:
		return flow.Result{}, errOutOfTime
	case ctx.Err() != nil:
		return flow.Result{}, fmt.Errorf("%s: %w", j.name(), err)
	default:
		return flow.Result{
			Outcome: flow.Invalid,
			Code:    "no-lock",
			Message: e.short(fmt.Sprintf("cannot make sure that %s is sent one request at a time: %v", j.connection.Vendor.Name, err)),
			Hint:    "the folder for state must be writable; XDG_STATE_HOME names another",
			Fatal:   true,
		}, nil
	}
	res, err := e.doWithToken(ctx, j)
	if err == nil && res.Sent && res.Code == timedOut {
		settle := j.connection.Vendor.Auth.Token.Settle
		if settle == 0 {
			settle = j.bound()
		}
		_ = clock.Sleep(ctx, e.clock, settle) // who ends ctx does not wait
	}
	return res, err
}
