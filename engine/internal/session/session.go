package session

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/interp"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/local"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// Options say what a run works with.
type Options struct {
	// Name is what runs, for events: a pipeline's path or an operation's name.
	Name        string
	Connections map[string]*call.Connection
	Client      *http.Client
	// Auth are ways to get a token beside those built in.
	Auth auth.Kinds
	// Tokens keep tokens beyond the run; nil means that they end with it.
	Tokens state.Tokens
	// Locks keep runs that share them from logging in at the same time, and from
	// using an exclusive token at the same time; nil means that this run is alone.
	Locks state.Locks
	// Events gets the events, masked; nil drops them.
	Events event.Sink
	// Timeout ends the run as failed; 0 means never.
	Timeout time.Duration
}

// A Session is one run. It serves one call of RunPipeline or Call.
type Session struct {
	id       string
	name     string
	timeout  time.Duration
	gate     *redact.Gate
	events   event.Sink // masks; nil when nobody listens
	executor *call.Executor
}

// New prepares a run.
func New(o Options) *Session {
	gate := redact.NewGate()
	kinds := auth.Builtin()
	maps.Copy(kinds, o.Auth)
	var events event.Sink
	if o.Events != nil {
		events = gate.Sink(o.Events)
	}
	return &Session{
		id:      newRunID(),
		name:    o.Name,
		timeout: o.Timeout,
		gate:    gate,
		events:  events,
		executor: call.New(call.Options{
			Connections: o.Connections,
			Client:      o.Client,
			Gate:        gate,
			Auth:        kinds,
			Tokens:      o.Tokens,
			Locks:       o.Locks,
		}),
	}
}

// newRunID returns an id that sorts by time and is unique beyond machines.
func newRunID() string {
	var b [4]byte
	rand.Read(b[:])
	return time.Now().UTC().Format("20060102-150405-") + hex.EncodeToString(b[:])
}

// Pipeline runs pl on bound inputs. Files are written below outDir, none where it is "". hear is
// told of every row of its foreach steps, one at a time; nil for nobody.
// warnings were found on the way in.
func (s *Session) Pipeline(ctx context.Context, pl *pipeline.Pipeline, in *Inputs, outDir string, hear func(step string, item flow.Item), warnings diag.List) *End {
	call.HideParams(s.gate, pl.Inputs.Params, in.Values)
	return s.run(ctx, warnings, func(rt flow.Runtime) (*value.Object, flow.Tally, error) {
		outputs, tally, err := interp.Run(rt, pl, interp.Input{
			RunID:  s.id,
			Values: in.Values,
			Rows:   in.Rows,
			OnRow:  s.rowsTo(hear, pl),
		})
		if err == nil && outDir != "" {
			err = WriteFiles(outDir, pl, outputs)
		}
		return outputs, tally, err
	})
}

// Call makes one call of op on bound inputs. Its secret outputs are left out.
func (s *Session) Call(ctx context.Context, connection string, op *catalog.Operation, in *Inputs, warnings diag.List) *End {
	call.HideParams(s.gate, op.Inputs, in.Values)
	return s.run(ctx, warnings, func(rt flow.Runtime) (*value.Object, flow.Tally, error) {
		outputs, err := interp.Call(rt, s.id, connection, op, in.Values)
		return withoutSecrets(op.Response.OutputsType, outputs), flow.Tally{}, err
	})
}

// run tells the story of a run from start to end around walk.
func (s *Session) run(ctx context.Context, warnings diag.List, walk func(flow.Runtime) (*value.Object, flow.Tally, error)) *End {
	if s.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.timeout, errTimeout)
		defer cancel()
	}
	memory := state.NewMemory()
	rt := local.New(ctx, local.Options{
		Executor: s.executor,
		Journal:  memory,
		Locks:    memory,
		RunID:    s.id,
		Events:   s.events,
	})
	rt.Emit(&event.RunStarted{Pipeline: s.name})
	for _, d := range warnings {
		rt.Emit(&event.Note{Warning: true, Text: d.Error()})
	}
	outputs, tally, err := walk(rt)
	if outputs == nil {
		outputs = value.NewObject(0)
	}
	end := s.end(ctx, tally, err)
	end.Outputs = outputs
	rt.Emit(&event.RunFinished{
		Pipeline: s.name,
		Status:   string(end.Status),
		Outputs:  value.AppendJSON(nil, outputs),
		Error:    end.Failure,
	})
	return end
}

// rowsTo passes rows on to a listener: one at a time, also those of a batch,
// without the secret outputs, and with errors masked.
func (s *Session) rowsTo(hear func(string, flow.Item), pl *pipeline.Pipeline) func(string, flow.Item) {
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
		for _, row := range rowsIn(item) {
			row.Outputs = withoutSecrets(types[step].RowType(), row.Outputs)
			row.Err = maskedError(s.gate, row.Err)
			hear(step, row)
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
func withoutSecrets(t *lang.Type, o *value.Object) *value.Object {
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
