package auth_test

import (
	"context"
	"errors"
	"testing"

	"github.com/seed627bd532/runner/engine/auth"
)

func TestTokensThatCannotBeInjected(t *testing.T) {
	t.Parallel()
	tests := []struct{ token, want string }{
		{"abc.DEF-123_~+/=", ""},
		{"with blank and ü", ""},
		{"", "the token is empty"},
		{"a\r\nX: 1", "the token holds a control character (0x0d)"},
		{"a\x7f", "the token holds a control character (0x7f)"},
	}
	for _, test := range tests {
		got := ""
		if err := (auth.Token{Value: test.token}).Check(); err != nil {
			var f *auth.Failure
			if !errors.As(err, &f) || f.Temporary {
				t.Errorf("%q: %#v is no lasting failure", test.token, err)
			}
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%q: %q, want %q", test.token, got, test.want)
		}
	}
}

func TestCallTakesTheTokenOfTheLogin(t *testing.T) {
	t.Parallel()
	kind := auth.Builtin()["call"]
	want := auth.Token{Value: "tok"}
	got, err := kind.Get(context.Background(), auth.Login{
		Call: func(context.Context) (auth.Token, error) { return want, nil },
	})
	if err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := kind.Get(context.Background(), auth.Login{}); err == nil {
		t.Error("a login without an operation gives no error")
	}
}

func TestBuiltinCanBeExtendedWithoutHarm(t *testing.T) {
	t.Parallel()
	kinds := auth.Builtin()
	delete(kinds, "call")
	if auth.Builtin()["call"] == nil {
		t.Error("what one embedder changes, another sees")
	}
}
