package local

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
	"github.com/seed627bd532/runner/engine/state"
)

var errDead = errors.New("the machine is dead")

// mortal is a journal on a machine that dies around its n-th write.
type mortal struct {
	state.Journal
	n     int
	after bool // the n-th write still gets through

	mu     sync.Mutex
	writes int
}

func (m *mortal) Put(ctx context.Context, entries ...state.Entry) error {
	return m.write(func() error { return m.Journal.Put(ctx, entries...) })
}

func (m *mortal) Fold(ctx context.Context, e state.Entry) error {
	return m.write(func() error { return m.Journal.Fold(ctx, e) })
}

func (m *mortal) write(f func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	if m.writes > m.n || m.writes == m.n && !m.after {
		return errDead
	}
	if err := f(); err != nil {
		return err
	}
	if m.writes == m.n {
		return errDead
	}
	return nil
}

func (m *mortal) Get(ctx context.Context, run string, kind state.Kind, key string) (state.Entry, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writes >= m.n {
		return state.Entry{}, false, errDead
	}
	return m.Journal.Get(ctx, run, kind, key)
}

// A row that finds, creates and is done writes four times: the look-up's
// result, the create's intent, its result, the item.
func TestCrashAroundEveryWrite(t *testing.T) {
	tests := []struct {
		write  int
		after  bool
		finds  int // in both passes together
		sends  int
		status flow.ItemStatus
	}{
		{1, false, 2, 1, flow.Done},
		{1, true, 1, 1, flow.Done},
		{2, false, 1, 1, flow.Done},
		{2, true, 1, 0, flow.Ambiguous}, // not sent, but who knows?
		{3, false, 1, 1, flow.Ambiguous},
		{3, true, 1, 1, flow.Done},
		{4, false, 1, 1, flow.Done},
		{4, true, 1, 1, flow.Done},
	}
	for _, tt := range tests {
		memory := state.NewMemory()
		count := map[string]int{}
		vendor := flowtest.Vendor{Answer: func(r flow.CallRequest) flow.Result {
			count[r.Operation]++
			return flowtest.Echo(r)
		}}
		pass := func(j state.Journal) (flow.Outcomes, error) {
			rt := New(t.Context(), Options{Executor: &vendor, Journal: j, Locks: memory, RunID: "r1"})
			return rt.Each("each", flowtest.Rows("PT1"), flow.EachPolicy{Collect: true}, flow.Body{Run: findAndCreate})
		}
		before, err := pass(&mortal{Journal: memory, n: tt.write, after: tt.after})
		if err == nil && before.Items[0].Status == flow.Done {
			t.Errorf("write %d, after %v: the row was reported as done by a dead machine", tt.write, tt.after)
		}
		after, err := pass(memory)
		if err != nil || len(after.Items) != 1 {
			t.Fatalf("write %d, after %v: %v", tt.write, tt.after, err)
		}
		if got := after.Items[0].Status; got != tt.status || count["v.find"] != tt.finds || count["v.create"] != tt.sends {
			t.Errorf("write %d, after %v: %s, %d finds, %d creates; want %s, %d, %d",
				tt.write, tt.after, got, count["v.find"], count["v.create"], tt.status, tt.finds, tt.sends)
		}
	}
}

func findAndCreate(rt flow.Runtime, row flow.Row) flow.Item {
	at := flow.Key("each").Row(row.Key)
	if _, err := rt.Call(flow.CallRequest{Key: at.Step("find"), Operation: "v.find", Effect: flow.Read}); err != nil {
		return flow.Item{Status: flow.Failed, Err: err}
	}
	res, err := rt.Call(create(at.Step("create"), row.Key))
	switch {
	case err != nil:
		return flow.Item{Status: flow.Failed, Err: err}
	case res.Outcome == flow.Unknown:
		return flow.Item{Status: flow.Ambiguous, Err: errors.New(res.Message)}
	}
	return flow.Item{Status: flow.Done, Outputs: res.Outputs}
}

func TestJournalErrorsNameTheKey(t *testing.T) {
	memory := state.NewMemory()
	var vendor flowtest.Vendor
	start := func(n int) flow.Runtime {
		return New(t.Context(), Options{Executor: &vendor, Journal: &mortal{Journal: memory, n: n}, Locks: memory, RunID: "r1"})
	}
	find := flow.CallRequest{Key: "find", Effect: flow.Read}
	if _, err := start(0).Call(find); err == nil || err.Error() != "cannot read find from the journal: the machine is dead" {
		t.Errorf("got %v", err)
	}
	if _, err := start(1).Call(find); err == nil || err.Error() != "cannot write find to the journal: the machine is dead" {
		t.Errorf("got %v", err)
	}
	_, err := start(1).Each("each", flowtest.Rows("A"), flow.EachPolicy{Parallel: 1, Collect: true},
		flow.Body{Run: func(flow.Runtime, flow.Row) flow.Item { return flow.Item{Status: flow.Done} }})
	if !errors.Is(err, errDead) || err.Error() != "cannot write each[A] to the journal: the machine is dead" {
		t.Errorf("got %v", err)
	}
}

// strict is a journal that works for no one whose context has ended.
type strict struct{ *state.Memory }

func (s strict) Put(ctx context.Context, entries ...state.Entry) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.Memory.Put(ctx, entries...)
}

func (s strict) Fold(ctx context.Context, e state.Entry) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.Memory.Fold(ctx, e)
}

func TestWhatEndsAfterAnInterruptIsStillRecorded(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	j := strict{state.NewMemory()}
	pass := func(ctx context.Context, x flow.Executor) flow.Outcomes {
		rt := New(ctx, Options{Executor: x, Journal: j, Locks: j, RunID: "r1"})
		out, err := rt.Each("each", flowtest.Rows("PT1"), flow.EachPolicy{}, flow.Body{Run: func(rt flow.Runtime, row flow.Row) flow.Item {
			res, err := rt.Call(create(flow.Key("each").Row(row.Key).Step("create"), row.Key))
			if err != nil {
				return flow.Item{Status: flow.Failed, Err: err}
			}
			return flow.Item{Status: flow.Done, Outputs: res.Outputs}
		}})
		if err != nil || out.Err != nil {
			t.Fatal(err, out.Err)
		}
		return out
	}
	pass(ctx, &flowtest.Vendor{After: func(int) { stop() }})
	var silent flowtest.Vendor
	pass(t.Context(), &silent)
	wantSent(t, &silent)
}
