package interp

import (
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// told tells of the start and the end of a group or switch around do. One
// without id has no key of its own, and the end of a row is told of anyway.
func (w *walker) told(s *pipeline.Step, key flow.Key, do func() (outputs *value.Object, ran bool, err error)) (*value.Object, error) {
	silent := s.ID == "" || s.Foreach != nil
	if !silent {
		w.tellStart(event.StepStarted{Key: string(key)})
	}
	outputs, ran, err := do()
	if !silent {
		w.tellFinish(event.StepFinished{Key: string(key), Skipped: err == nil && !ran, Error: errorText(err)})
	}
	if err != nil {
		return nil, err
	}
	return s.Record(flow.Result{}, outputs, ran), nil
}

// group runs the steps of a group in order and returns its outputs.
func (w *walker) group(g *pipeline.Group, key flow.Key, vars expr.Vars) (*value.Object, error) {
	vars, err := w.steps(g.Steps, key, vars)
	if err != nil || g.Outputs == nil {
		return nil, err
	}
	v, err := g.Outputs.Eval(vars)
	if err != nil {
		return nil, w.evalFailure(key, "outputs", err)
	}
	outputs, _ := v.(*value.Object) // nothing when every member was omitted
	return outputs, nil
}

// branch runs the first branch whose condition holds; ran is false when there is none.
func (w *walker) branch(a *pipeline.Switch, key flow.Key, vars expr.Vars) (outputs *value.Object, ran bool, err error) {
	for _, b := range a.Branches {
		if b.If != nil {
			yes, err := b.If.Bool(vars)
			if err != nil {
				return nil, false, w.evalFailure(key, "switch", err)
			}
			if !yes {
				continue
			}
		}
		outputs, err := w.group(&b.Group, key, vars)
		return outputs, true, err
	}
	return nil, false, nil
}
