// Package event tells the story of a run as a stream of values. The console,
// the reports and the result are folds over it.
package event

import (
	"slices"
	"time"
)

// An Event is one of the types below. The set is closed.
type Event interface{ head() *Head }

// Head is common to all events. The engine fills it in.
type Head struct {
	// Seq counts the events of a run from 1.
	Seq uint64
	At  time.Time
	Run string
}

func (h *Head) head() *Head { return h }

// HeadOf returns the event's head, to read or (for the engine) to fill in.
func HeadOf(e Event) *Head { return e.head() }

// A Sink receives events in order, one at a time, already redacted. It must
// not keep or change an event after Emit returns, and cannot fail a run.
type Sink interface{ Emit(Event) }

// Detailed is what a Sink may also be, to say whether it looks at headers and
// bodies. Where nobody does they are not made, and requests and answers are told
// of without them. A Sink that does not say is taken to look.
type Detailed interface {
	// Details gives the same answer as long as the sink lives.
	Details() bool
}

// WantsDetails reports whether headers and bodies are worth making for s, which may be nil.
func WantsDetails(s Sink) bool {
	if d, ok := s.(Detailed); ok {
		return d.Details()
	}
	return s != nil
}

// RunStarted opens a run, also one that is taken up again.
type RunStarted struct {
	Head
	Pipeline string
	Resumed  bool
}

// StepStarted opens a step that is not skipped.
type StepStarted struct {
	Head
	Key       string // the step's key within the run: "each[PT1]/create"
	Operation string // "intcomex.create_company", "" for steps that call nothing
}

// StepFinished closes a step. Skipped steps have only this event.
type StepFinished struct {
	Head
	Key       string
	Operation string
	Skipped   bool
	Outcome   string // of a call; "" otherwise
	Sent      bool
	// Replayed says that this was done before the run was taken up again.
	Replayed bool
	Error    string // "" when the step succeeded
	Took     time.Duration
}

// RequestSent tells of one HTTP request. Header and Body are for --verbose,
// shortened and masked; they are empty where no sink wants details.
type RequestSent struct {
	Head
	Key       string
	Operation string
	Creates   bool // its answer is waited for, also when the run is interrupted
	Attempt   int
	Method    string
	URL       string
	Header    map[string]string
	Body      string
}

// ResponseReceived tells of its answer, or of the error in its place. Body is
// empty where no sink wants details.
type ResponseReceived struct {
	Head
	Key       string
	Operation string
	Status    int    // 0 when there was no answer
	Outcome   string // as classified
	Error     string // transport error, "" otherwise
	Body      string // shortened and masked
	Took      time.Duration
}

// RetryScheduled tells that a call is made again after Wait.
type RetryScheduled struct {
	Head
	Key       string
	Operation string
	Attempt   int // the attempt that failed, from 1
	Of        int
	Outcome   string
	Message   string
	Wait      time.Duration
}

// PollScheduled tells that a step waits for something at the vendor, and looks again after Wait.
type PollScheduled struct {
	Head
	Key       string
	Operation string
	Look      int    // how often it has looked, from 1
	Seen      string // what it saw, shortened
	Wait      time.Duration
}

// RowFinished closes one row of a foreach.
type RowFinished struct {
	Head
	Key    string // the foreach step's key
	Row    string // the row's key
	Status string // done | failed | ambiguous | skipped
	// Replayed says that the row was done before the run was taken up again.
	Replayed bool
	Error    string
}

// Note carries a sentence for people.
type Note struct {
	Head
	Warning bool
	Text    string
}

// RunFinished closes a run.
type RunFinished struct {
	Head
	Pipeline string
	Status   string // succeeded | failed | partial | ambiguous | interrupted
	// Outputs are the run's outputs as JSON; an output written to a file stands as {"file","rows"}.
	Outputs []byte
	Error   *Failure
	Took    time.Duration
}

// Failure is why a run did not succeed.
type Failure struct {
	Code      string `json:"code"`
	Step      string `json:"step"`
	Operation string `json:"operation"`
	Outcome   string `json:"outcome"`
	Message   string `json:"message"`
	Hint      string `json:"hint"`
}

// Fan returns a sink that passes every event to all sinks in turn; nil sinks are left out.
func Fan(sinks ...Sink) Sink {
	var f fan
	for _, s := range sinks {
		if s != nil {
			f = append(f, s)
		}
	}
	return f
}

type fan []Sink

var _ Detailed = fan(nil)

// Details reports whether any of the sinks wants them.
func (f fan) Details() bool { return slices.ContainsFunc(f, WantsDetails) }

func (f fan) Emit(e Event) {
	for _, s := range f {
		s.Emit(e)
	}
}
