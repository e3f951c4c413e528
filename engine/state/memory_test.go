package state

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
)

func TestMemoryIsAJournal(t *testing.T) {
	testJournal(t, func(*testing.T) Journal { return NewMemory() })
}

func TestMemoryIsLocks(t *testing.T) {
	testLocks(t, func(*testing.T) Locks { return NewMemory() })
}

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
	if len(m.entries) != 100 || len(m.below) != 0 {
		t.Errorf("%d entries, %d places; want 100 and 0", len(m.entries), len(m.below))
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
