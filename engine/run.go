package engine

import (
	"context"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/session"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Run runs a pipeline to its end. Inputs, connections and output files are
// checked before anything is sent; what is wrong with them is a diag.List, and
// there is no Result then. Otherwise there always is one, and the error is an
// *Error when the status is neither Succeeded nor Partial. Cancelling ctx
// interrupts the run: calls in flight end, no further ones start.
func (p *Program) Run(ctx context.Context, r Request) (*Result, error) {
	pl := p.project.Find(r.Pipeline)
	if pl == nil {
		return nil, unknown("pipeline", r.Pipeline, p.project.Paths())
	}
	in, faults := session.BindInputs(pl.Inputs, r.given(), p.project.FS())
	defer in.Close()
	s, bad := p.session(pl.Path, r, pl.AllConnections())
	faults = append(append(append(faults, p.warnings...), bad...), session.CanWrite(r.OutDir, pl)...)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return result(pl.Path, s.Pipeline(ctx, pl, in, r.OutDir, rowsTo(r.Rows), faults))
}

// Call makes one call of a vendor's operation, as patiently and safely as a
// pipeline's step would. name is "vendor.operation"; the connection is the one
// named as the vendor is, or the only one to it. Secret outputs are left out of
// the Result. Faults and errors are those of Run. Request.Pipeline, OutDir and Rows are not used.
func (p *Program) Call(ctx context.Context, name string, r Request) (*Result, error) {
	conn, op, faults := p.operation(name)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	in, faults := session.BindInputs(&pipeline.Inputs{Params: op.Inputs}, r.given(), nil)
	defer in.Close()
	s, bad := p.session(name, r, []pipeline.Connection{conn})
	faults = append(faults, bad...)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return result(name, s.Call(ctx, conn.Name, op, in, faults))
}

func (p *Program) session(name string, r Request, needed []pipeline.Connection) (*session.Session, diag.List) {
	connections, faults := session.Connect(needed, p.options.connections())
	if faults.HasErrors() {
		return nil, faults
	}
	return session.New(session.Options{
		Name:        name,
		Connections: connections,
		Client:      p.options.Client,
		Auth:        p.options.Auth,
		Tokens:      p.options.Tokens,
		Locks:       p.options.Locks,
		Events:      p.options.Events,
		Timeout:     r.Timeout,
	}), faults
}

func (r Request) given() session.Given {
	values := make(map[string]any, len(r.Inputs))
	for name, v := range r.Inputs {
		if file, ok := v.(File); ok {
			v = session.File(file)
		}
		values[name] = v
	}
	return session.Given{Values: values, Texts: r.InputTexts}
}

func rowsTo(hear func(Row)) func(string, flow.Item) {
	if hear == nil {
		return nil
	}
	return func(step string, item flow.Item) {
		row := Row{Step: step, Key: item.Key, Status: string(item.Status)}
		if item.Outputs != nil {
			row.Outputs, _ = value.ToGo(item.Outputs).(map[string]any)
		}
		if item.Err != nil {
			row.Error = item.Err.Error()
		}
		hear(row)
	}
}
