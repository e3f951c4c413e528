package local_test

import (
	"context"
	"testing"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
	"github.com/seed627bd532/runner/engine/internal/local"
	"github.com/seed627bd532/runner/engine/state"
)

func inline() flowtest.Kind {
	return flowtest.Kind{Open: func(*testing.T) flowtest.Start {
		return func(ctx context.Context, x flow.Executor, events event.Sink) flow.Runtime {
			return local.NewInline(ctx, x, "r1", events)
		}
	}}
}

func durable() flowtest.Kind {
	return flowtest.Kind{Durable: true, Open: func(*testing.T) flowtest.Start {
		m := state.NewMemory()
		return func(ctx context.Context, x flow.Executor, events event.Sink) flow.Runtime {
			return local.New(ctx, local.Options{Executor: x, Journal: m, Locks: m, RunID: "r1", Events: events})
		}
	}}
}

func TestRuntimesAgree(t *testing.T) {
	t.Run("inline", func(t *testing.T) { flowtest.Agree(t, inline(), inline(), flowtest.Programs()) })
	t.Run("durable", func(t *testing.T) { flowtest.Agree(t, inline(), durable(), flowtest.Programs()) })
}
