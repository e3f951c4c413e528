package expr

import (
	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A compiler turns the tree of one expression into code. Each node is checked
// and compiled in one go, so that its type rule stands beside its meaning.
// After a fault it goes on with the type Unknown, to find all faults at once.
type compiler struct {
	src    *source.Node
	text   string
	at     int // rune of src.Text where text starts
	scope  *Scope
	faults *diag.List
	failed bool
	// reads are the names of the scope that were read.
	reads map[string]bool

	locals   []local   // let variables in scope, the innermost last
	elements []element // predicates around the node, the innermost last
	slots    int
	facts    []Fact // what conditions around the node prove
	// chainWhy is set by a ?. that may skip the rest of its chain.
	chainWhy *string
	// done holds nodes that are used twice: in a < b < c the parser shares b.
	done map[ast.Node]term
}

// A local is a let variable.
type local struct {
	name string
	typ  *types.Type
	slot int
}

// An element is what a predicate runs over: the element itself in slot, its index in slot+1.
type element struct {
	typ       *types.Type
	slot      int
	usesIndex bool
}

// A term is a compiled node.
type term struct {
	node ast.Node
	typ  *types.Type
	run  code
	// constant terms have the value val.
	constant bool
	val      value.Value
	// chain is set for a name followed by members.
	chain *chain
}

// invalid stands for a node that has a fault; nothing more is said about it.
func invalid(n ast.Node) term {
	return term{node: n, typ: types.AnyType, run: func(*frame) (value.Value, error) { return nil, nil }}
}

func constant(n ast.Node, t *types.Type, v value.Value) term {
	return term{node: n, typ: t, val: v, constant: true, run: func(*frame) (value.Value, error) { return v, nil }}
}

func (c *compiler) term(n ast.Node) term {
	if t, ok := c.done[n]; ok {
		return t
	}
	t := c.compile(n)
	t.node = n
	if c.done == nil {
		c.done = make(map[ast.Node]term)
	}
	c.done[n] = t
	return t
}

func (c *compiler) compile(n ast.Node) term {
	switch n := n.(type) {
	case *ast.NilNode:
		return constant(n, types.NullType, nil)
	case *ast.BoolNode:
		return constant(n, types.BooleanType, n.Value)
	case *ast.IntegerNode:
		return c.number(n, int64(n.Value))
	case *ast.FloatNode:
		return c.number(n, 0)
	case *ast.StringNode:
		return constant(n, types.TextType, n.Value)
	case *ast.IdentifierNode:
		return c.identifier(n)
	case *ast.PointerNode:
		return c.pointer(n)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.ChainNode:
		return c.optionalChain(n)
	case *ast.SliceNode:
		return c.slice(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.VariableDeclaratorNode:
		return c.let(n)
	case *ast.ArrayNode:
		return c.list(n)
	case *ast.MapNode:
		return c.object(n)
	case *ast.CallNode:
		return c.callNode(n)
	case *ast.BuiltinNode:
		return c.call(n, n.Name, n.Arguments)
	case *ast.SequenceNode:
		c.fault(c.spotOf(n.Nodes[1]), "expr-syntax", "unexpected expression after \";\"").Hint = "only let … ; may stand before the result"
		return invalid(n)
	case *ast.BytesNode:
		c.fault(c.spotOf(n), "expr-syntax", "there are no byte strings").Hint = "write '…' without b"
		return invalid(n)
	}
	c.fault(c.spotOf(n), "expr-syntax", "this cannot stand here")
	return invalid(n)
}

func (c *compiler) conditional(n *ast.ConditionalNode) term {
	cond := c.term(n.Cond)
	c.wantBoolean(cond, "a condition")
	then := c.under(c.proven(n.Cond, true), n.Exp1)
	other := c.under(c.proven(n.Cond, false), n.Exp2)
	at := c.spotOf(n.Cond)
	return term{typ: types.Join(branchType(then), branchType(other)), run: func(f *frame) (value.Value, error) {
		if err := f.spend(1); err != nil {
			return nil, at.wrap(err)
		}
		yes, err := truth(f, cond.run, at)
		if err != nil {
			return nil, err
		}
		if yes {
			return then.run(f)
		}
		return other.run(f)
	}}
}

// truth runs a condition.
func truth(f *frame, cond code, at spot) (bool, error) {
	v, err := cond(f)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, at.errorf("expected true or false, found %s", types.Shown(v))
	}
	return b, nil
}

func (c *compiler) newSlots(n int) int {
	c.slots += n
	return c.slots - n
}
