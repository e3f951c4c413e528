package call

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// keeper holds the token of one connection. However many calls need one, a
// single login is under way at a time; the others wait for it and share what it brought.
// With a store this holds for all who share the store.
type keeper struct {
	kind     auth.Kind
	lifetime time.Duration // of tokens that do not say when they end; 0: for ever
	fixed    bool          // the token stands in the config: there is no other
	key      string        // of the token, in the store
	tokens   state.Tokens  // nil: not kept
	clock    clock.Clock
	locks    state.Locks

	// accepted says that the vendor has let somebody in with some token.
	accepted atomic.Bool

	mu      sync.Mutex
	current *credential
	until   time.Time // when current is renewed; zero: when it is refused
	// refused is a login that failed for good. It is not tried again: vendors lock
	// accounts after a few wrong passwords.
	refused *loginFailure
	// passing is the last of so many logins in a row that failed for now. Until again, all who
	// need a token are told of it, and nobody logs in: rows in plenty must not add up to logins in plenty.
	passing *loginFailure
	again   time.Time
	failed  int
	pending *login
}

// heard notes what the vendor's answer to a request under a token says about tokens.
func (k *keeper) heard(res flow.Result) {
	if res.Status != 0 && res.Outcome != flow.Auth && !k.accepted.Load() {
		k.accepted.Store(true)
	}
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
	// fresh logs in, with what the last token left for that; check reports whether
	// a token from the store still lives.
	fresh func(ctx context.Context, kind auth.Kind, refresh string) (auth.Token, *loginFailure, error)
	check func(ctx context.Context, token *credential) (bool, error)
	// warn tells of a store that does not work.
	warn func(err error)
	// retry says how long a login that failed for now is not tried again.
	retry catalog.Retry
}

func newKeeper(c *Connection, o Options) *keeper {
	spec := c.Vendor.Auth.Token
	k := &keeper{
		kind:     o.Auth[spec.Kind],
		lifetime: spec.Lifetime,
		fixed:    spec.Kind == catalog.TokenValue,
		key:      tokenKey(c),
		locks:    o.Locks,
		clock:    o.Clock,
	}
	if !k.fixed {
		k.tokens = o.Tokens
	}
	return k
}

// tokenKey names the tokens that are got with the connection's config: whoever
// connects to the same place with the same config shares them, whatever the
// connection is called. It is a hash, so that it gives away none of it.
func tokenKey(c *Connection) string {
	return hashed(c.Vendor.Name, c.BaseURL.String(), string(value.AppendJSON(nil, c.Config)))
}

// hashed returns a hash of the parts, each for itself.
func hashed(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// token returns the current token, or gets one: when there is none, when it is
// about to end, or when it is the very one that the vendor has refused. The
// error is that of ctx.
func (k *keeper) token(ctx context.Context, refused *credential, get getters) (*credential, *loginFailure, error) {
	for {
		k.mu.Lock()
		if k.current != nil && k.current != refused && (k.until.IsZero() || k.clock.Now().Before(k.until)) {
			defer k.mu.Unlock()
			return k.current, nil, nil
		}
		if k.refused != nil {
			defer k.mu.Unlock()
			return nil, k.refused, nil
		}
		if wait := k.again.Sub(k.clock.Now()); k.passing != nil && wait > 0 {
			defer k.mu.Unlock()
			told := *k.passing
			told.RetryAfter = wait
			return nil, &told, nil
		}
		l := k.pending
		if l == nil {
			l = &login{done: make(chan struct{})}
			k.pending = l
			last := k.current
			k.mu.Unlock()
			k.run(ctx, l, last, get)
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
	return k.current != token || !k.until.IsZero() && !k.clock.Now().Before(k.until)
}

// run logs in and lets the others know. It does so also when a Kind panics,
// lest they wait for ever. last is the token that is no longer good; it may be nil.
func (k *keeper) run(ctx context.Context, l *login, last *credential, get getters) {
	l.failure = &loginFailure{auth.Failure{Message: "the login broke off"}}
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.pending = nil
		switch {
		case l.token != nil:
			k.current, k.until = l.token, k.renewal(l.token)
			k.passing, k.failed = nil, 0
		case l.failure != nil && l.failure.Temporary:
			k.failed++
			l.failure.RetryAfter = max(l.failure.RetryAfter, get.retry.Wait(k.failed, flow.Key(k.key)))
			k.passing, k.again = l.failure, k.clock.Now().Add(l.failure.RetryAfter)
		case l.failure != nil:
			k.refused = l.failure
		}
		close(l.done)
	}()
	refresh := ""
	if last != nil {
		refresh = last.Refresh
	}
	if k.tokens == nil {
		token, failure, err := get.fresh(ctx, k.kind, refresh)
		l.settle(&credential{Token: token}, failure, err)
		return
	}
	// Others who share the store may be logging in, or have done so.
	unlock, err := k.locks.Lock(ctx, "log in "+k.key)
	switch {
	case err == nil:
		defer unlock()
	case ctx.Err() != nil:
		l.settle(nil, nil, err)
		return
	default:
		get.warn(fmt.Errorf("cannot see whether others log in at the same time: %w", err))
	}
	kept, err := k.kept(ctx, last, get)
	if err != nil || kept != nil && kept.alive {
		var token *credential
		if kept != nil {
			token = kept.credential
		}
		l.settle(token, nil, err)
		return
	}
	if kept != nil && kept.Refresh != "" {
		refresh = kept.Refresh
	}
	token, failure, err := get.fresh(ctx, k.kind, refresh)
	l.settle(&credential{Token: token}, failure, err)
	if l.token == nil {
		return
	}
	if token.Expires.IsZero() && k.lifetime > 0 {
		token.Expires = k.clock.Now().Add(k.lifetime)
	}
	if err := k.tokens.PutToken(ctx, k.key, token); err != nil {
		get.warn(fmt.Errorf("the token is not kept for later runs: %w", err))
	}
}

// keptToken is a token from the store.
type keptToken struct {
	*credential
	alive bool
}

// kept returns the token of the store, nil when there is none. It is tried with
// the vendor's check unless it is known to have ended. The error is that of ctx.
func (k *keeper) kept(ctx context.Context, last *credential, get getters) (*keptToken, error) {
	token, ok, err := k.tokens.Token(ctx, k.key)
	if err != nil {
		get.warn(fmt.Errorf("a kept token is not used: %w", err))
	}
	if err != nil || !ok {
		return nil, nil
	}
	kept := &keptToken{credential: &credential{Token: token}}
	ended := !token.Expires.IsZero() && !k.clock.Now().Before(token.Expires)
	if ended || last != nil && last.Value == token.Value {
		return kept, nil
	}
	kept.alive, err = get.check(ctx, kept.credential)
	return kept, err
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
		ends = k.clock.Now().Add(k.lifetime)
	}
	return ends.Add(-min(ends.Sub(k.clock.Now())/10, time.Minute))
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
