package pipeline

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// OnFailure says what happens to what was done when a run fails.
type OnFailure string

// The choices; the zero value keeps.
const (
	Keep    OnFailure = "keep"
	UndoAll OnFailure = "undo"
)

// undo decodes the call that takes back what the step did; n has it. The outputs of the
// step's own call are in its scope.
func (d *decoder) undo(n *source.Node, s *Step, scope *lang.Scope) *Call {
	u := n.Get("undo")
	own, ok := s.Action.(*Call)
	if !ok {
		return nil // reported by the grammar
	}
	if s.Foreach != nil && s.Foreach.Batch > 0 {
		d.faults.Add(n.Key("undo").Errorf("undo-of-batch", "what a batch did cannot be undone as a whole"))
	}
	c := &Call{}
	if w := u.Get("with"); w != nil {
		if c.With = lang.CompileTemplate(w, scope.With(lang.Name{Name: "outputs", Type: own.Outputs()}), d.faults); c.With == nil {
			return nil
		}
	}
	v := u.Get("call")
	if !d.target(c, v) {
		return nil
	}
	switch {
	case c.Operation == nil:
		d.faults.Add(v.Errorf("undo-calls-pipeline", "undo calls an operation of a vendor, %s is a pipeline", c.Name()))
		return nil
	case c.Operation.Effect != flow.Idempotent:
		d.faults.Add(v.Errorf("undo-not-idempotent", "an undo may have to be repeated, so that it must be idempotent; %s is %s", c.Name(), c.Operation.Effect))
	}
	catalog.CheckWith(c.Name(), c.Params(), c.With, diag.Place{File: v.File, Pos: v.Pos}, d.faults)
	return c
}

// CallOf returns a call of an operation by name, through a connection that p or a pipeline it
// calls has.
func (p *Pipeline) CallOf(connection, operation string) (*Call, error) {
	for _, c := range p.AllConnections() {
		if c.Name == connection {
			if op := c.Vendor.Operation(operation); op != nil {
				return &Call{Connection: connection, Operation: op}, nil
			}
		}
	}
	return nil, fmt.Errorf("no operation %s.%s", connection, operation)
}
