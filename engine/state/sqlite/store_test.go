package sqlite

import (
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
