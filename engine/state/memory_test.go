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
