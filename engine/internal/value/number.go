package value

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/seed627bd532/runner/engine/diag"
)

// What a number may look like. The limits keep a few bytes such as 1e999999999
// from turning into gigabytes of digits once somebody calculates with them.
const (
	maxDigits   = 1000
	maxExponent = 400
)

// maxShown is how many runes of a number a message shows.
const maxShown = 40

// ParseNumber reads a JSON number: an int64 when the literal is an integer that
// fits, else a Decimal with the digits as written ("-0" and "15.0" are Decimals).
// It refuses what is not a JSON number, more than 1,000 digits, and exponents
// beyond 400.
func ParseNumber(lexical string) (Value, error) {
	n, ok := scanNumber(lexical)
	switch {
	case !ok:
		return nil, fmt.Errorf("%q is not a number", diag.Shorten(lexical, maxShown))
	case n.digits > maxDigits:
		return nil, fmt.Errorf("number %s has %d digits, more than %d", diag.Shorten(lexical, maxShown), n.digits, maxDigits)
	case beyondExponent(n.exponent):
		return nil, fmt.Errorf("number %s has an exponent beyond %d", diag.Shorten(lexical, maxShown), maxExponent)
	}
	if n.integer && lexical != "-0" {
		if n, err := strconv.ParseInt(lexical, 10, 64); err == nil {
			return n, nil
		}
	}
	return Decimal(lexical), nil
}

// IsNumeral reports whether text is a number by JSON's grammar, of whatever
// size: ParseNumber refuses a numeral only for its digits or its exponent.
func IsNumeral(text string) bool {
	_, ok := scanNumber(text)
	return ok
}

// A numeral says how a number is written.
type numeral struct {
	integer  bool // it has neither fraction nor exponent
	digits   int  // before the exponent
	exponent string
}

// scanNumber holds s against the grammar of JSON numbers.
func scanNumber(s string) (n numeral, ok bool) {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := digitsAt(s, i)
	if whole == 0 || whole > 1 && s[i] == '0' {
		return n, false
	}
	i += whole
	n.digits, n.integer = whole, true
	if i < len(s) && s[i] == '.' {
		fraction := digitsAt(s, i+1)
		if fraction == 0 {
			return n, false
		}
		i += 1 + fraction
		n.digits += fraction
		n.integer = false
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		exponent := digitsAt(s, i)
		if exponent == 0 {
			return n, false
		}
		n.exponent, n.integer = s[i:i+exponent], false
		i += exponent
	}
	return n, i == len(s)
}

// digitsAt counts the digits of s from i on.
func digitsAt(s string, i int) int {
	n := 0
	for i+n < len(s) && '0' <= s[i+n] && s[i+n] <= '9' {
		n++
	}
	return n
}

func beyondExponent(digits string) bool {
	digits = strings.TrimLeft(digits, "0")
	return len(digits) > 3 || len(digits) == 3 && digits > strconv.Itoa(maxExponent)
}

// IsNumber reports whether v is an int64 or a Decimal.
func IsNumber(v Value) bool {
	switch v.(type) {
	case int64, Decimal:
		return true
	}
	return false
}

// IsInteger reports whether the number has no fraction (15.0 has none), and
// returns it as an int64 when it fits, else as a Decimal. It is false for
// whatever is not a number.
func IsInteger(v Value) (Value, bool) {
	switch n := v.(type) {
	case int64:
		return v, true // not n, which would have to be boxed anew
	case Decimal:
		var d, whole, fraction apd.Decimal
		d.Set(n.apd())
		d.Modf(&whole, &fraction)
		if !fraction.IsZero() {
			return nil, false
		}
		i, err := fromAPD(&whole)
		return i, err == nil
	}
	return nil, false
}

// apd returns d for calculating with.
func (d Decimal) apd() *apd.Decimal {
	x, _, err := new(apd.Decimal).SetString(string(d))
	if err != nil || x.Form != apd.Finite {
		panic(fmt.Sprintf("value: Decimal(%q) was not made by ParseNumber", string(d)))
	}
	return x
}

// toAPD returns a number for calculating with; ok is false for anything else.
func toAPD(v Value) (d *apd.Decimal, ok bool) {
	switch v := v.(type) {
	case int64:
		return apd.New(v, 0), true
	case Decimal:
		return v.apd(), true
	}
	return nil, false
}

var errRange = errors.New("the result has too many digits or is out of range")

// maxPadding is how many zeros are written before a number is given an exponent.
const maxPadding = 40

// fromAPD returns a result as a value: in the scale it has, never as -0, and
// as ParseNumber would return the same literal, so that a result which is
// stored and read again stays what it was.
func fromAPD(d *apd.Decimal) (Value, error) {
	if d.Form != apd.Finite {
		return nil, errRange
	}
	if d.IsZero() {
		d.Negative = false
		d.Exponent = min(d.Exponent, 0)
	} else if d.Exponent == 0 && d.Coeff.IsInt64() {
		n := d.Coeff.Int64()
		if d.Negative {
			n = -n
		}
		return n, nil
	}
	if d.Exponent > maxDigits+maxExponent || d.Exponent < -(maxDigits+maxExponent) {
		return nil, errRange
	}
	format := byte('f')
	if padding := -int64(d.Exponent) - d.NumDigits(); d.Exponent > maxPadding || padding > maxPadding {
		format = 'e'
	}
	v, err := ParseNumber(d.Text(format))
	if err != nil {
		return nil, errRange
	}
	return v, nil
}
