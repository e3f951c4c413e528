package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/history"
	"github.com/seed627bd532/runner/engine/internal/local"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// Resume takes the run with this id, or else with this key, up where it stopped. Of one that is done it tells
// the recorded outputs, and sends nothing. What keeps a run from going on is a diag.List.
func (w *World) Resume(ctx context.Context, id string, o Order) (*End, error) {
	run, err := w.find(ctx, id)
	if err != nil {
		return nil, err
	}
	if isDone(run) {
		return w.again(ctx, run, o)
	}
	t, faults := w.recordedTarget(run.Pipeline)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	was, err := w.startOf(run, t, o.Given)
	if err != nil {
		return nil, stateFault("the run cannot be taken up", err)
	}
	given, missing := was.given(o.Given)
	if err := missing.Err(); err != nil {
		return nil, err
	}
	in, faults := BindInputs(ctx, t.inputs, given, w.Project.FS())
	defer in.Close()
	j := &job{target: t, order: o, in: in, warnings: faults}
	switch {
	case o.OutDir != nil:
		j.outDir = *o.OutDir
	case was.outDir != nil:
		j.outDir = was.path(*was.outDir)
	}
	if faults.HasErrors() {
		return nil, append(faults, w.reach(j)...).Err()
	}
	return w.takeUp(ctx, j, run)
}

// takeUp goes on with a run, or tells again what it came to.
func (w *World) takeUp(ctx context.Context, j *job, run state.Run) (*End, error) {
	if isDone(run) {
		return w.again(ctx, run, j.order)
	}
	release, err := w.own(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	defer release()
	// Whoever had the lock before may have brought it to its end.
	run, err = w.find(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	if isDone(run) {
		return w.again(ctx, run, j.order)
	}
	if err := w.unchanged(j, run); err != nil {
		return nil, err
	}
	if err := w.prepare(ctx, j); err != nil {
		return nil, err
	}
	if err := w.settle(ctx, run.ID, j); err != nil {
		return nil, err
	}
	if j.doubted, err = w.doubted(ctx, run); err != nil {
		return nil, err
	}
	outDir := &j.outDir
	if j.outDir == "" {
		outDir = nil
	}
	run.Files, run.Inputs = j.target.files, newStart(j.in, outDir).encode()
	run.Ended, run.Status, run.Outcome = time.Time{}, "", nil
	if err := w.guard(j).Update(ctx, run); err != nil {
		return nil, stateFault("the run cannot be recorded", err)
	}
	j.run, j.resumed = run, true
	return w.walk(ctx, j), nil
}

// doubted returns since when the reads of a run are asked for anew. A run that gave up because of what
// it had read would but give up again, if it were told the same. Only what was read after
// all that it wrote is in doubt: the rest has led to something.
func (w *World) doubted(ctx context.Context, run state.Run) (time.Time, error) {
	if run.Status != string(Failed) || !slices.Contains([]string{"failed", "poll-failed", "eval-error", "invalid-input"}, recordedCode(run)) {
		return time.Time{}, nil
	}
	entries, err := w.State.Entries(ctx, run.ID)
	if err != nil {
		return time.Time{}, stateFault("the run cannot be taken up", err)
	}
	since := time.Unix(0, 0)
	for _, e := range entries {
		if local.Wrote(e) && e.At.After(since) {
			since = e.At
		}
	}
	return since, nil
}

// unchanged refuses a run whose files or inputs are not those of its record,
// unless the order accepts that; it is told then.
func (w *World) unchanged(j *job, run state.Run) error {
	was, err := w.startOf(run, j.target, j.order.Given)
	if err != nil {
		return stateFault("the run cannot be taken up", err)
	}
	changes := append(changedFiles(run.Files, j.target.files), was.differences(newStart(j.in, nil))...)
	if len(changes) == 0 {
		return nil
	}
	what := strings.Join(changes, "; ")
	if !j.order.AcceptChanges {
		return diag.List{{
			Code:    "changed-files",
			Message: fmt.Sprintf("run %s cannot go on as it began: %s", run.ID, what),
			Hint:    "put back what was there, or resume the run with --accept-changes to go on with what is there now",
		}}
	}
	j.warnings.Add(&diag.Diagnostic{Severity: diag.Warning, Code: "changed-files", Message: "accepted: " + what})
	return nil
}

// again tells what a run came to that is done.
func (w *World) again(ctx context.Context, run state.Run, o Order) (*End, error) {
	if len(o.Settle) > 0 {
		return nil, diag.List{{Code: "nothing-to-settle", Message: fmt.Sprintf("run %s is done, so that there is nothing to settle", run.ID)}}
	}
	outputs, err := recordedOutputs(run)
	if err != nil {
		return nil, stateFault("the result of the run cannot be read", err)
	}
	was, err := decodeStart(run)
	if err != nil {
		return nil, stateFault("the result of the run cannot be read", err)
	}
	rt := local.New(ctx, local.Options{RunID: run.ID, Events: w.Events}) // numbers and dates events
	rt.Emit(&event.RunStarted{Pipeline: run.Pipeline, Resumed: true})
	rt.Emit(&event.Note{Text: fmt.Sprintf("the run finished at %s: nothing is sent, these are its recorded outputs",
		run.Ended.UTC().Format(time.RFC3339))})
	for _, name := range missingFiles(was, outputs) {
		rt.Emit(&event.Note{Warning: true, Text: fmt.Sprintf("the file %s, which the run wrote, no longer exists; it is not written again", name)})
	}
	rt.Emit(&event.RunFinished{Pipeline: run.Pipeline, Status: run.Status, Outputs: value.AppendJSON(nil, outputs)})
	return &End{RunID: run.ID, Name: run.Pipeline, Status: Status(run.Status), Outputs: outputs}, nil
}

// missingFiles returns the files among the outputs that are there no more.
func missingFiles(was start, outputs *value.Object) []string {
	var missing []string
	for _, v := range outputs.All() {
		o, _ := v.(*value.Object)
		name, isFile := o.At("file").(string)
		if _, hasRows := o.At("rows").(int64); !isFile || !hasRows || o.Len() != 2 {
			continue
		}
		if _, err := os.Stat(was.path(name)); errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, name)
		}
	}
	return missing
}

// find returns the record of a run.
func (w *World) find(ctx context.Context, id string) (state.Run, error) {
	run, err := history.Find(ctx, w.State, id)
	var faults diag.List
	if err != nil && !errors.As(err, &faults) {
		err = stateFault("the run cannot be read", err)
	}
	return run, err
}

// isDone reports whether there is nothing left to do for a run.
func isDone(r state.Run) bool {
	return !r.Ended.IsZero() && (r.Status == string(Succeeded) || r.Status == string(Partial))
}
