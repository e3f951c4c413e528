package expr

import (
	"testing"

	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

var timeType = &types.Type{Kind: types.Text, Format: "datetime"}

// timeScope has one point in time in many writings: those of the same letter are the same.
var timeScope = NewScope(
	Name{"a", timeType}, Name{"a2", timeType}, Name{"a3", timeType}, Name{"a4", timeType}, Name{"a5", timeType},
	Name{"b", timeType}, Name{"c", timeType}, Name{"leap", timeType}, Name{"last", timeType}, Name{"forever", timeType},
	Name{"none", timeType.OrNull("it was never done")},
	Name{"word", types.TextType}, Name{"day", &types.Type{Kind: types.Text, Format: "date"}}, Name{"body", types.AnyType},
	Name{"rows", types.ListOf(types.ObjectOf(types.Field{Name: "id", Type: types.IntegerType}, types.Field{Name: "at", Type: timeType, Optional: true}))},
)

func timeVars(t *testing.T) Vars {
	return Vars{
		"2026-06-28T18:35:16.25Z", "2026-06-28T18:35:16.250000000000Z", "2026-06-28t20:35:16.25+02:00", "2026-06-28T18:35:16.250z", "2026-06-28T16:05:16.25-0230",
		"2026-06-28T18:35:16.250000000001Z", "2026-06-28T20:34:00+02:00", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", "9999-12-31T23:59:59-05:00",
		nil,
		"2026-06-28T18:35:16Z", "2026-06-28", "2026-06-28T20:35:16.25+02:00",
		langtest.Decode(t, `[{"id":1,"at":"2026-06-28T18:35:16Z"},{"id":2,"at":"2026-06-28T18:35:16.250Z"},{"id":3,"at":"2026-06-28T20:34:00+02:00"},{"id":4,"at":"2026-06-28T20:35:16.25+02:00"},{"id":5,"at":null}]`),
	}
}

func TestDatetimesAreComparedAsPointsInTime(t *testing.T) {
	cases := []struct{ expr, want string }{
		{`[a == a2, a == a3, a == a4, a == a5, a != a3]`, `[true,true,true,true,false]`},
		{`[a < b, b > a2, a <= a3, a >= a5, c < a, a == b]`, `[true,true,true,true,true,false]`},
		{`[a > word, word == a, word < a, a in [word, a3], word in [a], a == body, body in [a]]`, `[true,false,true,true,false,true,true]`},
		{`[a > '2026-06-28', a > day, a < '2026-06-29', c == '2026-06-28T18:34:00Z', c in ['2026-06-28T18:34:00.0Z']]`, `[true,true,true,true,true]`},
		{`[leap < last, leap > '2016-12-31T23:59:59.999999999999Z', leap == last, forever > last, forever > '9999-12-31T23:59:59Z']`, `[true,true,false,true,true]`},
		{`max(a, b, c)`, `"2026-06-28T18:35:16.250000000001Z"`},
		{`max(a, word)`, `"2026-06-28T18:35:16.25Z"`},
		{`min([a, b, c])`, `"2026-06-28T20:34:00+02:00"`},
		{`max(map(filter(rows, .at != null), .at ?? ''))`, `"2026-06-28T18:35:16.250Z"`},
		{`max([none ?? '2026-06-28T20:00:00+02:00', a])`, `"2026-06-28T18:35:16.25Z"`},
		{`max(none ?? '', a)`, `"2026-06-28T18:35:16.25Z"`},
		{`map(sortBy(rows, .at), .id)`, `[5,3,1,2,4]`},
		{`map(sortBy(rows, .at, 'desc'), .id)`, `[2,4,1,3,5]`},
		{`map(sortBy(rows, .at ?? ''), .id)`, `[5,3,1,2,4]`},
		{`sortBy([forever, last, leap, '2016-12-31T23:59:59.5Z'], #)`, `["2016-12-31T23:59:59.5Z","2016-12-31T23:59:60Z","2017-01-01T00:00:00Z","9999-12-31T23:59:59-05:00"]`},
		{`map(filter(rows, (.at ?? '') > '2026-06-28T18:35:00Z'), .id)`, `[1,2,4]`},
		{`map(filter(rows, .at == a), .id)`, `[2,4]`},
		{`unique([a, a2, b, a3])`, `["2026-06-28T18:35:16.25Z","2026-06-28T18:35:16.250000000001Z"]`},
		{`unique([{at: a}, {at: a3}])`, `[{"at":"2026-06-28T18:35:16.25Z"}]`},
		{`keys(groupBy(filter(rows, .at != null), .at ?? ''))`, `["2026-06-28T18:35:16Z","2026-06-28T18:35:16.250Z","2026-06-28T20:34:00+02:00"]`},
		{`values(groupBy([a, c, a3], #))`, `[["2026-06-28T18:35:16.25Z","2026-06-28t20:35:16.25+02:00"],["2026-06-28T20:34:00+02:00"]]`},
		{`[{at: a} == {at: a5}, [a] == [a3, b], [a] == [a4], {at: a} in [{at: a5}]]`, `[true,false,true,true]`},
		{`[digest(a) == digest(a3), digest([{at: a}]) == digest([{at: a5}]), digest(a) == digest(b), digest(word, a) == digest(word, a2)]`, `[true,true,false,true]`},
		{`addDays(a3, 1) > addDays(a, 1)`, `false`},
		{`addDays(a3, 1) == addDays(a, 1)`, `true`},
		{`date('28.06.2026 18:34:00', 'dd.MM.yyyy HH:mm:ss') == c`, `true`},
		{`(true ? a : '2026-01-01T00:00:00Z') == a3`, `true`},
		{`let t = a; t == a3`, `true`},
		// what is passed through keeps its digits, and text is compared as such
		{`[a2, a3, a5]`, `["2026-06-28T18:35:16.250000000000Z","2026-06-28t20:35:16.25+02:00","2026-06-28T16:05:16.25-0230"]`},
		{`text(a) == text(a2)`, `false`},
		{`a == '28.06.2026'`, `6: "28.06.2026" is compared with a datetime, and is none (write it as 2026-12-31, or 2026-12-31T08:00:00Z)`},
		{`a < 'yesterday'`, `5: "yesterday" is compared with a datetime, and is none (write it as 2026-12-31, or 2026-12-31T08:00:00Z)`},
		{`a in ['', '2026-01-01']`, `7: "" is compared with a datetime, and is none (write it as 2026-12-31, or 2026-12-31T08:00:00Z)`},
		{`a > '2026-06-28T20:00:00+02:00' and a < '2026-06-28T18:50:00Z'`, `true`},
		{`a > '2026-06-28T18:30:00Z' and a < '2026-06-28T20:00:00+02:00'`, `34: this is never true beside the test of a before it`},
	}
	for _, c := range cases {
		if got := outcome(t, timeScope, timeVars(t), c.expr); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.expr, got, c.want)
		}
	}
}

func TestToUnixIsExact(t *testing.T) {
	cases := []struct{ expr, want string }{
		{`toUnix(a)`, `1782671716.25`},
		{`toUnix(a2)`, `1782671716.25`},
		{`toUnix(b)`, `1782671716.250000000001`},
		{`toUnix(c)`, `1782671640`},
		{`toUnix('1969-12-31T23:59:59.75Z')`, `-0.25`},
		{`toUnix('1970-01-01T00:00:00.000Z')`, `0`},
		{`toUnix('2016-12-31T23:59:60.5Z')`, `1483228800.5`},
		{`int(toUnix(a))`, `1782671716`},
		{`fromUnix(toUnix(a5))`, `"2026-06-28T18:35:16.25Z"`},
		{`toUnix(a) * 1000`, `1782671716250.00`},
	}
	for _, c := range cases {
		if got := outcome(t, timeScope, timeVars(t), c.expr); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.expr, got, c.want)
		}
	}
}

func TestComparingTimesAllocatesNothing(t *testing.T) {
	vars := timeVars(t)
	for _, text := range []string{`a < b`, `a == a3`} {
		e := mustCompile(t, timeScope, text)
		if n := testing.AllocsPerRun(100, func() { _, _ = e.Eval(vars) }); n > 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func TestCanonicalLeavesTheRest(t *testing.T) {
	typ := types.ObjectOf(types.Field{Name: "at", Type: timeType}, types.Field{Name: "text", Type: types.TextType})
	v := langtest.Decode(t, `{"text":"2026-06-28T20:35:16+02:00","at":"2026-06-28T20:35:16.50+02:00","more":[1]}`)
	const want = `{"text":"2026-06-28T20:35:16+02:00","at":"2026-06-28T18:35:16.5Z","more":[1]}`
	if got := string(value.AppendJSON(nil, typ.Canonical(v))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
