package local

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// batch is a create of rows with these identities; "" is a row without one.
func batch(key flow.Key, identities ...string) flow.CallRequest {
	r := create(key, "")
	r.Rows, r.RowsOf = []flow.RowRef{}, "rows"
	list := value.List{}
	for _, identity := range identities {
		list = append(list, "row "+identity)
	}
	r.Inputs = value.ObjectOf("list", "L", "rows", list)
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

		res := mustCall(t, rt, batch("each[2]/send", "D", "C", "B", "A", ""))
		if got, want := statuses(res), "D done, C done, B failed, A done, 5 done"; got != want || res.Reused {
			t.Errorf("got %s, %+v", got, res)
		}
		reused := ""
		for _, row := range res.Whole().Rows {
			if row.Reused {
				reused += row.Key
			}
		}
		if reused != "CA" {
			t.Errorf("reused are %s", reused)
		}
		wantRows(t, &vendor, "each[2]/send", `{"list":"L","rows":["row D","row B","row "]}`)
		wantResult(t, mustCall(t, start("r1"), batch("each[2]/send", "D", "C", "B", "A", "")), res)

		// What an earlier run did is none of a later one's business.
		time.Sleep(time.Second)
		mustCall(t, start("r2"), batch("send", "A"))
		wantSent(t, &vendor, "each[1]/send", "each[2]/send", "send")
	})
}

// wantRows compares what was sent by the call under key.
func wantRows(t *testing.T, vendor *flowtest.Vendor, key, want string) {
	t.Helper()
	for _, r := range vendor.Requests() {
		if string(r.Key) == key {
			if got := string(value.AppendJSON(nil, r.Inputs)); got != want {
				t.Errorf("%s sent %s, want %s", key, got, want)
			}
			return
		}
	}
	t.Errorf("%s was not sent", key)
}

const heldBack = "B ambiguous: not sent: run r0 sent a create of B as send/rows[B] at " + at + ", and it is ambiguous: it may or may not have reached the vendor; " +
	"runner resume r0 looks it up; if that does not decide it, it says how to settle it"

func TestARowThatAnotherRunLeftOpenIsHeldBackAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vendor := flowtest.Vendor{Answer: unknown}
		m, start := open(&vendor)
		wantResult(t, mustCall(t, start("r0"), batch("send", "A", "B")), unknown(flow.CallRequest{}))
		time.Sleep(time.Hour)
		vendor.Answer = rows(map[string]flow.ItemStatus{"D": flow.Failed})
		for range 2 {
			if got := statuses(mustCall(t, start("r1"), batch("send", "C", "B", "D"))); got != "C done, "+heldBack+", D failed" {
				t.Errorf("got %s", got)
			}
		}
		if got := statuses(mustCall(t, start("r1"), batch("other", "B"))); got != heldBack {
			t.Errorf("got %s", got)
		}
		wantSent(t, &vendor, "send", "send")

		// Each row is settled for itself; then a resumed run sends what was held back, and no other.
		settled(t, m, "r0", "send/rows[B]", state.Undone)
		want := "C done, B done, D failed"
		for range 2 {
			if got := statuses(mustCall(t, start("r1"), batch("send", "C", "B", "D"))); got != want {
				t.Errorf("got %s", got)
			}
		}
		sent := vendor.Requests()
		if got := string(value.AppendJSON(nil, sent[len(sent)-1].Inputs.At("rows"))); got != `["row B"]` || len(sent) != 3 {
			t.Errorf("sent %d times, %s", len(sent), got)
		}
		if res := mustCall(t, start("r2"), batch("send", "A")); res.Rows[0].Status != flow.Ambiguous {
			t.Errorf("got %+v", res)
		}
	})
}

// settled says of what a run has on record under key what became of it.
func settled(t *testing.T, m *state.Memory, run, key string, status state.Status) {
	t.Helper()
	e, ok, err := m.Get(t.Context(), run, state.Call, key)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	e.Status = status
	if err := m.Put(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func TestABatchThatIsAllDoneIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vendor := flowtest.Vendor{Answer: rows(nil)}
		_, start := open(&vendor)
		mine := start("r1")
		mustCall(t, start("r2"), batch("send", "A", "B"))
		res := mustCall(t, mine, batch("send", "B", "A"))
		if got := statuses(res); got != "B done, A done" || !res.Reused || res.Sent || res.Outcome != flow.OK {
			t.Errorf("got %s, %+v", got, res)
		}
		time.Sleep(time.Hour)
		wantResult(t, mustCall(t, start("r1"), batch("send", "B", "A")), res)
		wantSent(t, &vendor, "send")
	})
}

// Of what is lost, only what was sent is looked for, by a resumed run too.
func TestOnlyWhatWasSentIsSettled(t *testing.T) {
	dying := false
	vendor := executor(func(_ context.Context, r flow.CallRequest) (flow.Result, error) {
		if dying {
			return flow.Result{}, flowtest.ErrDead
		}
		return rows(nil)(r), nil
	})
	m, start := open(vendor)
	mustCall(t, start("r1"), batch("first", "A"))
	dying = true
	if _, err := start("r1").Call(batch("send", "A", "B", "C", "B")); !errors.Is(err, flowtest.ErrDead) {
		t.Fatal(err)
	}
	settle := func(_ flow.Runtime, sent flow.CallRequest, lost flow.Result) (flow.Result, error) {
		if got := string(value.AppendJSON(nil, sent.Inputs.At("rows"))); got != `["row B","row C"]` || len(sent.Rows) != 2 {
			t.Errorf("to be settled are %s", got)
		}
		lost.Outcome, lost.Rows = flow.OK, []flow.RowResult{{Key: "B", Status: flow.Done}, {Key: "C", Status: flow.Ambiguous, Message: "not there"}}
		return lost, nil
	}
	want := "A done, B done, C ambiguous: not there, B failed: not sent: rows 2 and 4 of the batch would both create B"
	for range 2 {
		if got := statuses(mustCreate(t, start("r1"), batch("send", "A", "B", "C", "B"), settle)); got != want {
			t.Errorf("got %s", got)
		}
		settle = func(_ flow.Runtime, _ flow.CallRequest, lost flow.Result) (flow.Result, error) { return lost, nil }
	}
	if err := Settle(t.Context(), m, "r1", "send", true, nil); err != nil {
		t.Fatal(err)
	}
	if got := statuses(mustCreate(t, start("r1"), batch("send", "A", "B", "C", "B"), settle)); got != strings.Replace(want, "ambiguous: not there", "done", 1) {
		t.Errorf("got %s", got)
	}
}

func TestAmbiguousRowsStayUnsettled(t *testing.T) {
	vendor := flowtest.Vendor{Answer: rows(map[string]flow.ItemStatus{"B": flow.Ambiguous})}
	_, start := open(&vendor)
	mustCall(t, start("r1"), batch("send", "A", "B"))
	if res := mustCall(t, start("r2"), batch("send", "B")); res.Rows[0].Status != flow.Ambiguous {
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

func TestWhatAPersonSaysOfABatchHoldsForWhatWasSent(t *testing.T) {
	vendor := flowtest.Vendor{Answer: rows(nil)}
	m, start := open(&vendor)
	mustCall(t, start("r1"), batch("first", "A"))
	vendor.Answer = unknown
	mustCall(t, start("r1"), batch("send", "", "A", ""))
	if err := Settle(t.Context(), m, "r1", "send", true, nil); err != nil {
		t.Fatal(err)
	}
	res := mustCall(t, start("r1"), batch("send", "", "A", ""))
	if res.Rows != nil || len(res.Apart) != 3 || res.Apart[1].Status != flow.Done || res.Apart[0].Status != "" {
		t.Errorf("got %+v", res)
	}
}

func TestARowThatComesTwiceIsSentOnce(t *testing.T) {
	vendor := flowtest.Vendor{Answer: rows(nil)}
	_, start := open(&vendor)
	want := "A done, B done, 3 done, B failed: not sent: rows 2 and 4 of the batch would both create B"
	for range 2 {
		if got := statuses(mustCall(t, start("r1"), batch("send", "A", "B", "", "B"))); got != want {
			t.Errorf("got %s", got)
		}
	}
	wantSent(t, &vendor, "send")
	wantRows(t, &vendor, "send", `{"list":"L","rows":["row A","row B","row "]}`)
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
		if res := mustCall(t, start("r2"), batch("send", identity)); res.Rows[0].Status != flow.Ambiguous {
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
	if res := mustCall(t, rt, batch("again", "A")); !res.Reused || res.Sent {
		t.Errorf("got %+v", res)
	}
}
