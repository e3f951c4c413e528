package local

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

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
		before, err := pass(&flowtest.Mortal{Journal: memory, DiesAt: tt.write, After: tt.after})
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
		return New(t.Context(), Options{Executor: &vendor, Journal: &flowtest.Mortal{Journal: memory, DiesAt: n}, Locks: memory, RunID: "r1"})
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
	if !errors.Is(err, flowtest.ErrDead) || err.Error() != "cannot write each[A] to the journal: the machine is dead" {
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

// shop is a vendor that keeps what it made, may lose answers, and may be on a
// machine that dies before or after the create reaches it.
type shop struct {
	made    map[string]int
	lost    bool // the answers of creates
	dies    string
	creates int
}

func (s *shop) Do(_ context.Context, r flow.CallRequest, _ event.Sink) (flow.Result, error) {
	name, _ := r.Inputs.At("name").(string)
	if r.Operation == "v.find" {
		return flow.Result{Outcome: flow.OK, Sent: true, Outputs: value.ObjectOf("there", s.made[name] > 0)}, nil
	}
	s.creates++
	if s.dies == "before" {
		return flow.Result{}, flowtest.ErrDead
	}
	s.made[name]++
	switch {
	case s.dies == "after":
		return flow.Result{}, flowtest.ErrDead
	case s.lost:
		return flow.Result{Outcome: flow.Unknown, Message: "no answer", Sent: true}, nil
	}
	return flow.Result{Outcome: flow.OK, Sent: true, Outputs: value.ObjectOf("name", name)}, nil
}

// order finds, creates, and looks for what it created.
func order(rt flow.Runtime, row flow.Row) flow.Item {
	at := flow.Key("each").Row(row.Key)
	find := func(key flow.Key, fresh bool) (bool, error) {
		res, err := rt.Call(flow.CallRequest{Key: key, CallKey: key, Operation: "v.find", Effect: flow.Read, Fresh: fresh, Inputs: value.ObjectOf("name", row.Key)})
		return res.Outputs.At("there") == true, err
	}
	there, err := find(at.Step("find"), false)
	if err != nil || there {
		return flow.Item{Status: flow.Failed, Err: err}
	}
	r := create(at.Step("create"), row.Key)
	r.Inputs = value.ObjectOf("name", row.Key)
	res, err := rt.Create(r, func(_ flow.Runtime, _ flow.CallRequest, lost flow.Result) (flow.Result, error) {
		there, err := find(at.Step("create/lookup"), true)
		if err == nil && there {
			return flow.Result{Outcome: flow.OK, Sent: lost.Sent, Reconciled: true, Outputs: r.Inputs}, nil
		}
		return lost, err
	})
	switch {
	case err != nil:
		return flow.Item{Status: flow.Failed, Err: err}
	case res.Outcome == flow.Unknown:
		return flow.Item{Status: flow.Ambiguous, Err: errors.New(res.Message)}
	}
	return flow.Item{Status: flow.Done, Outputs: value.ObjectOf("name", res.Outputs.At("name"), "sent", res.Sent)}
}

// Whatever the moment at which the machine dies, the thing is made once, and the resumed run
// ends as an undisturbed one does. Only where nothing reached the vendor although it was
// announced it cannot tell, since what is not there may still come.
func TestACreateThatIsLookedForSurvivesEveryCrash(t *testing.T) {
	const undisturbed = `{"name":"PT1","sent":true}`
	for _, lost := range []bool{false, true} {
		for _, dies := range []string{"", "before", "after"} {
			for write := 1; write <= 6; write++ {
				for _, after := range []bool{false, true} {
					memory := state.NewMemory()
					vendor := &shop{made: map[string]int{}, lost: lost, dies: dies}
					pass := func(j state.Journal) (flow.Outcomes, error) {
						rt := New(t.Context(), Options{Executor: vendor, Journal: j, Locks: memory, RunID: "r1"})
						return rt.Each("each", flowtest.Rows("PT1"), flow.EachPolicy{Collect: true}, flow.Body{Run: order})
					}
					name := fmt.Sprintf("lost %v, dies %q, write %d, after %v", lost, dies, write, after)
					first, err := pass(&flowtest.Mortal{Journal: memory, DiesAt: write, After: after})
					if err == nil && first.Items[0].Status == flow.Done && write <= 4 {
						t.Errorf("%s: a dead machine reported it as done", name)
					}
					vendor.dies = ""
					last, err := pass(memory)
					if err != nil || len(last.Items) != 1 {
						t.Fatalf("%s: %v", name, err)
					}
					item := last.Items[0]
					switch {
					case vendor.made["PT1"] == 0 && item.Status == flow.Ambiguous:
					case item.Status != flow.Done || string(value.AppendJSON(nil, item.Outputs)) != undisturbed || vendor.made["PT1"] != 1 || vendor.creates > 2:
						t.Errorf("%s: %s %s, made %d times, sent %d times", name, item.Status, value.AppendJSON(nil, item.Outputs), vendor.made["PT1"], vendor.creates)
					}
				}
			}
		}
	}
}
