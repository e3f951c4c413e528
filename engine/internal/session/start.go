package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/state"
)

// A job is a run that is about to be walked.
type job struct {
	target      *target
	order       Order
	in          *Inputs
	outDir      string // "" for none
	connections map[string]*call.Connection
	newcomers   *newcomers // among them
	run         state.Run
	resumed     bool
	doubted     time.Time // since when the run's reads are asked for anew; zero: none
	warnings    diag.List
	gate        *redact.Gate // knows the secrets of inputs and connections
}

// Pipeline runs the pipeline at path, and Call makes one call of
// "vendor.operation"; its secret outputs are left out. Inputs, connections
// and output files are checked before anything is sent; what is wrong with
// them is a diag.List. The run under the order's key, if there is one, is taken up
// again in place of a new one.
func (w *World) Pipeline(ctx context.Context, path string, o Order) (*End, error) {
	t, faults := w.pipelineTarget(path)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return w.begin(ctx, t, o)
}

// Call is described with Pipeline.
func (w *World) Call(ctx context.Context, name string, o Order) (*End, error) {
	t, faults := w.operationTarget(name)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return w.begin(ctx, t, o)
}

func (w *World) begin(ctx context.Context, t *target, o Order) (*End, error) {
	in, faults := BindInputs(ctx, t.inputs, o.Given, w.Project.FS())
	defer in.Close()
	j := &job{target: t, order: o, in: in, warnings: faults}
	if o.OutDir != nil {
		j.outDir = *o.OutDir
	}
	if faults.HasErrors() { // all that is wrong is told at once
		return nil, append(faults, w.reach(j)...).Err()
	}
	if end, known, err := w.underKey(ctx, j); known || err != nil {
		return end, err
	}
	if err := w.prepare(ctx, j); err != nil {
		return nil, err
	}
	j.run = state.Run{
		ID:       w.newRunID(),
		Key:      o.Key,
		Pipeline: t.name,
		Files:    t.files,
		Inputs:   newStart(in, o.OutDir).encode(),
		Began:    w.clock().Now().UTC(),
	}
	release, err := w.own(ctx, j.run.ID)
	if err != nil {
		return nil, err
	}
	defer release()
	err = w.guard(j).Begin(ctx, j.run)
	if errors.Is(err, state.ErrKeyTaken) { // at this moment
		end, _, err := w.underKey(ctx, j)
		return end, err
	}
	if err != nil {
		return nil, stateFault("a run cannot be recorded", err)
	}
	return w.walk(ctx, j), nil
}

// underKey takes up the run that has the job's key already, if there is one.
func (w *World) underKey(ctx context.Context, j *job) (end *End, known bool, err error) {
	if j.order.Key == "" {
		return nil, false, nil
	}
	run, known, err := w.State.RunByKey(ctx, j.order.Key)
	if err != nil || !known {
		return nil, false, stateFault("the runs cannot be read", err)
	}
	was, err := w.startOf(run, j.target, j.order.Given)
	if err != nil {
		return nil, true, stateFault("the run cannot be taken up", err)
	}
	var other []string
	if run.Pipeline != j.target.name {
		other = []string{"it ran " + run.Pipeline}
	} else {
		other = was.differences(newStart(j.in, nil))
	}
	if len(other) > 0 {
		return nil, true, diag.List{{
			Code:    "key-taken",
			Message: fmt.Sprintf("the key %s is that of run %s, which is another one: %s", j.order.Key, run.ID, strings.Join(other, "; ")),
			Hint:    "give this run a key of its own",
		}}
	}
	end, err = w.takeUp(ctx, j, run)
	return end, true, err
}

// prepare does what must be done before a run begins, and sends nothing.
func (w *World) prepare(ctx context.Context, j *job) error {
	reached := w.reach(j)
	if err := reached.Err(); err != nil {
		return err
	}
	j.warnings = append(j.warnings, reached...)
	j.gate = w.gateOf(j.connections)
	call.HideInputs(j.gate, j.target.inputs.Params, j.in.Values)
	fresh, faults, err := strangers(ctx, w.State, sitesOf(j.connections, w.Connections), j.order.Moved)
	if err != nil {
		return stateFault("the connections cannot be compared with those of earlier runs", err)
	}
	j.newcomers = newNewcomers(w.State, fresh, j.order.Moved)
	j.warnings = append(append(diag.List{}, w.Warnings...), j.warnings...)
	return faults.Err()
}

// gateOf returns the gate of a run, which knows the secrets of its connections.
func (w *World) gateOf(connections map[string]*call.Connection) *redact.Gate {
	gate := redact.NewGate()
	if w.Stage != nil {
		gate = w.Stage.Gate
	}
	for _, c := range connections {
		call.HideConfig(gate, c)
	}
	return gate
}

// reach finds out whether the job has what it needs of the world: its
// connections, and files that can be written.
func (w *World) reach(j *job) (faults diag.List) {
	j.connections, faults = Connect(j.target.connections, w.Connections)
	if j.target.pipeline != nil {
		faults = append(faults, CanWrite(j.outDir, j.target.pipeline)...)
	}
	return faults
}

// patience is how long the lock of a run is tried: longer than whoever lists the runs
// holds it to find out whether the run is alive, and than a process that was killed takes to go.
const patience = time.Second

// own takes the lock of a run; who has it works on the run.
func (w *World) own(ctx context.Context, id string) (release func(), err error) {
	for began := time.Now(); ; {
		release, free, err := w.State.TryLock(ctx, state.RunLock(id))
		switch {
		case err != nil:
			return nil, stateFault("the run cannot be locked", err)
		case free:
			return release, nil
		case time.Since(began) >= patience:
			return nil, diag.List{{Code: "run-alive",
				Message: fmt.Sprintf("run %s is going on at this moment", id),
				Hint:    "wait until it has ended"}}
		}
		select {
		case <-ctx.Done():
			return nil, stateFault("the run cannot be locked", context.Cause(ctx))
		case <-time.After(patience / 20):
		}
	}
}

// stateFault is a fault of the state, nil for nil.
func stateFault(what string, err error) error {
	if err == nil {
		return nil
	}
	return diag.List{{Code: "state", Message: what + ": " + err.Error(), Hint: "nothing was sent", Err: err}}
}
