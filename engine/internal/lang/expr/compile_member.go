package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// optionalChain compiles a chain with a ?. in it: the whole is null when
// the part before a ?. is.
func (c *compiler) optionalChain(n *ast.ChainNode) term {
	outer := c.chainWhy
	c.chainWhy = nil
	t := c.term(n.Node)
	why := c.chainWhy
	c.chainWhy = outer
	if why != nil {
		t.typ = t.typ.OrNull(*why)
	}
	if t.chain != nil {
		return t
	}
	run := t.run
	return term{typ: t.typ, run: func(f *frame) (value.Value, error) {
		v, err := run(f)
		if err == errSkip {
			return nil, nil
		}
		return v, err
	}}
}

func (c *compiler) member(n *ast.MemberNode) term {
	if inner, ok := unchained(n); ok {
		whole := &ast.ChainNode{Node: inner}
		whole.SetLocation(n.Location())
		return c.term(whole)
	}
	of := c.term(n.Node)
	c.refuseOmit(of)
	prop := c.term(n.Property)
	if of.typ.Nullable && of.typ.Kind != types.Unknown {
		if n.Optional {
			why := of.typ.Why
			c.chainWhy = &why
		} else if of.typ.Kind != types.Null {
			c.mayBeNull(of, n)
		}
		of.typ = of.typ.NotNull()
	}
	if name, ok := prop.val.(string); ok {
		return c.namedMember(n, of, name)
	}
	switch of.typ.Kind {
	case types.List:
		c.want(prop, kinds(types.Integer), false, "the index of a list")
		return c.indexed(n, of, prop, of.typ.ElemOrAny())
	case types.Object:
		c.want(prop, kinds(types.Text), false, "the name of a member")
		return c.indexed(n, of, prop, of.typ.AnyMember())
	case types.Unknown:
		c.want(prop, kinds(types.Integer, types.Text), false, "an index or name")
		return c.indexed(n, of, prop, types.AnyType.SecretIf(of.typ.Secret))
	}
	c.mismatch(n, "%s has no elements", of.typ.NotNull())
	return invalid(n)
}

// unchained takes a ChainNode out of the members before n: the parser ends a
// chain at a bracket, but in a?.b[0].c all of it is skipped when a is null.
func unchained(n *ast.MemberNode) (*ast.MemberNode, bool) {
	var before ast.Node
	switch inner := n.Node.(type) {
	case *ast.ChainNode:
		before = inner.Node
	case *ast.MemberNode:
		m, ok := unchained(inner)
		if !ok {
			return n, false
		}
		before = m
	default:
		return n, false
	}
	goesOn := *n
	goesOn.Node = before
	return &goesOn, true
}

// namedMember compiles x.name, x?.name and x["name"].
func (c *compiler) namedMember(n *ast.MemberNode, of term, name string) term {
	t, ok := of.typ.Field(name)
	switch {
	case of.typ.Kind == types.Unknown && of.typ.Members != nil && !slices.Contains(of.typ.Members, name):
		d := c.fault(c.spotOf(n.Property), "unknown-member", fmt.Sprintf("no record has a member %q", name))
		types.Suggest(d, name, of.typ.Members)
		return invalid(n)
	case of.typ.Kind == types.Unknown:
		t = types.AnyType.SecretIf(of.typ.Secret)
	case of.typ.LowerNames && name != strings.ToLower(name):
		c.fault(c.spotOf(n.Property), "unknown-member", fmt.Sprintf("there is never a member %q here: all names are in lower case", name)).
			Hint = fmt.Sprintf("write ['%s']", strings.ToLower(name))
		return invalid(n)
	case of.typ.Kind != types.Object:
		c.noMembers(n, of, name)
		return invalid(n)
	case !ok:
		c.unknownMember(n, of, name)
		return invalid(n)
	}
	l := link{name: name, at: c.spotOf(n.Property), optional: n.Optional, of: of.typ}
	if of.chain != nil {
		ch := of.chain.extend(l)
		return c.chained(ch, t)
	}
	rest := &chain{name: "the value", links: []link{l}}
	return term{typ: t, run: func(f *frame) (value.Value, error) {
		v, err := of.run(f)
		if err != nil {
			return nil, err
		}
		return rest.follow(v)
	}}
}

func (c *compiler) noMembers(n *ast.MemberNode, of term, name string) {
	d := c.fault(c.spotOf(n.Property), "unknown-member", fmt.Sprintf("%s has no member %q", of.typ.NotNull(), name))
	types.Related(d, of.typ)
	if sized := of.typ.Kind == types.List || of.typ.Kind == types.Text; sized && (name == "length" || name == "size" || name == "count") {
		d.Hint = "write len(…)"
	}
	if elem := of.typ.Elem; of.typ.Kind == types.List && elem != nil {
		if _, ok := elem.Field(name); ok {
			d.Hint = fmt.Sprintf("its elements have: write first(…)?.%s, or map(…, .%s)", name, name)
		}
	}
}

func (c *compiler) unknownMember(n *ast.MemberNode, of term, name string) {
	owner := ""
	if of.chain != nil && of.chain.String() != "#" {
		owner = " of " + of.chain.String()
	}
	d := c.fault(c.spotOf(n.Property), "unknown-member", fmt.Sprintf("unknown member %q%s", name, owner))
	names := make([]string, len(of.typ.Fields))
	for i, f := range of.typ.Fields {
		names[i] = f.Name
	}
	types.Suggest(d, name, names)
	if i := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, name+"-") && c.goesOn(n) }); i >= 0 {
		d.Hint = fmt.Sprintf("- subtracts: write ['%s'] in place of .%s", names[i], names[i])
	}
	types.Related(d, of.typ)
}

// goesOn reports whether the expression has the name of a member with a - in it written behind a dot.
func (c *compiler) goesOn(name string) bool { return strings.Contains(c.text, "."+name) }
