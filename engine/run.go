package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/interp"
	"github.com/seed627bd532/runner/engine/internal/local"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// Run runs a pipeline to its end. Inputs and connections are checked before
// anything is sent; what is wrong with them is a diag.List, and there is no
// Result then. Otherwise there always is one, and the error is an *Error
// when the status is neither Succeeded nor Partial. Cancelling ctx interrupts the run: calls in flight end, no further ones
// start.
func (p *Program) Run(ctx context.Context, r Request) (*Result, error) {
	pl := p.project.Find(r.Pipeline)
	if pl == nil {
		return nil, diag.List{{Code: "unknown-pipeline", Message: fmt.Sprintf("no pipeline %s is loaded", r.Pipeline)}}
	}
	in, faults := p.bind(pl, r)
	defer in.close()
	connections, bad := p.connect(pl.AllConnections())
	faults = append(faults, bad...)
	faults = append(faults, canWrite(r.OutDir, pl)...)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	s := p.session(r.Pipeline, connections)
	s.warn(faults)
	hideSecrets(s.gate, pl.Inputs.Params, in.values)
	ctx, cancel := deadline(ctx, r.Timeout)
	defer cancel()
	return s.run(ctx, func(rt flow.Runtime) (*value.Object, flow.Tally, error) {
		outputs, tally, err := interp.Run(rt, pl, interp.Input{
			RunID:  s.id,
			Values: in.values,
			Rows:   in.rows,
			OnRow:  rowsOf(r.Rows, s.gate),
		})
		if err == nil && r.OutDir != "" {
			err = writeFiles(r.OutDir, pl, outputs)
		}
		return outputs, tally, err
	})
}

func deadline(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, timeout, errTimeout)
}

// A session is what one run works with.
type session struct {
	id       string
	name     string // of the pipeline or operation
	gate     *redact.Gate
	events   event.Sink // masked; may drop everything
	executor *call.Executor
}

func (p *Program) session(name string, connections map[string]*call.Connection) *session {
	gate := redact.NewGate()
	kinds := auth.Builtin()
	for kind, f := range p.options.Auth {
		kinds[kind] = f
	}
	return &session{
		id:     newRunID(),
		name:   name,
		gate:   gate,
		events: gate.Sink(event.Fan(p.options.Events)),
		executor: call.New(call.Options{
			Connections: connections,
			Client:      p.options.Client,
			Gate:        gate,
			Auth:        kinds,
		}),
	}
}

// newRunID returns an id that sorts by time and is unique beyond machines.
func newRunID() string {
	var b [4]byte
	rand.Read(b[:])
	return time.Now().UTC().Format("20060102-150405-") + hex.EncodeToString(b[:])
}

// run tells the story of a run from start to end around walk.
func (s *session) run(ctx context.Context, walk func(flow.Runtime) (*value.Object, flow.Tally, error)) (*Result, error) {
	memory := state.NewMemory()
	rt := local.New(ctx, local.Options{
		Executor: s.executor,
		Journal:  memory,
		Locks:    memory,
		RunID:    s.id,
		Events:   s.events,
	})
	rt.Emit(&event.RunStarted{Pipeline: s.name})
	outputs, tally, err := walk(rt)

	outputs = orEmpty(outputs)
	res := &Result{RunID: s.id, Pipeline: s.name, Outputs: value.ToGo(outputs).(map[string]any)}
	var failed *Error
	if err != nil {
		failed = failure(err, ctx.Err() != nil)
		res.Status = failed.Status
	} else {
		res.Status, failed = tallied(tally)
	}
	finished := &event.RunFinished{Pipeline: s.name, Status: string(res.Status), Outputs: value.AppendJSON(nil, outputs)}
	if failed != nil {
		failed.Failure = masked(s.gate, failed.Failure)
		finished.Error = &failed.Failure
	}
	rt.Emit(finished)
	if failed != nil {
		return res, failed
	}
	return res, nil
}

func orEmpty(o *value.Object) *value.Object {
	if o == nil {
		return value.NewObject(0)
	}
	return o
}

func masked(gate *redact.Gate, f event.Failure) event.Failure {
	f.Step, f.Message, f.Hint = gate.Text(f.Step), gate.Text(f.Message), gate.Text(f.Hint)
	return f
}

// warn tells of warnings that were found on the way in.
func (s *session) warn(faults diag.List) {
	for _, d := range faults {
		s.events.Emit(&event.Note{Warning: true, Text: d.Error()})
	}
}

// hideSecrets makes the gate know the values of secret inputs.
func hideSecrets(gate *redact.Gate, params *catalog.Params, values *value.Object) {
	for _, q := range params.List {
		if text, ok := values.At(q.Name).(string); ok && q.Secret {
			gate.Add(text)
		}
	}
}

// rowsOf passes rows on to a listener, one at a time.
func rowsOf(hear func(Row), gate *redact.Gate) func(string, flow.Item) {
	if hear == nil {
		return nil
	}
	var mu sync.Mutex
	return func(step string, item flow.Item) {
		row := Row{Step: step, Key: item.Key, Status: string(item.Status)}
		if item.Outputs != nil {
			row.Outputs, _ = value.ToGo(item.Outputs).(map[string]any)
		}
		if item.Err != nil {
			row.Error = gate.Text(item.Err.Error())
		}
		mu.Lock()
		defer mu.Unlock()
		hear(row)
	}
}
