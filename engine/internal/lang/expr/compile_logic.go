package expr

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func (c *compiler) logical(n *ast.BinaryNode) term {
	isAnd := n.Operator == "and" || n.Operator == "&&"
	l := c.term(n.Left)
	c.wantBoolean(l, n.Operator)
	r := c.under(c.proven(n.Left, isAnd), n.Right)
	c.wantBoolean(r, n.Operator)
	c.sameSides(n)
	c.sameTests(n, isAnd)
	left, right := c.spotOf(n.Left), c.spotOf(n.Right)
	return term{typ: types.BooleanType, run: func(f *frame) (value.Value, error) {
		b, err := truth(f, l.run, left)
		if err != nil || b != isAnd {
			return b, err
		}
		return truth(f, r.run, right)
	}}
}

func (c *compiler) coalesce(n *ast.BinaryNode) term {
	l, r := c.term(n.Left), c.term(n.Right)
	c.refuseOmit(l)
	t := types.Join(l.typ.NotNull(), branchType(r))
	if l.typ.Kind == types.Null {
		t = r.typ
	}
	return term{typ: t, run: func(f *frame) (value.Value, error) {
		v, err := l.run(f)
		if err != nil || v != nil {
			return v, err
		}
		return r.run(f)
	}}
}

// branchType is the type of one of several terms that give a result: of a text that is
// written out it is known which one it is.
func branchType(t term) *types.Type {
	if word, ok := t.val.(string); ok && t.constant && t.typ.Kind == types.Text && t.typ.Enum == nil {
		one := *t.typ
		one.Enum = []value.Value{word}
		return &one
	}
	return t.typ
}

func (c *compiler) equality(n *ast.BinaryNode) term {
	l, r := c.term(n.Left), c.term(n.Right)
	c.comparable(n, l, r, n.Operator)
	c.sameSides(n)
	c.sameLength(n)
	c.neverWritten(n.Left, n.Right, n.Operator)
	same := n.Operator == "=="
	at, ts := c.spotOf(n), types.TimesOf(l.typ, r.typ)
	return term{typ: types.BooleanType, run: func(f *frame) (value.Value, error) {
		a, b, err := both(f, l, r)
		if err != nil {
			return nil, err
		}
		eq, err := equalTimes(f, ts, a, b)
		if err != nil {
			return nil, at.wrap(err)
		}
		return eq == same, nil
	}}
}

// equal is value.Equal within the budget.
func equal(f *frame, a, b value.Value) (bool, error) {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		if !ok || len(x) != len(y) {
			return false, f.spend(1)
		}
		return x == y, f.spend(1 + len(x)/64)
	case value.Decimal:
		if err := f.spendCompare(a, b); err != nil {
			return false, err
		}
	case value.List, *value.Rows, *value.Object:
		if types.KindOf(a) != types.KindOf(b) {
			return false, f.spend(1)
		}
		if err := f.spendDeep(a); err != nil {
			return false, err
		}
		pair := []value.Value{a, b}
		if err := f.load(pair); err != nil {
			return false, err
		}
		a, b = pair[0], pair[1]
	}
	return value.Equal(a, b), f.spend(1)
}

func (c *compiler) in(n *ast.BinaryNode) term {
	l, r := c.term(n.Left), c.operand(c.term(n.Right))
	c.refuseOmit(l)
	switch r.typ.Kind {
	case types.Unknown:
	case types.List:
		c.inList(n, l, r)
	case types.Object:
		c.want(l, kinds(types.Text), false, "the name of a member")
	default:
		d := c.mismatch(n, "in needs a list or object on its right, found %s", r.typ)
		if r.typ.Kind == types.Text {
			d.Hint = "write text contains part"
		}
	}
	at, ts := c.spotOf(n), types.TimesOf(l.typ, r.typ.ElemOrAny())
	return term{typ: types.BooleanType, run: func(f *frame) (value.Value, error) {
		a, b, err := both(f, l, r)
		if err != nil {
			return nil, err
		}
		found, err := contained(f, ts, a, b)
		if err != nil {
			return nil, at.wrap(err)
		}
		return found, nil
	}}
}

// inList compares the left side with each element of a constant list, else with the type of the elements.
func (c *compiler) inList(n *ast.BinaryNode, l, r term) {
	if list, ok := n.Right.(*ast.ArrayNode); ok {
		for _, e := range list.Nodes {
			if one := c.term(e); !c.spared(l.typ, one, list) {
				c.comparable(e, l, one, "in")
			}
			c.neverWritten(n.Left, e, "in")
		}
		return
	}
	elem := r.typ.ElemOrAny()
	c.comparable(n, l, term{node: n.Right, typ: elem}, "in")
	c.inEnum(term{typ: elem}, l)
}

// spared reports whether an element is a value that t has elsewhere (Also), in a list that has one of t, too.
func (c *compiler) spared(t *types.Type, e term, list *ast.ArrayNode) bool {
	return e.constant && types.EnumHas(t.Also, e.val) && slices.ContainsFunc(list.Nodes, func(n ast.Node) bool {
		other := c.term(n)
		return other.constant && types.EnumHas(t.Enum, other.val)
	})
}

func contained(f *frame, ts types.Times, v, in value.Value) (bool, error) {
	switch in := in.(type) {
	case value.List, *value.Rows:
		var broken error
		for _, e := range f.elements(in, &broken) {
			if same, err := equalTimes(f, ts, v, e); same || err != nil {
				return same, err
			}
		}
		if broken != nil {
			return false, broken
		}
		return false, f.spend(1)
	case *value.Object:
		name, ok := v.(string)
		if !ok {
			return false, fmt.Errorf("the name of a member is %s, expected text", types.Shown(v))
		}
		_, found := in.Get(name)
		return found, f.spend(1)
	}
	return false, fmt.Errorf("in needs a list or object on its right, found %s", types.Shown(in))
}
