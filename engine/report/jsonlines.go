package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/seed627bd532/runner/engine/event"
)

// JSONLines writes every event as one JSON object on a line of its own. The
// first members are "event", "seq", "at" and "run"; durations are in
// milliseconds. Make one with NewJSONLines.
type JSONLines struct{ writer }

var _ event.Sink = (*JSONLines)(nil)

// NewJSONLines returns a sink that writes to w.
func NewJSONLines(w io.Writer) *JSONLines {
	return &JSONLines{writer{w: w}}
}

// Emit writes e.
func (l *JSONLines) Emit(e event.Event) {
	name, rest := members(e)
	h := event.HeadOf(e)
	line := []member{{"event", name}, {"seq", h.Seq}, {"at", h.At.UTC().Format(time.RFC3339Nano)}, {"run", h.Run}}
	l.write(append(encode(append(line, rest...)), '\n'))
}

// A member is one member of an object, whose order is kept.
type member struct {
	name  string
	value any
}

// members returns the event's name and what it has beside the head.
func members(e event.Event) (string, []member) {
	switch e := e.(type) {
	case *event.RunStarted:
		return "run_started", []member{{"pipeline", e.Pipeline}, {"resumed", e.Resumed}}
	case *event.StepStarted:
		return "step_started", []member{{"key", e.Key}, {"operation", e.Operation}}
	case *event.StepFinished:
		return "step_finished", []member{
			{"key", e.Key}, {"operation", e.Operation}, {"skipped", e.Skipped}, {"outcome", e.Outcome},
			{"sent", e.Sent}, {"replayed", e.Replayed}, {"error", e.Error}, {"took_ms", milliseconds(e.Took)},
		}
	case *event.RequestSent:
		return "request_sent", []member{
			{"key", e.Key}, {"operation", e.Operation}, {"attempt", e.Attempt}, {"method", e.Method},
			{"url", e.URL}, {"header", e.Header}, {"body", e.Body},
		}
	case *event.ResponseReceived:
		return "response_received", []member{
			{"key", e.Key}, {"operation", e.Operation}, {"status", e.Status}, {"outcome", e.Outcome},
			{"error", e.Error}, {"body", e.Body}, {"took_ms", milliseconds(e.Took)},
		}
	case *event.RetryScheduled:
		return "retry_scheduled", []member{
			{"key", e.Key}, {"operation", e.Operation}, {"attempt", e.Attempt}, {"of", e.Of},
			{"outcome", e.Outcome}, {"message", e.Message}, {"wait_ms", milliseconds(e.Wait)},
		}
	case *event.PollScheduled:
		return "poll_scheduled", []member{
			{"key", e.Key}, {"operation", e.Operation}, {"look", e.Look}, {"seen", e.Seen}, {"wait_ms", milliseconds(e.Wait)},
		}
	case *event.RowFinished:
		return "row_finished", []member{{"key", e.Key}, {"row", e.Row}, {"status", e.Status}, {"replayed", e.Replayed}, {"error", e.Error}}
	case *event.Note:
		return "note", []member{{"warning", e.Warning}, {"text", e.Text}}
	case *event.RunFinished:
		return "run_finished", []member{
			{"pipeline", e.Pipeline}, {"status", e.Status}, {"outputs", outputs(e.Outputs)},
			{"error", e.Error}, {"took_ms", milliseconds(e.Took)},
		}
	}
	panic(fmt.Sprintf("report: unknown event %T", e))
}

// encode writes an object.
func encode(members []member) []byte {
	b := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, marshal(m.name)...)
		b = append(b, ':')
		b = append(b, marshal(m.value)...)
	}
	return append(b, '}')
}

// marshal writes a value of an event, whose types are all plain ones.
func marshal(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("report: cannot encode %T: %v", v, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// outputs is a run's outputs as they stand in JSON; a run without any has {}.
func outputs(b []byte) json.RawMessage {
	if len(b) == 0 {
		return json.RawMessage("{}")
	}
	return b
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
