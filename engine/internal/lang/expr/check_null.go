package expr

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// The null rule: what may be null cannot be computed with. Conditions around an
// expression narrow it: in "x != null and x.y > 1", x is not null to the right of "and".

// mayBeNull reports that t is used as if it could not be null. member is the
// member read from it, or nil.
func (c *compiler) mayBeNull(t term, member *ast.MemberNode) {
	what, at, hint := "this", c.spotOf(t.node), "write (… ?? default), or test for null first"
	if t.chain != nil && t.chain.String() != "#" {
		what = t.chain.String()
	}
	if member != nil {
		at, hint = c.spotOf(member.Property), "write ?. before it"
		if name, ok := member.Property.(*ast.StringNode); ok {
			hint = "write ?." + name.Value + ", and ?? for a default"
		}
	}
	d := c.fault(at, "may-be-null", what+" may be null"+types.Because(t.typ))
	d.Hint = hint
	types.Related(d, t.typ)
}

// under compiles n where facts hold.
func (c *compiler) under(facts []Fact, n ast.Node) term {
	if len(facts) == 0 {
		return c.term(n)
	}
	outer := c.facts
	c.facts = append(outer[:len(outer):len(outer)], c.scope.closed(facts)...)
	t := c.term(n)
	c.facts = outer
	return t
}

// proven returns what is known when the condition n, which is compiled already, is truth.
func (c *compiler) proven(n ast.Node, truth bool) []Fact {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return c.proven(n.Node, !truth)
		}
	case *ast.VariableDeclaratorNode:
		return c.proven(n.Expr, truth)
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&", "or", "||":
			isAnd := n.Operator == "and" || n.Operator == "&&"
			both := append(c.proven(n.Left, isAnd), c.proven(n.Right, truth)...)
			if isAnd == truth {
				return both
			}
			return Common(c.proven(n.Left, truth), both) // the left side decides, or lets the right one
		case "==", "!=":
			return append(c.provenByEquality(n, truth == (n.Operator == "==")), c.provenByAbsence(n, truth)...)
		case "in":
			return append(c.provenByList(n, truth), c.provenByAbsence(n, truth)...)
		}
	}
	if t := c.done[n]; t.chain != nil {
		return []Fact{Is(truth, t.chain.path()...)}
	}
	return c.provenByAbsence(n, truth)
}

// provenByEquality looks at "x == y", which is known to hold or not to hold.
func (c *compiler) provenByEquality(n *ast.BinaryNode, equal bool) []Fact {
	var facts []Fact
	l, r := c.done[n.Left], c.done[n.Right]
	for _, side := range [][2]term{{l, r}, {r, l}} {
		switch x, y := side[0], side[1]; {
		case x.chain == nil:
		case y.constant:
			facts = append(facts, Fact{Path: x.chain.path(), Among: []value.Value{y.val}, Not: !equal})
		case equal && y.typ.Kind != types.Unknown && !y.typ.Nullable && !y.typ.MayOmit:
			facts = append(facts, NotNull(x.chain.path()...))
		}
	}
	return facts
}

// provenByList looks at "x in [constant, …]".
func (c *compiler) provenByList(n *ast.BinaryNode, among bool) []Fact {
	x := c.done[n.Left]
	list, ok := c.done[n.Right].val.(value.List)
	if !ok || x.chain == nil {
		return nil
	}
	return []Fact{{Path: x.chain.path(), Among: list, Not: !among}}
}

// provenByAbsence looks at conditions that would come out the other way if a member were null, so
// that it is not; and if a list were empty, so that it has elements.
func (c *compiler) provenByAbsence(n ast.Node, truth bool) []Fact {
	var facts []Fact
	if ch, v := c.with(n, nil); ch != nil && v == !truth {
		facts = append(facts, NotNull(ch.path()...))
	}
	if ch, v := c.with(n, value.List{}); ch != nil && v == !truth {
		facts = append(facts, NotNull(append(ch.path(), types.LenOf)...))
	}
	return facts
}

// with returns what n would give if a member that it depends on, ch, were v: null or an empty
// list. ch is nil where that is not known.
func (c *compiler) with(n ast.Node, v value.Value) (ch *chain, result value.Value) {
	if t := c.done[n]; t.chain != nil {
		return t.chain, v
	}
	switch n := n.(type) {
	case *ast.ChainNode:
		return c.with(n.Node, v)
	case *ast.MemberNode:
		if ch, of := c.with(n.Node, v); of == nil && n.Optional {
			return ch, nil
		}
	case *ast.BinaryNode:
		return c.withOperator(n, v)
	case *ast.CallNode, *ast.BuiltinNode:
		name, first := called(n)
		if name == "" {
			return nil, nil
		}
		ch, arg := c.with(first, v)
		result, ok := withCall(name, arg)
		if !ok {
			return nil, nil
		}
		return ch, result
	}
	return nil, nil
}

func (c *compiler) withOperator(n *ast.BinaryNode, v value.Value) (ch *chain, result value.Value) {
	l, r := c.done[n.Left], c.done[n.Right]
	a, b := l.val, r.val
	switch {
	case r.constant:
		ch, a = c.with(n.Left, v)
	case l.constant:
		ch, b = c.with(n.Right, v)
	}
	if ch == nil {
		return nil, nil
	}
	if n.Operator == "??" {
		if a == nil {
			a = b
		}
		return ch, a
	}
	holds, ok := compared(n.Operator, a, b, types.TimesOf(l.typ, r.typ))
	if !ok {
		return nil, nil
	}
	return ch, holds
}

// withCall computes functions of null, of an empty list, and of the texts that stand for null.
func withCall(name string, arg value.Value) (result value.Value, ok bool) {
	text, isText := arg.(string)
	_, isList := arg.(value.List)
	switch {
	case isText && name == "len":
		return int64(utf8.RuneCountInString(text)), true
	case isText:
		change := map[string]func(string) string{"lower": strings.ToLower, "upper": strings.ToUpper, "trim": strings.TrimSpace}[name]
		if change == nil {
			return nil, false
		}
		return change(text), true
	case arg != nil && !isList:
		return nil, false
	}
	switch name {
	case "len", "count":
		return int64(0), true
	case "any":
		return false, true
	case "all", "none":
		return true, true
	case "first", "last", "at", "find":
		return nil, true
	case "filter", "map":
		return value.List{}, true
	}
	return nil, false
}

// compared computes a comparison; ok is false where a and b cannot be compared.
func compared(op string, a, b value.Value, ts types.Times) (holds, ok bool) {
	same := func(a, b value.Value) bool { return value.Equal(ts.Of(a), ts.Of(b)) }
	switch op {
	case "==", "!=":
		return same(a, b) == (op == "=="), true
	case "in":
		list, ok := b.(value.List)
		return slices.ContainsFunc(list, func(e value.Value) bool { return same(a, e) }), ok
	}
	x, isText := a.(string)
	y, areTexts := b.(string)
	areTexts = areTexts && isText
	switch op {
	case "contains":
		return areTexts && strings.Contains(x, y), areTexts
	case "startsWith":
		return areTexts && strings.HasPrefix(x, y), areTexts
	case "endsWith":
		return areTexts && strings.HasSuffix(x, y), areTexts
	}
	order, err := value.Compare(ts.SortKey(a), ts.SortKey(b))
	switch {
	case err != nil:
		return false, false
	case op == "<":
		return order < 0, true
	case op == "<=":
		return order <= 0, true
	case op == ">":
		return order > 0, true
	}
	return order >= 0, op == ">="
}
