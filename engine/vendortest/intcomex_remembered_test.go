package vendortest_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/state"
)

const (
	suspend = "pipelines/intcomex/suspend_subscription.yaml"
	restore = "pipelines/intcomex/restore_subscription.yaml"
)

// remembers lists what a table of the platform's state holds.
func (v *icp) remembers(t *testing.T, table string) string {
	t.Helper()
	var rows []string
	for row, err := range v.state.Values(t.Context(), table) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row.Key+"="+string(row.Value))
	}
	return strings.Join(rows, " ")
}

// asks forgets how often the platform was asked, lets a run ask, and tells the services it asked.
func (v *icp) asks(t *testing.T, run func() *ran) (*ran, string) {
	t.Helper()
	clear(v.asked)
	r := run()
	delete(v.asked, "GetSessionToken")
	text, _ := json.Marshal(v.asked) // in the order of names
	return r, string(text)
}

func TestIntcomexAccountsAreRememberedAndTriedFirst(t *testing.T) {
	t.Parallel()
	type test struct {
		vat     string
		between func(v *icp) // what happens between the two runs
		first   string       // what the first run asks for
		asked   string       // what the second does
		account int64        // that the second gives
		created bool         // by the second
		fails   string       // how the second does
		kept    string       // in the end
	}
	const (
		creates  = `{"CreateCompany":1,"GetCompanyByVatId":1}`
		verifies = `{"GetCompany":1}`
		finds    = `{"GetCompany":1,"GetCompanyByVatId":1}`
	)
	forget := func(v *icp) { v.companies = v.companies[:1] }
	for name, tt := range map[string]test{
		"created before": {vat: "PT9", first: creates, asked: verifies, account: 221863, kept: "PT9=221863"},
		"found before":   {vat: "PT1", first: `{"GetCompanyByVatId":1}`, asked: verifies, account: 7, kept: "PT1=7"},
		"the company is gone": {vat: "PT9", between: forget, first: creates,
			asked: `{"CreateCompany":1,"GetCompany":1,"GetCompanyByVatId":1}`, account: 221864, created: true, kept: "PT9=221864"},
		"the company is gone, and there is another": {vat: "PT9", between: func(v *icp) { forget(v); v.companies = append(v.companies, existing(55, "PT9", "HEIR")) },
			first: creates, asked: finds, account: 55, kept: "PT9=55"},
		"the account is another company's": {vat: "PT9", between: func(v *icp) {
			v.companies[1]["VATID"] = "PT8"
			v.companies = append(v.companies, existing(55, "PT9", "HEIR"))
		},
			first: creates, asked: finds, account: 55, kept: "PT9=55"},
		"the account has lost its VAT ID": {vat: "PT9", between: func(v *icp) { v.companies[1]["VATID"] = nil },
			first: creates, asked: `{"CreateCompany":1,"GetCompany":1,"GetCompanyByVatId":1}`, account: 221864, created: true, kept: "PT9=221864"},
		"several have the VAT ID, and one is ours": {vat: "PT9", between: func(v *icp) { v.companies = append(v.companies, existing(55, "PT9", "TWIN")) },
			first: creates, asked: verifies, account: 221863, kept: "PT9=221863"},
		"several have the VAT ID, and ours is gone": {vat: "PT9",
			between: func(v *icp) {
				forget(v)
				v.companies = append(v.companies, existing(55, "PT9", "A"), existing(56, "PT9", "B"))
			},
			first: creates, asked: finds, fails: "VAT ID PT9 belongs to 2 companies: A (55), B (56)", kept: "PT9=221863"},
		"the account is unknown": {vat: "PT9", between: withTrouble(testserver.Trouble{Service: "GetCompany", Answer: &testserver.Reply{Status: 500, Body: "Account does not exist"}}),
			first: creates, asked: finds, account: 221863, kept: "PT9=221863"},
		"the account cannot be asked for": {vat: "PT9", between: withTrouble(testserver.Trouble{Service: "GetCompany", Answer: &testserver.Reply{Status: 500, Body: "out of order"}}),
			first: creates, asked: `{"GetCompany":5,"GetCompanyByVatId":1}`, account: 221863, kept: "PT9=221863"},
	} {
		play := func(t *testing.T, soon bool) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := newICP(existing(7, "PT1", "ONE"))
				v.state = state.NewMemory()
				run := func() *ran { return v.run(t, ensureOne, order(tt.vat), nil) }
				if r, asked := v.asks(t, run); r.err != nil || asked != tt.first {
					t.Fatalf("%v after %s", r.err, asked)
				}
				if tt.between != nil {
					tt.between(v)
				}
				v.created = map[string]int{}
				wait, want := time.Minute, tt.asked // until the vendor shows for sure what it did
				if soon {
					wait = time.Second
					if tt.created { // it is made sure that what was created is not only shown late
						want = strings.Replace(want, `"GetCompanyByVatId":1`, `"GetCompanyByVatId":6`, 1)
					}
				}
				time.Sleep(wait)
				r, asked := v.asks(t, run)
				if asked != want {
					t.Errorf("asked %s, want %s", asked, want)
				}
				if kept := v.remembers(t, "intcomex_companies"); kept != tt.kept {
					t.Errorf("remembered %s, want %s", kept, tt.kept)
				}
				if tt.fails != "" {
					if r.result.Status != engine.Failed || !strings.Contains(r.err.Error(), tt.fails) {
						t.Errorf("%v", r.err)
					}
					return
				}
				if want := map[string]any{"account_id": tt.account, "created": tt.created}; r.err != nil || !reflect.DeepEqual(r.result.Outputs, want) {
					t.Errorf("%v, %v, want %v", r.err, r.result.Outputs, want)
				}
			})
		}
		t.Run(name, func(t *testing.T) { play(t, false) })
		t.Run(name+", soon", func(t *testing.T) { play(t, true) })
	}
}

func TestIntcomexCrowdIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v, inputs := crowd()
		v.state = state.NewMemory()
		run := func() *ran { return v.run(t, ensureAll, inputs, nil) }
		if r, asked := v.asks(t, run); r.counts() != [3]any{int64(12), int64(4), int64(0)} ||
			asked != `{"CreateCompany":12,"GetCompany":1,"GetCompanyByVatId":15}` {
			t.Errorf("%v: %v after %s", r.err, r.counts(), asked)
		}
		if r, asked := v.asks(t, run); r.counts() != [3]any{int64(0), int64(16), int64(0)} || asked != `{"GetCompany":16}` {
			t.Errorf("%v: %v after %s", r.err, r.counts(), asked)
		}
	})
}

func TestIntcomexOnboardKnowsTheCompany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newICP()
		v.state = state.NewMemory()
		if r := v.trade(t, onboard, customer()); r.err != nil {
			t.Fatal(r.err)
		}
		v.refused = map[string]string{"Primarydomainname": `"Domain already in use."`}
		_, asked := v.asks(t, func() *ran { return v.trade(t, onboard, customer()) })
		if asked != `{"GetCompany":1,"ValidateFields":1}` || v.remembers(t, "intcomex_companies") != "PT1=221863" {
			t.Errorf("asked %s, remembers %s", asked, v.remembers(t, "intcomex_companies"))
		}
	})
}

// Where the answer to a create was lost and several companies have its VAT ID then,
// nobody can tell which one it made.
func TestIntcomexCreateOfWhichThereAreSeveralStaysOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newICP(existing(7, "PT9", "TWIN"))
		v.troubles = []testserver.Trouble{{Service: "CreateCompany", Worked: true, HangUp: true}}
		inputs := order("PT9")
		r := v.run(t, "intcomex.create_company", inputs, nil)
		if r.result.Status != engine.Ambiguous || v.asked["CreateCompany"] != 1 ||
			!strings.Contains(r.err.Error(), "the look-up with intcomex.get_company_by_vat_id failed: it is there, and its output account_id would be null") {
			t.Errorf("%v after %v", r.err, v.asked)
		}
	})
}

func TestIntcomexSuspendAndRestore(t *testing.T) {
	t.Parallel()
	// A stage is one run, what it shall give, and what is there afterwards.
	type stage struct {
		set      func(v *icp) // before the run
		pipeline string
		gives    int64 // the output licenses
		fails    string
		has      int64
		kept     string
		updates  int
	}
	const kept = "221929=10"
	refusing := withTrouble(testserver.Trouble{Service: "UpdateSubscription", Answer: &testserver.Reply{Status: 400, Body: "Not now, 4711"}})
	unread := withTrouble(testserver.Trouble{Service: "GetSubscription", Spared: 2, Answer: &testserver.Reply{Status: 400, Body: "Not now, 4711"}})
	well := func(v *icp) { v.troubles = nil }
	has := func(n int) func(*icp) {
		return func(v *icp) { v.sub(221929).field(v.licences).value = float64(n) }
	}
	late := func(reads int) func(*icp) {
		return func(v *icp) {
			v.takes = func(s *sub, field *subField, value any) {
				s.due = map[string]dueValue{field.name: {s.reads + reads, value}}
			}
		}
	}
	const nothing = "nothing is remembered of subscription 221929: suspend_subscription did not suspend it, or it is restored already"
	for name, stages := range map[string][]stage{
		"there and back": {
			{pipeline: suspend, gives: 10, kept: kept, updates: 1},
			{pipeline: restore, gives: 10, has: 10, updates: 1},
			{pipeline: restore, fails: nothing, has: 10},
			{pipeline: suspend, gives: 10, kept: kept, updates: 1},
		},
		"suspended twice": {
			{pipeline: suspend, gives: 10, kept: kept, updates: 1},
			{pipeline: suspend, gives: 10, kept: kept},
			{pipeline: restore, gives: 10, has: 10, updates: 1},
		},
		"nothing to take": {
			{set: has(0), pipeline: suspend, gives: 0},
			{pipeline: restore, fails: nothing},
		},
		"the vendor refuses to suspend": {
			{set: refusing, pipeline: suspend, fails: "Not now, 4711", has: 10, kept: kept},
			{set: well, pipeline: suspend, gives: 10, kept: kept, updates: 1},
			{pipeline: restore, gives: 10, has: 10, updates: 1},
		},
		"stopped after the licences were taken": {
			{set: unread, pipeline: suspend, fails: "Not now, 4711", kept: kept, updates: 1},
			{set: well, pipeline: suspend, gives: 10, kept: kept},
		},
		"the vendor refuses to restore": {
			{pipeline: suspend, gives: 10, kept: kept, updates: 1},
			{set: refusing, pipeline: restore, fails: "Not now, 4711", kept: kept},
			{set: well, pipeline: restore, gives: 10, has: 10, updates: 1},
		},
		"shown after four minutes": {
			{set: late(80), pipeline: suspend, gives: 10, kept: kept, updates: 1},
			{pipeline: restore, gives: 10, has: 10, updates: 1},
			{pipeline: suspend, gives: 10, kept: kept, updates: 1},
		},
		"stopped before the vendor shows that the licences were taken": {
			{set: func(v *icp) { late(80)(v); unread(v) }, pipeline: suspend, fails: "Not now, 4711", has: 10, kept: kept, updates: 1},
			{set: well, pipeline: restore, gives: 10, has: 10, updates: 1},
			{pipeline: restore, fails: nothing, has: 10},
		},
		"stopped so, and suspended again": {
			{set: func(v *icp) { late(80)(v); unread(v) }, pipeline: suspend, fails: "Not now, 4711", has: 10, kept: kept, updates: 1},
			{set: well, pipeline: suspend, gives: 10, kept: kept, updates: 1},
			{pipeline: restore, gives: 10, has: 10, updates: 1},
		},
		"stopped before the vendor shows that they are back": {
			{set: late(80), pipeline: suspend, gives: 10, kept: kept, updates: 1},
			{set: func(v *icp) {
				withTrouble(testserver.Trouble{Service: "GetSubscription", Spared: v.asked["GetSubscription"] + 1, Answer: &testserver.Reply{Status: 400, Body: "Not now, 4711"}})(v)
			}, pipeline: restore, fails: "Not now, 4711", kept: kept, updates: 1},
			{set: well, pipeline: suspend, gives: 10, kept: kept, updates: 1},
			{pipeline: restore, gives: 10, has: 10, updates: 1},
		},
		"never shown": {
			{pipeline: suspend, gives: 10, kept: kept, updates: 1},
			{set: func(v *icp) { v.takes = func(*sub, *subField, any) {} }, pipeline: restore, fails: "has 0 licences after the update, not 10", kept: kept, updates: 1},
		},
		"changed by hand while suspended": {
			{pipeline: suspend, gives: 10, kept: kept, updates: 1},
			{set: has(3), pipeline: suspend, gives: 3, kept: "221929=3", updates: 1},
			{set: has(2), pipeline: restore, gives: 3, has: 3, updates: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := newICP()
				v.state = state.NewMemory()
				v.sells(221929, 10)
				for i, s := range stages {
					if s.set != nil {
						s.set(v)
					}
					v.updates = nil
					r := v.trade(t, s.pipeline, map[string]any{"subscription_account_id": 221929})
					if s.fails != "" {
						if r.result.Status != engine.Failed || !strings.Contains(r.err.Error(), s.fails) {
							t.Errorf("%d: %v: %v", i, r.result.Status, r.err)
						}
					} else if want := map[string]any{"licenses": s.gives}; r.err != nil || !reflect.DeepEqual(r.result.Outputs, want) {
						t.Errorf("%d: %v, %v, want %v", i, r.err, r.result.Outputs, want)
					}
					if has := fmt.Sprint(v.sub(221929).field(v.licences).value); has != fmt.Sprint(s.has) || len(v.updates) != s.updates {
						t.Errorf("%d: has %s after %v, want %d", i, has, v.updates, s.has)
					}
					if kept := v.remembers(t, "intcomex_suspended"); kept != s.kept {
						t.Errorf("%d: remembered %q, want %q", i, kept, s.kept)
					}
				}
			})
		})
	}
}

// A run that was stopped between remembering and suspending takes what is there when it goes on.
func TestIntcomexSuspendResumed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newICP()
		v.state = state.NewMemory()
		v.sells(221929, 10)
		withTrouble(testserver.Trouble{Service: "GetSubscription", Spared: 1, Answer: &testserver.Reply{Status: 400, Body: "Not now, 4711"}})(v)
		stopped := v.trade(t, suspend, map[string]any{"subscription_account_id": 221929})
		if kept := v.remembers(t, "intcomex_suspended"); stopped.err == nil || kept != "221929=10" || len(v.updates) > 0 {
			t.Fatalf("%v, remembers %s after %v", stopped.err, kept, v.updates)
		}
		v.troubles = nil
		v.sub(221929).field(v.licences).value = float64(12)
		stop := v.start()
		defer stop()
		res, err := v.program(t, nil, nil).Resume(t.Context(), stopped.result.RunID, engine.ResumeRequest{})
		kept := v.remembers(t, "intcomex_suspended")
		if want := map[string]any{"licenses": int64(12)}; err != nil || !reflect.DeepEqual(res.Outputs, want) || kept != "221929=12" {
			t.Errorf("%v: %v, remembers %s", err, res, kept)
		}
	})
}
