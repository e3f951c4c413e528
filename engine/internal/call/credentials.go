package call

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/internal/flow"
)

// A TokenStore keeps tokens beyond an Executor's life. It is safe for concurrent use.
type TokenStore interface {
	// Get returns the token kept for the connection; ok is false when there is none.
	Get(connection string) (token auth.Token, ok bool)
	// Put keeps the token, in place of an older one.
	Put(connection string, token auth.Token)
}

// keeper holds the token of one connection. However many calls need one, a
// single login is under way at a time; the others wait for it and share what it brought.
type keeper struct {
	kind       auth.Kind
	lifetime   time.Duration // of tokens that do not say when they end; 0: for ever
	connection string
	store      TokenStore // nil: none

	mu      sync.Mutex
	current *credential
	until   time.Time // when current is renewed; zero: when it is refused
	looked  bool      // in store
	// refused is a login that failed for good. It is not tried again: vendors lock
	// accounts after a few wrong passwords.
	refused *loginFailure
	pending *login
}

// login is one login under way. The fields are set before done is closed.
type login struct {
	done    chan struct{}
	token   *credential
	failure *loginFailure
	err     error // the context of the caller who logged in ended
}

// loginFailure says why there is no token. A nil one says nothing.
type loginFailure struct{ auth.Failure }

// getters are what a keeper asks of the call that needs a token.
type getters struct {
	// fresh logs in; check reports whether a token from the store still lives.
	fresh func(ctx context.Context, kind auth.Kind) (auth.Token, *loginFailure, error)
	check func(ctx context.Context, token *credential) (bool, error)
}

func newKeeper(kind auth.Kind, lifetime time.Duration, connection string, store TokenStore) *keeper {
	return &keeper{kind: kind, lifetime: lifetime, connection: connection, store: store, looked: store == nil}
}

// token returns the current token, or gets one: when there is none, when it is
// about to end, or when it is the very one that the vendor has refused. The
// error is that of ctx.
func (k *keeper) token(ctx context.Context, refused *credential, get getters) (*credential, *loginFailure, error) {
	for {
		k.mu.Lock()
		if k.current != nil && k.current != refused && (k.until.IsZero() || time.Now().Before(k.until)) {
			defer k.mu.Unlock()
			return k.current, nil, nil
		}
		if k.refused != nil {
			defer k.mu.Unlock()
			return nil, k.refused, nil
		}
		l := k.pending
		if l == nil {
			l = &login{done: make(chan struct{})}
			k.pending = l
			look := !k.looked
			k.looked = true
			k.mu.Unlock()
			k.run(ctx, l, look, get)
			return l.token, l.failure, l.err
		}
		k.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		case <-l.done:
		}
		if l.err == nil {
			return l.token, l.failure, nil
		}
		// Who logged in was stopped; that is no reason for us.
	}
}

// ended reports whether a token that was current is so no more.
func (k *keeper) ended(token *credential) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current != token || !k.until.IsZero() && !time.Now().Before(k.until)
}

// run logs in and lets the others know. It does so also when a Kind panics,
// lest they wait for ever.
func (k *keeper) run(ctx context.Context, l *login, look bool, get getters) {
	l.failure = &loginFailure{auth.Failure{Message: "the login broke off"}}
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.pending = nil
		switch {
		case l.token != nil:
			k.current, k.until = l.token, k.renewal(l.token)
		case l.failure != nil && !l.failure.Temporary:
			k.refused = l.failure
		}
		close(l.done)
	}()
	if look {
		if kept, ok := k.store.Get(k.connection); ok && (kept.Expires.IsZero() || time.Now().Before(kept.Expires)) {
			c := &credential{Token: kept}
			alive, err := get.check(ctx, c)
			if err != nil || alive {
				l.settle(c, nil, err)
				return
			}
		}
	}
	token, failure, err := get.fresh(ctx, k.kind)
	l.settle(&credential{Token: token}, failure, err)
	if l.token != nil && k.store != nil {
		k.store.Put(k.connection, token)
	}
}

func (l *login) settle(token *credential, failure *loginFailure, err error) {
	l.token, l.failure, l.err = nil, failure, err
	if err == nil && failure == nil {
		l.token = token
	}
}

// renewal returns when a token that was just got is to be renewed: a tenth of its
// life early, at most a minute, so that it does not end on the way.
func (k *keeper) renewal(c *credential) time.Time {
	ends := c.Expires
	if ends.IsZero() {
		if k.lifetime == 0 {
			return time.Time{}
		}
		ends = time.Now().Add(k.lifetime)
	}
	return ends.Add(-min(time.Until(ends)/10, time.Minute))
}

// result says of a job that was not sent that there is no token for it. A nil
// failure gives a zero result.
func (f *loginFailure) result(j *job) flow.Result {
	if f == nil {
		return flow.Result{}
	}
	res := flow.Result{
		Outcome: flow.Auth,
		Code:    "login-failed",
		Message: fmt.Sprintf("cannot log in to %s: %s", j.connection.Vendor.Name, f.Message),
		Hint:    f.Hint,
		Fatal:   true,
	}
	if f.Temporary {
		res.Outcome, res.Fatal, res.RetryAfter = flow.Busy, false, f.RetryAfter
	}
	return res
}
