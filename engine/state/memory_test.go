package state

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
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
