package sandbox

import (
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// changeKinds are the changes that a rule may make, in the order in which one
// rule makes them.
var changeKinds = []struct {
	key    string
	decode func(d *decoder, n *source.Node, s *expr.Scope) change
}{
	{"insert", decodeInsert},
	{"update", decodeUpdate},
	{"remove", decodeRemove},
}

// insert appends a record to a list of the state; with foreach, one for each
// element of a list, which is row.
type insert struct {
	into  string
	over  *expr.Expr // nil for one record
	at    int        // the element's place among the variables
	value *template.Template
}

func decodeInsert(d *decoder, n *source.Node, s *expr.Scope) change {
	c := &insert{into: d.collection(n.Get("into")), at: s.Len()}
	if f := n.Get("foreach"); f != nil {
		c.over = expr.Compile(f, s, d.faults)
		elem := types.AnyType
		if c.over != nil && c.over.Type().Kind == types.List && c.over.Type().Elem != nil {
			elem = c.over.Type().Elem
		}
		s = s.With(expr.Name{Name: "row", Type: elem})
	}
	c.value = template.Compile(n.Get("value"), s, d.faults)
	return c
}

func (c *insert) apply(t *turn, vars expr.Vars) error {
	rows := value.List{nil}
	if c.over != nil {
		v, err := c.over.Eval(vars)
		if err != nil {
			return err
		}
		list, ok := v.(value.List)
		if !ok {
			return faultAt(c.over.Place(), "foreach expects a list, found %s", value.KindOf(v))
		}
		rows = list
	}
	for _, row := range rows {
		v, err := eval(c.value, with(vars, c.at, row))
		if err != nil {
			return err
		}
		t.store.insert(c.into, v, t.now)
		t.changed = true
	}
	return nil
}

// update sets members of the records of a list for which where holds.
type update struct {
	in    string
	at    int        // the record's place among the variables
	where *expr.Expr // nil for all
	set   *template.Template
}

func decodeUpdate(d *decoder, n *source.Node, s *expr.Scope) change {
	c := &update{in: d.collection(n.Get("in")), at: s.Len()}
	s = s.With(expr.Name{Name: "row", Type: d.recordsOf(c.in)})
	if w := n.Get("where"); w != nil {
		c.where = d.condition(w, s)
	}
	c.set = template.Compile(n.Get("set"), s, d.faults)
	return c
}

func (c *update) apply(t *turn, vars expr.Vars) error {
	list := t.store.list(c.in)
	var changed value.List // a copy, made at the first change
	for i, row := range list {
		rowVars := with(vars, c.at, row)
		if hit, err := holds(c.where, rowVars); err != nil {
			return err
		} else if !hit {
			continue
		}
		v, err := eval(c.set, rowVars)
		if err != nil {
			return err
		}
		old, ok := row.(*value.Object)
		members, ok2 := v.(*value.Object)
		if !ok || !ok2 && v != nil {
			return faultAt(c.set.Place(), "only objects have members to set, found %s", value.KindOf(row))
		}
		next := old.Clone()
		for name, member := range members.All() {
			next.Set(name, member)
		}
		t.store.inherit(old, next)
		if changed == nil {
			changed = append(changed, list...)
		}
		changed[i] = next
	}
	if changed != nil {
		t.store.setList(c.in, changed)
		t.changed, t.dropped = true, true
	}
	return nil
}

// remove takes the records for which where holds out of a list.
type remove struct {
	from  string
	at    int
	where *expr.Expr // nil for all
}

func decodeRemove(d *decoder, n *source.Node, s *expr.Scope) change {
	c := &remove{from: d.collection(n.Get("from")), at: s.Len()}
	if w := n.Get("where"); w != nil {
		c.where = d.condition(w, s.With(expr.Name{Name: "row", Type: d.recordsOf(c.from)}))
	}
	return c
}

func (c *remove) apply(t *turn, vars expr.Vars) error {
	list := t.store.list(c.from)
	kept := make(value.List, 0, len(list))
	for _, row := range list {
		hit, err := holds(c.where, with(vars, c.at, row))
		if err != nil {
			return err
		}
		if !hit {
			kept = append(kept, row)
		}
	}
	if len(kept) < len(list) {
		t.store.setList(c.from, kept)
		t.changed, t.dropped = true, true
	}
	return nil
}

// with returns the variables before place at, and v there.
func with(vars expr.Vars, at int, v value.Value) expr.Vars {
	return append(vars[:at:at], v)
}

func holds(cond *expr.Expr, vars expr.Vars) (bool, error) {
	if cond == nil {
		return true, nil
	}
	return cond.Bool(vars)
}
