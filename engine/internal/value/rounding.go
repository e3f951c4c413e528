package value

import (
	"fmt"

	"github.com/cockroachdb/apd/v3"
)

// rounding rounds half away from zero, and has room for every number there is.
var rounding = apd.Context{
	Precision:   4 * (maxDigits + maxExponent),
	MaxExponent: apd.MaxExponent,
	MinExponent: apd.MinExponent,
	Traps:       apd.DefaultTraps,
	Rounding:    apd.RoundHalfUp,
}

// Round returns a rounded half away from zero, with exactly places digits
// after the point (an int64 when places is 0 and it fits). Negative places
// round to tens, hundreds and so on.
func Round(a Value, places int) (Value, error) {
	if n, ok := a.(int64); ok && places == 0 {
		return n, nil
	}
	x, ok := toAPD(a)
	if !ok {
		return nil, fmt.Errorf("cannot round %s", aKind(a))
	}
	if err := checkPlaces(places); err != nil {
		return nil, err
	}
	if _, err := rounding.Quantize(x, x, int32(-places)); err != nil {
		return nil, errRange
	}
	return rounded(x, places)
}

// DivRound returns the quotient rounded half away from zero, as Round does;
// unlike Div it has an answer for every divisor but zero.
func DivRound(a, b Value, places int) (Value, error) {
	x, y, err := operands("divide", a, b)
	if err != nil {
		return nil, err
	}
	if y.IsZero() {
		return nil, errZero
	}
	if err := checkPlaces(places); err != nil {
		return nil, err
	}
	// |a| / |b| in units of the last place, and the remainder decides.
	negative := x.Negative != y.Negative
	shift := int(x.Exponent) - int(y.Exponent) + places
	if shift >= 0 {
		x.Coeff.Mul(&x.Coeff, power(10, shift))
	} else {
		y.Coeff.Mul(&y.Coeff, power(10, -shift))
	}
	var quotient, remainder apd.BigInt
	quotient.QuoRem(&x.Coeff, &y.Coeff, &remainder)
	if remainder.Mul(&remainder, apd.NewBigInt(2)); remainder.Cmp(&y.Coeff) >= 0 {
		quotient.Add(&quotient, apd.NewBigInt(1))
	}
	result := apd.NewWithBigInt(&quotient, int32(-places))
	result.Negative = negative
	return rounded(result, places)
}

// rounded writes x, whose exponent is -places, with its places in full.
func rounded(x *apd.Decimal, places int) (Value, error) {
	if places <= 0 {
		if _, err := rounding.Quantize(x, x, 0); err != nil {
			return nil, errRange
		}
		return fromAPD(x)
	}
	if x.IsZero() {
		x.Negative = false
	}
	v, err := ParseNumber(x.Text('f'))
	if err != nil {
		return nil, errRange
	}
	return v, nil
}

// Truncate returns the integer part of a, toward zero.
func Truncate(a Value) (Value, error) {
	if n, ok := a.(int64); ok {
		return n, nil
	}
	x, ok := toAPD(a)
	if !ok {
		return nil, fmt.Errorf("cannot truncate %s", aKind(a))
	}
	var whole, fraction apd.Decimal
	x.Modf(&whole, &fraction)
	return fromAPD(&whole)
}

func checkPlaces(places int) error {
	if places < -maxExponent || places > maxExponent {
		return fmt.Errorf("cannot round to %d places: at most %d", places, maxExponent)
	}
	return nil
}
