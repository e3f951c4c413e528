package lang

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/diag"
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

	locals   []local   // let variables in scope, the innermost last
	elements []element // predicates around the node, the innermost last
	slots    int
	notNull  []string // chains that conditions around the node prove to be there
	// chainWhy is set by a ?. that may skip the rest of its chain.
	chainWhy *string
	// done holds nodes that are used twice: in a < b < c the parser shares b.
	done map[ast.Node]term
}

// A local is a let variable.
type local struct {
	name string
	typ  *Type
	slot int
}

// An element is what a predicate runs over: the element itself in slot, its index in slot+1.
type element struct {
	typ       *Type
	slot      int
	usesIndex bool
}

// A term is a compiled node.
type term struct {
	node ast.Node
	typ  *Type
	run  code
	// constant terms have the value val.
	constant bool
	val      value.Value
	// chain is set for a name followed by members.
	chain *chain
}

// invalid stands for a node that has a fault; nothing more is said about it.
func invalid(n ast.Node) term {
	return term{node: n, typ: AnyType, run: func(*frame) (value.Value, error) { return nil, nil }}
}

func constant(n ast.Node, t *Type, v value.Value) term {
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
		return constant(n, NullType, nil)
	case *ast.BoolNode:
		return constant(n, BooleanType, n.Value)
	case *ast.IntegerNode:
		return c.number(n, int64(n.Value))
	case *ast.FloatNode:
		return c.number(n, 0)
	case *ast.StringNode:
		return constant(n, TextType, n.Value)
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

// number takes the digits of a literal from the source, so that 0.10 stays 0.10;
// the parser made a float of it. Hexadecimal literals keep the parser's integer.
func (c *compiler) number(n ast.Node, parsed int64) term {
	loc := n.Location()
	text := strings.ReplaceAll(c.text[byteAt(c.text, loc.From):byteAt(c.text, loc.To)], "_", "")
	if len(text) > 1 && text[0] == '0' && strings.ContainsAny(text[1:2], "xXoObB") {
		return constant(n, IntegerType, parsed)
	}
	if strings.HasPrefix(text, ".") {
		text = "0" + text
	}
	v, err := value.ParseNumber(strings.TrimSuffix(text, "."))
	if err != nil {
		c.fault(c.spotOf(n), "expr-syntax", err.Error()).Hint = "numbers are written as in JSON; texts in quotes"
		return invalid(n)
	}
	if _, ok := v.(int64); ok {
		return constant(n, IntegerType, v)
	}
	return constant(n, DecimalType, v)
}

func (c *compiler) identifier(n *ast.IdentifierNode) term {
	for i := len(c.locals) - 1; i >= 0; i-- {
		if l := c.locals[i]; l.name == n.Value {
			return c.root(n, l.typ, &chain{name: l.name, local: l.slot})
		}
	}
	switch n.Value {
	case "null":
		return constant(n, NullType, nil)
	case "omit":
		return constant(n, omitType, Omit)
	}
	if i := c.scope.Index(n.Value); i >= 0 {
		return c.root(n, orAny(c.scope.names[i].Type), &chain{name: n.Value, index: i, local: -1})
	}
	d := c.fault(c.spotOf(n), "unknown-name", fmt.Sprintf("unknown name %q", n.Value))
	suggest(d, n.Value, c.names())
	if _, isFunc := functions[n.Value]; isFunc && !strings.HasPrefix(d.Hint, "did") {
		d.Hint = fmt.Sprintf("%s is a function: write %s(…)", n.Value, n.Value)
	}
	return invalid(n)
}

// names lists what an expression may name here, as suggestions.
func (c *compiler) names() []string {
	var names []string
	for _, l := range c.locals {
		names = append(names, l.name)
	}
	for _, n := range c.scope.names {
		if n.Name != nowName {
			names = append(names, n.Name)
		}
	}
	return names
}

func (c *compiler) pointer(n *ast.PointerNode) term {
	if len(c.elements) == 0 {
		c.fault(c.spotOf(n), "expr-syntax", "an element (. or #) is known only inside a predicate")
		return invalid(n)
	}
	e := &c.elements[len(c.elements)-1]
	switch n.Name {
	case "":
		return c.root(n, e.typ, &chain{name: "#", local: e.slot})
	case "index":
		e.usesIndex = true
		slot := e.slot + 1
		return term{typ: IntegerType, run: func(f *frame) (value.Value, error) { return f.locals[slot], nil }}
	}
	c.fault(c.spotOf(n), "unknown-name", fmt.Sprintf("unknown name \"#%s\"", n.Name)).Hint = "# is the element, #index its place in the list"
	return invalid(n)
}

func (c *compiler) conditional(n *ast.ConditionalNode) term {
	cond := c.term(n.Cond)
	c.wantBoolean(cond, "a condition")
	then := c.under(c.proven(n.Cond, true), n.Exp1)
	other := c.under(c.proven(n.Cond, false), n.Exp2)
	at := c.spotOf(n.Cond)
	return term{typ: join(then.typ, other.typ), run: func(f *frame) (value.Value, error) {
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
		return false, at.errorf("expected true or false, found %s", shown(v))
	}
	return b, nil
}

func (c *compiler) let(n *ast.VariableDeclaratorNode) term {
	v := c.term(n.Value)
	c.refuseOmit(v)
	slot := c.newSlots(1)
	c.locals = append(c.locals, local{n.Name, v.typ, slot})
	body := c.term(n.Expr)
	c.locals = c.locals[:len(c.locals)-1]
	return term{typ: body.typ, run: func(f *frame) (value.Value, error) {
		val, err := v.run(f)
		if err != nil {
			return nil, err
		}
		f.locals[slot] = val
		return body.run(f)
	}}
}

func (c *compiler) newSlots(n int) int {
	c.slots += n
	return c.slots - n
}

func (c *compiler) list(n *ast.ArrayNode) term {
	terms := make([]term, len(n.Nodes))
	elem, fixed := nothingType, true
	for i, e := range n.Nodes {
		terms[i] = c.term(e)
		c.refuseOmit(terms[i])
		elem = join(elem, terms[i].typ)
		fixed = fixed && terms[i].constant
	}
	at := c.spotOf(n)
	run := func(f *frame) (value.Value, error) {
		if err := f.spend(1 + len(terms)); err != nil {
			return nil, at.wrap(err)
		}
		list := make(value.List, len(terms))
		for i, t := range terms {
			v, err := t.run(f)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}
	t := term{typ: ListOf(elem), run: run}
	if fixed {
		list := make(value.List, len(terms))
		for i, t := range terms {
			list[i] = t.val
		}
		t = constant(n, t.typ, list)
	}
	return t
}

func (c *compiler) object(n *ast.MapNode) term {
	type pair struct {
		key string
		dyn code // set for computed names
		at  spot
		val term
	}
	typ := &Type{Kind: Object}
	pairs := make([]pair, len(n.Pairs))
	for i, p := range n.Pairs {
		node := p.(*ast.PairNode)
		key, val := c.term(node.Key), c.term(node.Value)
		c.refuseOmit(val)
		pairs[i] = pair{val: val, at: c.spotOf(node.Key)}
		name, ok := key.val.(string)
		switch {
		case !ok:
			c.want(key, kinds(Text), false, "the name of a member")
			pairs[i].dyn = key.run
			typ.Extra = AnyType
		case typ.declares(name):
			c.fault(c.spotOf(node.Key), "duplicate-key", fmt.Sprintf("member %q is there twice", name))
		default:
			pairs[i].key = name
			typ.Fields = append(typ.Fields, Field{Name: name, Type: val.typ})
		}
	}
	at := c.spotOf(n)
	return term{typ: typ, run: func(f *frame) (value.Value, error) {
		if err := f.spend(1 + len(pairs)); err != nil {
			return nil, at.wrap(err)
		}
		o := value.NewObject(len(pairs))
		for i := range pairs {
			p := &pairs[i]
			key := p.key
			if p.dyn != nil {
				k, err := p.dyn(f)
				if err != nil {
					return nil, err
				}
				text, ok := k.(string)
				if !ok {
					return nil, p.at.errorf("the name of a member is %s, expected text", shown(k))
				}
				key = text
			}
			v, err := p.val.run(f)
			if err != nil {
				return nil, err
			}
			o.Set(key, v)
		}
		return o, nil
	}}
}
