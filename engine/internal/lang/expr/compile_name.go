package expr

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func (c *compiler) identifier(n *ast.IdentifierNode) term {
	for i := len(c.locals) - 1; i >= 0; i-- {
		if l := c.locals[i]; l.name == n.Value {
			return c.root(l.typ, &chain{name: l.name, local: l.slot})
		}
	}
	switch n.Value {
	case "null":
		return constant(n, types.NullType, nil)
	case "omit": // no constant: nothing can be computed from it, so nothing may try while compiling
		return term{node: n, typ: types.OmitType, run: func(*frame) (value.Value, error) { return types.Omit, nil }}
	}
	if i := c.scope.Index(n.Value); i >= 0 {
		c.read(n.Value)
		return c.root(types.OrAny(c.scope.Names[i].Type), &chain{name: n.Value, index: i, local: -1})
	}
	d := c.fault(c.spotOf(n), "unknown-name", fmt.Sprintf("unknown name %q", n.Value))
	types.Suggest(d, n.Value, c.names())
	if word := types.OtherLanguages[n.Value]; word != "" {
		d.Hint = "write " + word
	}
	if _, isFunc := functions[n.Value]; isFunc && !strings.HasPrefix(d.Hint, "did") {
		d.Hint = fmt.Sprintf("%s is a function: write %s(…)", n.Value, n.Value)
	}
	return invalid(n)
}

// read notes that a name of the scope, or a function that only this scope has, was read.
func (c *compiler) read(name string) {
	if c.reads == nil {
		c.reads = make(map[string]bool)
	}
	c.reads[name] = true
}

// names lists what an expression may name here, as suggestions.
func (c *compiler) names() []string {
	var names []string
	for _, l := range c.locals {
		names = append(names, l.name)
	}
	for _, n := range c.scope.Names {
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
		return c.root(e.typ, &chain{name: "#", local: e.slot})
	case "index":
		e.usesIndex = true
		slot := e.slot + 1
		return term{typ: types.IntegerType, run: func(f *frame) (value.Value, error) { return f.locals[slot], nil }}
	}
	c.fault(c.spotOf(n), "unknown-name", fmt.Sprintf("unknown name \"#%s\"", n.Name)).Hint = "# is the element, #index its place in the list"
	return invalid(n)
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
