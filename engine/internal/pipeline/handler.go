package pipeline

import (
	"fmt"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// A Handler deals with a failed step. Both parts are over the step's variables
// and error.
type Handler struct {
	If *expr.Expr // nil: it always fits
	// Outputs stand for those of the step; nil leaves them all null.
	Outputs *template.Template
}

// onError decodes on_error in both of its forms.
func (d *decoder) onError(n *source.Node, s *Step, scope *expr.Scope) {
	e := n.Get("on_error")
	switch {
	case e == nil:
		return
	case e.Kind == source.Scalar:
		s.OnError = OnError(e.Text)
		return
	}
	declared := s.RowType()
	if declared == nil {
		declared = types.ObjectOf()
	}
	own := scope.With(expr.Name{Name: "error", Type: s.errorType()})
	catalog.Distinct(e, "handler", d.faults)
	for i, item := range e.Items {
		h := Handler{}
		if cond := item.Get("if"); cond != nil {
			h.If = d.choice(cond, own)
		} else if i < len(e.Items)-1 {
			d.faults.Add(item.Errorf("handler-without-if", "only the last handler may lack an if: those behind it would never fit"))
		}
		if outputs := item.Get("outputs"); outputs != nil {
			if h.Outputs = template.Compile(outputs, own.Where(h.If, true), d.faults); h.Outputs != nil {
				d.handlerOutputs(outputs, h.Outputs, declared)
			}
		}
		own = own.Where(h.If, false)
		s.Handlers = append(s.Handlers, h)
	}
}

// handlerOutputs demands that a handler covers all outputs of its step, with fitting types, so
// that later lines stay well typed.
func (d *decoder) handlerOutputs(n *source.Node, given *template.Template, declared *types.Type) {
	var missing []string
	for _, f := range declared.Fields {
		t, ok := given.Type().Field(f.Name)
		if !ok {
			missing = append(missing, f.Name)
			continue
		}
		if why := f.Type.OrNull("").Accepts(t); why != "" {
			d.faults.Add(n.Get(f.Name).Errorf("wrong-type", "output %s: %s", f.Name, why))
		}
	}
	if len(missing) > 0 {
		d.faults.Add(n.Errorf("missing-output", "the handler must give all outputs of the step; %s is missing", strings.Join(missing, ", ")).
			WithHint("give null where there is nothing to give"))
	}
	for _, m := range given.Members() {
		if _, ok := declared.Field(m.Name); !ok {
			d.faults.Add(&diag.Diagnostic{File: m.Place.File, Pos: m.Place.Pos, Code: "unknown-output",
				Message: fmt.Sprintf("the step has no output %s", m.Name), Hint: "a handler gives what the step gives"})
		}
	}
}

// handled returns the type of the step's outputs when its handlers may have given them.
func (s *Step) handled(t *types.Type) *types.Type {
	for _, h := range s.Handlers {
		if h.Outputs == nil {
			t = maybe(t, "a handler of step "+s.ID+" may have passed over its failure")
			continue
		}
		joined := *t
		joined.Fields = make([]types.Field, len(t.Fields))
		for i, f := range t.Fields {
			joined.Fields[i] = f
			if given, ok := h.Outputs.Type().Field(f.Name); ok && given.Nullable {
				joined.Fields[i].Type = f.Type.OrNull("a handler of step " + s.ID + " may give null")
			}
		}
		t = &joined
	}
	return t
}
