package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// found is a look-up that finds what was created.
func found(_ flow.Runtime, _ flow.CallRequest, lost flow.Result) (flow.Result, error) {
	return flow.Result{Outcome: flow.OK, Outputs: value.ObjectOf("id", int64(7)), Sent: lost.Sent, Reconciled: true, At: lost.At}, nil
}

// absent is a look-up that does not find it.
func absent(_ flow.Runtime, _ flow.CallRequest, lost flow.Result) (flow.Result, error) {
	lost.Message = "not there"
	return lost, nil
}

func mustCreate(t *testing.T, rt flow.Runtime, r flow.CallRequest, settle flow.Settle) flow.Result {
	t.Helper()
	res, err := rt.Create(r, settle)
	if err != nil {
		t.Fatalf("%s: %v", r.Key, err)
	}
	return res
}

// entry is what run r1 has on record of a call.
func entry(t *testing.T, m *state.Memory, key string) state.Entry {
	t.Helper()
	e, ok, err := m.Get(t.Context(), "r1", state.Call, key)
	if !ok || err != nil {
		t.Fatalf("%s: %v, %v", key, ok, err)
	}
	return e
}

func TestALostCreateIsSettledUnderItsLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vendor := flowtest.Vendor{Answer: unknown}
		m, start := open(&vendor)
		settle := func(rt flow.Runtime, sent flow.CallRequest, lost flow.Result) (flow.Result, error) {
			if err := rt.Sleep("", time.Hour); err != nil { // a slow look-up
				return lost, err
			}
			return found(rt, sent, lost)
		}
		mine, other := start("r1"), start("r2")
		second := make(chan flow.Result)
		go func() {
			time.Sleep(time.Minute)
			res, err := other.Create(create("create", "PT1"), settle)
			if err != nil {
				t.Error(err)
			}
			second <- res
		}()
		first := mustCreate(t, mine, create("create", "PT1"), settle)
		want := flow.Result{Outcome: flow.OK, Outputs: value.ObjectOf("id", int64(7)), Sent: true, Reconciled: true}
		wantResult(t, first, want)
		wantResult(t, <-second, flow.Result{Outcome: flow.OK, Outputs: want.Outputs, Reused: true})
		wantSent(t, &vendor, "create")
		if e := entry(t, m, "create"); e.Status != state.Done {
			t.Errorf("on record: %+v", e)
		}
		wantResult(t, mustCreate(t, start("r1"), create("create", "PT1"), nil), want)
	})
}

func TestAResumedRunSettlesItsOwnIntent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var vendor flowtest.Vendor
		m, start := open(&vendor)
		sentAt := time.Now()
		intent := state.Entry{Run: "r1", Kind: state.Call, Key: "create", Status: state.Intended, Identity: identityOf(create("create", "PT1"), "PT1"), At: sentAt}
		if err := m.Put(t.Context(), intent); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		var told flow.Result
		look := func(then flow.Settle) flow.Settle {
			return func(rt flow.Runtime, sent flow.CallRequest, lost flow.Result) (flow.Result, error) {
				told = lost
				return then(rt, sent, lost)
			}
		}

		// A look that is interrupted leaves everything open, and so does one that finds nothing.
		if _, err := start("r1").Create(create("create", "PT1"), func(_ flow.Runtime, _ flow.CallRequest, lost flow.Result) (flow.Result, error) {
			return lost, errors.New("ctrl-c")
		}); err == nil || err.Error() != "ctrl-c" {
			t.Errorf("got %v", err)
		}
		mustCreate(t, start("r1"), create("create#2", "PT1"), nil)
		lost := mustCreate(t, start("r1"), create("create", "PT1"), look(absent))
		wantResult(t, told, flow.Result{Outcome: flow.Unknown, Code: flow.CodeUnsettled, Message: "the run ended while it was on its way", Sent: true, At: sentAt})
		wantResult(t, lost, flow.Result{Outcome: flow.Unknown, Code: flow.CodeUnsettled, Message: "not there", Sent: true, At: sentAt})
		if e := entry(t, m, "create"); e.Status != state.Intended || !e.At.Equal(sentAt) {
			t.Errorf("on record: %+v", e)
		}

		// The next looks afresh, and is told what is known by now.
		mustCreate(t, start("r1"), create("create", "PT1"), look(found))
		wantResult(t, told, lost)
		if e := entry(t, m, "create"); e.Status != state.Done || !e.At.Equal(time.Now()) {
			t.Errorf("on record: %+v", e)
		}
		wantSent(t, &vendor)
	})
}

func TestAnIntentIsSettledWhateverTheAttempt(t *testing.T) {
	busy := true
	vendor := flowtest.Vendor{Answer: func(r flow.CallRequest) flow.Result {
		if busy {
			return flow.Result{Outcome: flow.Busy}
		}
		return unknown(r)
	}}
	_, start := open(&vendor)
	first := create("create", "")
	again := first
	again.Key = "create#2"
	rt := start("r1")
	mustCreate(t, rt, first, nil)
	busy = false
	mustCreate(t, rt, again, nil)
	if res := mustCreate(t, start("r1"), first, nil); res.Outcome != flow.Unknown {
		t.Errorf("got %+v", res)
	}
	wantSent(t, &vendor, "create", "create#2")
}

// again is a look-up that wants the create to be sent once more.
func again(_ flow.Runtime, _ flow.CallRequest, lost flow.Result) (flow.Result, error) {
	lost.Again = "create#2"
	return lost, nil
}

func TestWhatIsAbsentIsSentOnceMoreAndNoMore(t *testing.T) {
	for name, runtime := range map[string]func(flow.Executor) func() flow.Runtime{
		"durable": func(x flow.Executor) func() flow.Runtime {
			_, start := open(x)
			return func() flow.Runtime { return start("r1") }
		},
		"inline": func(x flow.Executor) func() flow.Runtime {
			return func() flow.Runtime { return NewInline(context.Background(), x, "r1", nil) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			vendor := flowtest.Vendor{Answer: unknown}
			start := runtime(&vendor)
			res := mustCreate(t, start(), create("create", "PT1"), again)
			wantResult(t, res, flow.Result{Outcome: flow.Unknown, Message: "no answer", Sent: true, Resent: true})
			if res.Again != "" {
				t.Errorf("again %s", res.Again)
			}
			wantSent(t, &vendor, "create", "create#2")
			if name == "durable" {
				if res := mustCreate(t, start(), create("create", "PT1"), again); !res.Resent {
					t.Errorf("got %+v", res)
				}
				wantSent(t, &vendor, "create", "create#2")
			}
		})
	}
}

func TestARunThatEndedWhileItSentOnceMoreKnows(t *testing.T) {
	sent := 0
	dying := executor(func(_ context.Context, r flow.CallRequest) (flow.Result, error) {
		if sent++; sent == 2 {
			return flow.Result{}, flowtest.ErrDead
		}
		return unknown(r), nil
	})
	_, start := open(dying)
	if _, err := start("r1").Create(create("create", "PT1"), again); !errors.Is(err, flowtest.ErrDead) {
		t.Errorf("got %v", err)
	}
	res := mustCreate(t, start("r1"), create("create", "PT1"), again)
	if res.Message != "the run ended while it was on its way" || !res.Resent || sent != 2 {
		t.Errorf("sent %d times, %+v", sent, res)
	}
}

// there settles a batch by what is there.
func there(rows ...string) flow.Settle {
	return func(_ flow.Runtime, _ flow.CallRequest, lost flow.Result) (flow.Result, error) {
		res := flow.Result{Outcome: flow.OK, Sent: true, Reconciled: true, Message: lost.Message}
		for i, key := range []string{"A", "B", "C"} {
			row := flow.RowResult{Key: key, Status: flow.Ambiguous, Message: "not there"}
			if lost.Rows != nil {
				row = lost.Rows[i]
			}
			if slices.Contains(rows, key) {
				row = flow.RowResult{Key: key, Status: flow.Done}
			}
			res.Rows = append(res.Rows, row)
		}
		return res, nil
	}
}

func statuses(res flow.Result) string {
	var all []string
	for _, r := range res.Rows {
		all = append(all, strings.TrimSuffix(fmt.Sprintf("%s %s: %s", r.Key, r.Status, r.Message), ": "))
	}
	return strings.Join(all, ", ")
}

func TestRowsOfALostBatchAreSettledOneByOne(t *testing.T) {
	vendor := flowtest.Vendor{Answer: unknown}
	m, start := open(&vendor)
	send := batch("send", "A", "B", "C")
	if got := statuses(mustCreate(t, start("r1"), send, there("B"))); got != "A ambiguous: not there, B done, C ambiguous: not there" {
		t.Errorf("got %s", got)
	}
	for key, want := range map[string]state.Status{"send": state.Intended, "send/rows[A]": state.Intended, "send/rows[B]": state.Done, "send/rows[C]": state.Intended} {
		if e := entry(t, m, key); e.Status != want {
			t.Errorf("%s is %s, want %s", key, e.Status, want)
		}
	}
	if got := statuses(mustCreate(t, start("r1"), send, there("A"))); got != "A done, B done, C ambiguous: not there" {
		t.Errorf("got %s", got)
	}
	if err := Settle(t.Context(), m, "r1", "send/rows[C]", false, nil); err != nil {
		t.Fatal(err)
	}
	vendor.Answer = rows(nil)
	for range 2 {
		if got := statuses(mustCreate(t, start("r1"), send, nil)); got != "A done, B done, C done" {
			t.Errorf("got %s", got)
		}
	}
	for _, key := range []string{"send", "send/rows[C]"} {
		if e := entry(t, m, key); e.Status != state.Done {
			t.Errorf("%s: on record: %+v", key, e)
		}
	}
	wantSentRows(t, &vendor, `["row A","row B","row C"]`, `["row C"]`)
}

// wantSentRows compares the rows of all batches that were sent.
func wantSentRows(t *testing.T, vendor *flowtest.Vendor, want ...string) {
	t.Helper()
	var got []string
	for _, r := range vendor.Requests() {
		got = append(got, string(value.AppendJSON(nil, r.Inputs.At(r.RowsOf))))
	}
	if !slices.Equal(got, want) {
		t.Errorf("sent %s, want %s", got, want)
	}
}

func settleAs(t *testing.T, m *state.Memory, done bool, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if err := Settle(t.Context(), m, "r1", key, done, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// seeing settles a batch by what is there, and tells which rows it was asked for.
func seeing(asked *string, there ...string) flow.Settle {
	return func(_ flow.Runtime, sent flow.CallRequest, lost flow.Result) (flow.Result, error) {
		res := flow.Result{Outcome: flow.OK, Sent: true, Reconciled: true, At: lost.At}
		for i, ref := range sent.Rows {
			row := flow.RowResult{Key: ref.Key, Status: flow.Ambiguous, Message: "not there"}
			if lost.Rows != nil {
				row = lost.Rows[i]
			}
			if slices.Contains(there, ref.Key) {
				row = flow.RowResult{Key: ref.Key, Status: flow.Done}
			}
			res.Rows = append(res.Rows, row)
		}
		*asked = string(value.AppendJSON(nil, sent.Inputs.At(sent.RowsOf)))
		return res, nil
	}
}

// A row without identity cannot be settled alone, and is not sent again.
func TestRowsThatAreAbsentAreSentAloneAndTheOthersLookedFor(t *testing.T) {
	vendor := flowtest.Vendor{Answer: unknown}
	m, start := open(&vendor)
	send := batch("send", "A", "B", "", "D", "B")
	var asked string
	mustCreate(t, start("r1"), send, seeing(&asked, "D"))
	settleAs(t, m, false, "send/rows[A]")
	vendor.Answer = rows(nil)
	rest := ", D done, B failed: not sent: rows 2 and 5 of the batch would both create B"
	for range 2 {
		got := statuses(mustCreate(t, start("r1"), send, seeing(&asked)))
		if want := "A done, B ambiguous: not there, 3 ambiguous: not there" + rest; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if want := `["row A","row B","row "]`; asked != want {
		t.Errorf("looked for %s, want %s", asked, want)
	}
	settleAs(t, m, true, "send/rows[B]")
	if got, want := statuses(mustCreate(t, start("r1"), send, seeing(&asked))), "A done, B done, 3 ambiguous: not there"+rest; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	wantSentRows(t, &vendor, `["row A","row B","row ","row D"]`, `["row A"]`)
}

func TestARunThatDiedWhileItSentAbsentRowsLooksForThese(t *testing.T) {
	vendor := flowtest.Vendor{Answer: unknown}
	dying := false
	m, start := open(executor(func(ctx context.Context, r flow.CallRequest) (flow.Result, error) {
		res, err := vendor.Do(ctx, r, nil)
		if dying {
			return flow.Result{}, flowtest.ErrDead
		}
		return res, err
	}))
	send := batch("send", "A", "B", "C", "D")
	var asked string
	mustCreate(t, start("r1"), send, seeing(&asked, "D"))
	settleAs(t, m, false, "send/rows[A]", "send/rows[B]")
	dying = true
	if _, err := start("r1").Create(send, seeing(&asked)); !errors.Is(err, flowtest.ErrDead) {
		t.Fatal(err)
	}
	if want := `["row C","row D"]`; asked != want {
		t.Errorf("looked for %s, want %s", asked, want)
	}
	if got, want := statuses(mustCreate(t, start("r1"), send, seeing(&asked, "A"))), "A done, B ambiguous: the run ended while it was on its way, C ambiguous: not there, D done"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if want := `["row A","row B","row C"]`; asked != want {
		t.Errorf("looked for %s, want %s", asked, want)
	}
	dying = false
	settleAs(t, m, false, "send")
	vendor.Answer = rows(map[string]flow.ItemStatus{"C": flow.Failed})
	for range 2 {
		if got := statuses(mustCreate(t, start("r1"), send, seeing(&asked))); got != "A done, B done, C failed, D done" {
			t.Errorf("got %s", got)
		}
	}
	wantSentRows(t, &vendor, `["row A","row B","row C","row D"]`, `["row A","row B"]`, `["row B","row C"]`)
}

// The rows of a file, or of an answer that is read again, may be others when the run is taken up again.
func TestABatchThatWasSentWithOtherRowsIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vendor := flowtest.Vendor{Answer: rows(map[string]flow.ItemStatus{"A": flow.Ambiguous})}
		_, start := open(&vendor)
		mustCreate(t, start("r1"), batch("send", "A", "B"), nil)
		for _, other := range []flow.CallRequest{batch("send", "A"), batch("send", "A", "C"), batch("send", "A", "B", "C")} {
			wantResult(t, mustCreate(t, start("r1"), other, nil), flow.Result{
				Outcome: flow.Unknown, Code: flow.CodeUnsettled, Message: "not sent: this run sent the batch with other rows at " + at, Hint: "a new run sends these",
			})
		}
		vendor.Answer = unknown
		mustCreate(t, start("r1"), batch("lost", "D", "E"), nil)
		vendor.Answer = rows(nil)
		if got := statuses(mustCreate(t, start("r1"), batch("lost", "E", "F"), nil)); got != "E ambiguous: no answer, F done" {
			t.Errorf("got %s", got)
		}
		wantSentRows(t, &vendor, `["row A","row B"]`, `["row D","row E"]`, `["row F"]`)
	})
}

func TestAbsentRowsThatAreRefusedMayBeSentAgainAndNoOthers(t *testing.T) {
	for name, held := range map[string]string{"all known": "", "another open": "C"} {
		t.Run(name, func(t *testing.T) {
			vendor := flowtest.Vendor{Answer: rows(map[string]flow.ItemStatus{"A": flow.Ambiguous, "B": flow.Failed, held: flow.Ambiguous})}
			m, start := open(&vendor)
			send := batch("send", "A", "B", "C")
			first := statuses(mustCreate(t, start("r1"), send, nil))
			settleAs(t, m, false, "send/rows[A]")
			vendor.Answer = func(flow.CallRequest) flow.Result { return flow.Result{Outcome: flow.Busy, Message: "not now"} }
			if res := mustCreate(t, start("r1"), send, nil); res.Outcome != flow.Busy || res.Apart[1].Status != flow.Failed {
				t.Errorf("got %+v", res)
			}
			vendor.Answer = rows(nil)
			for range 2 {
				if got, want := statuses(mustCreate(t, start("r1"), send, nil)), strings.Replace(first, "ambiguous", "done", 1); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
			wantSentRows(t, &vendor, `["row A","row B","row C"]`, `["row A"]`, `["row A"]`)
		})
	}
}

func TestAnAbsentRowThatAnotherRunSentSinceIsNotSent(t *testing.T) {
	vendor := flowtest.Vendor{Answer: unknown}
	m, start := open(&vendor)
	send := batch("send", "A", "B")
	mustCreate(t, start("r1"), send, nil)
	settleAs(t, m, false, "send")
	mustCreate(t, start("r2"), batch("other", "A"), nil)
	vendor.Answer = rows(nil)
	res := mustCreate(t, start("r1"), send, nil)
	if res.Rows[0].Status != flow.Ambiguous || !strings.HasPrefix(res.Rows[0].Message, "not sent: run r2 sent a create of A") || res.Rows[1].Status != flow.Done {
		t.Errorf("got %+v", res.Rows)
	}
	wantSentRows(t, &vendor, `["row A","row B"]`, `["row A"]`, `["row B"]`)
	settled(t, m, "r2", "other/rows[A]", state.Undone)
	if got := statuses(mustCreate(t, start("r1"), send, nil)); got != "A done, B done" {
		t.Errorf("got %s", got)
	}
}

func TestARefusedRowIsLookedForToo(t *testing.T) {
	vendor := flowtest.Vendor{Answer: rows(map[string]flow.ItemStatus{"B": flow.Failed, "C": flow.Failed})}
	m, start := open(&vendor)
	if got := statuses(mustCreate(t, start("r1"), batch("send", "A", "B", "C"), there("B"))); got != "A done, B done, C failed" {
		t.Errorf("got %s", got)
	}
	for key, want := range map[string]state.Status{"send": state.Done, "send/rows[B]": state.Done, "send/rows[C]": state.Undone} {
		if e := entry(t, m, key); e.Status != want {
			t.Errorf("%s is %s, want %s", key, e.Status, want)
		}
	}
}

func TestAPersonSettlesWhatNobodyElseCan(t *testing.T) {
	synctest.Test(t, personSettles)
}

func personSettles(t *testing.T) {
	vendor := flowtest.Vendor{Answer: unknown}
	m, start := open(&vendor)
	rt := start("r1")
	mustCreate(t, rt, create("one", "PT1"), nil)
	mustCreate(t, rt, create("two", "PT2"), nil)
	mustCreate(t, rt, batch("send", "A", "B"), nil)
	mustCreate(t, rt, batch("post", "", ""), nil)
	settle := func(run, key string, done bool, outputs *value.Object) string {
		t.Helper()
		if err := Settle(t.Context(), m, run, key, done, outputs); err != nil {
			return err.Error()
		}
		return ""
	}
	if got, want := settle("r1", "tow", true, nil), "tow is no ambiguous create of run r1; these are: one, post, send/rows[A], send/rows[B], two"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, err := range []string{
		settle("r1", "one", true, value.ObjectOf("id", int64(9))), settle("r1", "two", false, nil),
		settle("r1", "send", true, nil), settle("r1", "post", true, nil),
	} {
		if err != "" {
			t.Error(err)
		}
	}
	if got, want := settle("r1", "one", false, nil), "nothing to settle: run r1 has no ambiguous creates"; got != want {
		t.Errorf("got %s", got)
	}
	vendor.Answer = nil
	resumed := start("r1")
	one := mustCall(t, resumed, create("one", "PT1"))
	if !one.Sent || !one.Reconciled || one.Outputs.At("id") != int64(9) {
		t.Errorf("one: %+v", one)
	}
	mustCall(t, resumed, create("two", "PT2"))
	if got := statuses(mustCall(t, resumed, batch("send", "A", "B"))); got != "A done, B done" {
		t.Errorf("send: %s", got)
	}
	if res := mustCall(t, resumed, batch("post", "", "")); res.Outcome != flow.OK || res.Rows != nil {
		t.Errorf("post: %+v", res)
	}
	wantSent(t, &vendor, "one", "post", "send", "two", "two")
}

func TestFailuresAreFactsOnceTheyAreRecorded(t *testing.T) {
	vendor := flowtest.Vendor{Answer: func(flow.CallRequest) flow.Result {
		return flow.Result{Outcome: flow.NotFound, Message: "no", Body: value.ObjectOf("error", "no"), Sent: true}
	}}
	m, start := open(&vendor)
	find := flow.CallRequest{Key: "find", CallKey: "find", Effect: flow.Read}
	for _, r := range []flow.CallRequest{find, create("create", "PT1")} {
		failed := mustCall(t, start("r1"), r)
		mustCall(t, start("r1"), r)
		failed.Exhausted = true
		if err := start("r1").Record(r, failed); err != nil {
			t.Fatal(err)
		}
		wantResult(t, mustCall(t, start("r1"), r), failed)
		res, ok, err := start("r1").Recorded(r.CallKey)
		if !ok || err != nil {
			t.Errorf("recorded: %v, %v", ok, err)
		}
		wantResult(t, res, failed)
	}
	wantSent(t, &vendor, "create", "create", "find", "find")
	if e := entry(t, m, "create"); e.Status != state.Undone {
		t.Errorf("on record: %+v", e)
	}
	if _, ok, err := start("r1").Recorded("other"); ok || err != nil {
		t.Errorf("recorded: %v, %v", ok, err)
	}
}

func TestSecretsAreAskedForAgain(t *testing.T) {
	vendor := flowtest.Vendor{Answer: func(flow.CallRequest) flow.Result {
		return flow.Result{Outcome: flow.OK, Outputs: value.ObjectOf("id", int64(7), "password", "hunter2")}
	}}
	m, start := open(&vendor)
	read := flow.CallRequest{Key: "find", CallKey: "find", Effect: flow.Read, SecretOutputs: []string{"password"}}
	for range 2 {
		if got := mustCall(t, start("r1"), read).Outputs.At("password"); got != "hunter2" {
			t.Errorf("got %v", got)
		}
	}
	wantSent(t, &vendor, "find", "find")
	entries, err := m.Entries(t.Context(), "r1")
	if err != nil || len(entries) > 0 {
		t.Errorf("on record: %v, %v", entries, err)
	}
}

func TestFreshCallsAreNeverRecorded(t *testing.T) {
	var vendor flowtest.Vendor
	m, start := open(&vendor)
	look := flow.CallRequest{Key: "look", CallKey: "look", Effect: flow.Read, Fresh: true}
	mustCall(t, start("r1"), look)
	mustCall(t, start("r1"), look)
	wantSent(t, &vendor, "look", "look")
	if entries, err := m.Entries(t.Context(), "r1"); err != nil || len(entries) > 0 {
		t.Errorf("on record: %v, %v", entries, err)
	}
}

func TestWithoutAKeyNothingIsRecordedOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, start := open(nil)
		began, err := start("r1").Now("")
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			if err := start("r1").Sleep("", time.Minute); err != nil {
				t.Fatal(err)
			}
			if now, err := start("r1").Now(""); err != nil || now.Sub(began) != time.Duration(n+1)*time.Minute {
				t.Errorf("%v after %v", err, now.Sub(began))
			}
		}
	})
}

func TestACleanUpThatHasBegunIsRemembered(t *testing.T) {
	m, start := open(nil)
	why := flow.Result{Outcome: flow.Denied, Code: "refused", Message: "no", Outputs: value.ObjectOf("undo", value.List{})}
	if _, begun, err := start("r1").CleaningUp(); begun || err != nil {
		t.Errorf("begun %v, %v", begun, err)
	}
	status := func() state.Status {
		e, _, err := m.Get(t.Context(), "r1", cleanup, "cleanup")
		if err != nil {
			t.Fatal(err)
		}
		return e.Status
	}
	for _, want := range []error{flowtest.ErrDead, nil} {
		err := start("r1").Cleanup(why, func(flow.Runtime) error {
			if status() != state.Intended {
				t.Error("it was not on record before it began")
			}
			return want
		})
		if err != want {
			t.Errorf("got %v", err)
		}
		got, begun, err := start("r1").CleaningUp()
		if !begun || err != nil {
			t.Errorf("begun %v, %v", begun, err)
		}
		wantResult(t, got, why)
	}
	if status() != state.Done {
		t.Errorf("it is %s", status())
	}
	if open := Unsettled([]state.Entry{{Run: "r1", Kind: cleanup, Key: "cleanup", Status: state.Intended}}); open != nil {
		t.Errorf("a clean-up is to be settled: %q", open)
	}
}
