package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed627bd532/runner/engine/state"
)

var intent = state.Entry{Run: "r1", Kind: state.Call, Key: "a", Status: state.Intended, Identity: "i"}

func TestAServerThatGoesAndComesBackCostsNothing(t *testing.T) {
	p, address := through(t, place(t))
	s := opened(t, address)
	unlock := locked(t, s, "a")
	var puts atomic.Int32
	result := make(chan error)
	go func() {
		for i := range 300 {
			e := state.Entry{Run: "r1", Kind: state.Call, Key: fmt.Sprintf("each[%03d]", i), At: time.Unix(int64(i), 0)}
			if i%3 == 0 {
				e.Status = state.Intended
			}
			if err := s.Put(t.Context(), e); err != nil {
				result <- err
				return
			}
			puts.Add(1)
		}
		result <- nil
	}()
	for _, at := range []int32{50, 100, 150} {
		for puts.Load() < at {
			runtime.Gosched()
		}
		p.leave()
		if got, want := s.Put(atOnce(t), intent), context.DeadlineExceeded; got != want {
			t.Errorf("while it is away: %v", got)
		}
		p.comeBack()
	}
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	entries, err := s.Entries(t.Context(), "r1")
	if err != nil || len(entries) != 300 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
	unlock()
}

func TestAServerThatStaysAwayIsAnError(t *testing.T) {
	p, address := through(t, place(t))
	s := opened(t, address)
	s.server.patience, s.locks.server.patience = 0, 0
	record(t, s, state.Entry{Run: "r1", Kind: state.Call, Key: "b"})
	p.leave()
	_, _, get := s.Get(t.Context(), "r1", state.Call, "b")
	_, lock := s.Lock(t.Context(), "a")
	for doing, err := range map[string]error{"Put": s.Put(t.Context(), intent), "Get": get, "Lock": lock} {
		want := "the state in " + s.server.name + " cannot be reached. What was to be recorded is not, or not for certain. Resume the run once the server is back: "
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", doing, err, want)
		}
	}
	p.comeBack()
	s.server.patience, s.locks.server.patience = patience, patience
	locked(t, s, "a")()
	record(t, s, intent)
}

// A run that begins must not be told that it has begun before.
func TestARunWhoseAnswerIsLostBeginsOnce(t *testing.T) {
	p, address := through(t, place(t))
	s := opened(t, address)
	for _, r := range []state.Run{{ID: "r1", Key: "k", Began: time.Unix(1, 0)}, {ID: "r2", Began: time.Unix(1, 0)}} {
		p.lose()
		if err := s.Begin(t.Context(), r); err != nil {
			t.Error(err)
		}
		if err := s.Begin(t.Context(), r); err == nil {
			t.Error("it began twice")
		}
	}
	if err := s.Begin(t.Context(), state.Run{ID: "r3", Key: "k"}); !errors.Is(err, state.ErrKeyTaken) {
		t.Errorf("got %v", err)
	}
}

func TestALockThatAnotherTookLetsNoIntentPass(t *testing.T) {
	at := place(t)
	p, address := through(t, at)
	s, other := opened(t, address), opened(t, at)
	unlock := locked(t, s, "a")
	record(t, s, intent)
	p.leave()
	taken := locked(t, other, "a")
	p.comeBack()
	want := "the lock a was lost: the connection to the state in " + s.server.name + " was broken, and another process has taken it since. Nothing of this was recorded. Resume the run once the other one is through"
	second := state.Entry{Run: "r1", Kind: state.Call, Key: "b", Status: state.Intended}
	for range 2 {
		if err := s.Put(t.Context(), second); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		taken() // which mends nothing: it was another's for a while
	}
	// What is known already is recorded all the same.
	done := intent
	done.Status = state.Done
	record(t, s, done)
	if _, ok, err := s.Get(t.Context(), "r1", state.Call, "b"); ok || err != nil {
		t.Errorf("a refused intent is there: %v", err)
	}
	unlock()
	record(t, s, second)
	defer locked(t, s, "a")()
	record(t, s, intent)
}

func TestALockSurvivesItsSession(t *testing.T) {
	for name, broke := range map[string]func(*proxy){
		"broken at both ends":               (*proxy).cut,
		"of which the server knows nothing": (*proxy).cutHere,
	} {
		t.Run(name, func(t *testing.T) {
			at := place(t)
			p, address := through(t, at)
			s, other := opened(t, address), opened(t, at)
			unlock := locked(t, s, "a")
			broke(p)
			locked(t, s, "b")() // needs the session
			if _, ok, err := other.TryLock(t.Context(), "a"); ok || err != nil {
				t.Errorf("a held lock was given: %v", err)
			}
			record(t, s, intent)
			unlock()
			locked(t, other, "a")()
		})
	}
}

// Between the check of the locks and the commit of an intent, nobody may take a
// lock over and miss the intent.
func TestWhoeverTakesALockOverWaitsForIntents(t *testing.T) {
	at := place(t)
	s := opened(t, at)
	// A row of a Store that ended without unlocking.
	if _, err := s.pool.Exec(t.Context(), "INSERT INTO locks (digest, owner) VALUES (sha256('a'), 'somebody')"); err != nil {
		t.Fatal(err)
	}

	tx, err := s.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT pg_advisory_xact_lock_shared($1)", s.locks.fence); err != nil {
		t.Fatal(err)
	}
	var committed atomic.Bool
	result := make(chan error)
	go func() {
		unlock, err := s.Lock(t.Context(), "a")
		if err == nil {
			unlock()
		}
		if !committed.Load() {
			err = errors.New("it did not wait")
		}
		result <- err
	}()
	waitFor(t, s, "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND (classid::bigint << 32 | objid::bigint) = $1", s.locks.fence)
	committed.Store(true)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Error(err)
	}
}

func TestNobodyTakesALockTwiceWhileAnotherStoreWaits(t *testing.T) {
	at := place(t)
	first, second := opened(t, at), opened(t, at)
	gate := number("gate", first.locks.space, "a")
	for range 5 {
		unlock := locked(t, first, "a")
		var had atomic.Bool
		result := make(chan error)
		go func() {
			unlock, err := second.Lock(t.Context(), "a")
			if err == nil {
				had.Store(true)
				unlock()
			}
			result <- err
		}()
		waitFor(t, first, "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32 | objid::bigint) = $1", gate)
		if _, ok, err := first.TryLock(t.Context(), "a"); ok || err != nil {
			t.Errorf("a held lock was given: %v", err)
		}
		unlock()
		unlock = locked(t, first, "a")
		if !had.Load() {
			t.Error("the one that waited was overtaken")
		}
		unlock()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhoeverLeavesTheGateLetsOthersIn(t *testing.T) {
	at := place(t)
	first, second := opened(t, at), opened(t, at)
	unlock := locked(t, first, "a")
	if _, err := second.Lock(atOnce(t), "a"); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
	unlock()
	locked(t, first, "a")()
}

// atOnce ends soon.
func atOnce(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// waitFor waits until a query about a number of advisory locks says true.
func waitFor(t *testing.T, s *Store, query string, number int64) {
	t.Helper()
	for {
		yes, err := pgx.CollectExactlyOneRow(must(s.pool.Query(t.Context(), query, number)), pgx.RowTo[bool])
		if err != nil {
			t.Fatal(err)
		}
		if yes {
			return
		}
	}
}

func must(rows pgx.Rows, err error) pgx.Rows {
	if err != nil {
		panic(err)
	}
	return rows
}

func record(t *testing.T, s *Store, entries ...state.Entry) {
	t.Helper()
	if err := s.Put(t.Context(), entries...); err != nil {
		t.Fatal(err)
	}
}

func locked(t *testing.T, s *Store, name string) (unlock func()) {
	t.Helper()
	unlock, err := s.Lock(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return unlock
}
