package expr

import (
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// indexed compiles x[i] for a list, or for an object with a computed name.
func (c *compiler) indexed(n *ast.MemberNode, of, key term, t *types.Type) term {
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
		return index(f, v, k, at)
	}}
}

func index(f *frame, v, key value.Value, at spot) (value.Value, error) {
	switch v := v.(type) {
	case value.List, *value.Rows:
		i, ok := key.(int64)
		if !ok {
			return nil, at.errorf("the index of a list is %s, expected an integer", types.Shown(key))
		}
		elem, there, err := f.elementAt(v, i)
		if err != nil {
			return nil, at.wrap(err)
		}
		if !there {
			n, _ := value.Length(v)
			d := at.errorf("index %s is outside of the list, which has %d elements", types.Shown(key), n)
			d.Hint = "at(list, index) gives null instead"
			return nil, d
		}
		return elem, nil
	case *value.Object:
		name, ok := key.(string)
		if !ok {
			return nil, at.errorf("the name of a member is %s, expected text", types.Shown(key))
		}
		return v.At(name), nil
	case nil:
		return nil, at.errorf("cannot read [%s] of null", types.Shown(key))
	}
	return nil, at.errorf("cannot read [%s] of %s", types.Shown(key), types.KindOf(v))
}

// slice compiles x[a:b] of lists and texts. Bounds beyond the end are cut,
// negative ones count from the end; the runes of a text are counted.
func (c *compiler) slice(n *ast.SliceNode) term {
	of := c.operand(c.term(n.Node))
	c.want(of, kinds(types.List, types.Text), false, "a slice")
	from, to := constant(n, types.IntegerType, int64(0)), constant(n, types.IntegerType, nil)
	if n.From != nil {
		from = c.term(n.From)
		c.want(from, kinds(types.Integer), false, "the start of a slice")
	}
	if n.To != nil {
		to = c.term(n.To)
		c.want(to, kinds(types.Integer), false, "the end of a slice")
	}
	open := n.To == nil
	at := c.spotOf(n)
	t := of.typ
	if t.Kind == types.Text {
		t = &types.Type{Kind: types.Text, Secret: t.Secret}
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
			return nil, at.errorf("the bounds of a slice are %s and %s, expected integers", types.Shown(a), types.Shown(b))
		}
		switch v := v.(type) {
		case value.List:
			start, end := bounds(start, end, open, len(v))
			return v[start:end:end], nil
		case *value.Rows:
			start, end := bounds(start, end, open, v.Len())
			part, err := f.part(v, start, end)
			if err != nil {
				return nil, at.wrap(err)
			}
			return part, nil
		case string:
			if err := f.spendText(len(v)); err != nil {
				return nil, at.wrap(err)
			}
			start, end := bounds(start, end, open, utf8.RuneCountInString(v))
			rest := v[types.ByteAt(v, start):]
			return rest[:types.ByteAt(rest, end-start)], nil
		}
		return nil, at.errorf("a slice needs a list or text, found %s", types.Shown(v))
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
