package lang

import (
	"slices"

	"github.com/expr-lang/expr/ast"
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
	d := c.fault(at, "may-be-null", what+" may be null"+because(t.typ))
	d.Hint = hint
	related(d, t.typ)
}

// narrow returns t, not null where conditions prove that.
func (c *compiler) narrow(ch *chain, t *Type) *Type {
	if t.Nullable && c.isProven(ch) {
		return t.notNull()
	}
	return t
}

func (c *compiler) isProven(ch *chain) bool {
	return len(c.notNull) > 0 && slices.Contains(c.notNull, ch.key(len(ch.links)))
}

// under compiles n where the chains of facts are known to be there.
func (c *compiler) under(facts []string, n ast.Node) term {
	if len(facts) == 0 {
		return c.term(n)
	}
	outer := c.notNull
	c.notNull = append(outer[:len(outer):len(outer)], facts...)
	t := c.term(n)
	c.notNull = outer
	return t
}

// proven returns the chains that are not null when the condition n, which is compiled already, is truth.
func (c *compiler) proven(n ast.Node, truth bool) []string {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			return c.proven(n.Node, !truth)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&":
			if truth {
				return append(c.proven(n.Left, true), c.proven(n.Right, true)...)
			}
		case "or", "||":
			if !truth {
				return append(c.proven(n.Left, false), c.proven(n.Right, false)...)
			}
		case "==":
			return c.provenByEquality(n, truth)
		case "!=":
			return c.provenByEquality(n, !truth)
		case ">", ">=", "<", "<=":
			if truth {
				return c.provenByLength(n)
			}
		}
	}
	return nil
}

// provenByEquality looks at "x == constant", which is known to hold or not to hold.
func (c *compiler) provenByEquality(n *ast.BinaryNode, equal bool) []string {
	x, k := c.done[n.Left], c.done[n.Right]
	if x.constant {
		x, k = k, x
	}
	if !k.constant || x.chain == nil {
		facts := c.provenByDefault(x.node, k, equal)
		if equal {
			facts = append(facts, c.provenByLength(n)...)
		}
		return facts
	}
	if isNull := k.val == nil; isNull == equal {
		return nil
	}
	return x.chain.keys()
}

// provenByLength looks at "len(x) > 0" and the like: what has a length other than 0 is not null.
func (c *compiler) provenByLength(n *ast.BinaryNode) []string {
	call, ok := n.Left.(*ast.CallNode)
	if !ok || len(call.Arguments) != 1 {
		return nil
	}
	callee, ok := call.Callee.(*ast.IdentifierNode)
	k, isInt := c.done[n.Right].val.(int64)
	if !ok || callee.Value != "len" || !isInt {
		return nil
	}
	holdsForNull := map[string]bool{">": k < 0, ">=": k <= 0, "<": k > 0, "<=": k >= 0, "==": k == 0} // with len at 0
	x := c.done[call.Arguments[0]]
	if x.chain == nil || holdsForNull[n.Operator] {
		return nil
	}
	return x.chain.keys()
}

// provenByDefault looks at "trim(x ?? ”) == constant": x is not null where its default would
// have come out the other way.
func (c *compiler) provenByDefault(n ast.Node, k term, equal bool) []string {
	written, inner := writings(n)
	b, ok := inner.(*ast.BinaryNode)
	if !ok || b.Operator != "??" || !k.constant {
		return nil
	}
	x, otherwise := c.done[b.Left], c.done[b.Right]
	if x.chain == nil || !otherwise.constant {
		return nil
	}
	v := otherwise.val
	if text, isText := v.(string); isText {
		for _, w := range slices.Backward(written) {
			text = w.of(text)
		}
		v = text
	}
	if value.Equal(v, k.val) == equal {
		return nil
	}
	return x.chain.keys()
}

// keys identifies the chain and all before it: where a.b is not null, a is not either.
func (ch *chain) keys() []string {
	keys := make([]string, 0, len(ch.links)+1)
	for i := 0; i <= len(ch.links); i++ {
		keys = append(keys, ch.key(i))
	}
	return keys
}
