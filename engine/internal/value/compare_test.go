package value

import (
	"slices"
	"testing"
)

func TestEqualAndKeyAgree(t *testing.T) {
	t.Parallel()
	// Values of one row are equal to each other and to nothing else.
	rows := [][]Value{
		{nil},
		{true},
		{false},
		{"null"},
		{"true"},
		{""},
		{"1"},
		{"1.0"},
		{int64(1), Decimal("1.0"), Decimal("1.00"), Decimal("1e0"), Decimal("10e-1")},
		{int64(0), Decimal("-0"), Decimal("0.00"), Decimal("0e10")},
		{int64(100), Decimal("1e2"), Decimal("100.0")},
		{int64(-100), Decimal("-1e2")},
		{Decimal("0.1"), Decimal("0.10"), Decimal("1e-1")},
		{Decimal("9223372036854775808"), Decimal("9223372036854775808.0"), Decimal("9223372036854775808e0")},
		{Decimal("1e400"), Decimal("1.0E400"), Decimal("10e399")},
		{List{}, List(nil)},
		{NewObject(0), (*Object)(nil)},
		{List{nil}},
		{List{int64(1), "a"}, List{Decimal("1.0"), "a"}},
		{List{"a", int64(1)}},
		{List{"a,b"}},
		{List{"a", "b"}},
		{List{List{"a"}, "b"}},
		{ObjectOf("a", int64(1), "b", nil), ObjectOf("b", nil, "a", Decimal("1.0"))},
		{ObjectOf("a", int64(1))},
		{ObjectOf("a", int64(1), "c", nil)},
		{ObjectOf(`a":1,"b`, nil)},
		{"\xff"},
		{"\ufffd"},
		{"\xfe"},
	}
	for i, row := range rows {
		for j, other := range rows {
			for _, a := range row {
				for _, b := range other {
					if want := i == j; Equal(a, b) != want || (Key(a) == Key(b)) != want {
						t.Errorf("%#v and %#v: Equal is %v; keys are %s and %s", a, b, Equal(a, b), Key(a), Key(b))
					}
				}
			}
		}
	}
}

func TestCompareOrders(t *testing.T) {
	t.Parallel()
	for _, ordered := range [][]Value{
		{Decimal("-1e400"), int64(-1), Decimal("-0.5"), int64(0), Decimal("1e-400"), Decimal("0.1"), int64(1), Decimal("1.01"), Decimal("1e400")},
		{"", "B", "a", "aa", "é"},
		{false, true},
	} {
		for i, a := range ordered {
			for j, b := range ordered {
				want := 0
				if i != j {
					want = map[bool]int{true: -1, false: 1}[i < j]
				}
				if got, err := Compare(a, b); err != nil || got != want {
					t.Errorf("Compare(%v, %v) = %d, %v; want %d", a, b, got, err, want)
				}
			}
		}
	}
}

func TestCompareRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b Value
		want string
	}{
		{int64(1), "1", "cannot compare an integer with a string"},
		{nil, nil, "cannot compare null with null"},
		{List{}, List{}, "cannot compare a list with a list"},
		{true, Decimal("1.5"), "cannot compare a boolean with a decimal"},
		{"a", NewObject(0), "cannot compare a string with an object"},
	} {
		if _, err := Compare(c.a, c.b); err == nil || err.Error() != c.want {
			t.Errorf("Compare(%v, %v): %v; want %q", c.a, c.b, err, c.want)
		}
	}
}

func TestObjectKeepsOrderAtEverySize(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, indexFrom - 1, indexFrom, 100} {
		o := NewObject(0)
		var want []string
		for i := range size {
			name := string(rune('A'+i%26)) + string(rune('0'+i/26))
			want = append(want, name)
			o.Set(name, int64(i))
			o.Set(name, int64(i+1))
			o.add(name, "ignored")
		}
		if got := o.Keys(); !slices.Equal(got, want) {
			t.Errorf("size %d: keys %v, want %v", size, got, want)
		}
		for i, name := range want {
			if got := o.Clone().At(name); got != int64(i+1) {
				t.Errorf("size %d: %s is %v, want %d", size, name, got, i+1)
			}
		}
		if v, ok := o.Get("missing"); v != nil || ok {
			t.Errorf("size %d: a missing member is %v, %v", size, v, ok)
		}
	}
}
