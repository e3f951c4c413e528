// Package auth holds the ways of getting a token. A Kind knows no YAML, no
// templates and no positions: it is given plain values.
//
// A new kind is a file in this package and a line in Builtin; an embedder adds
// its own to a copy of Builtin.
package auth

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"
)

// A Token proves who is calling.
type Token struct {
	// Value is what is injected. It holds no control characters.
	Value string
	// Expires is when the vendor said that the token ends; zero when it did not say.
	Expires time.Time
	// Refresh is what the next token can be got with; empty for nothing.
	Refresh string
	// Answer is the JSON object that came with it, for vendor files that make the token
	// of more than Value; nil for nothing. It is not kept.
	Answer string
}

// A Kind is one way of getting a token. It is safe for concurrent use and
// keeps nothing: the engine decides when a token is needed, caches it, and asks
// for each connection only once at a time.
type Kind interface {
	// Get returns a fresh token. When the vendor refuses or cannot be reached the
	// error is a *Failure; any other error counts as a fault of the kind itself.
	Get(ctx context.Context, login Login) (Token, error)
}

// A Login is what a Kind has to work with.
type Login struct {
	// Call makes the operation that auth.token.call names, once, and returns the token
	// that auth.token.value finds in its outputs. It is nil when none is named. Its
	// errors are *Failure, or the context's.
	Call func(ctx context.Context) (Token, error)
	// Send sends a request that stands beside the vendor's operations, once its turn
	// has come under the vendor's limits, and reads the answer. No redirect is
	// followed, and its context and the vendor's timeout bound it. Its errors are
	// *Failure, or the context's.
	Send func(*http.Request) (*Answer, error)
	// OAuth2 is auth.token.oauth2; nil when the vendor file has none.
	OAuth2 *OAuth2
	// Value is auth.token.value where it stands alone.
	Value string
	// Refresh is that of the token before this one; empty for none.
	Refresh string
}

// An Answer is what came for a request.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// RetryAfter is how long the vendor asks to wait; 0 when it does not.
	RetryAfter time.Duration
}

// A Failure is a token that was not got.
type Failure struct {
	// Message says what was tried and what the vendor answered; lower case.
	Message string
	// Hint says what to do about it; may be empty.
	Hint string
	// Temporary failures may pass: the call that needed the token is tried again
	// later, RetryAfter from now where the vendor said so. Others end the run.
	Temporary  bool
	RetryAfter time.Duration
}

// Error returns the message.
func (f *Failure) Error() string { return f.Message }

// Kinds are the ways of getting a token by their name in vendor files.
type Kinds map[string]Kind

var builtin = Kinds{
	"call":   call{},
	"oauth2": oauth2{},
	"value":  fixed{},
}

// Builtin returns the kinds that vendor files can always use, in a new map.
func Builtin() Kinds { return maps.Clone(builtin) }

// Check returns a *Failure when the token cannot be injected anywhere: it is
// empty, or holds a control character that would break a header.
func (t Token) Check() error {
	if t.Value == "" {
		return &Failure{Message: "the token is empty"}
	}
	for i := range len(t.Value) {
		if b := t.Value[i]; b < ' ' || b == 0x7f {
			return &Failure{Message: fmt.Sprintf("the token holds a control character (0x%02x)", b)}
		}
	}
	return nil
}
