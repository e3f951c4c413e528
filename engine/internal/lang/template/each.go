package template

import (
	"iter"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/marker"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// The keys of a mapping that builds a list.
const (
	keyEach  = "$each"
	keyAs    = "as"
	keyValue = "value"
)

// each is $each: a list with one element for each element of another.
type each struct {
	of *expr.Expr
	// names is the number of names outside; the element's follows them.
	names int
	value *Template
}

func (e *each) eval(vars expr.Vars) (value.Value, error) {
	elems, inner, err := e.start(vars)
	if err != nil {
		return nil, err
	}
	out := value.List{}
	for elem, err := range elems {
		if err != nil {
			return nil, diagAt(e.of.Place(), "eval-error", err.Error())
		}
		inner[e.names] = elem
		v, err := e.value.form.eval(inner)
		if err != nil {
			return nil, err
		}
		if v != types.Omit {
			out = append(out, v)
		}
	}
	return out, nil
}

func (e *each) appendJSON(dst []byte, vars expr.Vars) ([]byte, bool, error) {
	elems, inner, err := e.start(vars)
	if err != nil {
		return dst, false, err
	}
	c := chunk{value: e.value}
	if l, ok := e.value.form.(*literal); ok {
		c = chunk{json: l.json}
	}
	w := listWriter{dst: append(dst, '[')}
	for elem, err := range elems {
		if err != nil {
			return w.dst, false, diagAt(e.of.Place(), "eval-error", err.Error())
		}
		inner[e.names] = elem
		if err := w.add(c, inner); err != nil {
			return w.dst, false, err
		}
	}
	return append(w.dst, ']'), true, nil
}

// start evaluates the list and makes room for the element in the variables.
func (e *each) start(vars expr.Vars) (elems iter.Seq2[value.Value, error], inner expr.Vars, err error) {
	v, err := e.of.Eval(vars)
	if err != nil {
		return nil, nil, err
	}
	elems, ok := value.Elements(v)
	if !ok {
		return nil, nil, diagAt(e.of.Place(), "type-mismatch", "$each needs a list, found "+types.Shown(v))
	}
	inner = make(expr.Vars, e.names+1)
	copy(inner[:e.names], vars)
	return elems, inner, nil
}

func compileEach(n *source.Node, s *expr.Scope, faults *diag.List) *Template {
	before := types.CountErrors(*faults)
	for _, p := range n.Pairs {
		switch p.Key.Text {
		case keyEach, keyAs, keyValue:
		default:
			d := p.Key.Errorf("unknown-key", "unknown key %q beside %s", p.Key.Text, keyEach)
			types.Suggest(d, p.Key.Text, []string{keyAs, keyValue})
			faults.Add(d)
		}
	}
	of := compileEachList(n.Get(keyEach), s, faults)
	elem := types.AnyType
	if of != nil {
		elem = of.Type().ElemOrAny()
	}
	name := eachName(n, faults)
	v := n.Get(keyValue)
	if v == nil {
		faults.Add(n.Errorf("missing-key", `%s needs "value", what each element becomes`, keyEach))
		return nil
	}
	if name == "" {
		return nil // whatever the value calls the element is not known
	}
	inner := Compile(v, s.With(expr.Name{Name: name, Type: elem}), faults)
	if types.CountErrors(*faults) > before {
		return nil
	}
	return &Template{
		place: placeOf(n),
		typ:   types.ListOf(inner.typ.Kept()).SecretIf(of.Type().Secret),
		form:  &each{of: of, names: s.Len(), value: inner},
	}
}

func compileEachList(n *source.Node, s *expr.Scope, faults *diag.List) *expr.Expr {
	if n.Kind != source.Scalar {
		d := n.Errorf("type-mismatch", "%s is an expression that gives a list", keyEach)
		faults.Add(d)
		return nil
	}
	if n.Aliased {
		faults.Add(aliasedMarker(n))
		return nil
	}
	e := expr.Compile(n, s, faults)
	if e == nil {
		return nil
	}
	t := e.Type()
	why := types.ListOf(types.AnyType).Accepts(t)
	if t.MayOmit {
		why = "omit is no list"
	}
	if why == "" {
		return e
	}
	d := diagAt(e.Place(), "type-mismatch", keyEach+" needs a list: "+why)
	if t.Kind == types.List && t.Nullable {
		d.Hint = "write " + e.Text() + " ?? []"
	}
	types.Related(d, t)
	faults.Add(d)
	return nil
}

// eachName returns the name of the element.
func eachName(n *source.Node, faults *diag.List) string {
	as := n.Get(keyAs)
	switch {
	case as == nil:
		faults.Add(n.Errorf("missing-key", `%s needs "as", the name of the element`, keyEach))
		return ""
	case as.Kind != source.Scalar || !marker.IsName(as.Text):
		d := as.Errorf("bad-name", `"as" must be a name that expressions can use`)
		d.Hint = "letters, digits and _, and no word of the language"
		faults.Add(d)
	}
	return as.Text
}
