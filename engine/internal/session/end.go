package session

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/interp"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Status is how a run ended.
type Status string

// The statuses of runs that began. Where several hold, the one that asks most
// of a person counts: Interrupted, Ambiguous, Failed, Partial.
const (
	Succeeded   Status = "succeeded"
	Failed      Status = "failed"
	Partial     Status = "partial"
	Ambiguous   Status = "ambiguous"
	Interrupted Status = "interrupted"
)

// An End is what a run came to.
type End struct {
	RunID string
	// Name is the pipeline's path, or that of the operation.
	Name    string
	Status  Status
	Outputs *value.Object // never nil
	// Failure is why the run did not succeed, masked; nil when Succeeded or Partial.
	Failure *event.Failure
	// Err is the cause, masked; may be nil.
	Err error
}

// end puts what ended the run, and how its rows did, into a status and an
// account, and records it.
func (s *session) end(ctx context.Context, outputs *value.Object, rows flow.Tally, err error) *End {
	if outputs == nil {
		outputs = value.NewObject(0)
	}
	e := &End{RunID: s.run.ID, Name: s.target.name, Status: Succeeded, Outputs: outputs, Err: maskedError(s.gate, err)}
	switch {
	case err != nil:
		e.Status, e.Failure = failed(ctx, err)
		if rows.Ambiguous > 0 && e.Status == Failed {
			e.Status = Ambiguous
			e.Failure.Message += "; also, " + ambiguousRows(rows.Ambiguous)
		}
	case rows.Ambiguous > 0:
		e.Status = Ambiguous
		e.Failure = &event.Failure{
			Code:    "ambiguous",
			Outcome: string(flow.Unknown),
			Message: ambiguousRows(rows.Ambiguous) + ". See the results of the rows",
			Hint:    s.howToSettle(),
		}
	case rows.Failed > 0:
		e.Status = Partial
	}
	if f := e.Failure; f != nil {
		f.Step, f.Message, f.Hint = s.gate.Text(f.Step), s.gate.Text(f.Message), s.gate.Text(f.Hint)
	}
	s.recordEnd(ctx, e, rows)
	return e
}

// recordEnd records what the run came to. An interrupted run has not ended.
func (s *session) recordEnd(ctx context.Context, e *End, rows flow.Tally) {
	run := s.run
	run.Status = string(e.Status)
	run.Outcome = encodeOutcome(value.AppendJSON(nil, e.Outputs), e.Failure, rows)
	if e.Status != Interrupted {
		run.Ended = s.clock.Now().UTC()
	}
	err := s.state.Update(context.WithoutCancel(ctx), run)
	switch {
	case err == nil:
	case e.Failure == nil:
		e.Status, e.Err = Failed, err
		e.Failure = &event.Failure{Code: "state", Message: "all steps are done, but that could not be recorded: " + err.Error(),
			Hint: "resume the run to have it recorded: nothing is sent twice"}
	case strings.Contains(e.Failure.Message, err.Error()):
		e.Failure.Message += "; nor could the end of the run be recorded"
	default:
		e.Failure.Message += "; besides, the end of the run could not be recorded: " + err.Error()
	}
}

func failed(ctx context.Context, err error) (Status, *event.Failure) {
	account := &event.Failure{Code: "internal", Message: err.Error()}
	status := Failed
	var f *interp.Failure
	if errors.As(err, &f) {
		account = &event.Failure{
			Code:      f.Code,
			Step:      f.Step,
			Operation: f.Operation,
			Outcome:   string(f.Outcome),
			Message:   f.Message,
			Hint:      f.Hint,
		}
		if f.Ambiguous {
			status = Ambiguous
		}
	}
	switch {
	case errors.Is(err, flow.ErrTimeout):
		account.Code = "timeout"
	case ctx.Err() != nil && context.Cause(ctx) != flow.ErrTimeout:
		status = Interrupted
	}
	return status, account
}

// howToSettle is what a person does about ambiguous creates of the run.
func (s *session) howToSettle() string {
	if command := s.resume.Of(s.run.ID); command != "" {
		return "check at the vendor, then settle each create: " + command + " --settle 'KEY=absent', or 'KEY=done:JSON'"
	}
	return "check at the vendor, then settle each create"
}

func ambiguousRows(n int) string {
	if n == 1 {
		return "1 row is ambiguous: its create may or may not have reached the vendor"
	}
	return fmt.Sprintf("%d rows are ambiguous: their creates may or may not have reached the vendor", n)
}

// maskedError returns err with its text masked; what it wraps stays to be found with errors.Is and errors.As.
func maskedError(gate *redact.Gate, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if shown := gate.Text(text); shown != text {
		return &masked{text: shown, cause: err}
	}
	return err
}

type masked struct {
	text  string
	cause error
}

func (m *masked) Error() string { return m.text }
func (m *masked) Unwrap() error { return m.cause }
