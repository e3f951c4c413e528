package value

import (
	"math"
	"strings"
	"testing"
)

func TestParseNumberKeepsDigits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want Value
	}{
		{"0", int64(0)},
		{"-1", int64(-1)},
		{"9007199254740993", int64(9007199254740993)},
		{"9223372036854775807", int64(math.MaxInt64)},
		{"-9223372036854775808", int64(math.MinInt64)},
		{"9223372036854775808", Decimal("9223372036854775808")},
		{"12345678901234567890", Decimal("12345678901234567890")},
		{"203.7700", Decimal("203.7700")},
		{"-307.2800", Decimal("-307.2800")},
		{"1.00000", Decimal("1.00000")},
		{"123456789.123456789123", Decimal("123456789.123456789123")},
		{"-0", Decimal("-0")},
		{"15.0", Decimal("15.0")},
		{"1e2", Decimal("1e2")},
		{"1E+400", Decimal("1E+400")},
		{"1e-0000000400", Decimal("1e-0000000400")},
		{strings.Repeat("9", 1000), Decimal(strings.Repeat("9", 1000))},
	} {
		got, err := ParseNumber(c.in)
		if err != nil || got != c.want {
			t.Errorf("ParseNumber(%q) = %#v, %v; want %#v", c.in, got, err, c.want)
		}
	}
}

func TestParseNumberRefuses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                               `"" is not a number`,
		"-":                              `"-" is not a number`,
		"+1":                             `"+1" is not a number`,
		"01":                             `"01" is not a number`,
		"-01":                            `"-01" is not a number`,
		"1.":                             `"1." is not a number`,
		".5":                             `".5" is not a number`,
		"1e":                             `"1e" is not a number`,
		"1e+":                            `"1e+" is not a number`,
		"1_000":                          `"1_000" is not a number`,
		"0x1F":                           `"0x1F" is not a number`,
		" 1":                             `" 1" is not a number`,
		"1 ":                             `"1 " is not a number`,
		"NaN":                            `"NaN" is not a number`,
		"Infinity":                       `"Infinity" is not a number`,
		"１":                              `"１" is not a number`,
		"1e401":                          `number 1e401 has an exponent beyond 400`,
		"1e-401":                         `number 1e-401 has an exponent beyond 400`,
		"1e99999999999999999999":         `number 1e99999999999999999999 has an exponent beyond 400`,
		strings.Repeat("1", 1001):        `number ` + strings.Repeat("1", 39) + `… has 1001 digits, more than 1000`,
		strings.Repeat("é", 50):          `"` + strings.Repeat("é", 39) + `…" is not a number`,
		"1." + strings.Repeat("0", 1000): `number 1.` + strings.Repeat("0", 37) + `… has 1001 digits, more than 1000`,
	} {
		if got, err := ParseNumber(in); err == nil || err.Error() != want {
			t.Errorf("ParseNumber(%q) = %v, %v; want error %q", in, got, err, want)
		}
	}
}

func TestIsInteger(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, want Value
		ok       bool
	}{
		{int64(7), int64(7), true},
		{Decimal("15.0"), int64(15), true},
		{Decimal("-0"), int64(0), true},
		{Decimal("1e2"), int64(100), true},
		{Decimal("12345678901234567890.00"), Decimal("12345678901234567890"), true},
		{Decimal("1e400"), Decimal("1e+400"), true},
		{Decimal("15.5"), nil, false},
		{Decimal("1e-400"), nil, false},
		{"15", nil, false},
		{nil, nil, false},
	} {
		if got, ok := IsInteger(c.in); got != c.want || ok != c.ok {
			t.Errorf("IsInteger(%#v) = %#v, %v; want %#v, %v", c.in, got, ok, c.want, c.ok)
		}
	}
}
