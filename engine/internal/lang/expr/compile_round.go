package expr

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// round compiles round(x, places). A quotient or mean is rounded from its parts,
// because it may have no end: that is the one way to divide 1 by 3.
func (c *compiler) round(n ast.Node, args []ast.Node) term {
	places := constant(n, types.IntegerType, int64(0))
	if len(args) > 1 {
		places = c.term(args[1])
		if c.want(places, kinds(types.Integer), false, "round") && places.constant {
			if err := checkPlaces(places.val); err != nil {
				c.fault(c.spotOf(args[1]), "bad-arguments", err.Error())
			}
		}
	}
	x, parts := c.fraction(args[0])
	if c.want(x, number, false, "round") && x.typ.Kind == types.Unknown {
		x.typ = types.AnyType.SecretIf(x.typ.Secret)
	}
	t := types.DecimalType
	if places.val == int64(0) {
		t = types.IntegerType
	}
	at := c.spotOf(n)
	return term{typ: t.SecretIf(x.typ.Secret), run: func(f *frame) (value.Value, error) {
		p, err := places.run(f)
		if err != nil {
			return nil, err
		}
		if err := checkPlaces(p); err != nil {
			return nil, at.wrap(err)
		}
		num, den, err := parts(f)
		if err != nil {
			return nil, err
		}
		v, err := roundParts(f, num, den, int(p.(int64)))
		if err != nil {
			return nil, at.wrap(err)
		}
		return v, nil
	}}
}

func roundParts(f *frame, num, den value.Value, places int) (value.Value, error) {
	if err := f.spend(2*decimalSteps + places/4); err != nil {
		return nil, err
	}
	if err := f.spendCompare(num, den); err != nil {
		return nil, err
	}
	if num == nil || den == nil {
		return nil, errors.New("x of round is null, expected number")
	}
	if !value.IsNumber(num) || !value.IsNumber(den) {
		return nil, fmt.Errorf("round needs numbers, found %s", types.Shown(num))
	}
	if den == int64(1) {
		return value.Round(num, places)
	}
	return value.DivRound(num, den, places)
}

// fraction compiles n as a numerator and denominator; what is no quotient has the denominator 1.
func (c *compiler) fraction(n ast.Node) (whole term, parts func(f *frame) (num, den value.Value, err error)) {
	whole = c.term(n)
	if q, ok := n.(*ast.BinaryNode); ok && q.Operator == "/" {
		a, b := c.term(q.Left), c.term(q.Right)
		return whole, func(f *frame) (num, den value.Value, err error) {
			if num, err = a.run(f); err == nil {
				den, err = b.run(f)
			}
			return num, den, err
		}
	}
	if or, ok := n.(*ast.BinaryNode); ok && or.Operator == "??" { // mean(list) ?? 0
		_, left := c.fraction(or.Left)
		_, right := c.fraction(or.Right)
		return whole, func(f *frame) (num, den value.Value, err error) {
			if num, den, err = left(f); num == nil && err == nil {
				return right(f)
			}
			return num, den, err
		}
	}
	if call, ok := n.(*ast.CallNode); ok && len(call.Arguments) == 1 && isMean(call.Callee) {
		list, at := c.term(call.Arguments[0]), c.spotOf(n)
		return whole, func(f *frame) (num, den value.Value, err error) {
			v, err := list.run(f)
			if err != nil {
				return nil, nil, err
			}
			total, count, err := meanParts(f, v)
			if err != nil {
				return nil, nil, at.wrap(err)
			}
			if count == 0 {
				return nil, int64(1), nil
			}
			return total, count, nil
		}
	}
	return whole, func(f *frame) (num, den value.Value, err error) {
		num, err = whole.run(f)
		return num, int64(1), err
	}
}

func isMean(callee ast.Node) bool {
	name, ok := callee.(*ast.IdentifierNode)
	return ok && name.Value == "mean"
}
