package pipeline

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// OnFailure says what happens to what was done when a run fails.
type OnFailure string

// The choices; the zero value keeps.
const (
	Keep    OnFailure = "keep"
	UndoAll OnFailure = "undo"
)

// undo decodes the call that takes back what the step did; n has it. The
// outputs of the step's own call are in its scope.
func (d *decoder) undo(n *source.Node, s *Step, scope *expr.Scope) *Call {
	u := n.Get("undo")
	own, ok := s.Action.(*Call)
	if !ok {
		return nil // reported by the grammar
	}
	at := n.Key("undo")
	switch {
	case own.Operation == nil:
		d.faults.Add(at.Errorf("undo-of-pipeline", "%s is a pipeline, and not all that it gives need be of its own doing", own.Name()).
			WithHint("put undo below the steps of the pipeline that do something"))
	case s.Batch() != nil || s.Foreach != nil && s.Foreach.Batch > 0:
		d.faults.Add(at.Errorf("undo-of-batch", "what a batch did cannot be undone as a whole"))
	case own.Operation.Effect == flow.Read:
		d.faults.Add(at.Errorf("undo-of-read", "%s reads, so that there is nothing to undo", own.Name()))
	}
	v := u.Get("call")
	c, ok := decodeCall(d, s, u, v, own.answered(scope)).(*Call)
	if !ok {
		return nil
	}
	switch {
	case c.Operation == nil:
		d.faults.Add(v.Errorf("undo-calls-pipeline", "undo calls an operation of a vendor, %s is a pipeline", c.Name()))
		return nil
	case c.Operation.Effect != flow.Idempotent:
		d.faults.Add(v.Errorf("undo-not-idempotent", "an undo may have to be repeated, so that it must be idempotent; %s is %s", c.Name(), c.Operation.Effect))
	}
	return c
}

// nothingToUndo warns of on_failure: undo, which is n, where no step says how.
func (d *decoder) nothingToUndo(n *source.Node) {
	if d.p.OnFailure == UndoAll && !d.broken && !d.p.undoes(map[*Pipeline]bool{}) {
		d.faults.Add(n.Warnf("nothing-to-undo", "no step has an undo, so that nothing will be undone"))
	}
}

// undoes reports whether a step of p, or of a pipeline that it calls, has an undo.
func (p *Pipeline) undoes(seen map[*Pipeline]bool) bool {
	if seen[p] {
		return false
	}
	seen[p] = true
	for s := range AllSteps(p.Steps) {
		call, _ := s.Action.(*Call)
		if s.Undo != nil || call != nil && call.Pipeline != nil && call.Pipeline.undoes(seen) {
			return true
		}
	}
	return false
}

// creates reports whether one of the steps, or of the pipelines that they call, creates something.
func creates(steps []*Step, seen map[*Pipeline]bool) bool {
	for s := range AllSteps(steps) {
		call, _ := s.Action.(*Call)
		switch {
		case call == nil:
		case call.Operation != nil && call.Operation.Effect == flow.Create:
			return true
		case call.Pipeline != nil && !seen[call.Pipeline]:
			seen[call.Pipeline] = true
			if creates(call.Pipeline.Steps, seen) {
				return true
			}
		}
	}
	return false
}

// CallOf returns a call of an operation by name, through Store or a connection that p or a
// pipeline it calls has.
func (p *Pipeline) CallOf(connection, operation string) (*Call, error) {
	if connection == Store {
		if op := storeVendor().Operation(operation); op != nil {
			return &Call{Connection: Store, Operation: op}, nil
		}
	}
	for _, c := range p.AllConnections() {
		if c.Name == connection {
			if op := c.Vendor.Operation(operation); op != nil {
				return &Call{Connection: connection, Operation: op}, nil
			}
		}
	}
	return nil, fmt.Errorf("no operation %s.%s", connection, operation)
}
