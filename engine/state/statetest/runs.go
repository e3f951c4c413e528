package statetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/state"
)

// Store tests a kind of store, all sides of it. open returns an empty one, and
// closes it at the end of the test that it is given.
func Store(t *testing.T, open func(t *testing.T) state.Store) {
	t.Run("journal", func(t *testing.T) { Journal(t, func(t *testing.T) state.Journal { return open(t) }) })
	t.Run("runs", func(t *testing.T) { runs(t, open) })
	t.Run("tables", func(t *testing.T) { tables(t, func(t *testing.T) state.Tables { return open(t) }) })
	t.Run("locks", func(t *testing.T) { Locks(t, func(t *testing.T) state.Locks { return open(t) }) })
}

func runs(t *testing.T, open func(t *testing.T) state.Store) {
	whole := state.Run{
		ID:       "r1",
		Key:      "nightly \x00 ü \xff",
		Pipeline: "pipelines/a.yaml",
		Files:    map[string]string{"specs/a.yaml": "sha256:1", "pipelines/a.yaml": "sha256:2"},
		Inputs:   []byte(`{"n":203.7700}`),
		Began:    t0.Add(time.Nanosecond),
	}
	ended := whole
	ended.Ended, ended.Status, ended.Outcome = t0.Add(time.Minute), "ok", []byte(`{"outputs":{}}`)

	t.Run("are given back as they were begun and updated", func(t *testing.T) {
		s := open(t)
		begin(t, s, whole)
		wantRun(t, s, whole)
		if err := s.Update(t.Context(), ended); err != nil {
			t.Fatal(err)
		}
		wantRun(t, s, ended)
		again := whole // taken up again, from other files
		again.Files = map[string]string{"specs/a.yaml": "sha256:3"}
		if err := s.Update(t.Context(), again); err != nil {
			t.Fatal(err)
		}
		wantRun(t, s, again)
	})

	t.Run("need little", func(t *testing.T) {
		s := open(t)
		bare := state.Run{ID: "r1", Began: t0}
		begin(t, s, bare, state.Run{ID: "r2", Began: t0})
		wantRun(t, s, bare)
	})

	t.Run("are unknown until they begin", func(t *testing.T) {
		s := open(t)
		if r, ok, err := s.Run(t.Context(), "r1"); ok || err != nil {
			t.Errorf("got %+v, %v", r, err)
		}
		if r, ok, err := s.RunByKey(t.Context(), "k"); ok || err != nil {
			t.Errorf("got %+v, %v", r, err)
		}
		if err := s.Update(t.Context(), whole); err == nil || err.Error() != "there is no run r1" {
			t.Errorf("got %v", err)
		}
		wantRuns(t, s, 0)
	})

	t.Run("keep their key and their beginning", func(t *testing.T) {
		s := open(t)
		begin(t, s, whole)
		changed := ended
		changed.Key, changed.Began = "other", t0.Add(time.Hour)
		if err := s.Update(t.Context(), changed); err != nil {
			t.Fatal(err)
		}
		wantRun(t, s, ended)
		begin(t, s, state.Run{ID: "r2", Key: "other", Began: t0})
	})

	t.Run("share neither key nor id", func(t *testing.T) {
		s := open(t)
		begin(t, s, whole)
		if err := s.Begin(t.Context(), state.Run{ID: "r2", Key: whole.Key, Began: t0}); !errors.Is(err, state.ErrKeyTaken) {
			t.Errorf("got %v", err)
		}
		if err := s.Begin(t.Context(), state.Run{ID: "r1", Key: "free", Began: t0}); err == nil || err.Error() != "a run r1 is there already" {
			t.Errorf("got %v", err)
		}
		if r, ok, err := s.RunByKey(t.Context(), "free"); ok || err != nil {
			t.Errorf("a refused run is there: %+v, %v", r, err)
		}
		wantRun(t, s, whole)
		wantRuns(t, s, 0, "r1")
	})

	t.Run("of one key begin once, however many try", func(t *testing.T) {
		s := open(t)
		var begun atomic.Int32
		var wait sync.WaitGroup
		for i := range 16 {
			wait.Go(func() {
				switch err := s.Begin(t.Context(), state.Run{ID: fmt.Sprint(i), Key: "k", Began: t0}); {
				case err == nil:
					begun.Add(1)
				case !errors.Is(err, state.ErrKeyTaken):
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if begun.Load() != 1 {
			t.Errorf("%d began", begun.Load())
		}
	})

	t.Run("are listed newest first", func(t *testing.T) {
		s := open(t)
		begin(t, s,
			state.Run{ID: "b", Began: t0.Add(time.Second)},
			state.Run{ID: "d", Began: t0},
			state.Run{ID: "a", Began: t0.Add(2 * time.Second)},
			state.Run{ID: "c", Began: t0},
		)
		wantRuns(t, s, 0, "a", "b", "d", "c")
		wantRuns(t, s, 3, "a", "b", "d")
		wantRuns(t, s, 9, "a", "b", "d", "c")
	})

	t.Run("show what they recorded, oldest first", func(t *testing.T) {
		s := open(t)
		first := state.Entry{Run: "r1", Kind: state.Time, Key: "z", At: t0, Payload: []byte(`1`)}
		second := state.Entry{Run: "r1", Kind: state.Call, Key: "a", At: t0.Add(time.Second)}
		third := state.Entry{Run: "r1", Kind: state.Call, Key: "a#2", At: t0.Add(time.Second)}
		fourth := state.Entry{Run: "r1", Kind: state.Sleep, Key: "a#2", At: t0.Add(time.Second)}
		put(t, s, fourth, third, first, state.Entry{Run: "r2", Kind: state.Call, Key: "b", At: t0}, second)
		wantEntries(t, s, "r1", first, second, third, fourth)
		wantEntries(t, s, "r3")
	})

	t.Run("show creates that were folded, and nothing else that was", func(t *testing.T) {
		s := open(t)
		done := state.Entry{Run: "r1", Kind: state.Call, Key: "each[A]/create", Status: state.Done, Identity: "i", At: t0}
		lost := state.Entry{Run: "r1", Kind: state.Call, Key: "each[A]/other", Status: state.Intended, At: t0}
		put(t, s, done, lost,
			state.Entry{Run: "r1", Kind: state.Call, Key: "each[A]/undone", Status: state.Undone, Identity: "j", At: t0},
			state.Entry{Run: "r1", Kind: state.Call, Key: "each[A]/find", At: t0})
		item := state.Entry{Run: "r1", Kind: state.Item, Key: "each[A]", At: t0.Add(time.Second)}
		if err := s.Fold(t.Context(), item); err != nil {
			t.Fatal(err)
		}
		wantEntries(t, s, "r1", done, lost, item)
		// Somebody settles what was lost.
		lost.Status, lost.At = state.Undone, t0.Add(2*time.Second)
		put(t, s, lost)
		wantEntries(t, s, "r1", done, item, lost)
		wantEntry(t, s, lost)
	})

	t.Run("are forgotten once they are old", func(t *testing.T) {
		s := open(t)
		runs := map[string]state.Run{}
		for id, end := range map[string]time.Duration{"old": -time.Nanosecond, "oldest": -time.Hour, "recent": 0, "unsettled": -time.Hour, "folded": -time.Hour} {
			runs[id] = state.Run{ID: id, Key: "key of " + id, Began: t0.Add(-2 * time.Hour), Ended: t0.Add(end), Status: "ok"}
			begin(t, s, runs[id])
			put(t, s, state.Entry{Run: id, Kind: state.Call, Key: "a", Status: state.Done, Identity: "i", At: t0})
		}
		begin(t, s, state.Run{ID: "alive", Began: t0.Add(-2 * time.Hour)})
		put(t, s, state.Entry{Run: "unsettled", Kind: state.Call, Key: "b", Status: state.Intended, At: t0})
		intent := state.Entry{Run: "folded", Kind: state.Call, Key: "b[1]/c", Status: state.Intended, At: t0}
		put(t, s, intent)
		if err := s.Fold(t.Context(), state.Entry{Run: "folded", Kind: state.Item, Key: "b[1]", At: t0}); err != nil {
			t.Fatal(err)
		}
		wantPruned(t, s, t0, "old", "oldest")
		wantPruned(t, s, t0)
		wantRuns(t, s, 0, "unsettled", "recent", "folded", "alive")
		wantEntries(t, s, "old")
		if found, err := s.Creates(t.Context(), "i", time.Time{}); err != nil || len(found) != 3 {
			t.Errorf("%d creates, %v", len(found), err)
		}
		if r, ok, err := s.RunByKey(t.Context(), "key of old"); ok || err != nil {
			t.Errorf("got %+v, %v", r, err)
		}
		begin(t, s, runs["old"])
		wantEntries(t, s, "old")
		intent.Status = state.Done
		put(t, s, intent)
		wantPruned(t, s, t0, "folded", "old")
	})
}

func begin(t *testing.T, s state.Runs, runs ...state.Run) {
	t.Helper()
	for _, r := range runs {
		if err := s.Begin(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func wantRun(t *testing.T, s state.Runs, want state.Run) {
	t.Helper()
	if got, ok, err := s.Run(t.Context(), want.ID); err != nil || !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("Run(%s) = %+v, %v, %v; want %+v", want.ID, got, ok, err, want)
	}
	if want.Key == "" {
		return
	}
	if got, ok, err := s.RunByKey(t.Context(), want.Key); err != nil || !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("RunByKey(%q) = %+v, %v, %v; want %+v", want.Key, got, ok, err, want)
	}
}

func wantRuns(t *testing.T, s state.Runs, limit int, want ...string) {
	t.Helper()
	runs, err := s.Runs(t.Context(), limit)
	var got []string
	for _, r := range runs {
		got = append(got, r.ID)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Runs(%d) = %v, %v; want %v", limit, got, err, want)
	}
}

func wantEntries(t *testing.T, s state.Runs, run string, want ...state.Entry) {
	t.Helper()
	got, err := s.Entries(t.Context(), run)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Entries(%s) = %+v, %v; want %+v", run, got, err, want)
	}
}

func wantPruned(t *testing.T, s state.Runs, before time.Time, want ...string) {
	t.Helper()
	got, err := s.Prune(t.Context(), before)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Prune = %v, %v; want %v", got, err, want)
	}
}
