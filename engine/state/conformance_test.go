package state_test

import (
	"testing"

	"github.com/seed627bd532/runner/engine/state"
	"github.com/seed627bd532/runner/engine/state/statetest"
)

func TestMemoryIsAJournal(t *testing.T) {
	statetest.Journal(t, func(*testing.T) state.Journal { return state.NewMemory() })
}

func TestMemoryIsTokens(t *testing.T) {
	statetest.Tokens(t, func(*testing.T) state.Tokens { return state.NewMemory() })
}

func TestMemoryIsLocks(t *testing.T) {
	statetest.Locks(t, func(*testing.T) state.Locks { return state.NewMemory() })
}
