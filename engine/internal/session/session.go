package session

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/interp"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/local"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/statetable"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// A session is one walk of a run.
type session struct {
	*job
	state    state.Store
	gate     *redact.Gate
	events   event.Sink // masks; nil when nobody listens
	executor flow.Executor
	resume   flow.ResumeCommand
	clock    clock.Clock
}

func (w *World) session(j *job) *session {
	gate := j.gate
	var wire call.Wire
	if w.Stage != nil {
		wire = w.Stage.Wire
	}
	kept := w.guard(j)
	kinds := auth.Builtin()
	maps.Copy(kinds, w.Auth)
	var events event.Sink
	if w.Events != nil {
		events = gate.Sink(w.Events)
	}
	return &session{
		job:    j,
		state:  kept,
		gate:   gate,
		events: events,
		resume: w.ResumeCommand,
		clock:  w.clock(),
		executor: statetable.New(statetable.Options{
			Tables:   kept,
			Runs:     kept,
			Declared: j.target.tables,
			Next: call.New(call.Options{
				Connections: j.connections,
				Client:      w.Client,
				Gate:        gate,
				Auth:        kinds,
				Tokens:      w.Tokens,
				Locks:       w.Locks,
				Clock:       w.clock(),
				Traffic:     w.Traffic,
				Wire:        wire,
				Answered:    j.newcomers.answered,
			}),
		}),
	}
}

// guard returns the state as the job may use it.
func (w *World) guard(j *job) *guard {
	return &guard{Store: w.State, gate: j.gate, connections: j.connections, shown: j.target.pipeline == nil}
}

// newRunID returns an id that sorts by time and is unique beyond machines.
func (w *World) newRunID() string {
	if w.Stage != nil {
		return w.Stage.RunID
	}
	var b [4]byte
	rand.Read(b[:])
	return time.Now().UTC().Format("20060102-150405-") + hex.EncodeToString(b[:])
}

// walk walks a run that is recorded, and records what it came to.
func (w *World) walk(ctx context.Context, j *job) *End {
	s := w.session(j)
	if t := j.order.Timeout; t > 0 {
		var cancel context.CancelFunc
		ctx, cancel = clock.WithTimeout(ctx, w.clock(), t, flow.ErrTimeout)
		defer cancel()
	}
	rt := local.New(ctx, local.Options{
		Executor: s.executor,
		Journal:  s.state,
		Locks:    s.state,
		Machine:  w.Machine,
		At:       placesOf(j.connections),
		RunID:    j.run.ID,
		Began:    j.run.Began,
		Doubted:  j.doubted,
		Events:   s.events,
		Mask:     s.gate.Value,
		Resume:   w.ResumeCommand,
		Clock:    w.clock(),
		InOrder:  w.Stage != nil,
	})
	rt.Emit(&event.RunStarted{Pipeline: j.target.name, Resumed: j.resumed})
	for _, d := range j.warnings {
		rt.Emit(&event.Note{Warning: true, Text: d.Error()})
	}
	outputs, tally, err := s.target.walk(rt, s)
	end := s.end(ctx, outputs, tally, err)
	rt.Emit(&event.RunFinished{
		Pipeline: end.Name,
		Status:   string(end.Status),
		Outputs:  value.AppendJSON(nil, end.Outputs),
		Error:    end.Failure,
	})
	return end
}

// walk does what the target is.
func (t *target) walk(rt flow.Runtime, s *session) (*value.Object, flow.Tally, error) {
	in := interp.Input{
		RunID:  s.run.ID,
		Began:  s.run.Began,
		Values: s.in.Values,
		Rows:   s.in.Rows,
		Resume: s.resume,
	}
	if t.pipeline == nil {
		outputs, err := interp.Call(rt, t.connection, t.operation, in)
		return s.masked(withoutSecrets(t.operation.Response.OutputsType, outputs)), flow.Tally{}, err
	}
	in.OnRow = s.rowsTo(s.order.Rows, t.pipeline)
	outputs, tally, err := interp.Run(rt, t.pipeline, in)
	outputs = s.masked(outputs)
	if err == nil && s.outDir != "" {
		err = WriteFiles(s.outDir, t.pipeline, outputs)
	}
	return outputs, tally, err
}

// masked returns outputs as everybody may see them. o may be nil, and stays it.
func (s *session) masked(o *value.Object) *value.Object {
	if o == nil {
		return nil
	}
	open := value.NewObject(o.Len())
	for name, v := range o.All() {
		open.Set(name, s.gate.Value(v))
	}
	return open
}

// rowsTo passes rows on to a listener: one at a time, also those of a batch,
// without the secret outputs, and with errors masked.
func (s *session) rowsTo(hear func(Row), pl *pipeline.Pipeline) func(string, flow.Item) {
	if hear == nil {
		return nil
	}
	types := map[string]*pipeline.Step{}
	for step := range pipeline.AllSteps(pl.Steps) {
		types[step.ID] = step
	}
	var mu sync.Mutex
	return func(step string, item flow.Item) {
		mu.Lock()
		defer mu.Unlock()
		for _, it := range rowsIn(item) {
			row := Row{Step: step, Key: s.gate.Text(it.Key), Status: string(it.Status)}
			if it.Outputs != nil {
				row.Outputs, _ = value.ToGo(s.masked(withoutSecrets(types[step].RowType(), it.Outputs))).(map[string]any)
			}
			if it.Err != nil {
				row.Error = s.gate.Text(it.Err.Error())
			}
			hear(row)
		}
	}
}

// rowsIn returns the rows of a batch as items of their own, and any other item as it is.
func rowsIn(item flow.Item) []flow.Item {
	if item.Rows == nil {
		return []flow.Item{item}
	}
	rows := make([]flow.Item, len(item.Rows))
	for i, r := range item.Rows {
		rows[i] = flow.Item{Index: item.Index, Key: r.Key, Status: r.Status}
		if r.Status != flow.Done {
			rows[i].Err = errors.New(r.Message)
		}
	}
	return rows
}

// withoutSecrets returns o without the members that t says are, or hold, secrets. o may be nil, and stays it.
func withoutSecrets(t *types.Type, o *value.Object) *value.Object {
	if o == nil || !t.HasSecret() {
		return o
	}
	open := value.NewObject(o.Len())
	for name, v := range o.All() {
		if member, ok := t.Field(name); ok && member.HasSecret() {
			continue
		}
		open.Set(name, v)
	}
	return open
}
