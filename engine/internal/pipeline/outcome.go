package pipeline

import (
	"slices"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// What an outcome can be where it is seen: a comparison with any other never holds.

// outcomeType is the type of steps.ID.outcome. Of failures those alone are seen that on_error passes over.
func (s *Step) outcomeType() *types.Type {
	op := s.Action.(*Call).Operation
	seen := []flow.Outcome{flow.OK}
	if mayBeEmpty(op) {
		seen = append(seen, flow.Empty)
	}
	note := "nothing but a success is seen of this step: it has no on_error that lets the run go on after a failure"
	if passed := s.failuresSeen(); len(passed) > 0 {
		seen = append(seen, passed...)
		note = "a success, and what its on_error passes over, is all that is seen of this step"
	}
	t := outcomes(seen, s.Place, note)
	t.Also = []value.Value{string(flow.Empty)}
	return t
}

// failuresSeen lists the failures after which the run goes on, in the order of flow.Failures.
func (s *Step) failuresSeen() []flow.Outcome {
	able := s.passable()
	if s.OnError == Continue {
		return able
	}
	return slices.DeleteFunc(able, func(o flow.Outcome) bool {
		return !slices.ContainsFunc(s.Handlers, func(h Handler) bool { return h.fits(o) })
	})
}

// fits reports whether the handler may deal with a failure of this outcome.
func (h *Handler) fits(o flow.Outcome) bool {
	if h.If == nil {
		return true
	}
	for chain, values := range h.If.Needs() {
		if chain == "error.outcome" && !slices.Contains(values, value.Value(string(o))) {
			return false
		}
	}
	return true
}

// passable lists the failures that on_error may pass over. Credentials that are refused end the run, and so
// does a create of which nobody knows whether it was done.
func (s *Step) passable() []flow.Outcome {
	c, ok := s.Action.(*Call)
	if !ok || c.Operation == nil {
		return flow.Failures()
	}
	op := c.Operation
	return slices.DeleteFunc(flow.Failures(), func(o flow.Outcome) bool {
		return o == flow.Auth && !op.NoAuth || o == flow.Unknown && op.Effect == flow.Create && op.Batch == nil
	})
}

// mayBeEmpty reports whether an answer to op can be a success that has nothing: rules alone say so.
func mayBeEmpty(op *catalog.Operation) bool {
	return op.Vendor.Name == Store && op.Effect == flow.Read ||
		slices.ContainsFunc(op.Response.Outcomes, func(r catalog.Rule) bool { return r.Is == flow.Empty })
}

func outcomes(all []flow.Outcome, place diag.Place, note string) *types.Type {
	t := &types.Type{Kind: types.Text, Declared: diag.Place{File: place.File, Pos: place.Pos, Note: note}}
	for _, o := range all {
		t.Enum = append(t.Enum, string(o))
	}
	return t
}

// errorType is the type of error in the handlers of the step.
func (s *Step) errorType() *types.Type {
	outcome := outcomes(s.passable(), s.Place, "handlers see the failures of this step that may be passed over")
	outcome.Also = []value.Value{string(flow.Auth), string(flow.Unknown)}
	return types.ObjectOf(
		types.Field{Name: "outcome", Type: outcome.OrNull("a fault outside of a call has no outcome")},
		types.Field{Name: "code", Type: types.TextType},
		types.Field{Name: "status", Type: &types.Type{Kind: types.Integer, Most: 599}},
		types.Field{Name: "message", Type: types.TextType},
		types.Field{Name: "body", Type: types.AnyType},
	)
}

var outcomeValues = []value.Value{
	"ok", "empty", "auth", "throttled", "busy", "invalid", "denied", "not_found", "conflict", "unknown",
}

// outcomeValue returns the outcome as one of the values that there are of it: records share them.
func outcomeValue(o flow.Outcome) value.Value {
	for _, v := range outcomeValues {
		if v == string(o) {
			return v
		}
	}
	return nil
}
