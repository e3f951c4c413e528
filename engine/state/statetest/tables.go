package statetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/seed627bd532/runner/engine/state"
)

func tables(t *testing.T, open func(t *testing.T) state.Tables) {
	t.Run("keep the last value of a key", func(t *testing.T) {
		s := open(t)
		wantNoValue(t, s, "a", "k")
		for _, value := range []string{`{"x":203.7700}`, `null`} {
			putValue(t, s, "a", "k", value)
			wantValue(t, s, "a", "k", value)
		}
		wantNoValue(t, s, "b", "k")
		wantNoValue(t, s, "a", "K")
	})

	t.Run("forget", func(t *testing.T) {
		s := open(t)
		putValue(t, s, "a", "k", `1`)
		putValue(t, s, "b", "k", `2`)
		for range 2 {
			if err := s.DeleteValue(t.Context(), "a", "k"); err != nil {
				t.Fatal(err)
			}
			wantNoValue(t, s, "a", "k")
		}
		wantValue(t, s, "b", "k", `2`)
	})

	t.Run("are listed in the order of bytes", func(t *testing.T) {
		s := open(t)
		keys := []string{"b", "", "B", "a", "ä", "\x00", "a\x00b", "a\xff", "a'b", "10", "9"}
		for _, key := range keys {
			putValue(t, s, "t\x00'", key, `"`+key+`"`)
		}
		putValue(t, s, "other", "k", `1`)
		var got []string
		for row, err := range s.Values(t.Context(), "t\x00'") {
			if err != nil {
				t.Fatal(err)
			}
			if string(row.Value) != `"`+row.Key+`"` {
				t.Errorf("%q holds %s", row.Key, row.Value)
			}
			got = append(got, row.Key)
		}
		if want := slices.Sorted(slices.Values(keys)); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})

	t.Run("can be changed while they are listed", func(t *testing.T) {
		s := open(t)
		want := map[string]bool{}
		var wait sync.WaitGroup
		for i := range 1200 {
			key := fmt.Sprintf("%04d", i)
			want[key] = true
			wait.Go(func() {
				if err := s.PutValue(t.Context(), "a", key, []byte(`1`)); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		got := map[string]bool{}
		for row, err := range s.Values(t.Context(), "a") {
			if err != nil {
				t.Fatal(err)
			}
			got[row.Key] = true
			if len(got)%100 == 0 {
				putValue(t, s, "a", row.Key, `2`)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%d rows", len(got))
		}
	})

	t.Run("stop listing when nobody wants more", func(t *testing.T) {
		s := open(t)
		putValue(t, s, "a", "k", `1`)
		putValue(t, s, "a", "l", `1`)
		for row, err := range s.Values(t.Context(), "a") {
			if err != nil || row.Key != "k" {
				t.Fatalf("%s, %v", row.Key, err)
			}
			break
		}
		putValue(t, s, "a", "k", `2`)
	})
}

// ended tests that a store that touches the outside does nothing for a
// context that has ended, and says why it ended.
func ended(t *testing.T, s state.Store) {
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	_, _, get := s.Get(ctx, "r1", state.Call, "a")
	_, creates := s.Creates(ctx, "i", t0)
	var values error
	for _, values = range s.Values(ctx, "a") {
	}
	for name, err := range map[string]error{
		"Get":      get,
		"Creates":  creates,
		"Values":   values,
		"Put":      s.Put(ctx, state.Entry{Run: "r1", Kind: state.Call, Key: "a"}),
		"Begin":    s.Begin(ctx, state.Run{ID: "r1"}),
		"PutValue": s.PutValue(ctx, "a", "k", []byte(`1`)),
	} {
		if err != reason {
			t.Errorf("%s: got %v, want the cause", name, err)
		}
	}
	wantNone(t, s, "r1", state.Call, "a")
	wantNoValue(t, s, "a", "k")
}

func putValue(t *testing.T, s state.Tables, table, key, value string) {
	t.Helper()
	if err := s.PutValue(t.Context(), table, key, []byte(value)); err != nil {
		t.Fatal(err)
	}
}

func wantValue(t *testing.T, s state.Tables, table, key, want string) {
	t.Helper()
	if got, ok, err := s.Value(t.Context(), table, key); err != nil || !ok || string(got) != want {
		t.Errorf("Value(%q, %q) = %s, %v, %v; want %s", table, key, got, ok, err, want)
	}
}

func wantNoValue(t *testing.T, s state.Tables, table, key string) {
	t.Helper()
	if got, ok, err := s.Value(t.Context(), table, key); err != nil || ok {
		t.Errorf("Value(%q, %q) = %s, %v, %v; want none", table, key, got, ok, err)
	}
}
