package pipeline

import (
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
)

func (d *decoder) foreach(n *source.Node, scope *expr.Scope) *Foreach {
	over := n.Get("foreach")
	f := &Foreach{As: "item", Parallel: 1, Breaker: defaultBreaker}
	if n.Get("id") == nil {
		d.faults.Add(n.Key("foreach").Errorf("missing-id", "a step with foreach needs an id").
			WithHint("add id: with a short name; it names the rows in results and in steps.ID"))
	}
	if as := n.Get("as"); as != nil {
		f.As = as.Text
		if scope.Index(f.As) >= 0 || f.As == "outputs" || f.As == "error" {
			d.faults.Add(as.Errorf("name-taken", "%s has a meaning already", f.As).WithHint("choose another name for the row"))
		}
	} else if scope.Index(f.As) >= 0 {
		d.faults.Add(n.Key("foreach").Errorf("name-taken", "the row of the foreach around it is called %s already", f.As).
			WithHint("add as: with another name for this row"))
	}
	f.Over = expr.Compile(over, scope, d.faults)
	if f.Over != nil {
		t := f.Over.Type()
		switch {
		case t == nil || t.Kind == types.Unknown:
		case t.Kind != types.List:
			d.faults.Add(over.Errorf("wrong-type", "foreach wants a list, found %s", t))
		case t.Nullable:
			d.faults.Add(over.Errorf("may-be-null", "the list may be null%s", because(t)).WithHint("write ?? [] behind it"))
		}
		if name, ok := f.Over.Member("inputs"); ok {
			f.Input = d.p.Inputs.Get(name)
		}
	}
	for key, number := range map[string]*int{"parallel": &f.Parallel, "batch": &f.Batch, "breaker": &f.Breaker} {
		if v := n.Get(key); v != nil {
			if i, ok := v.Literal().(int64); ok {
				*number = int(i)
			}
		}
	}
	if b := n.Key("breaker"); b != nil && (n.Get("on_error") == nil || n.Get("on_error").Text != string(Collect)) {
		d.faults.Add(b.Errorf("breaker-without-collect", "a breaker ends what on_error: collect would go on with, and this step does not collect"))
	}
	return f
}

// defaultBreaker is how many rows in a row may find the vendor down.
const defaultBreaker = 10

// handed is the type of what the body is given: an element, or a batch of them.
func (f *Foreach) handed() *types.Type {
	if f.Batch > 0 {
		return types.ListOf(f.elem())
	}
	return f.elem()
}

func (f *Foreach) elem() *types.Type {
	if f.Over == nil || f.Over.Type() == nil {
		return types.AnyType
	}
	elem := types.AnyType
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

func (d *decoder) rowKey(n *source.Node, scope *expr.Scope) *expr.Expr {
	e := expr.Compile(n, scope, d.faults)
	if e == nil {
		return nil
	}
	row := d.rows[len(d.rows)-1].name
	if !e.Reads(row) {
		d.faults.Add(n.Warnf("always-same", "all rows have one key: it says nothing of %s", row).
			WithHint("name what tells rows apart, as in " + row + ".id, or leave the key out"))
	}
	switch t := e.Type(); {
	case t.HasSecret():
		d.faults.Add(n.Errorf("secret-leak", "keys are shown and written down, and this one would be a secret"))
	case t != nil && (t.Kind == types.List || t.Kind == types.Object):
		d.faults.Add(n.Errorf("wrong-type", "a key must be text or a number, found %s", t))
	}
	return e
}

// because is why a type may be null, as the end of a sentence.
func because(t *types.Type) string {
	if t.Why == "" {
		return ""
	}
	return " (" + t.Why + ")"
}
