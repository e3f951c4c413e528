package state

import (
	"context"

	"github.com/seed627bd532/runner/engine/auth"
)

// Tokens keeps the tokens that vendors gave, so that a run that starts later,
// or beside this one, need not log in. It is safe for concurrent use. Whoever wants
// one login at a time holds a lock around Token and PutToken.
type Tokens interface {
	// Token returns the token kept under key, and whether there is one; it may have
	// ended meanwhile. An error says that what was kept cannot be read: the caller
	// logs in.
	Token(ctx context.Context, key string) (auth.Token, bool, error)

	// PutToken keeps t in place of what key held before. An error says that it
	// was not kept: the caller goes on with it all the same.
	PutToken(ctx context.Context, key string, t auth.Token) error
}
