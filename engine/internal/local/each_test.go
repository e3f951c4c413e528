package local

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/flow/flowtest"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// durable returns a runtime with a memory of its own.
func durable(ctx context.Context) flow.Runtime {
	m := state.NewMemory()
	return New(ctx, Options{Executor: &flowtest.Vendor{}, Journal: m, Locks: m, RunID: "r1"})
}

// diary keeps what rows do, and when, counted in seconds.
type diary struct {
	mu    sync.Mutex
	began time.Time
	lines []string
}

func newDiary() *diary { return &diary{began: time.Now()} }

func (d *diary) add(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf("%ds %s", int(time.Since(d.began).Seconds()), what))
}

// sorted returns the lines; what happened at one moment is in order of text.
func (d *diary) sorted() []string {
	slices.Sort(d.lines)
	return d.lines
}

// asleep is a body that takes a second.
func (d *diary) asleep(_ flow.Runtime, row flow.Row) flow.Item {
	d.add(row.Key)
	time.Sleep(time.Second)
	return flow.Item{Status: flow.Done}
}

func TestEachKeepsGroupsInOrderAndTheOthersGoing(t *testing.T) {
	tests := []struct {
		name     string
		parallel int
		rows     string
		want     string
	}{
		{"one at a time", 1, "A B A#2", "0s A,1s B,2s A#2"},
		{"no parallelism given", 0, "A B", "0s A,1s B"},
		{"as many as allowed", 3, "A B C D E F G", "0s A,0s B,0s C,1s D,1s E,1s F,2s G"},
		{"a group does not block others", 2, "A A#2 A#3 B C D", "0s A,0s B,1s A#2,1s C,2s A#3,2s D"},
		{"one group", 4, "A A#2 A#3", "0s A,1s A#2,2s A#3"},
		{"two groups", 4, "A A#2 B B#2", "0s A,0s B,1s A#2,1s B#2"},
		{"a group longer than the look-ahead", 1, "A A#2 A#3 A#4 A#5 A#6 A#7 B", "0s A,1s A#2,2s A#3,3s A#4,4s A#5,5s A#6,6s A#7,7s B"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDiary()
				keys := strings.Fields(tt.rows)
				out, err := durable(t.Context()).Each("each", flowtest.Rows(keys...), flow.EachPolicy{Parallel: tt.parallel}, flow.Body{Run: d.asleep})
				if err != nil || out.Err != nil {
					t.Fatal(err, out.Err)
				}
				if got := strings.Join(d.sorted(), ","); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				for i, it := range out.Items {
					if it.Index != i || it.Key != keys[i] {
						t.Errorf("item %d is row %d, %s", i, it.Index, it.Key)
					}
				}
			})
		})
	}
}

func TestEachRunsRowsWithoutGroupTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDiary()
		rows := func(yield func(flow.Row, error) bool) {
			_ = yield(flow.Row{Index: 0, Key: "1"}, nil) && yield(flow.Row{Index: 1, Key: "2"}, nil)
		}
		if _, err := durable(t.Context()).Each("each", rows, flow.EachPolicy{Parallel: 2}, flow.Body{Run: d.asleep}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(d.sorted(), ","); got != "0s 1,0s 2" {
			t.Errorf("got %s", got)
		}
	})
}

func TestEachLooksOnlySoFarAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pulled atomic.Int64
		rows := func(yield func(flow.Row, error) bool) {
			for row := range flowtest.Rows(manyKeys(1000)...) {
				pulled.Add(1)
				if !yield(row, nil) {
					return
				}
			}
		}
		seen := make(chan int64, 1)
		body := flow.Body{Run: func(flow.Runtime, flow.Row) flow.Item {
			time.Sleep(time.Second)
			return flow.Item{Status: flow.Done}
		}}
		go func() {
			time.Sleep(time.Second / 2)
			seen <- pulled.Load()
		}()
		if _, err := durable(t.Context()).Each("each", rows, flow.EachPolicy{Parallel: 2}, body); err != nil {
			t.Fatal(err)
		}
		// Two run, eight wait, one is at the door.
		if n := <-seen; n != 11 || pulled.Load() != 1000 {
			t.Errorf("%d rows were pulled at first, %d in all; want 11 and 1000", n, pulled.Load())
		}
	})
}

func manyKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
	}
	return keys
}

// scripted is a body whose rows end as their keys say: "fail", "stop", "open"
// for ambiguous, "slowfail" after a second; all others are done.
func scripted(_ flow.Runtime, row flow.Row) flow.Item {
	word, _, _ := strings.Cut(row.Key, "-")
	switch {
	case row.Err != nil:
		return flow.Item{Status: flow.Failed, Err: row.Err}
	case word == "fail":
		return flow.Item{Status: flow.Failed, Err: errors.New(row.Key)}
	case word == "slowfail":
		time.Sleep(time.Second)
		return flow.Item{Status: flow.Failed, Err: errors.New(row.Key)}
	case word == "open":
		return flow.Item{Status: flow.Ambiguous, Err: errors.New(row.Key)}
	case word == "stop":
		return flow.Item{Status: flow.Failed, Err: errors.New(row.Key), Stop: true}
	}
	return flow.Item{Status: flow.Done, Outputs: value.ObjectOf("key", row.Key)}
}

func TestEachEndsAsItsRowsDo(t *testing.T) {
	tests := []struct {
		name   string
		policy flow.EachPolicy
		rows   string // "broken" breaks the source, "bad-1" is a row that was refused
		want   string // the items that ended, then the error
	}{
		{"no rows", flow.EachPolicy{}, "", "; <nil>"},
		{"all done", flow.EachPolicy{}, "a b", "a done, b done; <nil>"},
		{"stops at a failure", flow.EachPolicy{}, "a fail-1 b", "a done, fail-1 failed; fail-1"},
		{"stops at an ambiguous row", flow.EachPolicy{}, "open-1 b", "open-1 ambiguous; open-1"},
		{"collects failures", flow.EachPolicy{Collect: true}, "a fail-1 open-1 b", "a done, fail-1 failed, open-1 ambiguous, b done; <nil>"},
		{"stops at a stop and names the rest", flow.EachPolicy{Collect: true}, "fail-1 stop-1 a b c d e f g h",
			"fail-1 failed, stop-1 failed, a skipped, b skipped, c skipped, d skipped, e skipped, f skipped, g skipped, h skipped; stop-1"},
		{"stops at a stop that is a failure too", flow.EachPolicy{}, "a stop-1 b", "a done, stop-1 failed; stop-1"},
		{"hands refused rows to the body", flow.EachPolicy{Collect: true}, "a bad-1 b", "a done, bad-1 failed, b done; <nil>"},
		{"runs what stands before a break", flow.EachPolicy{Collect: true}, "a b broken c", "a done, b done; the source is broken"},
		{"tells the failure before a break", flow.EachPolicy{}, "fail-1 broken", "fail-1 failed; fail-1"},
		{"ends skipping at a break", flow.EachPolicy{Collect: true}, "stop-1 a broken b", "stop-1 failed, a skipped; stop-1"},
	}
	for _, tt := range tests {
		for kind, rt := range map[string]flow.Runtime{
			"inline":  NewInline(t.Context(), &flowtest.Vendor{}, "r1", nil),
			"durable": durable(t.Context()),
		} {
			t.Run(tt.name+"/"+kind, func(t *testing.T) {
				out, err := rt.Each("each", scriptedRows(tt.rows), tt.policy, flow.Body{Run: scripted})
				if err != nil {
					t.Fatal(err)
				}
				if got := describe(out); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		}
	}
}

func scriptedRows(words string) flow.Rows {
	return func(yield func(flow.Row, error) bool) {
		for i, word := range strings.Fields(words) {
			var row flow.Row
			var err error
			switch {
			case word == "broken":
				err = errors.New("the source is broken")
			case strings.HasPrefix(word, "bad-"):
				row = flow.Row{Index: i, Key: word, Err: errors.New("name is empty")}
			default:
				row = flow.Row{Index: i, Key: word, Group: word}
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

func describe(out flow.Outcomes) string {
	var items []string
	for _, it := range out.Items {
		items = append(items, it.Key+" "+string(it.Status))
	}
	return fmt.Sprintf("%s; %v", strings.Join(items, ", "), out.Err)
}

func TestEachSaysWhyRowsWereSkipped(t *testing.T) {
	out, err := durable(t.Context()).Each("each", scriptedRows("stop-1 a"), flow.EachPolicy{Collect: true}, flow.Body{Run: scripted})
	if err != nil {
		t.Fatal(err)
	}
	got := out.Items[1]
	if got.Index != 1 || got.Key != "a" || got.Outputs != nil || got.Err.Error() != "not started, since row stop-1 ended the foreach" {
		t.Errorf("got %+v", got)
	}
}

func TestEachLetsRowsInFlightEndAndReportsTheFirstByIndex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, err := durable(t.Context()).Each("each", scriptedRows("slowfail-1 fail-2 a b c"), flow.EachPolicy{Parallel: 2}, flow.Body{Run: scripted})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := describe(out), "slowfail-1 failed, fail-2 failed; slowfail-1"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestEachStartsNoRowAfterAnInterrupt(t *testing.T) {
	for _, kind := range []string{"inline", "durable"} {
		t.Run(kind, func(t *testing.T) {
			enough := errors.New("enough")
			ctx, stop := context.WithCancelCause(t.Context())
			rt := durable(ctx)
			if kind == "inline" {
				rt = NewInline(ctx, &flowtest.Vendor{}, "r1", nil)
			}
			out, err := rt.Each("each", flowtest.Rows(manyKeys(100)...), flow.EachPolicy{Collect: true}, flow.Body{Run: func(_ flow.Runtime, row flow.Row) flow.Item {
				if row.Index == 2 {
					stop(enough)
				}
				return flow.Item{Status: flow.Done}
			}})
			if got, want := describe(out), "k0 done, k1 done, k2 done; enough"; err != nil || got != want {
				t.Errorf("got %s, %v; want %s", got, err, want)
			}
		})
	}
}

func TestEachIsNotInterruptedWhenAllRowsWereStarted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	out, err := durable(ctx).Each("each", flowtest.Rows("A"), flow.EachPolicy{}, flow.Body{Run: func(flow.Runtime, flow.Row) flow.Item {
		stop()
		return flow.Item{Status: flow.Done}
	}})
	if got := describe(out); err != nil || got != "A done; <nil>" {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestEachTakesFinishedRowsFromTheJournal(t *testing.T) {
	m := state.NewMemory()
	pass := func(broken bool) ([]string, flow.Outcomes) {
		var ran []string
		rt := New(t.Context(), Options{Executor: &flowtest.Vendor{}, Journal: m, Locks: m, RunID: "r1"})
		out, err := rt.Each("each", flowtest.Rows("A", "B", "A#2"), flow.EachPolicy{Collect: true}, flow.Body{Run: func(rt flow.Runtime, row flow.Row) flow.Item {
			ran = append(ran, row.Key)
			key := flow.Key("each").Row(row.Key)
			mustCall(t, rt, create(key, "")) // a row may be a call itself
			mustCall(t, rt, create(key.Step("inner"), ""))
			if row.Key == "B" && broken {
				return flow.Item{Status: flow.Failed, Err: errors.New("no")}
			}
			return flow.Item{Status: flow.Done, Outputs: value.ObjectOf("n", value.Decimal("203.7700"), "big", value.Decimal("12345678901234567890"), "row", row.Key)}
		}})
		if err != nil {
			t.Fatal(err)
		}
		return ran, out
	}
	ran, _ := pass(true)
	if !slices.Equal(ran, []string{"A", "B", "A#2"}) {
		t.Errorf("first ran %q", ran)
	}
	if _, ok, _ := m.Get(t.Context(), "r1", state.Call, "each[A]/inner"); ok {
		t.Error("the calls of a row that is done are still in the journal")
	}
	if _, ok, _ := m.Get(t.Context(), "r1", state.Call, "each[B]/inner"); !ok {
		t.Error("the calls of a row that failed are not in the journal")
	}
	ran, resumed := pass(false)
	if !slices.Equal(ran, []string{"B"}) {
		t.Errorf("then ran %q", ran)
	}
	ran, again := pass(false)
	resumed.Items[1].Replayed = true // B is on record now
	if ran != nil || !reflect.DeepEqual(again, resumed) {
		t.Errorf("at last ran %q, got %+v; want %+v", ran, again, resumed)
	}
}

func TestEachGivesEveryRowARuntimeOfItsOwn(t *testing.T) {
	parent := durable(t.Context())
	seen := map[flow.Runtime]bool{parent: true}
	_, err := parent.Each("each", flowtest.Rows("A", "B", "C"), flow.EachPolicy{}, flow.Body{Run: func(rt flow.Runtime, _ flow.Row) flow.Item {
		if seen[rt] {
			t.Error("a runtime was given twice")
		}
		seen[rt] = true
		return flow.Item{Status: flow.Done}
	}})
	if err != nil {
		t.Fatal(err)
	}
}
