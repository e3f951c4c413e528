package expr

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// randomNumber returns a number as vendors write them: some integers, some with
// zeros at the end, some negative, some with an exponent, some long.
func randomNumber(r *rand.Rand) string {
	var b strings.Builder
	if r.IntN(3) == 0 {
		b.WriteByte('-')
	}
	digits := func(n int) {
		for range n {
			b.WriteByte(byte('0' + r.IntN(10)))
		}
	}
	if r.IntN(4) == 0 {
		b.WriteByte('0')
	} else {
		b.WriteByte(byte('1' + r.IntN(9)))
		digits(r.IntN([]int{3, 8, 18, 40}[r.IntN(4)]))
	}
	if r.IntN(4) > 0 {
		b.WriteByte('.')
		digits(1 + r.IntN([]int{2, 4, 6, 30}[r.IntN(4)]))
	}
	if r.IntN(10) == 0 {
		fmt.Fprintf(&b, "e%d", r.IntN(25)-12)
	}
	return b.String()
}

func ratOf(t *testing.T, v value.Value) *big.Rat {
	t.Helper()
	text, err := value.Text(v)
	if err != nil {
		t.Fatal(err)
	}
	x, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%s is no number", text)
	}
	return x
}

// halfAway rounds to places, halves away from zero.
func halfAway(x *big.Rat, places int) *big.Rat {
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
	scaled := new(big.Rat).Mul(new(big.Rat).Abs(x), scale)
	scaled.Add(scaled, big.NewRat(1, 2))
	whole := new(big.Rat).SetInt(new(big.Int).Quo(scaled.Num(), scaled.Denom()))
	if x.Sign() < 0 {
		whole.Neg(whole)
	}
	return whole.Quo(whole, scale)
}

func TestDecimalsOfExpressionsAreThoseOfMathBig(t *testing.T) {
	t.Parallel()
	s := NewScope(Name{"list", types.ListOf(types.DecimalType)}, Name{"x", types.DecimalType}, Name{"y", types.DecimalType}, Name{"places", types.IntegerType}, Name{"rows", types.ListOf(types.AnyType)})
	exprs := map[string]*Expr{}
	for _, text := range []string{
		"sum(list)", "sum(list, # * x)", "sum(rows, .n)", "round(mean(list) ?? 0, places)", "min(list)", "max(list)", "min(x, y)", "max(x, y)",
		"round(x, places)", "round(x / y, places)", "x + y", "x - y", "x * y", "-x", "abs(x)", "int(x)", "x < y", "x == y", "x >= y",
	} {
		exprs[text] = mustCompile(t, s, text)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		n := 1 + r.IntN(12)
		list, rows := make(value.List, n), make(value.List, n)
		total, scaled := new(big.Rat), new(big.Rat)
		parse := func() (value.Value, *big.Rat) {
			v, err := value.ParseNumber(randomNumber(r))
			if err != nil {
				t.Fatal(err)
			}
			return v, ratOf(t, v)
		}
		x, bigX := parse()
		y, bigY := parse()
		if r.IntN(5) == 0 {
			y, bigY = x, bigX
		}
		var least, most *big.Rat
		for i := range list {
			v, b := parse()
			list[i], rows[i] = v, value.ObjectOf("n", v)
			total.Add(total, b)
			scaled.Add(scaled, new(big.Rat).Mul(b, bigX))
			if least == nil || b.Cmp(least) < 0 {
				least = b
			}
			if most == nil || b.Cmp(most) > 0 {
				most = b
			}
		}
		places := r.IntN(12)
		mean := halfAway(new(big.Rat).Quo(total, big.NewRat(int64(n), 1)), places)
		want := map[string]*big.Rat{
			"sum(list)": total, "sum(list, # * x)": scaled, "sum(rows, .n)": total,
			"round(mean(list) ?? 0, places)": mean,
			"min(list)":                      least, "max(list)": most,
			"round(x, places)": halfAway(bigX, places),
			"x + y":            new(big.Rat).Add(bigX, bigY), "x - y": new(big.Rat).Sub(bigX, bigY), "x * y": new(big.Rat).Mul(bigX, bigY),
			"-x": new(big.Rat).Neg(bigX), "abs(x)": new(big.Rat).Abs(bigX),
			"int(x)": new(big.Rat).SetInt(new(big.Int).Quo(bigX.Num(), bigX.Denom())),
		}
		want["min(x, y)"], want["max(x, y)"] = bigX, bigY
		if bigX.Cmp(bigY) > 0 {
			want["min(x, y)"], want["max(x, y)"] = bigY, bigX
		}
		if bigY.Sign() != 0 {
			want["round(x / y, places)"] = halfAway(new(big.Rat).Quo(bigX, bigY), places)
		}
		vars := Vars{list, x, y, int64(places), rows}
		for text, w := range want {
			v, err := exprs[text].Eval(vars)
			if err != nil {
				t.Errorf("%s: list %v, x %v, y %v, places %d: %v", text, list, x, y, places, err)
			} else if ratOf(t, v).Cmp(w) != 0 {
				t.Errorf("%s: list %v, x %v, y %v, places %d: got %v, want %s", text, list, x, y, places, v, w.RatString())
			}
		}
		for text, w := range map[string]bool{"x < y": bigX.Cmp(bigY) < 0, "x == y": bigX.Cmp(bigY) == 0, "x >= y": bigX.Cmp(bigY) >= 0} {
			if got, err := exprs[text].Bool(vars); got != w || err != nil {
				t.Errorf("%s: x %v, y %v: got %v, %v", text, x, y, got, err)
			}
		}
	}
}
