package auth_test

import (
	"context"
	"fmt"

	"github.com/seed627bd532/runner/engine/auth"
)

// remembered tells of every login that another kind makes.
type remembered struct{ auth.Kind }

func (r remembered) Get(ctx context.Context, login auth.Login) (auth.Token, error) {
	token, err := r.Kind.Get(ctx, login)
	fmt.Println("logged in:", err == nil)
	return token, err
}

// An embedder wraps a kind, or adds its own, in a copy of the built-in ones.
func Example() {
	kinds := auth.Builtin()
	kinds["call"] = remembered{kinds["call"]}

	token, err := kinds["call"].Get(context.Background(), auth.Login{
		Call: func(context.Context) (auth.Token, error) { return auth.Token{Value: "tok-1"}, nil },
	})
	fmt.Println(token.Value, err)
	// Output:
	// logged in: true
	// tok-1 <nil>
}
