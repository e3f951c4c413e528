package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/event"
)

// story is a run that shows every kind of event.
func story() []event.Event {
	head := event.Head{Run: "r1"}
	return []event.Event{
		&event.RunStarted{Head: head, Pipeline: "ensure_companies"},
		&event.Note{Warning: true, Text: "column \"phone\" is not used"},
		&event.Note{Text: "using the sandbox of intcomex"},
		&event.StepStarted{Key: "ping", Operation: "intcomex.ping"},
		&event.RequestSent{Key: "ping", Operation: "intcomex.ping", Attempt: 1, Method: "POST", URL: "https://x.example/ping",
			Header: map[string]string{"Token": "***", "Accept": "application/json"}, Body: "{\n  \"a\": 1\n}\n"},
		&event.ResponseReceived{Key: "ping", Operation: "intcomex.ping", Status: 429, Outcome: "throttled", Body: "slow\x1b[2J down", Took: 35 * time.Millisecond},
		&event.RetryScheduled{Key: "ping", Operation: "intcomex.ping", Attempt: 1, Of: 5, Outcome: "throttled", Message: "slow\ndown", Wait: 2 * time.Second},
		&event.ResponseReceived{Key: "ping", Operation: "intcomex.ping", Outcome: "busy", Error: "connection refused", Took: time.Millisecond},
		&event.StepFinished{Key: "ping", Operation: "intcomex.ping", Outcome: "ok", Sent: true, Took: 2035 * time.Millisecond},
		&event.StepFinished{Key: "other", Operation: "intcomex.ping", Skipped: true},
		&event.PollScheduled{Key: "wait", Operation: "intcomex.get_subscription", Look: 2, Seen: "{\"status\":\n\"Pending\"}", Wait: 10 * time.Second},
		&event.PollScheduled{Key: "wait", Operation: "intcomex.get_subscription", Look: 3, Seen: "{\"status\":\n\"Pending\"}", Wait: 10 * time.Second},
		&event.PollScheduled{Key: "wait", Operation: "intcomex.get_subscription", Look: 4, Seen: strings.Repeat("é", 101), Wait: 10 * time.Second},
		&event.StepStarted{Key: "each"},
		&event.StepStarted{Key: "each[A]/create", Operation: "intcomex.create_company"},
		&event.RetryScheduled{Key: "each[A]/create", Operation: "intcomex.create_company", Attempt: 1, Of: 5, Outcome: "busy", Message: "later", Wait: time.Second},
		&event.StepFinished{Key: "each[A]/create", Operation: "intcomex.create_company", Outcome: "ok", Sent: true, Took: 120 * time.Millisecond},
		&event.RowFinished{Key: "each", Row: "A", Status: "done"},
		&event.StepFinished{Key: "each[B]/create", Operation: "intcomex.create_company", Outcome: "invalid", Sent: true, Error: "name is empty", Took: 90 * time.Millisecond},
		&event.RowFinished{Key: "each", Row: "B", Status: "failed", Error: "name is empty"},
		&event.RowFinished{Key: "each", Row: "C", Status: "ambiguous", Error: "no answer"},
		&event.RowFinished{Key: "each", Row: "D", Status: "skipped", Error: "not started"},
		&event.StepFinished{Key: "each", Took: 65 * time.Second},
		&event.RunFinished{Head: head, Pipeline: "ensure_companies", Status: "ambiguous", Took: 68 * time.Second, Error: &event.Failure{
			Step: "each", Operation: "intcomex.create_company", Outcome: "unknown", Message: "1 row is ambiguous", Hint: "look at the vendor",
		}},
	}
}

// sequel is a run that was taken up again.
func sequel() []event.Event {
	head := event.Head{Run: "r1"}
	return []event.Event{
		&event.RunStarted{Head: head, Pipeline: "ensure_companies", Resumed: true},
		&event.StepStarted{Key: "ping", Operation: "intcomex.ping"},
		&event.StepFinished{Key: "ping", Operation: "intcomex.ping", Outcome: "ok", Sent: true, Replayed: true},
		&event.StepFinished{Key: "look", Operation: "intcomex.find", Outcome: "not_found", Error: "no such", Replayed: true},
		&event.RowFinished{Key: "each", Row: "B", Status: "done"},
		&event.RowFinished{Key: "each", Row: "A", Status: "done", Replayed: true},
		&event.StepFinished{Key: "each", Took: time.Second},
		&event.RunFinished{Head: head, Pipeline: "ensure_companies", Status: "succeeded", Took: time.Second},
	}
}

func TestConsoleTellsWhatWasDoneBeforeOnlyWhenVerbose(t *testing.T) {
	tests := []struct {
		verbose bool
		want    string
	}{
		{false, `ensure_companies: run r1, resumed
  look: intcomex.find not_found: no such
  each: 1 done before, 1 done (1s)
ensure_companies: succeeded after 1s
`},
		{true, `ensure_companies: run r1, resumed
  ping: intcomex.ping started
  ping: intcomex.ping ok, done before
  look: intcomex.find not_found: no such
  each[B]: done
  each[A]: done before
  each: 1 done before, 1 done (1s)
ensure_companies: succeeded after 1s
`},
	}
	for _, tt := range tests {
		var b strings.Builder
		c := NewConsole(&b, ConsoleOptions{Verbose: tt.verbose})
		for _, e := range sequel() {
			c.Emit(e)
		}
		if b.String() != tt.want {
			t.Errorf("verbose %v: got:\n%s\nwant:\n%s", tt.verbose, b.String(), tt.want)
		}
	}
}

func TestConsole(t *testing.T) {
	tests := []struct {
		name string
		opts ConsoleOptions
		want string
	}{
		{"shows what matters", ConsoleOptions{}, `ensure_companies: run r1
warning: column "phone" is not used
using the sandbox of intcomex
  ping: intcomex.ping attempt 1 of 5: throttled: slow down, again in 2s
  ping: intcomex.ping ok (2s)
  other: intcomex.ping skipped
  wait: intcomex.get_subscription look 2: {"status": "Pending"}, again in 10s
  wait: intcomex.get_subscription look 4: ` + strings.Repeat("é", 99) + `…, again in 10s
  each[B]: failed: name is empty
  each[C]: ambiguous: no answer
  each: 1 done, 1 failed, 1 ambiguous, 1 skipped, retries: 1 (1m5s)
ensure_companies: ambiguous after 1m8s
error: step each, intcomex.create_company: unknown: 1 row is ambiguous
  hint: look at the vendor
`},
		{"shows everything when verbose", ConsoleOptions{Verbose: true}, `ensure_companies: run r1
warning: column "phone" is not used
using the sandbox of intcomex
  ping: intcomex.ping started
  ping: > POST https://x.example/ping
    Accept: application/json
    Token: ***
    | {
    |   "a": 1
    | }
  ping: < 429 throttled (35ms)
    | slow [2J down
  ping: intcomex.ping attempt 1 of 5: throttled: slow down, again in 2s
  ping: < busy: connection refused (1ms)
  ping: intcomex.ping ok (2s)
  other: intcomex.ping skipped
  wait: intcomex.get_subscription look 2: {"status": "Pending"}, again in 10s
  wait: intcomex.get_subscription look 3: {"status": "Pending"}, again in 10s
  wait: intcomex.get_subscription look 4: ` + strings.Repeat("é", 101) + `, again in 10s
  each[A]/create: intcomex.create_company started
  each[A]/create: intcomex.create_company attempt 1 of 5: busy: later, again in 1s
  each[A]/create: intcomex.create_company ok (120ms)
  each[A]: done
  each[B]/create: intcomex.create_company invalid: name is empty (90ms)
  each[B]: failed: name is empty
  each[C]: ambiguous: no answer
  each[D]: skipped: not started
  each: 1 done, 1 failed, 1 ambiguous, 1 skipped, retries: 1 (1m5s)
ensure_companies: ambiguous after 1m8s
error: step each, intcomex.create_company: unknown: 1 row is ambiguous
  hint: look at the vendor
`},
		{"shows only warnings and the error when quiet", ConsoleOptions{Quiet: true, Verbose: true}, `warning: column "phone" is not used
error: step each, intcomex.create_company: unknown: 1 row is ambiguous
  hint: look at the vendor
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			c := NewConsole(&out, tt.opts)
			for _, e := range story() {
				c.Emit(e)
			}
			wantText(t, out.String(), tt.want)
			if c.Err() != nil || len(c.loops) != 0 {
				t.Errorf("Err is %v, %d loops are left", c.Err(), len(c.loops))
			}
		})
	}
}

func TestConsoleStepsThatFail(t *testing.T) {
	tests := []struct {
		name string
		give event.StepFinished
		want string
	}{
		{"by the vendor", event.StepFinished{Key: "a", Operation: "v.o", Outcome: "denied", Error: "no"}, "  a: v.o denied: no (0s)\n"},
		{"after a good answer", event.StepFinished{Key: "a", Operation: "v.o", Outcome: "ok", Error: "no name"}, "  a: v.o failed: no name (0s)\n"},
		{"without a call", event.StepFinished{Key: "a", Error: "line one\nline two", Took: 1500 * time.Microsecond}, "  a: failed: line one line two (2ms)\n"},
		{"with rows", event.StepFinished{Key: "each", Error: "name is empty", Took: time.Second}, "  each: 1 done; failed: name is empty (1s)\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			c := NewConsole(&out, ConsoleOptions{})
			c.Emit(&event.RowFinished{Key: "each", Row: "A", Status: "done"})
			c.Emit(&tt.give)
			wantText(t, out.String(), tt.want)
		})
	}
}

func TestConsoleNamesOnlyTheFirstFailedRows(t *testing.T) {
	var out, want strings.Builder
	c := NewConsole(&out, ConsoleOptions{})
	for i := range 1000 {
		row := fmt.Sprintf("%03d", i)
		c.Emit(&event.RowFinished{Key: "each[" + row + "]/inner", Row: "x", Status: "done"})
		c.Emit(&event.StepFinished{Key: "each[" + row + "]/inner"})
		c.Emit(&event.RowFinished{Key: "each", Row: row, Status: "failed", Error: "no"})
		if i < maxFailedRows {
			fmt.Fprintf(&want, "  each[%s]: failed: no\n", row)
		}
	}
	c.Emit(&event.StepFinished{Key: "each", Took: time.Second})
	want.WriteString("  each: further failed rows are only counted\n  each: 1000 failed (1s)\n")
	wantText(t, out.String(), want.String())
}

func TestConsoleKeepsTheFirstWriteError(t *testing.T) {
	full := &failing{}
	c := NewConsole(full, ConsoleOptions{})
	c.Emit(&event.Note{Text: "a"})
	c.Emit(&event.Note{Text: "b"})
	if c.Err() == nil || c.Err().Error() != "write 1: disk full" || full.writes != 1 {
		t.Errorf("got %v after %d writes", c.Err(), full.writes)
	}
}

// failing is a writer on a full disk.
type failing struct{ writes int }

func (f *failing) Write([]byte) (int, error) {
	f.writes++
	return 0, fmt.Errorf("write %d: disk full", f.writes)
}

func wantText(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
