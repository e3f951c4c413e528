package interp

import (
	"errors"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Failure is why a step, and with it perhaps the run, did not succeed.
type Failure struct {
	// Code is a stable word: "failed" (the pipeline said so), "refused" (the
	// vendor did), "ambiguous", "login-failed", "invalid-input", "eval-error", …
	Code string
	// Step is the step's key within the run.
	Step string
	// Operation is "connection.operation", "" for steps that call none.
	Operation string
	Outcome   flow.Outcome
	// Status and Body are those of the vendor's answer; 0 and nil where there was none.
	Status  int
	Body    value.Value
	Message string
	Hint    string
	// Ambiguous says that a create may or may not have happened.
	Ambiguous bool
	// Fatal ends the run whatever on_error says.
	Fatal bool
	// Err is the cause, such as a *diag.Diagnostic with a place; may be nil.
	Err error

	// late is the step whose timeout it was; "" for other failures.
	late flow.Key
	at   flow.Key // where that step was then
	told bool     // the account of it is complete
	// call and result are the call that failed; nil for other failures.
	call   *flow.CallRequest
	result flow.Result
}

// Error returns operation, outcome and message.
func (f *Failure) Error() string {
	var parts []string
	if f.Operation != "" {
		parts = append(parts, f.Operation)
	}
	if f.Outcome != "" {
		parts = append(parts, string(f.Outcome))
	}
	return strings.Join(append(parts, f.Message), ": ")
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// evalFailure is the failure of an expression below a step. A diagnostic keeps
// its place.
func (w *walker) evalFailure(key flow.Key, where string, err error) error {
	f := &Failure{Code: "eval-error", Step: string(key), Message: where + ": " + err.Error(), Err: err}
	var d *diag.Diagnostic
	if errors.As(err, &d) {
		f.Message, f.Hint = d.Error(), d.Hint
	}
	return f
}

func invalidInput(key flow.Key, what string, bad []schema.Violation) *Failure {
	return &Failure{
		Code:      "invalid-input",
		Step:      string(key),
		Operation: what,
		Outcome:   flow.Invalid,
		Message:   violationText(bad),
		Hint:      "nothing was sent",
	}
}

// stopped says where the run was when the runtime could not go on: it was
// interrupted, or the engine itself failed. A *Failure stays what it is.
func (w *walker) stopped(key flow.Key, err error) error {
	var f *Failure
	if errors.As(err, &f) {
		return err
	}
	stopped := &Failure{Code: codeInternal, Step: string(key), Message: err.Error(), Fatal: true, Err: err}
	var fault *flow.StateError
	switch cause := w.rt.Interrupted(); {
	case cause != nil && errors.Is(err, cause):
		stopped.Code, stopped.Message = codeInterrupted, "stopped: "+err.Error()
	case errors.As(err, &fault):
		stopped.Code, stopped.Hint = codeState, "put the state right and resume the run: what is on record is not done again"
	}
	return stopped
}

// Codes that the interpreter looks at itself.
const (
	codeInternal    = "internal"
	codeInterrupted = "interrupted"
	codeState       = "state"
	codeTimeout     = "timeout"
)

func violationText(bad []schema.Violation) string {
	texts := make([]string, len(bad))
	for i, v := range bad {
		texts[i] = strings.TrimPrefix(v.Path+": "+v.Message, ": ")
	}
	return strings.Join(texts, "; ")
}

// passable returns the failure that on_error may handle; nil for those that
// may not be passed over: an interrupt, a login that failed for good, a create of
// unknown outcome, and the end of a timeout that holds for more than the step.
func (w *walker) passable(err error) *Failure {
	var f *Failure
	if !errors.As(err, &f) || f.Fatal || f.Ambiguous || f.late != "" && w.clock.isOf(f.late) {
		return nil
	}
	return f
}
