package event_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/event"
)

// log keeps which sink got which event.
type log struct {
	name  string
	lines *[]string
}

func (l log) Emit(e event.Event) {
	*l.lines = append(*l.lines, fmt.Sprintf("%s %T", l.name, e))
}

func TestFanServesItsSinksInTurn(t *testing.T) {
	var lines []string
	sink := event.Fan(log{"a", &lines}, nil, log{"b", &lines})
	sink.Emit(&event.RunStarted{})
	sink.Emit(&event.RunFinished{})
	want := []string{"a *event.RunStarted", "b *event.RunStarted", "a *event.RunFinished", "b *event.RunFinished"}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
}

func TestFanOfNothingIsASink(t *testing.T) {
	event.Fan().Emit(&event.Note{})
	event.Fan(nil, nil).Emit(&event.Note{})
}

func TestHeadOfGivesTheEventsOwnHead(t *testing.T) {
	want := event.Head{Seq: 3, At: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), Run: "r1"}
	for _, e := range []event.Event{
		&event.RunStarted{}, &event.StepStarted{}, &event.StepFinished{}, &event.RequestSent{}, &event.ResponseReceived{},
		&event.RetryScheduled{}, &event.PollScheduled{}, &event.RowFinished{}, &event.Note{}, &event.RunFinished{},
	} {
		*event.HeadOf(e) = want
		if got := *event.HeadOf(e); got != want {
			t.Errorf("%T: got %v", e, got)
		}
	}
	note := &event.Note{}
	event.HeadOf(note).Seq = 5
	if note.Seq != 5 {
		t.Errorf("the note's number is %d", note.Seq)
	}
}

// failures is a sink of one's own: it counts rows that failed.
type failures struct{ n int }

func (f *failures) Emit(e event.Event) {
	if row, ok := e.(*event.RowFinished); ok && row.Status == "failed" {
		f.n++
	}
}

func ExampleSink() {
	var f failures
	sink := event.Fan(&f)
	sink.Emit(&event.RowFinished{Key: "each", Row: "PT1", Status: "done"})
	sink.Emit(&event.RowFinished{Key: "each", Row: "PT2", Status: "failed", Error: "name is empty"})
	fmt.Println(f.n, "failed")
	// Output: 1 failed
}

// plain is a sink that needs no headers and bodies.
type plain struct{ log }

func (plain) Details() bool { return false }

func TestDetailsAreWantedByWhoeverDoesNotDeclineThem(t *testing.T) {
	for _, test := range []struct {
		name string
		sink event.Sink
		want bool
	}{
		{"nobody", nil, false},
		{"a sink that does not say", log{}, true},
		{"a sink that declines", plain{}, false},
		{"a fan of nothing", event.Fan(), false},
		{"a fan of sinks that decline", event.Fan(plain{}, event.Fan(plain{})), false},
		{"a fan with one that does not", event.Fan(plain{}, log{}), true},
	} {
		if got := event.WantsDetails(test.sink); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
