// Package statetest holds every kind of state to the contracts of package state.
package statetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/state"
)

var t0 = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// Journal tests a kind of journal. open returns an empty one.
func Journal(t *testing.T, open func(t *testing.T) state.Journal) {
	t.Run("gives back what was put, by run, kind and key", func(t *testing.T) {
		j := open(t)
		call := state.Entry{Run: "r1", Kind: state.Call, Key: "a", At: t0, Payload: []byte(`{"x":203.7700}`)}
		nap := state.Entry{Run: "r1", Kind: state.Sleep, Key: "a", At: t0, Payload: []byte(`"later"`)}
		put(t, j, call, nap)
		wantEntry(t, j, call)
		wantEntry(t, j, nap)
		wantNone(t, j, "r1", state.Time, "a")
		wantNone(t, j, "r2", state.Call, "a")
		wantNone(t, j, "r1", state.Call, "b")
	})

	t.Run("keeps the last of two under one name", func(t *testing.T) {
		j := open(t)
		intent := state.Entry{Run: "r1", Kind: state.Call, Key: "a", Status: state.Intended, Identity: "i", At: t0}
		done := intent
		done.Status, done.At, done.Payload = state.Done, t0.Add(time.Second), []byte(`1`)
		put(t, j, intent, done)
		wantEntry(t, j, done)
		wantCreates(t, j, "i", t0, done)
	})

	t.Run("takes several entries at once", func(t *testing.T) {
		j := open(t)
		call := state.Entry{Run: "r1", Kind: state.Call, Key: "a", Status: state.Intended, At: t0}
		row1 := state.Entry{Run: "r1", Kind: state.Call, Key: "a/rows[1]", Status: state.Intended, Identity: "i", At: t0}
		row2 := state.Entry{Run: "r1", Kind: state.Call, Key: "a/rows[2]", Status: state.Intended, Identity: "j", At: t0}
		if err := j.Put(t.Context(), call, row1, row2); err != nil {
			t.Fatal(err)
		}
		wantEntry(t, j, call)
		wantCreates(t, j, "i", t0, row1)
		row1.Status, row2.Status = state.Done, state.Undone
		if err := j.Put(t.Context(), row1, row2); err != nil {
			t.Fatal(err)
		}
		wantCreates(t, j, "i", t0, row1)
		wantCreates(t, j, "j", t0)
		if err := j.Put(t.Context()); err != nil {
			t.Errorf("nothing at all: %v", err)
		}
	})

	t.Run("finds intents of all runs, however old", func(t *testing.T) {
		j := open(t)
		old := state.Entry{Run: "r0", Kind: state.Call, Key: "a", Status: state.Intended, Identity: "i", At: t0.Add(-24 * time.Hour)}
		mine := state.Entry{Run: "r1", Kind: state.Call, Key: "b", Status: state.Intended, Identity: "i", At: t0}
		other := state.Entry{Run: "r1", Kind: state.Call, Key: "c", Status: state.Intended, Identity: "j", At: t0}
		put(t, j, mine, old, other)
		wantCreates(t, j, "i", t0, old, mine)
	})

	t.Run("finds creates that are done only when they are recent", func(t *testing.T) {
		j := open(t)
		before := state.Entry{Run: "r0", Kind: state.Call, Key: "a", Status: state.Done, Identity: "i", At: t0.Add(-time.Nanosecond)}
		since := state.Entry{Run: "r0", Kind: state.Call, Key: "b", Status: state.Done, Identity: "i", At: t0}
		put(t, j, before, since)
		wantCreates(t, j, "i", t0, since)
	})

	t.Run("does not find creates that never took place", func(t *testing.T) {
		j := open(t)
		e := state.Entry{Run: "r1", Kind: state.Call, Key: "a", Status: state.Intended, Identity: "i", At: t0}
		put(t, j, e)
		e.Status = state.Undone
		put(t, j, e)
		wantCreates(t, j, "i", t0)
		wantEntry(t, j, e)
	})

	t.Run("does not take creates without identity for the same", func(t *testing.T) {
		j := open(t)
		put(t, j, state.Entry{Run: "r1", Kind: state.Call, Key: "a", Status: state.Intended, At: t0})
		wantCreates(t, j, "", t0)
	})

	t.Run("folds what lies below a key and nothing beside it", func(t *testing.T) {
		j := open(t)
		gone := []state.Entry{
			{Run: "r1", Kind: state.Call, Key: "each[A]", At: t0},
			{Run: "r1", Kind: state.Call, Key: "each[A]#2", At: t0},
			{Run: "r1", Kind: state.Sleep, Key: "each[A]#2", At: t0},
			{Run: "r1", Kind: state.Call, Key: "each[A]/find", At: t0},
			{Run: "r1", Kind: state.Time, Key: "each[A]/inner[x]/now", At: t0},
			{Run: "r1", Kind: state.Item, Key: "each[A]/inner[x]", At: t0},
		}
		kept := []state.Entry{
			{Run: "r1", Kind: state.Item, Key: "each[A#2]", At: t0},
			{Run: "r1", Kind: state.Call, Key: "each[AB]/find", At: t0},
			{Run: "r1", Kind: state.Call, Key: "each[B]/find", At: t0},
			{Run: "r1", Kind: state.Call, Key: "each", At: t0},
			{Run: "r2", Kind: state.Call, Key: "each[A]/find", At: t0},
		}
		put(t, j, slices.Concat(gone, kept)...)
		item := state.Entry{Run: "r1", Kind: state.Item, Key: "each[A]", At: t0, Payload: []byte(`{}`)}
		if err := j.Fold(t.Context(), item); err != nil {
			t.Fatal(err)
		}
		for _, e := range gone {
			wantNone(t, j, e.Run, e.Kind, e.Key)
		}
		for _, e := range append(kept, item) {
			wantEntry(t, j, e)
		}
	})

	t.Run("takes keys of all sorts", func(t *testing.T) {
		j := open(t)
		for _, key := range []string{"each[\x00]", "each[\xff]", "each[ü'\"]", "each[" + strings.Repeat("long", 2000) + "]"} {
			e := state.Entry{Run: "r1", Kind: state.Call, Key: key + "/create", Status: state.Done, Identity: key, At: t0}
			put(t, j, e, state.Entry{Run: "r1", Kind: state.Sleep, Key: key + "/create", At: t0})
			wantEntry(t, j, e)
			wantCreates(t, j, key, t0, e)
			item := state.Entry{Run: "r1", Kind: state.Item, Key: key, At: t0}
			if err := j.Fold(t.Context(), item); err != nil {
				t.Fatal(err)
			}
			wantNone(t, j, "r1", state.Sleep, e.Key)
			wantEntry(t, j, item)
			wantCreates(t, j, key, t0, e)
		}
	})

	t.Run("gives times back in UTC, without what only this process knows", func(t *testing.T) {
		j := open(t)
		e := state.Entry{Run: "r1", Kind: state.Call, Key: "a", At: t0.Add(time.Nanosecond).In(time.FixedZone("", 3600))}
		put(t, j, e)
		e.At = t0.Add(time.Nanosecond)
		wantEntry(t, j, e)
		e.At = time.Time{}
		put(t, j, e)
		wantEntry(t, j, e)
	})

	t.Run("finds creates that were folded away", func(t *testing.T) {
		j := open(t)
		done := state.Entry{Run: "r1", Kind: state.Call, Key: "each[A]/create", Status: state.Done, Identity: "i", At: t0}
		lost := state.Entry{Run: "r1", Kind: state.Call, Key: "each[A]/create#2", Status: state.Intended, Identity: "i", At: t0}
		put(t, j, done, lost)
		if err := j.Fold(t.Context(), state.Entry{Run: "r1", Kind: state.Item, Key: "each[A]", At: t0}); err != nil {
			t.Fatal(err)
		}
		wantNone(t, j, "r1", state.Call, "each[A]/create")
		wantCreates(t, j, "i", t0, done, lost)
	})
}

func put(t *testing.T, j state.Journal, entries ...state.Entry) {
	t.Helper()
	for _, e := range entries {
		if err := j.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

func wantEntry(t *testing.T, j state.Journal, want state.Entry) {
	t.Helper()
	got, ok, err := j.Get(t.Context(), want.Run, want.Kind, want.Key)
	if err != nil || !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("Get(%s, %s, %s) = %+v, %v, %v; want %+v", want.Run, want.Kind, want.Key, got, ok, err, want)
	}
}

func wantNone(t *testing.T, j state.Journal, run string, kind state.Kind, key string) {
	t.Helper()
	if got, ok, err := j.Get(t.Context(), run, kind, key); ok || err != nil {
		t.Errorf("Get(%s, %s, %s) = %+v, %v, %v; want nothing", run, kind, key, got, ok, err)
	}
}

func wantCreates(t *testing.T, j state.Journal, identity string, since time.Time, want ...state.Entry) {
	t.Helper()
	got, err := j.Creates(t.Context(), identity, since)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Creates(%s) = %+v, %v; want %+v", identity, got, err, want)
	}
}

// Locks tests a kind of locks. open returns some of which none is held.
func Locks(t *testing.T, open func(t *testing.T) state.Locks) {
	t.Run("serves those who wait in the order in which they came", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := open(t)
			unlock := lock(t, l, "a")
			served := make(chan int, 3)
			for i := range 3 {
				go func() {
					unlock := lock(t, l, "a")
					served <- i
					unlock()
				}()
				synctest.Wait()
			}
			unlock()
			if got := [3]int{<-served, <-served, <-served}; got != [3]int{0, 1, 2} {
				t.Errorf("served %v", got)
			}
		})
	})

	t.Run("does not mix names up", func(t *testing.T) {
		l := open(t)
		defer lock(t, l, "a")()
		defer lock(t, l, "b")()
	})

	t.Run("can be taken again after unlocking, once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := open(t)
			first := lock(t, l, "a")
			first()
			second := lock(t, l, "a")
			first() // not the holder any more
			try(t, l, "a", false)
			second()
			lock(t, l, "a")()
		})
	})

	t.Run("lets those go whose context ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := open(t)
			unlock := lock(t, l, "a")
			reason := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			result := make(chan error)
			go func() {
				_, err := l.Lock(ctx, "a")
				result <- err
			}()
			synctest.Wait()
			cancel(reason)
			if err := <-result; err != reason {
				t.Errorf("got %v, want the cause", err)
			}
			unlock()
			lock(t, l, "a")()
		})
	})

	t.Run("gives nothing to a context that has ended", func(t *testing.T) {
		l := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if unlock, err := l.Lock(ctx, "a"); !errors.Is(err, context.Canceled) || unlock != nil {
			t.Errorf("got %v", err)
		}
		if unlock, ok, err := l.TryLock(ctx, "a"); !errors.Is(err, context.Canceled) || ok || unlock != nil {
			t.Errorf("got %v, %v", ok, err)
		}
		lock(t, l, "a")()
	})

	t.Run("is tried without waiting", func(t *testing.T) {
		l := open(t)
		unlock, ok, err := l.TryLock(t.Context(), "a")
		if err != nil || !ok {
			t.Fatalf("a free lock was not given: %v", err)
		}
		defer try(t, l, "b", true)()
		try(t, l, "a", false)
		unlock()
		unlock()
		unlock = lock(t, l, "a")
		try(t, l, "a", false)
		unlock()
		try(t, l, "a", true)()
	})

	t.Run("is not given to those who try while others wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := open(t)
			unlock, ok, err := l.TryLock(t.Context(), "a")
			if err != nil || !ok {
				t.Fatalf("a free lock was not given: %v", err)
			}
			served := make(chan func())
			go func() { served <- lock(t, l, "a") }()
			synctest.Wait()
			try(t, l, "a", false)
			unlock()
			synctest.Wait()
			try(t, l, "a", false)
			(<-served)()
			try(t, l, "a", true)()
		})
	})

	t.Run("excludes", func(t *testing.T) {
		l := open(t)
		const workers, turns = 8, 50
		n := 0 // guarded by the lock: the race detector watches
		done := make(chan bool)
		for range workers {
			go func() {
				for range turns {
					unlock := lock(t, l, "a")
					n++
					unlock()
				}
				done <- true
			}()
		}
		for range workers {
			<-done
		}
		if n != workers*turns {
			t.Errorf("counted %d", n)
		}
	})
}

// Tokens tests a kind of tokens. open returns an empty one.
func Tokens(t *testing.T, open func(t *testing.T) state.Tokens) {
	t.Run("gives back what was put", func(t *testing.T) {
		s := open(t)
		whole := auth.Token{Value: "tok \"1\" ü", Refresh: "again", Expires: t0.Add(time.Nanosecond)}
		bare := auth.Token{Value: "tok-2"}
		wantNoToken(t, s, "a")
		for key, token := range map[string]auth.Token{"a": whole, "../b/\x00": bare} {
			if err := s.PutToken(t.Context(), key, token); err != nil {
				t.Fatal(err)
			}
		}
		wantToken(t, s, "a", whole)
		wantToken(t, s, "../b/\x00", bare)
		wantNoToken(t, s, "A")
	})

	t.Run("keeps the last of two under one key", func(t *testing.T) {
		s := open(t)
		for _, token := range []auth.Token{{Value: "long-one", Refresh: "r", Expires: t0}, {Value: "2"}} {
			if err := s.PutToken(t.Context(), "a", token); err != nil {
				t.Fatal(err)
			}
			wantToken(t, s, "a", token)
		}
	})

	t.Run("shows no half of a token", func(t *testing.T) {
		s := open(t)
		tokens := []auth.Token{{Value: strings.Repeat("a", 5000)}, {Value: "b", Refresh: strings.Repeat("c", 3000)}}
		if err := s.PutToken(t.Context(), "a", tokens[0]); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for i := range 4 {
			wait.Go(func() {
				for range 20 {
					if err := s.PutToken(t.Context(), "a", tokens[i%2]); err != nil {
						t.Error(err)
					}
					if got, ok, err := s.Token(t.Context(), "a"); err != nil || !ok || !slices.Contains(tokens, got) {
						t.Errorf("got %+v, %v, %v", got, ok, err)
					}
				}
			})
		}
		wait.Wait()
	})
}

func wantToken(t *testing.T, s state.Tokens, key string, want auth.Token) {
	t.Helper()
	got, ok, err := s.Token(t.Context(), key)
	if err != nil || !ok || got != want {
		t.Errorf("Token(%q) = %+v, %v, %v; want %+v", key, got, ok, err, want)
	}
}

func wantNoToken(t *testing.T, s state.Tokens, key string) {
	t.Helper()
	if got, ok, err := s.Token(t.Context(), key); ok || err != nil {
		t.Errorf("Token(%q) = %+v, %v, %v; want none", key, got, ok, err)
	}
}

func lock(t *testing.T, l state.Locks, name string) (unlock func()) {
	t.Helper()
	unlock, err := l.Lock(t.Context(), name)
	if err != nil {
		t.Error(err)
		return func() {}
	}
	return unlock
}

// try takes a lock that must be free, or not.
func try(t *testing.T, l state.Locks, name string, free bool) (unlock func()) {
	t.Helper()
	unlock, ok, err := l.TryLock(t.Context(), name)
	if err != nil || ok != free || (unlock != nil) != free {
		t.Errorf("TryLock(%s) = %v, %v; want %v", name, ok, err, free)
	}
	return unlock
}
