package state_test

import (
	"testing"

	"github.com/seed627bd532/runner/engine/state"
	"github.com/seed627bd532/runner/engine/state/statetest"
)

func TestMemoryIsAStore(t *testing.T) {
	statetest.Store(t, func(*testing.T) state.Store { return state.NewMemory() })
}

func TestMemoryIsTokens(t *testing.T) {
	statetest.Tokens(t, func(*testing.T) state.Tokens { return state.NewMemory() })
}

func BenchmarkMemory(b *testing.B) {
	statetest.Benchmark(b, func(*testing.B) state.Store { return state.NewMemory() })
}
