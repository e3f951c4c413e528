package local

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// executor is a function as a flow.Executor.
type executor func(context.Context, flow.CallRequest) (flow.Result, error)

func (f executor) Do(ctx context.Context, r flow.CallRequest, _ event.Sink) (flow.Result, error) {
	return f(ctx, r)
}

// at is the time that a synctest bubble begins with.
const at = "2000-01-01T00:00:00Z"

func create(key flow.Key, identity string) flow.CallRequest {
	return flow.CallRequest{Key: key, CallKey: key, Connection: "v", Operation: "v.create", Effect: flow.Create, Identity: identity}
}

// open returns a function that makes runtimes over one memory.
func open(x flow.Executor) (*state.Memory, func(run string) flow.Runtime) {
	m := state.NewMemory()
	return m, func(run string) flow.Runtime {
		return New(context.Background(), Options{Executor: x, Journal: m, Locks: m, RunID: run})
	}
}

func mustCall(t *testing.T, rt flow.Runtime, r flow.CallRequest) flow.Result {
	t.Helper()
	res, err := rt.Call(r)
	if err != nil {
		t.Fatalf("%s: %v", r.Key, err)
	}
	return res
}

// wantResult compares results by their records, which hold all of them.
func wantResult(t *testing.T, got, want flow.Result) {
	t.Helper()
	if g, w := string(encodeResult(got, nil)), string(encodeResult(want, nil)); g != w {
		t.Errorf("got  %s\nwant %s", g, w)
	}
}

func TestCreateOfOneIdentityIsSentOnceInARun(t *testing.T) {
	var vendor flowtest.Vendor
	_, start := open(&vendor)
	rt := start("r1")
	first := mustCall(t, rt, create("a", "PT1"))
	again := flow.Result{Outcome: flow.OK, Outputs: first.Outputs, Reused: true}
	wantResult(t, mustCall(t, rt, create("b", "PT1")), again)
	wantResult(t, mustCall(t, start("r1"), create("b", "PT1")), again)
	mustCall(t, rt, create("c", "PT2"))
	wantSent(t, &vendor, "a", "c")
}

func TestCreatesWithoutIdentityAreAllSent(t *testing.T) {
	var vendor flowtest.Vendor
	_, start := open(&vendor)
	rt := start("r1")
	mustCall(t, rt, create("a", ""))
	mustCall(t, rt, create("b", ""))
	wantSent(t, &vendor, "a", "b")
}

func TestIdentitiesOfTwoOperationsDiffer(t *testing.T) {
	var vendor flowtest.Vendor
	_, start := open(&vendor)
	rt := start("r1")
	mustCall(t, rt, create("a", "PT1"))
	other := create("b", "PT1")
	other.Operation = "v.create_tenant"
	mustCall(t, rt, other)
	elsewhere := create("c", "PT1")
	elsewhere.Connection = "w"
	mustCall(t, rt, elsewhere)
	wantSent(t, &vendor, "a", "b", "c")
}

func TestCreateOfAnotherRunCountsSinceOursBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var vendor flowtest.Vendor
		_, start := open(&vendor)
		mine := start("r1")
		time.Sleep(time.Second)
		mustCall(t, start("r2"), create("a", "PT1"))
		time.Sleep(time.Second)
		if !mustCall(t, mine, create("a", "PT1")).Reused {
			t.Error("a create that was done since the run began was sent again")
		}
		if mustCall(t, start("r3"), create("a", "PT1")).Reused {
			t.Error("a create from before the run was taken for its own")
		}
	})
}

func TestAClockThatIsSetBackLetsNothingBeCreatedTwice(t *testing.T) {
	var vendor flowtest.Vendor
	m := state.NewMemory()
	rt := New(t.Context(), Options{Executor: &vendor, Journal: m, Locks: m, RunID: "r1", Began: time.Now().Add(time.Hour)})
	mustCall(t, rt, create("a", "PT1"))
	if !mustCall(t, rt, create("b", "PT1")).Reused {
		t.Error("what the run itself did was sent again")
	}
}

// What was created shortly before the run began may not have been shown to it.
func TestACreateReachesBackAsFarAsTheVendorIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var vendor flowtest.Vendor
		_, start := open(&vendor)
		mustCall(t, start("r1"), create("a", "PT1"))
		late := create("a", "PT1")
		late.Reach = 15 * time.Second
		time.Sleep(15 * time.Second)
		if !mustCall(t, start("r2"), late).Reused {
			t.Error("what the vendor may not show yet was created again")
		}
		if mustCall(t, start("r3"), create("a", "PT1")).Reused {
			t.Error("reaches back although the vendor shows at once what it did")
		}
		time.Sleep(15*time.Second + 1)
		if mustCall(t, start("r4"), late).Reused {
			t.Error("reaches back for ever")
		}
	})
}

func TestWhatWasCreatedAheadOfTheClockIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var vendor flowtest.Vendor
		m, start := open(&vendor)
		e := state.Entry{Run: "r0", Kind: state.Call, Key: "a", Status: state.Done, Identity: identityOf(create("a", "PT1"), "PT1"),
			At: time.Now().Add(time.Hour), Payload: encodeResult(flow.Result{Outcome: flow.OK}, nil)}
		if err := m.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if !mustCall(t, start("r1"), create("a", "PT1")).Reused {
			t.Error("created again after the clock was set back")
		}
	})
}

func TestTheWaitForAnIdentityTakesNoLongerThanTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var vendor flowtest.Vendor
		var bound time.Duration
		m, start := open(executor(func(ctx context.Context, r flow.CallRequest) (flow.Result, error) {
			bound = r.Timeout
			return vendor.Do(ctx, r, nil)
		}))
		unlock, err := m.Lock(t.Context(), identityOf(create("a", "PT1"), "PT1"))
		if err != nil {
			t.Fatal(err)
		}
		r := create("a", "PT1")
		r.Timeout = 20 * time.Second
		began := time.Now()
		wantResult(t, mustCall(t, start("r1"), r), flow.Result{
			Outcome: flow.Busy,
			Code:    "timeout",
			Message: "not sent: another run holds PT1, and did not let go of it within 20s",
		})
		if took := time.Since(began); took != 20*time.Second {
			t.Errorf("took %v", took)
		}
		wantSent(t, &vendor)
		time.AfterFunc(15*time.Second, unlock)
		mustCall(t, start("r1"), r)
		if bound != 5*time.Second {
			t.Errorf("%v were left for the call", bound)
		}
	})
}

// A run that was stopped, and is there still, is not waited for in silence.
func TestALongWaitForAnIdentityIsToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var vendor flowtest.Vendor
		m := state.NewMemory()
		told := make(chan string, 10)
		events := notes(func(text string) { told <- time.Now().UTC().Format("05 ") + text })
		rt := New(t.Context(), Options{Executor: &vendor, Journal: m, Locks: m, RunID: "r1", Events: events})
		for _, wait := range []time.Duration{9 * time.Second, 11 * time.Second} {
			unlock, err := m.Lock(t.Context(), identityOf(create("a", "PT1"), "PT1"))
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(wait, unlock)
			mustCall(t, rt, create(flow.Key("after "+wait.String()), "PT1"))
		}
		if want := "19 after 11s: another run is creating PT1, and is waited for"; len(told) != 1 || <-told != want {
			t.Errorf("%d notes, or not %s", len(told), want)
		}
	})
}

// notes hears the notes among the events.
type notes func(string)

func (f notes) Emit(e event.Event) {
	if n, ok := e.(*event.Note); ok {
		f(n.Text)
	}
}

func TestCreateIsRefusedWhileAnEarlierOneIsUnsettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vendor := flowtest.Vendor{Answer: unknown}
		m, start := open(&vendor)
		first := mustCall(t, start("r0"), create("each[PT1]/create", "PT1"))
		wantResult(t, first, unknown(flow.CallRequest{}))
		time.Sleep(time.Hour)

		refused := flow.Result{
			Outcome: flow.Unknown,
			Code:    "unsettled-create",
			Message: "not sent: run r0 sent a create of PT1 as each[PT1]/create at " + at + ", and it is ambiguous: it may or may not have reached the vendor",
			Hint:    "runner resume r0 looks it up; if that does not decide it, it says how to settle it",
		}
		wantResult(t, mustCall(t, start("r0"), create("each[PT1#2]/create", "PT1")), refused)
		wantResult(t, mustCall(t, start("r1"), create("create", "PT1")), refused)
		wantSent(t, &vendor, "each[PT1]/create")

		// The lost answer itself is told again by its own run.
		wantResult(t, mustCall(t, start("r0"), create("each[PT1]/create", "PT1")), first)

		// Once settled, nothing stands in the way.
		e, _, _ := m.Get(t.Context(), "r0", state.Call, "each[PT1]/create")
		e.Status = state.Undone
		if err := m.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		vendor.Answer = nil
		if res := mustCall(t, start("r1"), create("create", "PT1")); res.Outcome != flow.OK {
			t.Errorf("got %+v", res)
		}
	})
}

func unknown(flow.CallRequest) flow.Result {
	return flow.Result{Outcome: flow.Unknown, Message: "no answer", Sent: true}
}

func TestRefusedCreatesMayBeSentAgain(t *testing.T) {
	for _, outcome := range []flow.Outcome{flow.Auth, flow.Throttled, flow.Busy, flow.Invalid, flow.Denied, flow.NotFound, flow.Conflict} {
		t.Run(string(outcome), func(t *testing.T) {
			vendor := flowtest.Vendor{Answer: func(flow.CallRequest) flow.Result { return flow.Result{Outcome: outcome, Sent: true} }}
			_, start := open(&vendor)
			rt := start("r1")
			mustCall(t, rt, create("a", "PT1"))
			vendor.Answer = nil
			if res := mustCall(t, rt, create("a#2", "PT1")); res.Outcome != flow.OK || res.Reused {
				t.Errorf("got %+v", res)
			}
			if res := mustCall(t, rt, create("a", "PT1")); !res.Reused {
				t.Errorf("sent again: %+v", res)
			}
		})
	}
}

func TestUnknownOutcomeOfWhatWasNotSentSettlesTheIntent(t *testing.T) {
	vendor := flowtest.Vendor{Answer: func(flow.CallRequest) flow.Result {
		return flow.Result{Outcome: flow.Unknown, Message: "the login gave no answer"}
	}}
	_, start := open(&vendor)
	rt := start("r1")
	mustCall(t, rt, create("a", "PT1"))
	vendor.Answer = nil
	mustCall(t, rt, create("a#2", "PT1"))
	wantSent(t, &vendor, "a", "a#2")
}

func TestTwoRunsAtOnceCreateOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vendor := flowtest.Vendor{Delay: time.Second}
		_, start := open(&vendor)
		results := make(chan flow.Result, 2)
		for _, run := range []string{"r1", "r2"} {
			rt := start(run)
			go func() {
				res, err := rt.Call(create("create", "PT1"))
				if err != nil {
					t.Error(err)
				}
				results <- res
			}()
		}
		if a, b := <-results, <-results; a.Reused == b.Reused {
			t.Errorf("got %+v and %+v; want one reused", a, b)
		}
		wantSent(t, &vendor, "create")
	})
}

func TestInterruptBeforeSendingSettlesTheIntent(t *testing.T) {
	enough := errors.New("enough")
	ctx, stop := context.WithCancelCause(t.Context())
	m := state.NewMemory()
	waiting := executor(func(ctx context.Context, _ flow.CallRequest) (flow.Result, error) {
		stop(enough)
		return flow.Result{}, ctx.Err()
	})
	rt := New(ctx, Options{Executor: waiting, Journal: m, Locks: m, RunID: "r1"})
	if _, err := rt.Call(create("a", "PT1")); err != enough {
		t.Errorf("got %v, want the cause", err)
	}
	var vendor flowtest.Vendor
	rt = New(t.Context(), Options{Executor: &vendor, Journal: m, Locks: m, RunID: "r1"})
	mustCall(t, rt, create("a", "PT1"))
	wantSent(t, &vendor, "a")
}

func TestInterruptEndsTheWaitForAnIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var vendor flowtest.Vendor
		m := state.NewMemory()
		unlock, err := m.Lock(t.Context(), identityOf(create("a", "PT1"), "PT1"))
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		rt := New(ctx, Options{Executor: &vendor, Journal: m, Locks: m, RunID: "r1"})
		if _, err := rt.Call(create("a", "PT1")); err != context.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
		wantSent(t, &vendor)
	})
}

func TestIntentStaysWhenTheEngineFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := executor(func(context.Context, flow.CallRequest) (flow.Result, error) {
			return flow.Result{}, errors.New("a template is broken")
		})
		_, start := open(broken)
		rt := start("r1")
		_, err := rt.Call(create("a", "PT1"))
		if err == nil || err.Error() != "call a: a template is broken" {
			t.Errorf("got %v", err)
		}
		wantResult(t, mustCall(t, start("r1"), create("a", "PT1")), flow.Result{
			Outcome: flow.Unknown,
			Code:    "unsettled-create",
			Message: "the run ended while it was on its way",
			Sent:    true,
			At:      time.Now(),
		})
	})
}

func TestFatalResultsAreAskedForAgain(t *testing.T) {
	vendor := flowtest.Vendor{Answer: func(flow.CallRequest) flow.Result {
		return flow.Result{Outcome: flow.Auth, Code: "login-failed", Fatal: true}
	}}
	_, start := open(&vendor)
	find := flow.CallRequest{Key: "find", Effect: flow.Read}
	for _, r := range []flow.CallRequest{find, create("create", "PT1")} {
		if res := mustCall(t, start("r1"), r); !res.Fatal {
			t.Errorf("got %+v", res)
		}
	}
	vendor.Answer = nil // the password was mended
	for _, r := range []flow.CallRequest{find, create("create", "PT1")} {
		if res := mustCall(t, start("r1"), r); res.Outcome != flow.OK {
			t.Errorf("got %+v", res)
		}
	}
}

func TestOnlyWhatMayBeKeptIsRecorded(t *testing.T) {
	vendor := flowtest.Vendor{Answer: func(flow.CallRequest) flow.Result {
		return flow.Result{Outcome: flow.OK, Sent: true, Outputs: value.ObjectOf("id", int64(7), "password", "hunter2")}
	}}
	m := state.NewMemory()
	start := func() flow.Runtime {
		return New(t.Context(), Options{Executor: &vendor, Journal: m, Locks: m, RunID: "r1"})
	}
	secret := create("a", "PT1")
	secret.SecretOutputs = []string{"password"}
	if got := mustCall(t, start(), secret).Outputs.At("password"); got != "hunter2" {
		t.Errorf("the run that asked got %v", got)
	}
	if got := mustCall(t, start(), secret).Outputs.At("password"); got != nil {
		t.Errorf("the journal holds %v", got)
	}
}

func wantSent(t *testing.T, vendor *flowtest.Vendor, want ...string) {
	t.Helper()
	got := vendor.Sent()
	if len(got) != len(want) {
		t.Fatalf("sent %q, want %q", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("sent %q, want %q", got, want)
		}
	}
}
