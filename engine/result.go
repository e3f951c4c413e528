package engine

import (
	"strings"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/session"
	"github.com/seed627bd532/runner/engine/internal/value"
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
	RunID string
	// Pipeline is the path of the pipeline, or the name of the operation of a Call.
	Pipeline string
	Status   Status
	// Outputs are the pipeline's outputs: plain Go values, exact decimals as
	// json.Number. An output that went to a file is
	// {"file": path, "rows": n}. Empty when a step failed. Where a vendor repeated a secret, ••• stands in its place.
	Outputs map[string]any
}

// An Error is why a run did not succeed.
type Error struct {
	Status  Status
	Failure event.Failure
	// Err is the cause, for errors.Is and errors.As; may be nil.
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

// result turns the end of a run into what the caller gets.
func result(end *session.End, err error) (*Result, error) {
	if err != nil {
		return nil, err
	}
	outputs, _ := value.ToGo(end.Outputs).(map[string]any)
	res := &Result{RunID: end.RunID, Pipeline: end.Name, Status: Status(end.Status), Outputs: outputs}
	if end.Failure == nil {
		return res, nil
	}
	return res, &Error{Status: res.Status, Failure: *end.Failure, Err: end.Err}
}
