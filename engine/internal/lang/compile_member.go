package lang

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A chain is a name followed by members: steps.lookup?.outputs.AccountId. It is
// walked in one loop, without a frame when it starts at a scope's name.
type chain struct {
	name  string
	index int // of the name in Vars
	local int // slot of a let variable or element, or -1
	links []link
}

type link struct {
	name     string
	at       spot
	optional bool // written with ?.
}

func (c *compiler) root(n ast.Node, t *Type, ch *chain) term {
	return c.chained(ch, c.narrow(ch, t))
}

func (c *compiler) chained(ch *chain, t *Type) term {
	run := func(f *frame) (value.Value, error) { return ch.walk(ch.rootOf(f.vars)) }
	if ch.local >= 0 {
		run = func(f *frame) (value.Value, error) { return ch.walk(f.locals[ch.local]) }
	}
	return term{typ: t, chain: ch, run: run}
}

func (ch *chain) rootOf(vars Vars) value.Value {
	if ch.index < len(vars) {
		return vars[ch.index]
	}
	return nil
}

// walk follows the links. A ?. on null ends the chain with null.
func (ch *chain) walk(v value.Value) (value.Value, error) {
	v, err := ch.follow(v)
	if err == errSkip { // never wrapped, never seen outside
		return nil, nil
	}
	return v, err
}

// follow is walk for a chain that goes on after its links: a ?. on null gives errSkip.
// A member that is not there is null.
func (ch *chain) follow(v value.Value) (value.Value, error) {
	for i := range ch.links {
		l := &ch.links[i]
		switch o := v.(type) {
		case *value.Object:
			v = o.At(l.name)
		case nil:
			if l.optional {
				return nil, errSkip
			}
			return nil, l.at.errorf("cannot read %s of null: %s is null", l.name, ch.upTo(i))
		default:
			return nil, l.at.errorf("cannot read %s of %s", l.name, kindOf(v))
		}
	}
	return v, nil
}

// upTo writes the chain as far as its first n links.
func (ch *chain) upTo(n int) string {
	var b strings.Builder
	b.WriteString(ch.name)
	for _, l := range ch.links[:n] {
		if l.optional {
			b.WriteByte('?')
		}
		b.WriteString("." + l.name)
	}
	return strings.TrimPrefix(b.String(), "#.") // .x of an element
}

// String returns the chain as written with dots.
func (ch *chain) String() string { return ch.upTo(len(ch.links)) }

func (ch *chain) extend(l link) *chain {
	longer := *ch
	longer.links = append(ch.links[:len(ch.links):len(ch.links)], l)
	return &longer
}

// errSkip ends a chain whose ?. met null, as far as optionalChain.
var errSkip = errors.New("chain skipped")

// optionalChain compiles a chain with a ?. in it: the whole is null when
// the part before a ?. is.
func (c *compiler) optionalChain(n *ast.ChainNode) term {
	outer := c.chainWhy
	c.chainWhy = nil
	t := c.term(n.Node)
	why := c.chainWhy
	c.chainWhy = outer
	if why != nil && (t.chain == nil || !c.isProven(t.chain)) {
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
	if of.typ.Nullable && of.typ.Kind != Unknown {
		if n.Optional {
			why := of.typ.Why
			c.chainWhy = &why
		} else if of.typ.Kind != Null {
			c.mayBeNull(of, n)
		}
		of.typ = of.typ.notNull()
	}
	if name, ok := prop.val.(string); ok {
		return c.namedMember(n, of, name)
	}
	switch of.typ.Kind {
	case List:
		c.want(prop, kinds(Integer), false, "the index of a list")
		return c.indexed(n, of, prop, of.typ.elem())
	case Object:
		c.want(prop, kinds(Text), false, "the name of a member")
		return c.indexed(n, of, prop, AnyType.secretIf(of.typ.HasSecret()))
	case Unknown:
		c.want(prop, kinds(Integer, Text), false, "an index or name")
		return c.indexed(n, of, prop, AnyType.secretIf(of.typ.Secret))
	}
	c.mismatch(n, "%s has no elements", of.typ.notNull())
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
	case of.typ.Kind == Unknown:
		t = AnyType.secretIf(of.typ.Secret)
	case of.typ.Kind != Object:
		c.noMembers(n, of, name)
		return invalid(n)
	case !ok:
		c.unknownMember(n, of, name)
		return invalid(n)
	}
	l := link{name: name, at: c.spotOf(n.Property), optional: n.Optional}
	if of.chain != nil {
		ch := of.chain.extend(l)
		return c.chained(ch, c.narrow(ch, t))
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
	d := c.fault(c.spotOf(n.Property), "unknown-member", fmt.Sprintf("%s has no member %q", of.typ.notNull(), name))
	related(d, of.typ)
	if elem := of.typ.Elem; of.typ.Kind == List && elem != nil {
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
	suggest(d, name, names)
	related(d, of.typ)
}

// indexed compiles x[i] for a list, or for an object with a computed name.
func (c *compiler) indexed(n *ast.MemberNode, of, key term, t *Type) term {
	at := c.spotOf(n)
	optional := n.Optional
	run := of.run
	if ch := of.chain; ch != nil && ch.local >= 0 {
		run = func(f *frame) (value.Value, error) { return ch.follow(f.locals[ch.local]) }
	} else if ch != nil {
		run = func(f *frame) (value.Value, error) { return ch.follow(ch.rootOf(f.vars)) }
	}
	return term{typ: t, run: func(f *frame) (value.Value, error) {
		v, err := run(f)
		if err != nil {
			return nil, err
		}
		if v == nil && optional {
			return nil, errSkip
		}
		k, err := key.run(f)
		if err != nil {
			return nil, err
		}
		return index(v, k, at)
	}}
}

func index(v, key value.Value, at spot) (value.Value, error) {
	switch v := v.(type) {
	case value.List:
		i, ok := key.(int64)
		if !ok {
			return nil, at.errorf("the index of a list is %s, expected an integer", shown(key))
		}
		if i < 0 {
			i += int64(len(v))
		}
		if i < 0 || i >= int64(len(v)) {
			d := at.errorf("index %s is outside of the list, which has %d elements", shown(key), len(v))
			d.Hint = "at(list, index) gives null instead"
			return nil, d
		}
		return v[i], nil
	case *value.Object:
		name, ok := key.(string)
		if !ok {
			return nil, at.errorf("the name of a member is %s, expected text", shown(key))
		}
		return v.At(name), nil
	case nil:
		return nil, at.errorf("cannot read [%s] of null", shown(key))
	}
	return nil, at.errorf("cannot read [%s] of %s", shown(key), kindOf(v))
}

// slice compiles x[a:b] of lists and texts. Bounds beyond the end are cut,
// negative ones count from the end; the runes of a text are counted.
func (c *compiler) slice(n *ast.SliceNode) term {
	of := c.operand(c.term(n.Node))
	c.want(of, kinds(List, Text), false, "a slice")
	from, to := constant(n, IntegerType, int64(0)), constant(n, IntegerType, nil)
	if n.From != nil {
		from = c.term(n.From)
		c.want(from, kinds(Integer), false, "the start of a slice")
	}
	if n.To != nil {
		to = c.term(n.To)
		c.want(to, kinds(Integer), false, "the end of a slice")
	}
	open := n.To == nil
	at := c.spotOf(n)
	t := of.typ
	if t.Kind == Text {
		t = &Type{Kind: Text, Secret: t.Secret}
	}
	return term{typ: t, run: func(f *frame) (value.Value, error) {
		v, err := of.run(f)
		if err != nil {
			return nil, err
		}
		a, err := from.run(f)
		if err != nil {
			return nil, err
		}
		b, err := to.run(f)
		if err != nil {
			return nil, err
		}
		start, ok := a.(int64)
		end, ok2 := b.(int64)
		if !ok || !ok2 && !open {
			return nil, at.errorf("the bounds of a slice are %s and %s, expected integers", shown(a), shown(b))
		}
		switch v := v.(type) {
		case value.List:
			start, end := bounds(start, end, open, len(v))
			return v[start:end:end], nil
		case string:
			if err := f.spendText(len(v)); err != nil {
				return nil, at.wrap(err)
			}
			start, end := bounds(start, end, open, utf8.RuneCountInString(v))
			rest := v[byteAt(v, start):]
			return rest[:byteAt(rest, end-start)], nil
		}
		return nil, at.errorf("a slice needs a list or text, found %s", shown(v))
	}}
}

func bounds(start, end int64, open bool, length int) (from, to int) {
	n := int64(length)
	cut := func(i int64) int64 {
		if i < 0 {
			i = max(i, -n) + n
		}
		return min(i, n)
	}
	if open {
		end = n
	}
	start, end = cut(start), cut(end)
	return int(min(start, end)), int(end)
}

// key identifies what a chain reads; with ?. or without it reads the same.
func (ch *chain) key(links int) string {
	var b strings.Builder
	if ch.local >= 0 {
		b.WriteString("#" + strconv.Itoa(ch.local))
	} else {
		b.WriteString(strconv.Itoa(ch.index))
	}
	for _, l := range ch.links[:links] {
		b.WriteString("\x00" + l.name)
	}
	return b.String()
}
