package pipeline

import (
	"slices"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// Group does steps in order. Outside, only its outputs are seen.
type Group struct {
	Steps []*Step
	// Outputs are what the group gives, over the variables at its end; nil for nothing.
	Outputs *template.Template
}

func (*Group) action() {}

// Switch does the first of its branches whose condition holds.
type Switch struct{ Branches []Branch }

// A Branch is one of them. If is nil for the one that is done when no other is.
type Branch struct {
	If *expr.Expr
	Group
}

func (*Switch) action() {}

// outputsType is the type of what the group gives.
func (g *Group) outputsType() *types.Type {
	if g.Outputs == nil {
		return types.ObjectOf()
	}
	return g.Outputs.Type()
}

// complete reports whether one of the branches is always done.
func (s *Switch) complete() bool {
	return slices.ContainsFunc(s.Branches, func(b Branch) bool { return b.If == nil })
}

// outputsType is the type of what the branch that is taken gives. An output
// that not every branch has may be null.
func (s *Switch) outputsType() *types.Type {
	outs := make([]*types.Type, 0, len(s.Branches)+1)
	for _, b := range s.Branches {
		outs = append(outs, b.outputsType())
	}
	if !s.complete() {
		outs = append(outs, types.ObjectOf())
	}
	joined := *types.Join(outs...)
	fields := make([]types.Field, len(joined.Fields))
	for i, f := range joined.Fields {
		fields[i] = types.Field{Name: f.Name, Type: f.Type}
		if f.Optional {
			fields[i].Type = f.Type.OrNull("not every branch of the switch gives it")
		}
	}
	joined.Fields = fields
	return &joined
}

func decodeGroup(d *decoder, _ *Step, n, _ *source.Node, _ *expr.Scope) Action {
	g, ok := d.group(n)
	if !ok {
		return nil
	}
	return g
}

// group decodes steps and outputs of n; ok is false where the type of its
// outputs cannot be known. What the steps leave behind is seen inside only.
func (d *decoder) group(n *source.Node) (g *Group, ok bool) {
	outer := d.scope
	defer func() { d.scope = outer }()
	d.scope = outer.Retyped("steps", types.ObjectOf(slices.Clip(outer.Type("steps").Fields)...))
	g = &Group{Steps: d.stepList(n.Get("steps"))}
	outputs := n.Get("outputs")
	if outputs == nil {
		return g, true
	}
	g.Outputs = template.Compile(outputs, d.scope, d.faults)
	return g, g.Outputs != nil
}

func decodeSwitch(d *decoder, _ *Step, _, v *source.Node, _ *expr.Scope) Action {
	a := &Switch{}
	whole := true
	catalog.Distinct(v, "branch", d.faults)
	outer := d.scope
	var ends []ending // of the branches
	for i, item := range v.Items {
		b := Branch{}
		if cond := item.Get("if"); cond != nil {
			b.If = d.choice(cond, d.scope)
		} else if i < len(v.Items)-1 {
			d.faults.Add(item.Errorf("branch-without-if", "only the last branch may lack an if: those behind it would never be done"))
		}
		others := d.scope
		d.scope = others.Where(b.If, true)
		here := d.scope
		g, ok := d.group(item)
		whole = whole && ok
		ends = append(ends, ending{never: d.ending.never, facts: append(here.Facts(outer), d.ending.facts...)})
		d.scope = others.Where(b.If, false)
		b.Group = *g
		a.Branches = append(a.Branches, b)
	}
	if !a.complete() {
		ends = append(ends, ending{facts: d.scope.Facts(outer)})
	}
	d.scope, d.ending = outer, either(ends)
	if !whole {
		return nil
	}
	return a
}
