package value

import (
	"math/bits"
	"strconv"
)

// fixed is a number of few digits, n / 10^scale: what prices and quantities
// are. It spares them the detour through big numbers.
type fixed struct {
	n     int64
	scale int
}

// maxFixedDigits is how many digits surely fit in an int64.
const maxFixedDigits = 18

// toFixed returns v as a fixed; ok is false where it has too many digits or
// an exponent, and for whatever is not a number.
func toFixed(v Value) (f fixed, ok bool) {
	switch v := v.(type) {
	case int64:
		return fixed{n: v}, true
	case Decimal:
		return v.fixed()
	}
	return fixed{}, false
}

func (d Decimal) fixed() (f fixed, ok bool) {
	if len(d) > maxFixedDigits {
		return fixed{}, false
	}
	point := len(d)
	for i := range len(d) {
		switch c := d[i]; c {
		case '-':
			if i > 0 {
				return fixed{}, false // of an exponent
			}
		case '.':
			point = i + 1
		case 'e', 'E':
			return fixed{}, false
		default:
			f.n = 10*f.n + int64(c-'0')
		}
	}
	f.scale = len(d) - point
	if d[0] == '-' {
		f.n = -f.n
	}
	return f, true
}

// aligned returns two numbers in the finer of their scales.
func aligned(a, b Value) (x, y fixed, ok bool) {
	x, okX := toFixed(a)
	y, okY := toFixed(b)
	if !okX || !okY {
		return x, y, false
	}
	for x.scale < y.scale {
		if x.n, okX = product(x.n, 10); !okX {
			return x, y, false
		}
		x.scale++
	}
	for y.scale < x.scale {
		if y.n, okY = product(y.n, 10); !okY {
			return x, y, false
		}
		y.scale++
	}
	return x, y, true
}

// sum adds, and says whether the sum fits.
func sum(x, y int64) (int64, bool) {
	z := x + y
	return z, (z > x) == (y > 0)
}

// difference subtracts, and says whether the difference fits.
func difference(x, y int64) (int64, bool) {
	z := x - y
	return z, (z < x) == (y > 0)
}

// product multiplies, and says whether the product fits.
func product(x, y int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(x), magnitude(y))
	negative := (x < 0) != (y < 0)
	switch {
	case hi != 0 || lo > 1<<63 || lo == 1<<63 && !negative:
		return 0, false
	case negative:
		return -int64(lo), true
	}
	return int64(lo), true
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

// value returns f in its scale.
func (f fixed) value() Value {
	if f.scale == 0 {
		return f.n
	}
	var buffer [64]byte
	digits := strconv.AppendUint(buffer[:0], magnitude(f.n), 10)
	var text [64]byte
	out := text[:0]
	if f.n < 0 {
		out = append(out, '-')
	}
	point := len(digits) - f.scale
	if point <= 0 {
		out = append(out, '0')
	} else {
		out = append(out, digits[:point]...)
		digits = digits[point:]
	}
	out = append(out, '.')
	for range -point {
		out = append(out, '0')
	}
	return Decimal(append(out, digits...))
}
