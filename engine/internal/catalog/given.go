package catalog

import (
	"slices"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// mayBeEmpty reports whether a call may succeed with the outcome empty.
func (r *Response) mayBeEmpty() bool { return r.empty != nil }

// outcomeGiven is the type of the outcome of a call that succeeded.
func (r *Response) outcomeGiven() *types.Type {
	t := &types.Type{Kind: types.Text, Enum: []value.Value{string(flow.OK)}}
	if r.mayBeEmpty() {
		t.Enum = append(t.Enum, string(flow.Empty))
	}
	return t
}

// setGiven finds out whether the outcome may be empty.
func (r *Response) setGiven() {
	if slices.ContainsFunc(r.Outcomes, func(rule Rule) bool { return rule.Is == flow.Empty }) {
		r.SetEmpty("it is where the outcome is empty")
	}
}

// SetEmpty says that the outcome may be empty: lists are empty then, and all else is null, for the reason why.
func (r *Response) SetEmpty(why string) {
	r.empty, r.given = types.ObjectOf(), types.ObjectOf()
	for _, f := range r.OutputsType.Fields {
		given := f
		if f.Type.Kind != types.List {
			f.Type, given.Type = types.NullType, f.Type.OrNull(why)
		}
		r.empty.Fields, r.given.Fields = append(r.empty.Fields, f), append(r.given.Fields, given)
	}
}

// Given returns the type of the outputs of a call that succeeded, whether its outcome was ok or empty.
func (r *Response) Given() *types.Type {
	if r.given == nil {
		return r.OutputsType
	}
	return r.given
}

// Cases are the ways in which a call may succeed: what is known of the outputs and of the outcome,
// which stand at these paths.
func (r *Response) Cases(outputs, outcome []string) []expr.Case {
	cases := []expr.Case{append(expr.Given(r.OutputsType, r.OutputsType, outputs), expr.Is(string(flow.OK), outcome...))}
	if r.mayBeEmpty() {
		cases = append(cases, append(expr.Given(r.empty, r.OutputsType, outputs), expr.Is(string(flow.Empty), outcome...)))
	}
	return cases
}

// answered is WithOutputs, with the outcome of the call, too.
func (r *Response) answered(scope *expr.Scope, outcome *types.Type) *expr.Scope {
	return r.WithOutputs(scope).With(expr.Name{Name: "outcome", Type: outcome})
}

// WithOutputs returns scope with the outputs of a call that succeeded.
func (r *Response) WithOutputs(scope *expr.Scope) *expr.Scope {
	cases := func() []expr.Case { return r.Cases([]string{"outputs"}, []string{"outcome"}) }
	return scope.With(expr.Name{Name: "outputs", Type: r.Given()}).
		Ruled(expr.Rule{Of: []string{"outputs"}, Cases: cases}, expr.Rule{Of: []string{"outcome"}, Cases: cases})
}
