package pipeline

import (
	"strings"

	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/source"
)

func (d *decoder) foreach(n *source.Node, scope *lang.Scope) *Foreach {
	over := n.Get("foreach")
	f := &Foreach{As: "item", Parallel: 1}
	if as := n.Get("as"); as != nil {
		f.As = as.Text
		if scope.Index(f.As) >= 0 {
			d.faults.Add(as.Errorf("name-taken", "%s has a meaning already", f.As).WithHint("choose another name for the row"))
		}
	}
	f.Over = lang.CompileExpr(over, scope, d.faults)
	if f.Over != nil {
		t := f.Over.Type()
		switch {
		case t == nil || t.Kind == lang.Unknown:
		case t.Kind != lang.List:
			d.faults.Add(over.Errorf("wrong-type", "foreach wants a list, found %s", t))
		case t.Nullable:
			d.faults.Add(over.Errorf("may-be-null", "the list may be null%s", because(t)).WithHint("write ?? [] behind it"))
		}
		if name, ok := strings.CutPrefix(f.Over.Text(), "inputs."); ok {
			f.Input = d.p.Inputs.Get(name)
		}
	}
	if p := n.Get("parallel"); p != nil {
		if parallel, ok := p.Literal().(int64); ok {
			f.Parallel = int(parallel)
		}
	}
	return f
}

func (f *Foreach) elem() *lang.Type {
	if f.Over == nil || f.Over.Type() == nil {
		return lang.AnyType
	}
	elem := lang.AnyType
	if f.Over.Type().Elem != nil {
		elem = f.Over.Type().Elem
	}
	if f.Over.Type().Secret && !elem.Secret {
		secret := *elem
		secret.Secret = true
		return &secret
	}
	return elem
}

// columns finds the outputs that a row of results has, and refuses those that
// the row needs for itself.
func (d *decoder) columns(s *Step, n *source.Node) {
	for _, f := range s.rowOutputs() {
		switch f.Name {
		case rowKey, rowStatus, rowError:
			d.faults.Add(n.Key("foreach").Errorf("name-taken", "the results of a foreach have their own %s, the output of that name would be lost", f.Name).
				WithHint("name the output otherwise"))
		}
		s.Foreach.Columns = append(s.Foreach.Columns, f.Name)
	}
}

func (d *decoder) rowKey(n *source.Node, scope *lang.Scope) *lang.Expr {
	e := lang.CompileExpr(n, scope, d.faults)
	if e == nil {
		return nil
	}
	switch t := e.Type(); {
	case t.HasSecret():
		d.faults.Add(n.Errorf("secret-leak", "keys are shown and written down, and this one would be a secret"))
	case t != nil && (t.Kind == lang.List || t.Kind == lang.Object):
		d.faults.Add(n.Errorf("wrong-type", "a key must be text or a number, found %s", t))
	}
	return e
}

// because is why a type may be null, as the end of a sentence.
func because(t *lang.Type) string {
	if t.Why == "" {
		return ""
	}
	return " (" + t.Why + ")"
}
