package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seed627bd532/runner/engine/state"
	"github.com/seed627bd532/runner/engine/state/statetest"
)

func TestMain(m *testing.M) { statetest.Main(m, open) }

func open(path string) (state.Store, error) { return Open(path) }

func TestSQLiteIsAStore(t *testing.T) {
	statetest.Store(t, func(t *testing.T) state.Store { return opened(t, filepath.Join(t.TempDir(), "state.db")) })
}

func TestSQLiteIsDurable(t *testing.T) {
	statetest.Durable(t, func(t *testing.T) string { return filepath.Join(t.TempDir(), "state.db") }, open)
}

// Whoever opens the file by another name has the same locks.
func TestLocksAreThoseOfTheFile(t *testing.T) {
	dir := t.TempDir()
	one := opened(t, filepath.Join(dir, "state.db"))
	if err := os.Symlink("state.db", filepath.Join(dir, "other.db")); err != nil {
		t.Skip("there are no links here: ", err)
	}
	unlock, err := one.Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, free, err := opened(t, filepath.Join(dir, "other.db")).TryLock(t.Context(), "a"); free || err != nil {
		t.Errorf("the lock is free by another name (%v, %v)", free, err)
	}
}

func opened(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func BenchmarkSQLite(b *testing.B) {
	statetest.Benchmark(b, func(b *testing.B) state.Store {
		s, err := Open(filepath.Join(b.TempDir(), "state.db"))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { s.Close() })
		return s
	})
}
