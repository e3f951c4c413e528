package local

import (
	"context"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// exporter answers with rows that are not in memory.
type exporter struct {
	sent int
	rows *value.Rows
}

func (x *exporter) Do(context.Context, flow.CallRequest, event.Sink) (flow.Result, error) {
	x.sent++
	return flow.Result{Outcome: flow.OK, Outputs: value.ObjectOf("count", int64(2), "rows", x.rows)}, nil
}

func TestRowsOfLargeAnswersAreReadAgain(t *testing.T) {
	const text = `[{"id":1},{"id":2}]`
	s, err := value.Survey(strings.NewReader(text), int64(len(text)), 2, 1<<10)
	if err != nil {
		t.Fatal(err)
	}
	x := &exporter{rows: s.Value.(*value.Rows)}
	m := state.NewMemory()
	for run := 1; run <= 2; run++ {
		rt := New(t.Context(), Options{Executor: x, Journal: m, Locks: m, RunID: "r1"})
		res := mustCall(t, rt, flow.CallRequest{Key: "export", Effect: flow.Read})
		if res.Outputs.At("rows") != x.rows || x.sent != run {
			t.Errorf("run %d sent %d, outputs %s", run, x.sent, value.AppendJSON(nil, res.Outputs))
		}
	}
	if _, ok, err := m.Get(t.Context(), "r1", state.Call, "export"); ok || err != nil {
		t.Errorf("the journal has the rows: %v", err)
	}
}
