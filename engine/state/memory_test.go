package state

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryKeepsNothingOfFoldedItems(t *testing.T) {
	m := NewMemory()
	for i := range 100 {
		row := fmt.Sprintf("each[%d]", i)
		put(t, m,
			Entry{Run: "r", Kind: Call, Key: row + "/find"},
			Entry{Run: "r", Kind: Call, Key: row + "/inner[x]/find#2"},
		)
		if err := m.Fold(t.Context(), Entry{Run: "r", Kind: Item, Key: row}); err != nil {
			t.Fatal(err)
		}
	}
	if j := m.journals["r"]; len(j.entries) != 100 || len(j.below) != 0 {
		t.Errorf("%d entries, %d groups; want 100 and 0", len(j.entries), len(j.below))
	}
}

// Rows that end in any order leave neither entries nor what led to them.
func TestMemoryFoldsRowsWithinRows(t *testing.T) {
	m := NewMemory()
	ctx := t.Context()
	for i := range 40 {
		for outer := range 3 {
			row := fmt.Sprintf("each[%d]/inner[%d]", outer, i)
			put(t, m, Entry{Run: "r", Kind: Call, Key: row + "/find"}, Entry{Run: "r", Kind: Call, Key: row + "/make", Status: Done, Identity: row})
			if i%3 == outer { // some stay unfolded until their outer row is
				continue
			}
			if err := m.Fold(ctx, Entry{Run: "r", Kind: Item, Key: row}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for outer := range 3 {
		if err := m.Fold(ctx, Entry{Run: "r", Kind: Item, Key: fmt.Sprintf("each[%d]", outer)}); err != nil {
			t.Fatal(err)
		}
	}
	j := m.journals["r"]
	if len(j.entries) != 3 || len(j.folded) != 120 || len(j.below) != 0 {
		t.Errorf("%d entries, %d folded creates, %d groups; want 3, 120 and 0", len(j.entries), len(j.folded), len(j.below))
	}
	if all, err := m.Entries(ctx, "r"); err != nil || len(all) != 123 {
		t.Errorf("%d entries, %v; want 123", len(all), err)
	}
}

func TestMemoryForgetsLocksThatAreFree(t *testing.T) {
	m := NewMemory()
	lock(t, m, "a")()
	if len(m.queues) != 0 {
		t.Errorf("%d queues are left", len(m.queues))
	}
}

// A turn that comes at the moment when its waiter gives up must not be lost.
func TestMemoryPassesATurnOnWhoseWaiterLeft(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			m := NewMemory()
			unlock := lock(t, m, "a")
			ctx, cancel := context.WithCancel(t.Context())
			var wait sync.WaitGroup
			wait.Go(func() {
				if unlock, err := m.Lock(ctx, "a"); err == nil {
					unlock()
				}
			})
			synctest.Wait()
			wait.Go(unlock)
			wait.Go(cancel)
			wait.Wait()
			lock(t, m, "a")()
		})
	}
}

func put(t *testing.T, m *Memory, entries ...Entry) {
	t.Helper()
	if err := m.Put(t.Context(), entries...); err != nil {
		t.Fatal(err)
	}
}

func lock(t *testing.T, m *Memory, name string) (unlock func()) {
	t.Helper()
	unlock, err := m.Lock(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return unlock
}

// Of the runs that have stopped the newest stay, those with keys longer, and those with open
// creates always; creates stay while a run may ask for them.
func TestMemoryTrimsWhatHasStopped(t *testing.T) {
	began := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
	m := NewMemory()
	run := func(id, key string, minute int, ended bool, status string) {
		t.Helper()
		r := Run{ID: id, Key: key, Began: began.Add(time.Duration(minute) * time.Minute), Status: status}
		if err := m.Begin(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if ended {
			r.Ended = r.Began.Add(time.Second)
		}
		if err := m.Update(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		put(t, m, Entry{Run: id, Kind: Call, Key: "a", Status: Done, Identity: "by " + id, At: r.Began})
	}
	run("open", "", 0, true, "ambiguous")
	put(t, m, Entry{Run: "open", Kind: Call, Key: "b", Status: Intended, Identity: "open", At: began})
	run("old", "", 1, true, "succeeded")
	run("stopped", "", 2, false, "interrupted")
	run("oldest key", "k1", 3, true, "succeeded")
	run("older key", "k2", 4, true, "succeeded")
	run("alive", "", 5, false, "")
	run("late", "", 6, true, "succeeded")
	run("newest", "k3", 7, true, "succeeded")
	done := func(r Run) bool { return r.Status == "succeeded" }
	keep := Keeping{Runs: 1, Keyed: 2, Done: done, Stopped: began.Add(3 * time.Minute), Reach: 90 * time.Second}
	m.Trim(began.Add(2*time.Minute), Keeping{Runs: 9, Done: done, Stopped: began, Reach: 90 * time.Second}) // all stay
	m.Trim(began.Add(10*time.Minute), keep)

	var ids []string
	runs, err := m.Runs(t.Context(), 0)
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	if want := []string{"newest", "alive", "older key", "open"}; err != nil || !slices.Equal(ids, want) {
		t.Errorf("%v, %v; want %v", ids, err, want)
	}
	for key, want := range map[string]bool{"k1": false, "k2": true, "k3": true} {
		if _, ok, _ := m.RunByKey(t.Context(), key); ok != want {
			t.Errorf("key %s: %v", key, ok)
		}
	}
	finds := func(identities ...string) {
		t.Helper()
		for _, id := range []string{"by old", "by stopped", "by oldest key", "by older key", "by alive", "by late", "by newest", "open"} {
			found, err := m.Creates(t.Context(), id, time.Time{})
			if err != nil || (len(found) == 1) != slices.Contains(identities, id) {
				t.Errorf("%s: %v, %v", id, found, err)
			}
		}
	}
	finds("by stopped", "by oldest key", "by older key", "by alive", "by late", "by newest", "open") // "open" may go on, and ask for what was done since it stopped
	put(t, m, Entry{Run: "open", Kind: Call, Key: "b", Status: Undone, Identity: "open", At: began})
	if err := m.Update(t.Context(), Run{ID: "open", Status: "succeeded", Ended: began}); err != nil {
		t.Fatal(err)
	}
	m.Trim(began.Add(10*time.Minute), keep)
	finds("by older key", "by alive", "by late", "by newest") // what the run that is alive may ask for, and what is kept anyway
	if err := m.Update(t.Context(), Run{ID: "alive", Status: "succeeded", Ended: began.Add(11 * time.Minute)}); err != nil {
		t.Fatal(err)
	}
	m.Trim(began.Add(12*time.Minute), keep)
	finds("by older key", "by newest")
	if len(m.orphans) > 0 {
		t.Errorf("%d creates are kept of runs that are forgotten", len(m.orphans))
	}
}
