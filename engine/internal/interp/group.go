package interp

import (
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// group runs the steps of a group in order and returns its outputs.
func (w *walker) group(g *pipeline.Group, key flow.Key, vars lang.Vars) (*value.Object, error) {
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
func (w *walker) branch(a *pipeline.Switch, key flow.Key, vars lang.Vars) (outputs *value.Object, ran bool, err error) {
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
