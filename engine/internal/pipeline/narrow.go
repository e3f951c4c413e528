package pipeline

import (
	"slices"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// What steps tell of each other: where one ran, its outputs are there, and where one that fails
// was passed by, its condition did not hold.

// An ending is what is known where an action has ended and the run goes on.
type ending struct {
	never bool // it always fails
	facts []expr.Fact
}

// of returns the ending of the step s, whose action ended as e does. before is the scope of its condition.
func (e ending) of(s *Step, before *expr.Scope) ending {
	if s.Foreach != nil || s.OnError != FailRun || len(s.Handlers) > 0 {
		return ending{}
	}
	if s.If == nil {
		return e
	}
	yes, no := before.Where(s.If, true).Facts(before), before.Where(s.If, false).Facts(before)
	return either([]ending{{never: e.never, facts: append(yes, e.facts...)}, {facts: no}})
}

// either returns the ending of what ended in one of the ways.
func either(ways []ending) ending {
	ways = slices.DeleteFunc(ways, func(e ending) bool { return e.never })
	if len(ways) == 0 {
		return ending{never: true}
	}
	facts := ways[0].facts
	for _, other := range ways[1:] {
		facts = expr.Common(facts, other.facts)
	}
	return ending{facts: facts}
}

// answered returns scope with the outputs of a call that went well.
func (c *Call) answered(scope *expr.Scope) *expr.Scope {
	if c.Operation != nil {
		return c.Operation.Response.WithOutputs(scope)
	}
	return scope.With(expr.Name{Name: "outputs", Type: c.Outputs()})
}

// rule tells what is known of a step from any part of its record. before is the scope of its condition.
func (s *Step) rule(before *expr.Scope) expr.Rule {
	var cases []expr.Case
	return expr.Rule{Of: []string{"steps", s.ID}, Cases: func() []expr.Case {
		if cases == nil {
			cases = s.cases(before)
		}
		return cases
	}}
}

// cases are the ways in which the record of the step comes to be.
func (s *Step) cases(before *expr.Scope) []expr.Case {
	var cases []expr.Case
	if s.If != nil {
		cases = append(cases, s.absent(before.Where(s.If, false).Facts(before)...))
	}
	done := append(before.Where(s.If, true).Facts(before), expr.Is(true, s.path("ran")...))
	if s.Foreach != nil {
		return append(cases, done)
	}
	for _, facts := range s.successes() {
		cases = append(cases, append(facts, done...))
	}
	if a, ok := s.Action.(*Switch); ok && !a.complete() {
		cases = append(cases, s.absent())
	}
	if s.OnError == Continue {
		cases = append(cases, s.passedOver(nil, done))
	}
	for _, h := range s.Handlers {
		var given *types.Type
		if h.Outputs != nil {
			given = h.Outputs.Type()
		}
		cases = append(cases, s.passedOver(given, done))
	}
	return cases
}

// path is that of a member of the step's record.
func (s *Step) path(names ...string) []string { return append([]string{"steps", s.ID}, names...) }

// given are the facts about outputs of type t, nil for none.
func (s *Step) given(t *types.Type) []expr.Fact {
	if s.RowType() == nil || s.Foreach != nil {
		return nil
	}
	return expr.Given(t, s.RowType(), s.path("outputs"))
}

// absent is the case of a step that did nothing, with further facts.
func (s *Step) absent(facts ...expr.Fact) expr.Case {
	facts = append(append(s.given(nil), facts...), expr.Is(false, s.path("ran")...))
	if s.callsOperation() {
		facts = append(facts, expr.Is(nil, s.path("outcome")...), expr.Is(false, s.path("sent")...), expr.Is(false, s.path("reconciled")...))
	}
	return facts
}

// passedOver is the case of a step that failed and the run went on, with outputs of type t; nil for none.
func (s *Step) passedOver(t *types.Type, facts []expr.Fact) expr.Case {
	failed := append(s.given(t), facts...)
	if s.callsOperation() {
		notDone := expr.Fact{Path: s.path("outcome"), Among: []value.Value{string(flow.OK), string(flow.Empty)}, Not: true}
		failed = append(failed, notDone, expr.Is(false, s.path("sent")...), expr.Is(false, s.path("reconciled")...))
	}
	return failed
}

// successes are the cases of a step that went well.
func (s *Step) successes() []expr.Case {
	switch a := s.Action.(type) {
	case *Switch:
		var cases []expr.Case
		for _, b := range a.Branches {
			cases = append(cases, s.given(b.outputsType()))
		}
		return cases
	case *Call:
		switch {
		case s.Batch() != nil: // which may have nothing to send, or has sent it already
			return []expr.Case{nil}
		case a.Operation != nil:
			return s.awaited(a.Operation.Response.Cases(s.path("outputs"), s.path("outcome")))
		}
	}
	return []expr.Case{s.given(s.RowType())}
}

// awaited are those of the cases in which a step has what it waits for.
func (s *Step) awaited(cases []expr.Case) []expr.Case {
	if s.Until == nil {
		return cases
	}
	seen := s.given(s.RowType())
	var left []expr.Case
	for _, one := range cases {
		if !slices.ContainsFunc(one, func(f expr.Fact) bool { return slices.ContainsFunc(seen, f.Excludes) }) {
			left = append(left, append(one, seen...))
		}
	}
	return left
}
