// Package testrun runs the cases of test files: with answers in place of the network, with a memory of
// their own, and in a time that passes at once.
package testrun

import (
	"context"
	"fmt"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/session"
	"github.com/seed627bd532/runner/engine/internal/testfile"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// runID is the id of each run of a test, so that what is made of it is always the same.
const runID = "test"

// Run runs a case and returns what was not as expected, masked, in order of place; nil for a
// case that holds. kinds are ways to get a token beside those built in.
func Run(ctx context.Context, p *project.Project, t *testfile.Test, c *testfile.Case, kinds auth.Kinds) diag.List {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &testRun{
		Case:   c,
		script: newScript(c.Answers, clock.NewVirtual(c.Now), stop),
		state:  state.NewMemory(),
		gate:   redact.NewGate(),
	}
	for _, cell := range c.Tables {
		if err := r.state.PutValue(ctx, cell.Table, cell.Key, value.AppendJSON(nil, cell.Value)); err != nil {
			r.fault(cell.Place(), "not-as-expected", "the table cannot be filled: "+err.Error())
		}
	}
	inputs, _ := value.ToGo(c.Inputs).(map[string]any)
	end, err := r.world(p, t, kinds).Pipeline(ctx, t.Pipeline.Path, session.Order{Given: session.Given{Values: inputs}})
	if err != nil {
		r.fault(c.Place, "not-as-expected", "the run does not begin: "+err.Error())
	} else {
		r.judge(ctx, end)
	}
	r.faults.Sort()
	return r.faults
}

// A testRun is one case under way.
type testRun struct {
	*testfile.Case
	script *script
	state  *state.Memory
	gate   *redact.Gate
	faults diag.List
}

func (r *testRun) world(p *project.Project, t *testfile.Test, kinds auth.Kinds) *session.World {
	connections := map[string]session.Connection{}
	for _, c := range t.Pipeline.AllConnections() {
		config, _ := value.ToGo(t.Config[c.Name]).(map[string]any)
		connections[c.Name] = session.Connection{Vendor: c.Vendor.Name, BaseURL: "https://vendor.test", Site: c.Name, Config: config}
	}
	return &session.World{
		Project:     p,
		Connections: connections,
		Auth:        kinds,
		Locks:       r.state,
		State:       r.state,
		Stage:       &session.Stage{Clock: r.script.clock, Wire: r.script.answer, Gate: r.gate, RunID: runID},
	}
}

// fault notes something that was not as expected. The message is masked: it may tell what was sent.
func (r *testRun) fault(at diag.Place, code, message string) *diag.Diagnostic {
	d := &diag.Diagnostic{File: at.File, Pos: at.Pos, Code: code, Message: r.gate.Text(fmt.Sprintf("%s: %s", r.Name, message))}
	r.faults.Add(d)
	return d
}
