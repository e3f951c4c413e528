package expr

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func (c *compiler) unary(n *ast.UnaryNode) term {
	x := c.term(n.Node)
	at := c.spotOf(n)
	switch n.Operator {
	case "not", "!":
		c.wantBoolean(x, n.Operator)
		at := c.spotOf(n.Node)
		return term{typ: types.BooleanType, run: func(f *frame) (value.Value, error) {
			b, err := truth(f, x.run, at)
			return !b, err
		}}
	case "-", "+":
		ok := c.want(x, number, false, n.Operator)
		if !ok {
			return invalid(n)
		}
		if x.constant && n.Operator == "-" {
			if v, err := value.Neg(x.val); err == nil {
				return constant(n, x.typ, v)
			}
		}
		negative := n.Operator == "-"
		return term{typ: numberType(x.typ), run: func(f *frame) (value.Value, error) {
			v, err := x.run(f)
			if err != nil {
				return nil, err
			}
			if !value.IsNumber(v) {
				return nil, at.errorf("%s needs a number, found %s", n.Operator, types.Shown(v))
			}
			if err := f.spendNumber(v); err != nil {
				return nil, at.wrap(err)
			}
			if negative {
				v, err = value.Neg(v)
			}
			return v, err
		}}
	}
	c.fault(at, "expr-syntax", fmt.Sprintf("unknown operator %q", n.Operator))
	return invalid(n)
}

// numberType is the type of a number computed from t, without its enumeration and format.
func numberType(t *types.Type) *types.Type {
	switch t.Kind {
	case types.Integer:
		return types.IntegerType.SecretIf(t.Secret)
	case types.Decimal:
		return types.DecimalType.SecretIf(t.Secret)
	}
	return types.AnyType.SecretIf(t.Secret)
}

// An operator computes with two values, neither of which is null or omit.
type operator func(f *frame, a, b value.Value) (value.Value, error)

func (c *compiler) binary(n *ast.BinaryNode) term {
	switch n.Operator {
	case "and", "&&", "or", "||":
		return c.logical(n)
	case "??":
		return c.coalesce(n)
	case "==", "!=":
		return c.equality(n)
	case "in":
		return c.in(n)
	case "matches":
		return c.matches(n, n.Left, n.Right)
	}
	l := c.operand(c.term(n.Left))
	r := c.operand(c.term(n.Right))
	t := c.resultOf(n, l, r)
	c.divisor(n, r)
	op := operators[n.Operator]
	switch n.Operator {
	case "<", ">", "<=", ">=":
		c.sameSides(n)
		c.sameLength(n)
		c.sameRange(n, l, r)
		c.noTime(l, r)
		op = ordered(n.Operator, types.TimesOf(l.typ, r.typ))
	case "contains", "startsWith", "endsWith":
		c.neverWritten(n.Left, n.Right, n.Operator)
	}
	return c.operate(n, t, l, r, op)
}

// both evaluates the two sides of an operator, the left one first.
func both(f *frame, l, r term) (a, b value.Value, err error) {
	if a, err = l.run(f); err != nil {
		return nil, nil, err
	}
	b, err = r.run(f)
	return a, b, err
}

// operate applies op to the values of l and r.
func (c *compiler) operate(n ast.Node, t *types.Type, l, r term, op operator) term {
	at := c.spotOf(n)
	name := ""
	if b, ok := n.(*ast.BinaryNode); ok {
		name = b.Operator
	}
	return term{typ: secretResult(t, l.typ, r.typ), run: func(f *frame) (value.Value, error) {
		a, b, err := both(f, l, r)
		if err != nil {
			return nil, err
		}
		if isNullKind(a) || isNullKind(b) {
			side := "left"
			if !isNullKind(a) {
				side = "right"
			}
			d := at.errorf("the %s side of %s is null", side, name)
			d.Hint = "write (… ?? default)"
			return nil, d
		}
		err = f.spend(1)
		if err == nil {
			var v value.Value
			if v, err = op(f, a, b); err == nil {
				return v, nil
			}
		}
		return nil, at.wrap(err)
	}}
}

// resultOf checks the operands of an operator that takes no null, and returns the type it gives.
func (c *compiler) resultOf(n *ast.BinaryNode, l, r term) *types.Type {
	a, b := l.typ.Kind, r.typ.Kind
	unknown := a == types.Unknown || b == types.Unknown
	integers := a == types.Integer && b == types.Integer
	fits := func(set kindSet) bool { return fits(l.typ, set) && fits(r.typ, set) }
	switch n.Operator {
	case "+", "<", ">", "<=", ">=":
		comparison := n.Operator != "+"
		switch {
		case !fits(number) && !fits(kinds(types.Text)):
			d := c.mismatch(n, "%s needs two numbers or two texts, found %s and %s", n.Operator, l.typ, r.typ)
			if n.Operator == "+" && (a == types.Text || b == types.Text) {
				d.Hint = "text(…) makes a text of a number"
			}
			return types.AnyType
		case comparison:
			return types.BooleanType
		case a == types.Text || b == types.Text:
			return types.TextType
		case unknown:
			return types.AnyType
		case integers:
			return types.IntegerType
		}
		return types.DecimalType
	case "-", "*", "%", "/", "^", "**":
		if !fits(number) {
			c.mismatch(n, "%s needs numbers, found %s and %s", n.Operator, l.typ, r.typ)
			return types.AnyType
		}
		switch {
		case unknown:
			return types.AnyType
		case integers && strings.Contains("-*%", n.Operator):
			return types.IntegerType
		}
		if e, ok := r.val.(int64); ok && integers && n.Operator != "/" && e >= 0 {
			return types.IntegerType
		}
		return types.DecimalType
	case "contains", "startsWith", "endsWith":
		if !fits(kinds(types.Text)) {
			d := c.mismatch(n, "%s needs texts, found %s and %s", n.Operator, l.typ, r.typ)
			if a == types.List {
				d.Hint = "write element in list"
			}
		}
		return types.BooleanType
	case "..":
		if !fits(kinds(types.Integer)) {
			c.mismatch(n, ".. needs integers, found %s and %s", l.typ, r.typ)
		}
		return types.ListOf(types.IntegerType)
	}
	c.fault(c.spotOf(n), "expr-syntax", fmt.Sprintf("unknown operator %q", n.Operator))
	return types.AnyType
}
