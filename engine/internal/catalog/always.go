package catalog

import (
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// ofAnswer are the names that tell one answer from another.
var ofAnswer = []string{"status", "headers", "text", "body", "page"}

// tellsAnswers warns of a condition, at n, that says the same of all answers. more are
// names beside those of answers.
func (d *decoder) tellsAnswers(n *source.Node, e *expr.Expr, more ...string) {
	if e == nil || e.Reads(append(more, ofAnswer...)...) {
		return
	}
	d.faults.Add(n.Warnf("always-same", "this says the same of every answer, for it looks at nothing of it").
		WithHint("look at status, headers, text or body"))
}

// decides is tellsAnswers of a condition that must be true or false: one that cannot be evaluated is false, so that one of
// another type would be false of every answer without a word. Null is false.
func (d *decoder) decides(n *source.Node, e *expr.Expr, more ...string) {
	if e == nil || isUnknown(e.Type()) || e.Type().Kind == types.Boolean {
		d.tellsAnswers(n, e, more...)
		return
	}
	d.faults.Add(n.Errorf("wrong-type", "a condition must be true or false, found %s", e.Type()).
		WithHint("compare it with something, as in " + e.Text() + " == …"))
}

// Distinct reports the items of n whose if is that of an item above; what names an item.
func Distinct(n *source.Node, what string, faults *diag.List) {
	first := map[string]*source.Node{}
	for _, item := range n.Items {
		cond := item.Get("if")
		if cond == nil {
			continue
		}
		above, ok := first[cond.Text]
		if !ok {
			first[cond.Text] = cond
			continue
		}
		f := cond.Errorf("never-done", "this %s is never reached: one above it has the same condition", what)
		f.Related = []diag.Place{placeOf(above, "the same condition")}
		faults.Add(f)
	}
}

// identityVaries demands that an identity tells calls apart: with one for all, the second
// create would be taken for the first.
func (d *decoder) identityVaries(n *source.Node, op *Operation) {
	if op.Identity == nil || n.IsNull() || op.Batch != nil || op.Identity.Reads() {
		return
	}
	d.faults.Add(n.Errorf("always-same", "all calls would have one identity: %s says nothing of the inputs", op.Identity.Text()).
		WithHint("name what must not be created twice, as in inputs.number; identity: null says that nothing tells one from another"))
}
