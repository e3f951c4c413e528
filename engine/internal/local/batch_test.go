package local

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
	"github.com/seed627bd532/runner/engine/state"
)

// batch is a create of rows with these identities; "" is a row without one.
func batch(key flow.Key, identities ...string) flow.CallRequest {
	r := create(key, "")
	r.Rows = []flow.RowRef{}
	for i, identity := range identities {
		name := identity
		if name == "" {
			name = string(rune('1' + i))
		}
		r.Rows = append(r.Rows, flow.RowRef{Key: name, Identity: identity})
	}
	return r
}

// rows answers each row with what statuses says of it, done where it says nothing.
func rows(statuses map[string]flow.ItemStatus) func(flow.CallRequest) flow.Result {
	return func(r flow.CallRequest) flow.Result {
		res := flow.Result{Outcome: flow.OK, Sent: true}
		for _, row := range r.Rows {
			status := statuses[row.Key]
			if status == "" {
				status = flow.Done
			}
			res.Rows = append(res.Rows, flow.RowResult{Key: row.Key, Status: status})
		}
		return res
	}
}

func TestRowsThatWereRefusedMayBeSentAgainAndOthersNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vendor := flowtest.Vendor{Answer: rows(map[string]flow.ItemStatus{"B": flow.Failed})}
		_, start := open(&vendor)
		rt := start("r1")
		first := mustCall(t, rt, batch("each[1]/send", "A", "B", "C", ""))
		wantResult(t, mustCall(t, start("r1"), batch("each[1]/send", "A", "B", "C", "")), first)

		refused := flow.Result{
			Outcome: flow.Conflict,
			Code:    "row-created",
			Message: "not sent: the batch would create again what was created since the run began: C, A (run r1, each[1]/send/rows[C])",
			Hint:    "leave out of the batch what is done",
		}
		wantResult(t, mustCall(t, rt, batch("each[2]/send", "D", "C", "B", "A")), refused)
		mustCall(t, rt, batch("each[3]/send", "B", "D", ""))
		wantSent(t, &vendor, "each[1]/send", "each[3]/send")

		// What an earlier run did is none of a later one's business.
		time.Sleep(time.Second)
		mustCall(t, start("r2"), batch("send", "A"))
		wantSent(t, &vendor, "each[1]/send", "each[3]/send", "send")
	})
}

func TestABatchIsRefusedWhileOneOfItsRowsIsUnsettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vendor := flowtest.Vendor{Answer: unknown}
		m, start := open(&vendor)
		wantResult(t, mustCall(t, start("r0"), batch("send", "A", "B")), unknown(flow.CallRequest{}))
		time.Sleep(time.Hour)
		vendor.Answer = rows(nil)
		refused := flow.Result{
			Outcome: flow.Unknown,
			Code:    "unsettled-create",
			Message: "not sent: run r0 already sent a create of B as send/rows[B] at " + at + ", and it is not known whether that was done",
			Hint:    "runner resume r0 looks whether it was done; where it cannot tell, it says how to settle it",
		}
		wantResult(t, mustCall(t, start("r1"), batch("send", "C", "B")), refused)
		wantSent(t, &vendor, "send")

		// Each row is settled for itself.
		e, ok, err := m.Get(t.Context(), "r0", state.Call, "send/rows[B]")
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		e.Status = state.Undone
		if err := m.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if res := mustCall(t, start("r1"), batch("send", "C", "B")); res.Outcome != flow.OK {
			t.Errorf("got %+v", res)
		}
		if res := mustCall(t, start("r2"), batch("send", "A")); res.Code != flow.CodeUnsettled {
			t.Errorf("got %+v", res)
		}
	})
}

func TestAmbiguousRowsStayUnsettled(t *testing.T) {
	vendor := flowtest.Vendor{Answer: rows(map[string]flow.ItemStatus{"B": flow.Ambiguous})}
	_, start := open(&vendor)
	mustCall(t, start("r1"), batch("send", "A", "B"))
	if res := mustCall(t, start("r2"), batch("send", "B")); res.Code != flow.CodeUnsettled {
		t.Errorf("got %+v", res)
	}
}

func TestABatchThatWasRefusedOrNotSentLeavesNothingOpen(t *testing.T) {
	for name, answer := range map[string]flow.Result{
		"refused":  {Outcome: flow.Invalid, Sent: true},
		"not sent": {Outcome: flow.Unknown},
		"busy":     {Outcome: flow.Busy},
	} {
		t.Run(name, func(t *testing.T) {
			vendor := flowtest.Vendor{Answer: func(flow.CallRequest) flow.Result { return answer }}
			_, start := open(&vendor)
			mustCall(t, start("r1"), batch("send", "A", "B"))
			vendor.Answer = rows(nil)
			if res := mustCall(t, start("r1"), batch("send#2", "B", "A")); res.Outcome != flow.OK {
				t.Errorf("got %+v", res)
			}
		})
	}
}

func TestABatchWithOneIdentityTwiceIsNotSent(t *testing.T) {
	var vendor flowtest.Vendor
	_, start := open(&vendor)
	wantResult(t, mustCall(t, start("r1"), batch("send", "A", "B", "", "B")), flow.Result{
		Outcome: flow.Invalid,
		Code:    "repeated-row",
		Message: "not sent: rows 2 and 4 of the batch would both create B",
		Hint:    "leave one of them out, as unique() does with a list",
	})
	wantSent(t, &vendor)
}

// Batches that share rows, in whatever order, wait for each other and never
// for ever.
func TestBatchesThatShareRowsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vendor := flowtest.Vendor{Delay: time.Second, Answer: func(flow.CallRequest) flow.Result { return flow.Result{Outcome: flow.Invalid, Sent: true} }}
		_, start := open(&vendor)
		done := make(chan bool)
		for run, identities := range map[string][]string{"r1": {"A", "B", "C"}, "r2": {"C", "B", "A"}, "r3": {"B", "A"}} {
			go func() {
				if _, err := start(run).Call(batch("send", identities...)); err != nil {
					t.Error(err)
				}
				done <- true
			}()
		}
		began := time.Now()
		for range 3 {
			<-done
		}
		if time.Since(began) != 3*time.Second {
			t.Errorf("took %v", time.Since(began))
		}
	})
}

func TestAnInterruptWhileWaitingForARowFreesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var vendor flowtest.Vendor
		m, start := open(&vendor)
		unlock, err := m.Lock(t.Context(), identityOf(batch("send"), "B"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		rt := New(ctx, Options{Executor: &vendor, Journal: m, Locks: m, RunID: "r1"})
		if _, err := rt.Call(batch("send", "A", "B")); err != context.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
		mustCall(t, start("r2"), batch("send", "A"))
		unlock()
	})
}

func TestIntentsOfRowsStayWhenTheEngineFails(t *testing.T) {
	broken := executor(func(context.Context, flow.CallRequest) (flow.Result, error) {
		return flow.Result{}, errors.New("a template is broken")
	})
	_, start := open(broken)
	if _, err := start("r1").Call(batch("send", "A", "B")); err == nil {
		t.Fatal("no error")
	}
	for _, identity := range []string{"A", "B"} {
		if res := mustCall(t, start("r2"), batch("send", identity)); res.Code != flow.CodeUnsettled {
			t.Errorf("%s: got %+v", identity, res)
		}
	}
	if res := mustCall(t, start("r1"), batch("send", "A", "B")); res.Code != flow.CodeUnsettled || !res.Sent {
		t.Errorf("got %+v", res)
	}
}

// The rows' entries lie below the call's, so that a foreach row that is done takes them along.
func TestEntriesOfRowsAreFoldedWithTheirForeachRow(t *testing.T) {
	vendor := flowtest.Vendor{Answer: rows(nil)}
	m, start := open(&vendor)
	rt := start("r1")
	_, err := rt.Each("each", flowtest.Rows("X"), flow.EachPolicy{}, flow.Body{Run: func(rt flow.Runtime, row flow.Row) flow.Item {
		if _, err := rt.Call(batch(flow.Key("each").Row(row.Key), "A")); err != nil {
			return flow.Item{Status: flow.Failed, Err: err}
		}
		return flow.Item{Status: flow.Done}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := m.Get(t.Context(), "r1", state.Call, "each[X]/rows[A]"); ok {
		t.Error("the entry of row A is still there")
	}
	if res := mustCall(t, rt, batch("again", "A")); res.Code != CodeRowCreated {
		t.Errorf("got %+v", res)
	}
}
