package value

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/cockroachdb/apd/v3"
)

func TestFromGo(t *testing.T) {
	t.Parallel()
	type word string
	type pair struct {
		A int     `json:"a"`
		B float64 `json:"b"`
	}
	n := 7
	for _, c := range []struct {
		in   any
		want string
	}{
		{nil, `null`},
		{true, `true`},
		{word("x"), `"x"`},
		{n, `7`},
		{&n, `7`},
		{(*int)(nil), `null`},
		{uint64(math.MaxUint64), `18446744073709551615`},
		{int8(-3), `-3`},
		{0.1, `0.1`},
		{float32(0.1), `0.1`},
		{5.0, `5`},
		{1e21, `1e+21`},
		{1e-7, `1e-07`},
		{json.Number("203.7700"), `203.7700`},
		{apd.New(2037700, -4), `203.7700`},
		{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), `"2026-01-02T03:04:05Z"`},
		{map[string]any{"b": 1, "a": []string{"x"}, "c": nil}, `{"a":["x"],"b":1,"c":null}`},
		{map[word]int{"z": 1}, `{"z":1}`},
		{[]string(nil), `[]`},
		{map[string]int(nil), `{}`},
		{(*Object)(nil), `{}`},
		{[2]int{1, 2}, `[1,2]`},
		{[]byte("hi"), `"aGk="`},
		{json.RawMessage(`{"b":1.50,"a":2}`), `{"b":1.50,"a":2}`},
		{pair{1, 2.5}, `{"a":1,"b":2.5}`},
		{[]pair{{1, 2}}, `[{"a":1,"b":2}]`},
		{List{Decimal("1.0"), ObjectOf("a", int64(1)), 3}, `[1.0,{"a":1},3]`},
		{map[int]string{1: "a"}, `{"1":"a"}`},
	} {
		v, err := FromGo(c.in)
		if err != nil {
			t.Errorf("FromGo(%#v): %v", c.in, err)
			continue
		}
		if got := string(AppendJSON(nil, v)); got != c.want {
			t.Errorf("FromGo(%#v) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestFromGoRefuses(t *testing.T) {
	t.Parallel()
	loop := map[string]any{}
	loop["again"] = loop
	for _, c := range []struct {
		in   any
		want string
	}{
		{math.NaN(), "a number cannot be infinite or NaN"},
		{[]float64{math.Inf(1)}, "a number cannot be infinite or NaN"},
		{json.Number("1e999"), "number 1e999 has an exponent beyond 400"},
		{make(chan int), "cannot use chan int as a value: json: unsupported type: chan int"},
		{loop, "cannot use map[string]interface {} as a value: nested deeper than 10000"},
	} {
		if v, err := FromGo(c.in); err == nil || err.Error() != c.want {
			t.Errorf("FromGo(%T) = %v, %v; want error %q", c.in, v, err, c.want)
		}
	}
}

func TestToGoMarshalsAlike(t *testing.T) {
	t.Parallel()
	const text = `{"a":[1,203.7700,null,true,"x"],"b":{}}`
	v, err := Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(ToGo(v))
	if err != nil || string(got) != text {
		t.Errorf("ToGo marshals as %s, %v; want %s", got, err, text)
	}
}

func TestTextOfScalars(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   Value
		want string
		err  string
	}{
		{"as is", "as is", ""},
		{int64(-3), "-3", ""},
		{Decimal("203.7700"), "203.7700", ""},
		{true, "true", ""},
		{nil, "", "null cannot be written as text"},
		{List{}, "", "a list cannot be written as text"},
		{NewObject(0), "", "an object cannot be written as text"},
	} {
		got, err := Text(c.in)
		if got != c.want || (err != nil || c.err != "") && (err == nil || err.Error() != c.err) {
			t.Errorf("Text(%#v) = %q, %v; want %q, %q", c.in, got, err, c.want, c.err)
		}
	}
}

func TestForeignTypesPanic(t *testing.T) {
	t.Parallel()
	defer func() {
		if got, want := recover(), "value: int is not a Value"; got != want {
			t.Errorf("recovered %v, want %s", got, want)
		}
	}()
	AppendJSON(nil, 1)
}
