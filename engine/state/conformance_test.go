package state

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// The tests of this file hold for every kind of state.

var t0 = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func testJournal(t *testing.T, open func(t *testing.T) Journal) {
	t.Run("gives back what was put, by run, kind and key", func(t *testing.T) {
		j := open(t)
		call := Entry{Run: "r1", Kind: Call, Key: "a", At: t0, Payload: []byte(`{"x":203.7700}`)}
		nap := Entry{Run: "r1", Kind: Sleep, Key: "a", At: t0, Payload: []byte(`"later"`)}
		put(t, j, call, nap)
		wantEntry(t, j, call)
		wantEntry(t, j, nap)
		wantNone(t, j, "r1", Time, "a")
		wantNone(t, j, "r2", Call, "a")
		wantNone(t, j, "r1", Call, "b")
	})

	t.Run("keeps the last of two under one name", func(t *testing.T) {
		j := open(t)
		intent := Entry{Run: "r1", Kind: Call, Key: "a", Status: Intended, Identity: "i", At: t0}
		done := intent
		done.Status, done.At, done.Payload = Done, t0.Add(time.Second), []byte(`1`)
		put(t, j, intent, done)
		wantEntry(t, j, done)
		wantCreates(t, j, "i", t0, done)
	})

	t.Run("takes several entries at once", func(t *testing.T) {
		j := open(t)
		call := Entry{Run: "r1", Kind: Call, Key: "a", Status: Intended, At: t0}
		row1 := Entry{Run: "r1", Kind: Call, Key: "a/rows[1]", Status: Intended, Identity: "i", At: t0}
		row2 := Entry{Run: "r1", Kind: Call, Key: "a/rows[2]", Status: Intended, Identity: "j", At: t0}
		if err := j.Put(t.Context(), call, row1, row2); err != nil {
			t.Fatal(err)
		}
		wantEntry(t, j, call)
		wantCreates(t, j, "i", t0, row1)
		row1.Status, row2.Status = Done, Undone
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
		old := Entry{Run: "r0", Kind: Call, Key: "a", Status: Intended, Identity: "i", At: t0.Add(-24 * time.Hour)}
		mine := Entry{Run: "r1", Kind: Call, Key: "b", Status: Intended, Identity: "i", At: t0}
		other := Entry{Run: "r1", Kind: Call, Key: "c", Status: Intended, Identity: "j", At: t0}
		put(t, j, mine, old, other)
		wantCreates(t, j, "i", t0, old, mine)
	})

	t.Run("finds creates that are done only when they are recent", func(t *testing.T) {
		j := open(t)
		before := Entry{Run: "r0", Kind: Call, Key: "a", Status: Done, Identity: "i", At: t0.Add(-time.Nanosecond)}
		since := Entry{Run: "r0", Kind: Call, Key: "b", Status: Done, Identity: "i", At: t0}
		put(t, j, before, since)
		wantCreates(t, j, "i", t0, since)
	})

	t.Run("does not find creates that never took place", func(t *testing.T) {
		j := open(t)
		e := Entry{Run: "r1", Kind: Call, Key: "a", Status: Intended, Identity: "i", At: t0}
		put(t, j, e)
		e.Status = Undone
		put(t, j, e)
		wantCreates(t, j, "i", t0)
		wantEntry(t, j, e)
	})

	t.Run("does not take creates without identity for the same", func(t *testing.T) {
		j := open(t)
		put(t, j, Entry{Run: "r1", Kind: Call, Key: "a", Status: Intended, At: t0})
		wantCreates(t, j, "", t0)
	})

	t.Run("folds what lies below a key and nothing beside it", func(t *testing.T) {
		j := open(t)
		gone := []Entry{
			{Run: "r1", Kind: Call, Key: "each[A]", At: t0},
			{Run: "r1", Kind: Call, Key: "each[A]#2", At: t0},
			{Run: "r1", Kind: Sleep, Key: "each[A]#2", At: t0},
			{Run: "r1", Kind: Call, Key: "each[A]/find", At: t0},
			{Run: "r1", Kind: Time, Key: "each[A]/inner[x]/now", At: t0},
			{Run: "r1", Kind: Item, Key: "each[A]/inner[x]", At: t0},
		}
		kept := []Entry{
			{Run: "r1", Kind: Item, Key: "each[A#2]", At: t0},
			{Run: "r1", Kind: Call, Key: "each[AB]/find", At: t0},
			{Run: "r1", Kind: Call, Key: "each[B]/find", At: t0},
			{Run: "r1", Kind: Call, Key: "each", At: t0},
			{Run: "r2", Kind: Call, Key: "each[A]/find", At: t0},
		}
		put(t, j, slices.Concat(gone, kept)...)
		item := Entry{Run: "r1", Kind: Item, Key: "each[A]", At: t0, Payload: []byte(`{}`)}
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

	t.Run("finds creates that were folded away", func(t *testing.T) {
		j := open(t)
		done := Entry{Run: "r1", Kind: Call, Key: "each[A]/create", Status: Done, Identity: "i", At: t0}
		lost := Entry{Run: "r1", Kind: Call, Key: "each[A]/create#2", Status: Intended, Identity: "i", At: t0}
		put(t, j, done, lost)
		if err := j.Fold(t.Context(), Entry{Run: "r1", Kind: Item, Key: "each[A]", At: t0}); err != nil {
			t.Fatal(err)
		}
		wantNone(t, j, "r1", Call, "each[A]/create")
		wantCreates(t, j, "i", t0, done, lost)
	})
}

func put(t *testing.T, j Journal, entries ...Entry) {
	t.Helper()
	for _, e := range entries {
		if err := j.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

func wantEntry(t *testing.T, j Journal, want Entry) {
	t.Helper()
	got, ok, err := j.Get(t.Context(), want.Run, want.Kind, want.Key)
	if err != nil || !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("Get(%s, %s, %s) = %+v, %v, %v; want %+v", want.Run, want.Kind, want.Key, got, ok, err, want)
	}
}

func wantNone(t *testing.T, j Journal, run string, kind Kind, key string) {
	t.Helper()
	if got, ok, err := j.Get(t.Context(), run, kind, key); ok || err != nil {
		t.Errorf("Get(%s, %s, %s) = %+v, %v, %v; want nothing", run, kind, key, got, ok, err)
	}
}

func wantCreates(t *testing.T, j Journal, identity string, since time.Time, want ...Entry) {
	t.Helper()
	got, err := j.Creates(t.Context(), identity, since)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Creates(%s) = %+v, %v; want %+v", identity, got, err, want)
	}
}

func testLocks(t *testing.T, open func(t *testing.T) Locks) {
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
			if err := tryLock(l, "a"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a held lock was given: %v", err)
			}
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
		lock(t, l, "a")()
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

func lock(t *testing.T, l Locks, name string) (unlock func()) {
	t.Helper()
	unlock, err := l.Lock(t.Context(), name)
	if err != nil {
		t.Error(err)
		return func() {}
	}
	return unlock
}

// tryLock gives up after a second.
func tryLock(l Locks, name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	unlock, err := l.Lock(ctx, name)
	if err == nil {
		unlock()
	}
	return err
}
