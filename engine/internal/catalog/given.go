package catalog

import (
	"slices"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// mayBeEmpty reports whether a call may succeed with the outcome empty.
func (r *Response) mayBeEmpty() bool { return r.empty != nil }

// outcomeGiven is the type of the outcome of a call that succeeded.
func (r *Response) outcomeGiven() *lang.Type {
	t := &lang.Type{Kind: lang.Text, Enum: []value.Value{string(flow.OK)}}
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
	r.empty, r.given = lang.ObjectOf(), lang.ObjectOf()
	for _, f := range r.OutputsType.Fields {
		given := f
		if f.Type.Kind != lang.List {
			f.Type, given.Type = lang.NullType, f.Type.OrNull(why)
		}
		r.empty.Fields, r.given.Fields = append(r.empty.Fields, f), append(r.given.Fields, given)
	}
}

// Given returns the type of the outputs of a call that succeeded, whether its outcome was ok or empty.
func (r *Response) Given() *lang.Type {
	if r.given == nil {
		return r.OutputsType
	}
	return r.given
}

// Cases are the ways in which a call may succeed: what is known of the outputs and of the outcome,
// which stand at these paths.
func (r *Response) Cases(outputs, outcome []string) []lang.Case {
	cases := []lang.Case{append(lang.Given(r.OutputsType, r.OutputsType, outputs), lang.Is(string(flow.OK), outcome...))}
	if r.mayBeEmpty() {
		cases = append(cases, append(lang.Given(r.empty, r.OutputsType, outputs), lang.Is(string(flow.Empty), outcome...)))
	}
	return cases
}

// answered is WithOutputs, with the outcome of the call, too.
func (r *Response) answered(scope *lang.Scope, outcome *lang.Type) *lang.Scope {
	return r.WithOutputs(scope).With(lang.Name{Name: "outcome", Type: outcome})
}

// WithOutputs returns scope with the outputs of a call that succeeded.
func (r *Response) WithOutputs(scope *lang.Scope) *lang.Scope {
	cases := func() []lang.Case { return r.Cases([]string{"outputs"}, []string{"outcome"}) }
	return scope.With(lang.Name{Name: "outputs", Type: r.Given()}).
		Ruled(lang.Rule{Of: []string{"outputs"}, Cases: cases}, lang.Rule{Of: []string{"outcome"}, Cases: cases})
}
