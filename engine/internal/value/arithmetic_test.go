package value

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSumKeepsScale(t *testing.T) {
	t.Parallel()
	var sum Value = int64(0)
	for _, n := range []Decimal{"203.7700", "-307.2800", "1.00000", "0.1", "0.2"} {
		var err error
		if sum, err = Add(sum, n); err != nil {
			t.Fatal(err)
		}
	}
	if sum != Decimal("-102.21000") {
		t.Errorf("sum = %v, want -102.21000", sum)
	}
}

func TestArithmetic(t *testing.T) {
	t.Parallel()
	type operation = func(a, b Value) (Value, error)
	for _, c := range []struct {
		name string
		f    operation
		a, b Value
		want string // the kind and text of the result, or the error
	}{
		{"+", Add, Decimal("0.1"), Decimal("0.2"), "decimal 0.3"},
		{"+", Add, int64(1), int64(2), "integer 3"},
		{"+", Add, int64(math.MaxInt64), int64(1), "decimal 9223372036854775808"},
		{"+", Add, int64(math.MinInt64), int64(-1), "decimal -9223372036854775809"},
		{"+", Add, int64(math.MinInt64), int64(math.MaxInt64), "integer -1"},
		{"+", Add, Decimal("9223372036854775808"), int64(-1), "integer 9223372036854775807"},
		{"+", Add, Decimal("-0.5"), Decimal("0.5"), "decimal 0.0"},
		{"+", Add, Decimal("1e2"), int64(1), "integer 101"},
		{"+", Add, Decimal("1e400"), Decimal("1e-400"), "decimal 1" + strings.Repeat("0", 400) + "." + strings.Repeat("0", 399) + "1"},
		{"+", Add, "1", int64(1), "cannot add a string and an integer"},
		{"+", Add, nil, int64(1), "cannot add null and an integer"},
		{"-", Sub, int64(math.MinInt64), int64(1), "decimal -9223372036854775809"},
		{"-", Sub, int64(0), int64(math.MinInt64), "decimal 9223372036854775808"},
		{"-", Sub, Decimal("1.50"), Decimal("0.5"), "decimal 1.00"},
		{"-", Sub, true, List{}, "cannot subtract a boolean and a list"},
		{"*", Mul, int64(math.MinInt64), int64(-1), "decimal 9223372036854775808"},
		{"*", Mul, int64(math.MinInt64), int64(1), "integer -9223372036854775808"},
		{"*", Mul, int64(1 << 32), int64(-1 << 31), "integer -9223372036854775808"},
		{"*", Mul, int64(1 << 32), int64(1 << 31), "decimal 9223372036854775808"},
		{"*", Mul, Decimal("1.50"), int64(2), "decimal 3.00"},
		{"*", Mul, Decimal("-1.50"), int64(0), "decimal 0.00"},
		{"*", Mul, Decimal("1e400"), Decimal("1e400"), "the result has too many digits or is out of range"},
		{"*", Mul, Decimal("1e-400"), Decimal("1e-400"), "the result has too many digits or is out of range"},
		{"*", Mul, Decimal("1e200"), Decimal("1e200"), "decimal 1e+400"},
		{"*", Mul, NewObject(0), int64(0), "cannot multiply an object and an integer"},
		{"/", Div, int64(10), int64(2), "integer 5"},
		{"/", Div, int64(7), int64(2), "decimal 3.5"},
		{"/", Div, int64(-7), int64(-1), "integer 7"},
		{"/", Div, int64(math.MinInt64), int64(-1), "decimal 9223372036854775808"},
		{"/", Div, Decimal("1.00"), int64(4), "decimal 0.25"},
		{"/", Div, Decimal("6.0"), int64(2), "decimal 3.0"},
		{"/", Div, int64(0), int64(3), "integer 0"},
		{"/", Div, Decimal("0.00"), Decimal("-0.3"), "decimal 0.0"},
		{"/", Div, int64(3), Decimal("0.1"), "integer 30"},
		{"/", Div, int64(1), int64(3), "1 / 3 has no end: say how many places, as in round(a / b, 2)"},
		{"/", Div, int64(1), int64(0), "division by zero"},
		{"/", Div, int64(1), Decimal("-0.0"), "division by zero"},
		{"/", Div, "a", int64(0), "cannot divide a string and an integer"},
		{"%", Mod, int64(7), int64(3), "integer 1"},
		{"%", Mod, int64(-7), int64(3), "integer -1"},
		{"%", Mod, int64(math.MinInt64), int64(-1), "integer 0"},
		{"%", Mod, Decimal("7.5"), int64(2), "decimal 1.5"},
		{"%", Mod, Decimal("1e400"), Decimal("3e-400"), "decimal 1e-400"},
		{"%", Mod, int64(7), int64(0), "division by zero"},
	} {
		if got := outcome(c.f(c.a, c.b)); got != c.want {
			t.Errorf("%v %s %v = %s; want %s", c.a, c.name, c.b, got, c.want)
		}
	}
}

func TestRounding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in     Value
		places int
		want   string
	}{
		{Decimal("2.5"), 0, "integer 3"},
		{Decimal("-2.5"), 0, "integer -3"},
		{Decimal("-0.4"), 0, "integer 0"},
		{Decimal("-0.004"), 2, "decimal 0.00"},
		{Decimal("1.005"), 2, "decimal 1.01"},
		{Decimal("1.5"), 3, "decimal 1.500"},
		{int64(7), 2, "decimal 7.00"},
		{int64(7), 0, "integer 7"},
		{int64(1250), -2, "integer 1300"},
		{Decimal("12345678901234567890.5"), 0, "decimal 12345678901234567891"},
		{Decimal("1e-400"), 400, "decimal 0." + strings.Repeat("0", 399) + "1"},
		{Decimal("1.5"), 401, "cannot round to 401 places: at most 400"},
		{"1.5", 0, "cannot round a string"},
	} {
		if got := outcome(Round(c.in, c.places)); got != c.want {
			t.Errorf("Round(%v, %d) = %s; want %s", c.in, c.places, got, c.want)
		}
	}
}

func TestDivRound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b   Value
		places int
		want   string
	}{
		{int64(1), int64(3), 2, "decimal 0.33"},
		{int64(2), int64(-3), 2, "decimal -0.67"},
		{int64(1), int64(8), 2, "decimal 0.13"},
		{int64(-1), int64(8), 2, "decimal -0.13"},
		{int64(7), int64(2), 0, "integer 4"},
		{int64(1), int64(-1000), 2, "decimal 0.00"},
		{Decimal("100.00"), int64(3), 4, "decimal 33.3333"},
		{int64(1234567), int64(3), -3, "integer 412000"},
		{int64(1), int64(0), 2, "division by zero"},
		{int64(1), int64(3), 1000, "cannot round to 1000 places: at most 400"},
	} {
		if got := outcome(DivRound(c.a, c.b, c.places)); got != c.want {
			t.Errorf("DivRound(%v, %v, %d) = %s; want %s", c.a, c.b, c.places, got, c.want)
		}
	}
}

func TestTruncateAndNeg(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		f    func(Value) (Value, error)
		in   Value
		want string
	}{
		{Truncate, Decimal("-2.9"), "integer -2"},
		{Truncate, Decimal("-0.9"), "integer 0"},
		{Truncate, Decimal("1e3"), "integer 1000"},
		{Truncate, int64(5), "integer 5"},
		{Truncate, "5", "cannot truncate a string"},
		{Neg, int64(5), "integer -5"},
		{Neg, int64(math.MinInt64), "decimal 9223372036854775808"},
		{Neg, Decimal("9223372036854775808"), "integer -9223372036854775808"},
		{Neg, Decimal("203.7700"), "decimal -203.7700"},
		{Neg, Decimal("0.0"), "decimal 0.0"},
		{Neg, nil, "cannot negate null"},
	} {
		if got := outcome(c.f(c.in)); got != c.want {
			t.Errorf("%v: got %s; want %s", c.in, got, c.want)
		}
	}
}

// TestArithmeticAgreesWithRationals holds random operations against math/big.
func TestArithmeticAgreesWithRationals(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		a, b := randomNumber(rnd), randomNumber(rnd)
		x, y := rational(a), rational(b)
		check := func(name string, want *big.Rat, got Value, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%v %s %v: %v", a, name, b, err)
			}
			if rational(got).Cmp(want) != 0 {
				t.Fatalf("%v %s %v = %v, want %v", a, name, b, got, want)
			}
			if back, err := ParseNumber(lexical(got)); err != nil || back != got {
				t.Fatalf("%v %s %v = %#v, which reads back as %#v, %v", a, name, b, got, back, err)
			}
		}
		sum, err := Add(a, b)
		check("+", new(big.Rat).Add(x, y), sum, err)
		difference, err := Sub(a, b)
		check("-", new(big.Rat).Sub(x, y), difference, err)
		product, err := Mul(a, b)
		check("*", new(big.Rat).Mul(x, y), product, err)

		if order, err := Compare(a, b); err != nil || order != x.Cmp(y) {
			t.Fatalf("Compare(%v, %v) = %d, %v", a, b, order, err)
		}
		if equal := x.Cmp(y) == 0; Equal(a, b) != equal || (Key(a) == Key(b)) != equal {
			t.Fatalf("%v and %v: Equal %v, keys %s and %s", a, b, Equal(a, b), Key(a), Key(b))
		}
		places := rnd.IntN(6)
		up, err := Round(a, places)
		check("rounded", roundRational(x, places), up, err)
		if y.Sign() == 0 {
			continue
		}
		quotient, err := DivRound(a, b, places)
		check("/ rounded", roundRational(new(big.Rat).Quo(x, y), places), quotient, err)
		if quotient, err := Div(a, b); err == nil {
			check("/", new(big.Rat).Quo(x, y), quotient, nil)
		} else if finite(new(big.Rat).Quo(x, y)) {
			t.Fatalf("%v / %v: %v", a, b, err)
		}
		whole := new(big.Int).Quo(new(big.Int).Mul(x.Num(), y.Denom()), new(big.Int).Mul(x.Denom(), y.Num()))
		remainder, err := Mod(a, b)
		check("%", new(big.Rat).Sub(x, new(big.Rat).Mul(y, new(big.Rat).SetInt(whole))), remainder, err)
	}
}

func randomNumber(rnd *rand.Rand) Value {
	var s string
	switch rnd.IntN(5) {
	case 0:
		return rnd.Int64() - 1<<62
	case 1:
		return int64(rnd.IntN(21) - 10)
	case 2:
		s = fmt.Sprintf("%d.%0*d", rnd.IntN(2001)-1000, 1+rnd.IntN(6), rnd.IntN(10))
	case 3:
		s = fmt.Sprintf("%de%d", rnd.IntN(2001)-1000, rnd.IntN(31)-15)
	default:
		s = fmt.Sprintf("-%d%018d.%d00", 1+rnd.IntN(1000), rnd.IntN(1e18), rnd.IntN(1000))
	}
	v, err := ParseNumber(s)
	if err != nil {
		panic(err)
	}
	return v
}

func rational(v Value) *big.Rat {
	r, ok := new(big.Rat).SetString(lexical(v))
	if !ok {
		panic(fmt.Sprintf("%#v is not a number", v))
	}
	return r
}

func lexical(v Value) string {
	s, _ := Text(v)
	return s
}

// roundRational rounds half away from zero.
func roundRational(r *big.Rat, places int) *big.Rat {
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
	scaled := new(big.Rat).Mul(r, scale)
	half := big.NewRat(int64(scaled.Sign()), 2)
	scaled.Add(scaled, half)
	whole := new(big.Int).Quo(scaled.Num(), scaled.Denom())
	return new(big.Rat).Quo(new(big.Rat).SetInt(whole), scale)
}

// finite reports whether r has a finite decimal form.
func finite(r *big.Rat) bool {
	_, exact := r.FloatPrec()
	return exact
}

// outcome describes a result or an error in one line.
func outcome(v Value, err error) string {
	if err != nil {
		return err.Error()
	}
	return KindOf(v) + " " + lexical(v)
}
