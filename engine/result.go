package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/interp"
)

// Status is how a run ended.
type Status string

// The statuses. Invalid runs never began: a file or an input is wrong.
const (
	Succeeded   Status = "succeeded"
	Failed      Status = "failed"
	Partial     Status = "partial"   // finished, with rows that failed
	Ambiguous   Status = "ambiguous" // a create may or may not have happened: a person must look
	Invalid     Status = "invalid"
	Interrupted Status = "interrupted"
)

// ExitCode returns the code that a command ends with.
func (s Status) ExitCode() int {
	switch s {
	case Succeeded:
		return 0
	case Invalid:
		return 2
	case Partial:
		return 3
	case Ambiguous:
		return 4
	case Interrupted:
		return 130
	}
	return 1
}

// A Result is what a run came to.
type Result struct {
	RunID    string
	Pipeline string
	Status   Status
	// Outputs are the pipeline's outputs: plain Go values, exact decimals as
	// json.Number. An output that went to a file is {"file": path, "rows": n}. Empty when the run failed.
	Outputs map[string]any
}

// An Error is why a run did not succeed.
type Error struct {
	Status  Status
	Failure event.Failure
	// Err is the cause; may be nil.
	Err error
}

// Error returns operation, outcome and message.
func (e *Error) Error() string {
	var parts []string
	for _, part := range []string{e.Failure.Operation, e.Failure.Outcome, e.Failure.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// errTimeout is the cause of a run that took longer than it may.
var errTimeout = errors.New("the run took longer than its timeout allows")

// failure turns what ended a run into status and account.
func failure(err error, interrupted bool) *Error {
	e := &Error{Status: Failed, Err: err, Failure: event.Failure{Code: "internal", Message: err.Error()}}
	var f *interp.Failure
	if errors.As(err, &f) {
		e.Failure = event.Failure{
			Code:      f.Code,
			Step:      f.Step,
			Operation: f.Operation,
			Outcome:   string(f.Outcome),
			Message:   f.Message,
			Hint:      f.Hint,
		}
		if f.Ambiguous {
			e.Status = Ambiguous
		}
	}
	switch {
	case errors.Is(err, errTimeout):
		e.Failure.Code = "timeout"
	case interrupted:
		e.Status = Interrupted
	}
	return e
}

// tallied returns the status of a run that came to its end, and its error when rows are ambiguous.
func tallied(t flow.Tally) (Status, *Error) {
	switch {
	case t.Ambiguous > 0:
		return Ambiguous, &Error{Status: Ambiguous, Failure: event.Failure{
			Code:    "ambiguous",
			Outcome: string(flow.Unknown),
			Message: fmt.Sprintf("of %d rows it is not known whether their create happened; the results name them", t.Ambiguous),
			Hint:    "look at the vendor before anything creates them anew",
		}}
	case t.Failed > 0:
		return Partial, nil
	}
	return Succeeded, nil
}
