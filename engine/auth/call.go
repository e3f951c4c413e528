package auth

import (
	"context"
	"errors"
)

// call gets its token from an operation of the vendor itself, as most of those
// do that hand out sessions.
type call struct{}

var _ Kind = call{}

func (call) Get(ctx context.Context, login Login) (Token, error) {
	if login.Call == nil {
		return Token{}, errors.New("auth.token.call names no operation")
	}
	return login.Call(ctx)
}
