package redact

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/event"
)

// Sink returns a sink that masks every text of every event before next sees it.
// Headers that carry credentials are masked whatever they hold. The events
// given to it are not changed.
func (g *Gate) Sink(next event.Sink) event.Sink { return sink{g, next} }

type sink struct {
	gate *Gate
	next event.Sink
}

var _ event.Detailed = sink{}

// Details passes on what the next sink says.
func (s sink) Details() bool { return event.WantsDetails(s.next) }

// Emit masks a copy of e. The switch names every field, so that no reflection
// decides what leaves the house; a test holds it against the event types.
func (s sink) Emit(e event.Event) {
	text := s.gate.Text
	var out event.Event
	switch e := e.(type) {
	case *event.RunStarted:
		c := *e
		c.Pipeline = text(c.Pipeline)
		out = &c
	case *event.StepStarted:
		c := *e
		c.Key, c.Operation = text(c.Key), text(c.Operation)
		out = &c
	case *event.StepFinished:
		c := *e
		c.Key, c.Operation = text(c.Key), text(c.Operation)
		c.Outcome, c.Error = text(c.Outcome), text(c.Error)
		out = &c
	case *event.RequestSent:
		c := *e
		c.Key, c.Operation = text(c.Key), text(c.Operation)
		c.Method, c.URL, c.Body = text(c.Method), text(c.URL), text(c.Body)
		c.Header = s.gate.Header(c.Header)
		out = &c
	case *event.ResponseReceived:
		c := *e
		c.Key, c.Operation = text(c.Key), text(c.Operation)
		c.Outcome, c.Error, c.Body = text(c.Outcome), text(c.Error), text(c.Body)
		out = &c
	case *event.RetryScheduled:
		c := *e
		c.Key, c.Operation = text(c.Key), text(c.Operation)
		c.Outcome, c.Message = text(c.Outcome), text(c.Message)
		out = &c
	case *event.PollScheduled:
		c := *e
		c.Key, c.Operation, c.Seen = text(c.Key), text(c.Operation), text(c.Seen)
		out = &c
	case *event.RowFinished:
		c := *e
		c.Key, c.Row = text(c.Key), text(c.Row)
		c.Status, c.Error = text(c.Status), text(c.Error)
		out = &c
	case *event.Note:
		c := *e
		c.Text = text(c.Text)
		out = &c
	case *event.RunFinished:
		c := *e
		c.Pipeline, c.Status = text(c.Pipeline), text(c.Status)
		if c.Outputs != nil {
			c.Outputs = s.gate.JSON(c.Outputs)
		}
		c.Error = s.failure(c.Error)
		out = &c
	default:
		panic(fmt.Sprintf("redact: %T is not an event of the closed set", e))
	}
	head := event.HeadOf(out)
	head.Run = text(head.Run)
	s.next.Emit(out)
}

func (s sink) failure(f *event.Failure) *event.Failure {
	if f == nil {
		return nil
	}
	text := s.gate.Text
	return &event.Failure{
		Code:      text(f.Code),
		Step:      text(f.Step),
		Operation: text(f.Operation),
		Outcome:   text(f.Outcome),
		Message:   text(f.Message),
		Hint:      text(f.Hint),
	}
}

// Header returns a masked copy of h, nil for nil. Of the headers that carry
// credentials only the name stays.
func (g *Gate) Header(h map[string]string) map[string]string {
	if h == nil {
		return nil
	}
	out := make(map[string]string, len(h))
	for name, v := range h {
		if IsCredential(name) {
			v = Mask
		}
		out[g.Text(name)] = g.Text(v)
	}
	return out
}
