package history

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/state"
)

// The statuses of runs without an end, beside those of engine.Status.
const (
	Running     = "running"     // somebody works on it
	Interrupted = "interrupted" // nobody does: it was interrupted or killed
)

// A Run is what is known of a run.
type Run struct {
	ID       string
	Key      string // "" for none
	Pipeline string // its path, or the name of an operation that was called by itself
	Status   string
	Began    time.Time
	Ended    time.Time // zero while it has not
	// Inputs are by name how each input was given.
	Inputs map[string]Input
	// Outputs are a JSON object without secrets; nil while there are none.
	Outputs json.RawMessage
	// Error is why it did not succeed; may be nil.
	Error *event.Failure
	// Files are those it was started from, path to digest.
	Files map[string]string
}

// An Input is how an input was given: as a value, as a file, or in a way that is not recorded.
type Input struct {
	Value  json.RawMessage `json:"value,omitempty"`
	File   string          `json:"file,omitempty"`
	Digest string          `json:"digest,omitempty"`
	// Default says that the file is the pipeline's own.
	Default bool `json:"default,omitempty"`
	// Secret inputs and Rows that came from no file are not recorded.
	Secret bool `json:"secret,omitempty"`
	Rows   bool `json:"rows,omitempty"`
}

// Find returns the record of the run with this id, or else with this key. That
// there is none is a diag.List with the nearest id.
func Find(ctx context.Context, s state.Runs, id string) (state.Run, error) {
	run, known, err := s.Run(ctx, id)
	if err == nil && !known && id != "" {
		run, known, err = s.RunByKey(ctx, id)
	}
	if err != nil || known {
		return run, err
	}
	runs, err := s.Runs(ctx, 0)
	if err != nil {
		return run, err
	}
	var ids []string
	for _, r := range runs {
		ids = append(ids, r.ID)
		if r.Key != "" {
			ids = append(ids, r.Key)
		}
	}
	d := &diag.Diagnostic{Code: "unknown-run", Message: fmt.Sprintf("there is no run %s", id)}
	switch near := diag.Nearest(id, ids); {
	case len(ids) == 0:
		d.Hint = "this state knows no run at all: is it the right one?"
	case near != "":
		d.Hint = "did you mean " + near + "?"
	default:
		d.Hint = "the last one is " + ids[0]
	}
	return run, diag.List{d}
}

// List returns the runs that began last, newest first, at most limit of them; 0 for all.
func List(ctx context.Context, s state.Store, limit int) ([]Run, error) {
	records, err := s.Runs(ctx, limit)
	if err != nil {
		return nil, err
	}
	runs := make([]Run, len(records))
	for i, r := range records {
		if runs[i], err = describe(ctx, s, r); err != nil {
			return nil, err
		}
	}
	return runs, nil
}

// Sandboxed reports whether the state belongs to an environment of sandboxes, so that its runs are resumed with sandboxes only.
func Sandboxed(ctx context.Context, s state.Tables) (bool, error) {
	for row, err := range s.Values(ctx, state.Connections) {
		if err != nil {
			return false, err
		}
		var site struct {
			At string `json:"at"`
		}
		if err := json.Unmarshal(row.Value, &site); err != nil {
			return false, fmt.Errorf("the record of connection %s is broken: %w", row.Key, err)
		}
		if !strings.Contains(site.At, "://") {
			return true, nil
		}
	}
	return false, nil
}

func describe(ctx context.Context, s state.Store, r state.Run) (Run, error) {
	run := Run{ID: r.ID, Key: r.Key, Pipeline: r.Pipeline, Status: r.Status, Began: r.Began, Ended: r.Ended, Files: r.Files}
	if err := json.Unmarshal([]byte(masked(string(r.Inputs))), &run.Inputs); err != nil {
		return run, fmt.Errorf("the record of what run %s was started with is broken: %w", r.ID, err)
	}
	delete(run.Inputs, ".") // the folders
	if r.Outcome != nil {
		var outcome struct {
			Outputs json.RawMessage `json:"outputs"`
			Error   *event.Failure  `json:"error"`
		}
		if err := json.Unmarshal([]byte(masked(string(r.Outcome))), &outcome); err != nil {
			return run, fmt.Errorf("the record of what run %s came to is broken: %w", r.ID, err)
		}
		run.Outputs, run.Error = outcome.Outputs, outcome.Error
	}
	if !r.Ended.IsZero() {
		return run, nil
	}
	unlock, free, err := s.TryLock(ctx, state.RunLock(r.ID))
	switch {
	case err != nil:
		return run, fmt.Errorf("cannot find out whether run %s is alive: %w", r.ID, err)
	case free:
		unlock()
		run.Status = Interrupted
	default:
		run.Status = Running
	}
	return run, nil
}
