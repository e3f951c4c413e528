package value

import (
	"errors"
	"fmt"
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/seed627bd532/runner/engine/diag"
)

// exact never rounds: a sum or product has all the digits it needs. It is not changed.
var exact = apd.BaseContext

// Add computes a + b exactly; integers that leave the int64 range become
// Decimals. An operand that is not a number is an error, and so is a result
// beyond what ParseNumber reads.
func Add(a, b Value) (Value, error) {
	if x, y, ok := aligned(a, b); ok {
		if z, ok := sum(x.n, y.n); ok {
			return fixed{z, x.scale}.value(), nil
		}
	}
	return calculate("add", a, b, exact.Add)
}

// Sub computes a - b, as Add does.
func Sub(a, b Value) (Value, error) {
	if x, y, ok := aligned(a, b); ok {
		if z, ok := difference(x.n, y.n); ok {
			return fixed{z, x.scale}.value(), nil
		}
	}
	return calculate("subtract", a, b, exact.Sub)
}

// Mul computes a × b, as Add does.
func Mul(a, b Value) (Value, error) {
	x, okX := toFixed(a)
	y, okY := toFixed(b)
	if okX && okY {
		if z, ok := product(x.n, y.n); ok {
			return fixed{z, x.scale + y.scale}.value(), nil
		}
	}
	return calculate("multiply", a, b, exact.Mul)
}

// Div returns the exact quotient; a division by zero or a quotient without a
// finite decimal form is an error that says to use round.
func Div(a, b Value) (Value, error) {
	if x, y, ok := integers(a, b); ok && y != 0 && y != -1 && x%y == 0 {
		return x / y, nil
	}
	x, y, err := operands("divide", a, b)
	if err != nil {
		return nil, err
	}
	if y.IsZero() {
		return nil, errZero
	}
	// In lowest terms the divisor must be made of twos and fives only, and
	// the larger count of the two is how many places the quotient needs.
	common := new(apd.BigInt).GCD(nil, nil, &x.Coeff, &y.Coeff)
	x.Coeff.Quo(&x.Coeff, common)
	y.Coeff.Quo(&y.Coeff, common)
	twos, fives := takeOut(&y.Coeff, 2), takeOut(&y.Coeff, 5)
	if y.Coeff.Cmp(apd.NewBigInt(1)) != 0 {
		return nil, fmt.Errorf("%s / %s has no end: say how many places, as in round(a / b, 2)", shown(a), shown(b))
	}
	places := max(twos, fives)
	x.Coeff.Mul(&x.Coeff, power(2, places-twos))
	x.Coeff.Mul(&x.Coeff, power(5, places-fives))
	x.Exponent -= y.Exponent + int32(places)
	x.Negative = x.Negative != y.Negative
	return fromAPD(x)
}

// Mod returns the remainder, with the sign of a. Zero divisors are an error.
func Mod(a, b Value) (Value, error) {
	if x, y, ok := integers(a, b); ok && y != 0 && y != -1 {
		return x % y, nil
	}
	x, y, err := operands("divide", a, b)
	if err != nil {
		return nil, err
	}
	if y.IsZero() {
		return nil, errZero
	}
	if d := int(x.Exponent) - int(y.Exponent); d > 0 {
		x.Coeff.Mul(&x.Coeff, power(10, d))
		x.Exponent = y.Exponent
	} else {
		y.Coeff.Mul(&y.Coeff, power(10, -d))
	}
	x.Coeff.Rem(&x.Coeff, &y.Coeff)
	return fromAPD(x)
}

// Neg returns -a. There is no negative zero: Neg(0.0) is 0.0.
func Neg(a Value) (Value, error) {
	if n, ok := a.(int64); ok && n != math.MinInt64 {
		return -n, nil
	}
	x, ok := toAPD(a)
	if !ok {
		return nil, fmt.Errorf("cannot negate %s", aKind(a))
	}
	return fromAPD(x.Neg(x))
}

var errZero = errors.New("division by zero")

func calculate(verb string, a, b Value, f func(d, x, y *apd.Decimal) (apd.Condition, error)) (Value, error) {
	x, y, err := operands(verb, a, b)
	if err != nil {
		return nil, err
	}
	var d apd.Decimal
	if _, err := f(&d, x, y); err != nil {
		return nil, errRange
	}
	return fromAPD(&d)
}

func operands(verb string, a, b Value) (x, y *apd.Decimal, err error) {
	x, okX := toAPD(a)
	y, okY := toAPD(b)
	if !okX || !okY {
		return nil, nil, fmt.Errorf("cannot %s %s and %s", verb, aKind(a), aKind(b))
	}
	return x, y, nil
}

func integers(a, b Value) (x, y int64, ok bool) {
	x, okX := a.(int64)
	y, okY := b.(int64)
	return x, y, okX && okY
}

// takeOut divides x by f as often as it can, and says how often that was.
func takeOut(x *apd.BigInt, f int64) int {
	factor := apd.NewBigInt(f)
	var quotient, remainder apd.BigInt
	for n := 0; ; n++ {
		quotient.QuoRem(x, factor, &remainder)
		if remainder.Sign() != 0 {
			return n
		}
		x.Set(&quotient)
	}
}

func power(base int64, n int) *apd.BigInt {
	return new(apd.BigInt).Exp(apd.NewBigInt(base), apd.NewBigInt(int64(n)), nil)
}

// aKind names the kind of v in a message about an operand.
func aKind(v Value) string {
	switch kind := KindOf(v); kind {
	case "null":
		return kind
	case "integer", "object":
		return "an " + kind
	default:
		return "a " + kind
	}
}

// shown is a number inside a message.
func shown(v Value) string {
	text, _ := Text(v)
	return diag.Shorten(text, maxShown)
}
