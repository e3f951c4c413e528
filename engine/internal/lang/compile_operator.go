package lang

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func (c *compiler) unary(n *ast.UnaryNode) term {
	x := c.term(n.Node)
	at := c.spotOf(n)
	switch n.Operator {
	case "not", "!":
		c.wantBoolean(x, n.Operator)
		at := c.spotOf(n.Node)
		return term{typ: BooleanType, run: func(f *frame) (value.Value, error) {
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
				return nil, at.errorf("%s needs a number, found %s", n.Operator, shown(v))
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
func numberType(t *Type) *Type {
	switch t.Kind {
	case Integer:
		return IntegerType.secretIf(t.Secret)
	case Decimal:
		return DecimalType.secretIf(t.Secret)
	}
	return AnyType.secretIf(t.Secret)
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
	return c.operate(n, t, l, r, operators[n.Operator])
}

// operate applies op to the values of l and r.
func (c *compiler) operate(n ast.Node, t *Type, l, r term, op operator) term {
	at := c.spotOf(n)
	name := ""
	if b, ok := n.(*ast.BinaryNode); ok {
		name = b.Operator
	}
	return term{typ: secretResult(t, l.typ, r.typ), run: func(f *frame) (value.Value, error) {
		a, err := l.run(f)
		if err != nil {
			return nil, err
		}
		b, err := r.run(f)
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
func (c *compiler) resultOf(n *ast.BinaryNode, l, r term) *Type {
	a, b := l.typ.Kind, r.typ.Kind
	unknown := a == Unknown || b == Unknown
	integers := a == Integer && b == Integer
	fits := func(set kindSet) bool {
		return (a == Unknown || set.has(a)) && (b == Unknown || set.has(b))
	}
	switch n.Operator {
	case "+", "<", ">", "<=", ">=":
		comparison := n.Operator != "+"
		switch {
		case !fits(number) && !fits(kinds(Text)):
			d := c.mismatch(n, "%s needs two numbers or two texts, found %s and %s", n.Operator, l.typ, r.typ)
			if n.Operator == "+" && (a == Text || b == Text) {
				d.Hint = "text(…) makes a text of a number"
			}
			return AnyType
		case comparison:
			return BooleanType
		case a == Text || b == Text:
			return TextType
		case unknown:
			return AnyType
		case integers:
			return IntegerType
		}
		return DecimalType
	case "-", "*", "%", "/", "^", "**":
		if !fits(number) {
			c.mismatch(n, "%s needs numbers, found %s and %s", n.Operator, l.typ, r.typ)
			return AnyType
		}
		switch {
		case unknown:
			return AnyType
		case integers && strings.Contains("-*%", n.Operator):
			return IntegerType
		}
		if e, ok := r.val.(int64); ok && integers && n.Operator != "/" && e >= 0 {
			return IntegerType
		}
		return DecimalType
	case "contains", "startsWith", "endsWith":
		if !fits(kinds(Text)) {
			d := c.mismatch(n, "%s needs texts, found %s and %s", n.Operator, l.typ, r.typ)
			if a == List {
				d.Hint = "write element in list"
			}
		}
		return BooleanType
	case "..":
		if !fits(kinds(Integer)) {
			c.mismatch(n, ".. needs integers, found %s and %s", l.typ, r.typ)
		}
		return ListOf(IntegerType)
	}
	c.fault(c.spotOf(n), "expr-syntax", fmt.Sprintf("unknown operator %q", n.Operator))
	return AnyType
}

// operators are those that take no null and give their faults as plain errors.
var operators = map[string]operator{
	"+":          add,
	"-":          arithmetic(value.Sub),
	"*":          arithmetic(value.Mul),
	"/":          arithmetic(value.Div),
	"%":          arithmetic(value.Mod),
	"^":          power,
	"**":         power,
	"<":          ordered(func(o int) bool { return o < 0 }),
	"<=":         ordered(func(o int) bool { return o <= 0 }),
	">":          ordered(func(o int) bool { return o > 0 }),
	">=":         ordered(func(o int) bool { return o >= 0 }),
	"contains":   texts("contains", strings.Contains),
	"startsWith": texts("startsWith", strings.HasPrefix),
	"endsWith":   texts("endsWith", strings.HasSuffix),
	"..":         span,
}

func add(f *frame, a, b value.Value) (value.Value, error) {
	if x, ok := a.(string); ok {
		y, ok := b.(string)
		if !ok {
			return nil, fmt.Errorf("cannot add text and %s", kindOf(b))
		}
		if err := f.spendText(len(x) + len(y)); err != nil {
			return nil, err
		}
		return x + y, nil
	}
	return arithmetic(value.Add)(f, a, b)
}

func arithmetic(op func(a, b value.Value) (value.Value, error)) operator {
	return func(f *frame, a, b value.Value) (value.Value, error) {
		v, err := op(a, b)
		if d, ok := v.(value.Decimal); ok && err == nil {
			err = f.spend(decimalSteps + len(d)/bytesPerStep)
		}
		return v, err
	}
}

// decimalSteps is what computing with a decimal costs above an integer.
const decimalSteps = 3

// power multiplies; exponents are small, and the number of digits is bounded by the value package.
func power(f *frame, a, b value.Value) (value.Value, error) {
	const largest = 1000
	n, ok := b.(int64)
	if !ok || n < -largest || n > largest {
		return nil, fmt.Errorf("the exponent is %s, expected an integer from -%d to %d", shown(b), largest, largest)
	}
	if !value.IsNumber(a) {
		return nil, fmt.Errorf("^ needs numbers, found %s", shown(a))
	}
	mul := arithmetic(value.Mul)
	var product value.Value = int64(1)
	for range max(n, -n) {
		var err error
		if err = f.spend(1); err != nil {
			return nil, err
		}
		if product, err = mul(f, product, a); err != nil {
			return nil, err
		}
	}
	if n < 0 {
		return value.Div(int64(1), product)
	}
	return product, nil
}

func ordered(holds func(order int) bool) operator {
	return func(f *frame, a, b value.Value) (value.Value, error) {
		if kindOf(a) == Boolean {
			return nil, fmt.Errorf("cannot compare boolean with %s", kindOf(b))
		}
		order, err := value.Compare(a, b)
		if err != nil {
			return nil, err
		}
		return holds(order), nil
	}
}

func texts(name string, test func(a, b string) bool) operator {
	return func(f *frame, a, b value.Value) (value.Value, error) {
		x, ok := a.(string)
		y, ok2 := b.(string)
		if !ok || !ok2 {
			return nil, fmt.Errorf("%s needs texts, found %s and %s", name, kindOf(a), kindOf(b))
		}
		if err := f.spendText(len(x)); err != nil {
			return nil, err
		}
		return test(x, y), nil
	}
}

func span(f *frame, a, b value.Value) (value.Value, error) {
	from, ok := a.(int64)
	to, ok2 := b.(int64)
	if !ok || !ok2 {
		return nil, fmt.Errorf(".. needs integers, found %s and %s", shown(a), shown(b))
	}
	if to < from {
		return value.List{}, nil
	}
	if uint64(to)-uint64(from) >= math.MaxInt32 {
		return nil, errBudget
	}
	n := int(to - from + 1)
	if err := f.spend(n); err != nil {
		return nil, err
	}
	list := make(value.List, n)
	for i := range list {
		list[i] = from + int64(i)
	}
	return list, nil
}

func (c *compiler) logical(n *ast.BinaryNode) term {
	isAnd := n.Operator == "and" || n.Operator == "&&"
	l := c.term(n.Left)
	c.wantBoolean(l, n.Operator)
	r := c.under(c.proven(n.Left, isAnd), n.Right)
	c.wantBoolean(r, n.Operator)
	left, right := c.spotOf(n.Left), c.spotOf(n.Right)
	return term{typ: BooleanType, run: func(f *frame) (value.Value, error) {
		b, err := truth(f, l.run, left)
		if err != nil || b != isAnd {
			return b, err
		}
		return truth(f, r.run, right)
	}}
}

func (c *compiler) coalesce(n *ast.BinaryNode) term {
	l, r := c.term(n.Left), c.term(n.Right)
	c.refuseOmit(l)
	t := join(l.typ.notNull(), r.typ)
	if l.typ.Kind == Null {
		t = r.typ
	}
	return term{typ: t, run: func(f *frame) (value.Value, error) {
		v, err := l.run(f)
		if err != nil || v != nil {
			return v, err
		}
		return r.run(f)
	}}
}

func (c *compiler) equality(n *ast.BinaryNode) term {
	l, r := c.term(n.Left), c.term(n.Right)
	c.comparable(n, l, r, n.Operator)
	same := n.Operator == "=="
	at := c.spotOf(n)
	return term{typ: BooleanType, run: func(f *frame) (value.Value, error) {
		a, err := l.run(f)
		if err != nil {
			return nil, err
		}
		b, err := r.run(f)
		if err != nil {
			return nil, err
		}
		eq, err := equal(f, a, b)
		if err != nil {
			return nil, at.wrap(err)
		}
		return eq == same, nil
	}}
}

// equal is value.Equal within the budget.
func equal(f *frame, a, b value.Value) (bool, error) {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return ok && x == y, f.spend(1)
	case value.List, *value.Object:
		if kindOf(a) != kindOf(b) {
			return false, f.spend(1)
		}
		if err := f.spendDeep(a); err != nil {
			return false, err
		}
	}
	return value.Equal(a, b), f.spend(1)
}

func (c *compiler) in(n *ast.BinaryNode) term {
	l, r := c.term(n.Left), c.operand(c.term(n.Right))
	c.refuseOmit(l)
	switch r.typ.Kind {
	case Unknown:
	case List:
		c.inList(n, l, r)
	case Object:
		c.want(l, kinds(Text), false, "the name of a member")
	default:
		d := c.mismatch(n, "in needs a list or object on its right, found %s", r.typ)
		if r.typ.Kind == Text {
			d.Hint = "write text contains part"
		}
	}
	at := c.spotOf(n)
	return term{typ: BooleanType, run: func(f *frame) (value.Value, error) {
		a, err := l.run(f)
		if err != nil {
			return nil, err
		}
		b, err := r.run(f)
		if err != nil {
			return nil, err
		}
		found, err := contained(f, a, b)
		if err != nil {
			return nil, at.wrap(err)
		}
		return found, nil
	}}
}

// inList compares the left side with each element of a constant list, else with the type of the elements.
func (c *compiler) inList(n *ast.BinaryNode, l, r term) {
	if list, ok := n.Right.(*ast.ArrayNode); ok {
		for _, e := range list.Nodes {
			c.comparable(e, l, c.term(e), "in")
		}
		return
	}
	elem := r.typ.elem()
	c.comparable(n, l, term{node: n.Right, typ: elem}, "in")
	c.inEnum(term{typ: elem}, l)
}

func contained(f *frame, v, in value.Value) (bool, error) {
	switch in := in.(type) {
	case value.List:
		for _, e := range in {
			if same, err := equal(f, v, e); same || err != nil {
				return same, err
			}
		}
		return false, f.spend(1)
	case *value.Object:
		name, ok := v.(string)
		if !ok {
			return false, fmt.Errorf("the name of a member is %s, expected text", shown(v))
		}
		_, found := in.Get(name)
		return found, f.spend(1)
	}
	return false, fmt.Errorf("in needs a list or object on its right, found %s", shown(in))
}

// matches compiles both forms of matches. A constant pattern is compiled once.
func (c *compiler) matches(n, text, pattern ast.Node) term {
	l := c.term(text)
	r := c.term(pattern)
	fits := c.want(l, kinds(Text), false, "matches")
	fits = c.want(r, kinds(Text), false, "matches") && fits
	var fixed *regexp.Regexp
	if p, ok := r.val.(string); ok && fits {
		var err error
		if fixed, err = regexp.Compile(p); err != nil {
			c.fault(c.spotOf(pattern), "bad-pattern", badPattern(err))
		}
	}
	return c.operate(n, BooleanType, l, r, func(f *frame, a, b value.Value) (value.Value, error) {
		x, ok := a.(string)
		p, ok2 := b.(string)
		if !ok || !ok2 {
			return nil, fmt.Errorf("matches needs texts, found %s and %s", kindOf(a), kindOf(b))
		}
		if err := f.spend(1 + patternCost(len(p), len(x))); err != nil {
			return nil, err
		}
		re := fixed
		if re == nil {
			var err error
			if err = f.spend(100 + 20*len(p)); err != nil {
				return nil, err
			}
			if re, err = regexp.Compile(p); err != nil {
				return nil, fmt.Errorf("%s", badPattern(err))
			}
		}
		return re.MatchString(x), nil
	})
}

// patternCost bounds a search: its time grows with the text and, at worst, with the pattern.
func patternCost(pattern, text int) int { return (1 + pattern/16) * (1 + text/2) }

func badPattern(err error) string {
	return "not a regular expression: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
}
