package expr

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// number takes the digits of a literal from the source, so that 0.10 stays 0.10;
// the parser made a float of it. Hexadecimal literals keep the parser's integer.
func (c *compiler) number(n ast.Node, parsed int64) term {
	loc := n.Location()
	text := strings.ReplaceAll(c.text[types.ByteAt(c.text, loc.From):types.ByteAt(c.text, loc.To)], "_", "")
	if len(text) > 1 && text[0] == '0' && strings.ContainsAny(text[1:2], "xXoObB") {
		return constant(n, types.IntegerType, parsed)
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
		return constant(n, types.IntegerType, v)
	}
	return constant(n, types.DecimalType, v)
}

func (c *compiler) list(n *ast.ArrayNode) term {
	terms := make([]term, len(n.Nodes))
	elem, fixed := types.NothingType, true
	for i, e := range n.Nodes {
		terms[i] = c.term(e)
		c.refuseOmit(terms[i])
		elem = types.Join(elem, terms[i].typ)
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
	t := term{typ: types.ListOf(elem), run: run}
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
	typ := &types.Type{Kind: types.Object}
	pairs := make([]pair, len(n.Pairs))
	for i, p := range n.Pairs {
		node := p.(*ast.PairNode)
		key, val := c.term(node.Key), c.term(node.Value)
		c.refuseOmit(val)
		pairs[i] = pair{val: val, at: c.spotOf(node.Key)}
		name, ok := key.val.(string)
		switch {
		case !ok:
			c.want(key, kinds(types.Text), false, "the name of a member")
			pairs[i].dyn = key.run
			typ.Extra = types.AnyType
		case typ.Declares(name):
			c.fault(c.spotOf(node.Key), "duplicate-key", fmt.Sprintf("member %q is there twice", name))
		default:
			pairs[i].key = name
			typ.Fields = append(typ.Fields, types.Field{Name: name, Type: val.typ})
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
					return nil, p.at.errorf("the name of a member is %s, expected text", types.Shown(k))
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
