package engine

import (
	"context"

	"github.com/seed627bd532/runner/engine/internal/session"
)

// Run runs a pipeline to its end. Inputs, connections and output files are
// checked before anything is sent; what is wrong with them is a diag.List, and
// there is no Result then. Otherwise there always is one, and the error is an
// *Error when the status is neither Succeeded nor Partial. Cancelling ctx
// interrupts the run: calls in flight end, no further ones start.
func (p *Program) Run(ctx context.Context, r Request) (*Result, error) {
	return result(p.world().Pipeline(ctx, r.Pipeline, r.order()))
}

// Call makes one call of a vendor's operation, as patiently and safely as a
// pipeline's step would. name is "vendor.operation"; the connection is the one
// named as the vendor is, or the only one to it. Secret outputs are left out of
// the Result. Faults and errors are those of Run. Request.Pipeline, OutDir and Rows are not used.
func (p *Program) Call(ctx context.Context, name string, r Request) (*Result, error) {
	return result(p.world().Call(ctx, name, r.order()))
}

// Resume takes up the run of State with this id, or else with this key, which an earlier Run or Call began, in this
// process or another. It goes on exactly where the run stopped: what is done is
// not done again, calls that failed are. Of a run that is done (Succeeded or Partial) it gives the
// recorded outputs and sends nothing. What keeps a run from going on, such as
// changed files, or that it goes on already, is a diag.List; otherwise Result and error are those of Run.
func (p *Program) Resume(ctx context.Context, id string, r ResumeRequest) (*Result, error) {
	again := Request{Inputs: r.Inputs, InputTexts: r.InputTexts, Moved: r.Moved, Timeout: r.Timeout, Rows: r.Rows}
	o := again.order()
	o.OutDir, o.AcceptChanges, o.Settle = r.OutDir, r.AcceptChanges, map[string]session.Settlement{}
	for key, s := range r.Settle {
		o.Settle[key] = session.Settlement(s)
	}
	return result(p.world().Resume(ctx, id, o))
}

func (p *Program) world() *session.World {
	return &session.World{
		Project:       p.project,
		Warnings:      p.warnings,
		Connections:   p.options.connections(),
		Client:        p.options.Client,
		Auth:          p.options.Auth,
		Tokens:        p.options.Tokens,
		Locks:         p.options.Locks,
		Machine:       p.options.Machine,
		Traffic:       p.traffic,
		State:         p.options.State,
		Events:        p.options.Events,
		ResumeCommand: p.options.ResumeCommand,
	}
}

func (r Request) order() session.Order {
	values := make(map[string]any, len(r.Inputs))
	for name, v := range r.Inputs {
		if file, ok := v.(File); ok {
			v = session.File(file)
		}
		values[name] = v
	}
	o := session.Order{
		Key:     r.Key,
		Given:   session.Given{Values: values, Texts: r.InputTexts},
		Timeout: r.Timeout,
		Moved:   r.Moved,
	}
	if r.Rows != nil {
		o.Rows = func(row session.Row) { r.Rows(Row(row)) }
	}
	if r.OutDir != "" {
		o.OutDir = &r.OutDir
	}
	return o
}
