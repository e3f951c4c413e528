package expr

import (
	"fmt"
	"math"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// operators are those that take no null and give their faults as plain errors.
var operators = map[string]operator{
	"+":          add,
	"-":          arithmetic(value.Sub),
	"*":          arithmetic(value.Mul),
	"/":          arithmetic(value.Div),
	"%":          arithmetic(value.Mod),
	"^":          power,
	"**":         power,
	"contains":   texts("contains", strings.Contains),
	"startsWith": texts("startsWith", strings.HasPrefix),
	"endsWith":   texts("endsWith", strings.HasSuffix),
	"..":         span,
}

func add(f *frame, a, b value.Value) (value.Value, error) {
	if x, ok := a.(string); ok {
		y, ok := b.(string)
		if !ok {
			return nil, fmt.Errorf("cannot add text and %s", types.KindOf(b))
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
		if err := f.spendCompare(a, b); err != nil {
			return nil, err
		}
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
		return nil, fmt.Errorf("the exponent is %s, expected an integer from -%d to %d", types.Shown(b), largest, largest)
	}
	if !value.IsNumber(a) {
		return nil, fmt.Errorf("^ needs numbers, found %s", types.Shown(a))
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

// ordered returns an operator that compares, points in time where ts says so.
func ordered(name string, ts types.Times) operator {
	holds := map[string]func(order int) bool{
		"<":  func(o int) bool { return o < 0 },
		"<=": func(o int) bool { return o <= 0 },
		">":  func(o int) bool { return o > 0 },
		">=": func(o int) bool { return o >= 0 },
	}[name]
	return func(f *frame, a, b value.Value) (value.Value, error) {
		if types.KindOf(a) == types.Boolean {
			return nil, fmt.Errorf("cannot compare boolean with %s", types.KindOf(b))
		}
		if err := f.spendCompare(a, b); err != nil {
			return nil, err
		}
		order, err := orderTimes(f, ts, a, b)
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
			return nil, fmt.Errorf("%s needs texts, found %s and %s", name, types.KindOf(a), types.KindOf(b))
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
		return nil, fmt.Errorf(".. needs integers, found %s and %s", types.Shown(a), types.Shown(b))
	}
	if to < from {
		return value.List{}, nil
	}
	if uint64(to)-uint64(from) >= math.MaxInt32 {
		return nil, ErrBudget
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
