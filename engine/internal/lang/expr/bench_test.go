package expr

import (
	"fmt"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func mustCompile(t testing.TB, s *Scope, text string) *Expr {
	t.Helper()
	return langtest.Compiled(t, langtest.Expr(t, text), func(n *source.Node, faults *diag.List) *Expr { return Compile(n, s, faults) })
}

func BenchmarkEval(b *testing.B) {
	vars := testVars(b)
	for _, c := range []struct{ name, expr string }{
		{"path", "steps.lookup.outputs.company"},
		{"deepPath", "steps.lookup.outputs.company.AccountId"},
		{"coalesce", "steps.lookup.outputs.account_id ?? first(steps.lookup.outputs.companies)?.AccountId"},
		{"condition", "len(steps.lookup.outputs.companies) > 1 and inputs.n == 3"},
		{"filter", "filter(body.list, # > 1)"},
	} {
		e := mustCompile(b, testScope, c.expr)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(vars); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	n := langtest.Expr(b, "steps.lookup.outputs.account_id ?? first(steps.lookup.outputs.companies)?.AccountId")
	b.ReportAllocs()
	for b.Loop() {
		var faults diag.List
		if Compile(n, testScope, &faults) == nil {
			b.Fatal(faults)
		}
	}
}

// bigScope has 100,000 rows and a text of 1 MB, to see what legitimate and
// runaway expressions cost.
func bigData() (*Scope, Vars) {
	rows := make(value.List, 100_000)
	for i := range rows {
		rows[i] = value.ObjectOf("id", int64(i*7919%100_003), "name", fmt.Sprint("row ", i), "state", "open", "price", value.Decimal("12.50"))
	}
	text := make([]byte, 1<<20)
	for i := range text {
		text[i] = 'a'
	}
	return NewScope(Name{"rows", types.AnyType}, Name{"big", types.TextType}), Vars{rows, string(text)}
}

func BenchmarkBig(b *testing.B) {
	s, vars := bigData()
	for _, text := range append(legitimate, runaway...) {
		e := mustCompile(b, s, text)
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				e.Eval(vars)
			}
		})
	}
}

var legitimate = []string{
	`filter(rows, .state == "open" and .id > 500 and lower(.name) contains "9") | len()`,
	`sum(rows, .price * 2)`,
	`unique(map(rows, .state))`,
	`groupBy(rows, .state).open`,
	`sortBy(rows, .id)`,
	`sortBy(rows, .name)`,
	`join(map(rows, .name), ";") | len()`,
	`any(rows, .id == 77777)`,
	`big contains "b"`,
	`unique(rows) | len()`,
	`len(groupBy(rows, .id))`,
	`len(groupBy(rows, .name))`,
	`filter(rows, .name matches "^[a-z]{3} [0-9]{2}$") | len()`,
	`sum(rows, decimal(text(.price)))`,
	`round(sum(rows, .price) / 7, 2)`,
	`max(map(rows, .price))`,
	`sortBy(rows, .name, "desc")`,
	`len(map(filter(rows, .id > 5), upper(.name)))`,
	`split(join(map(rows, .name), ";"), ";") | len()`,
}

var runaway = []string{
	`1..1000000000`,
	`1..9223372036854775807`,
	`count(rows, count(rows, .id == 1) > 1)`,
	`filter(rows, any(rows, .id == -1))`,
	`map(1..900, map(1..900, map(1..900, #)))`,
	`let a = big + big; let b = a + a; let c = b + b; let d = c + c; let e = d + d; let f = e + e; f + f`,
	`map(rows, big + .name)`,
	`map(1..1000, replace(big, "a", "bb"))`,
	`replace(big, "", big)`,
	`padStart("", 9223372036854775807, "x")`,
	`padStart("", 100000000, "x")`,
	`map(1..1000, big matches "(a|b|ab)*c" )`,
	`map(rows, # in rows)`,
	`let same = rows; map(rows, rows == same)`,
	`map(1..1000, digest(rows))`,
	`map(1..1000, sortBy(rows, .id))`,
	`map(1..1000, unique(rows))`,
	`map(1..1000, groupBy(rows, .id))`,
	`map(1..1000, concat(rows, rows))`,
	`flatten(map(1..1000, rows))`,
	`join(map(rows, .name), big)`,
	`map(1..100000, split(big, ""))`,
	`map(1..100000, formatDate("2025-01-01", big))`,
	`map(1..1000, matches("a", big))`,
	`map(1..300000, round(1 / 3, 100))`,
	`map(1..999999, 1 / 8 ^ 4)`,
	`map(1..400000, len(big[1:]))`,
	`map(1..400000, int("12345678901234567890"))`,
	`map(1..400000, decimal("123456789012345678901234567890.5"))`,
	`let x = decimal(padStart("", 990, "7")); let y = x; map(1..400000, x < y)`,
	`let x = decimal(padStart("", 990, "7")); let y = x; map(1..400000, x == y)`,
	`let x = decimal(padStart("", 990, "7")); map(1..400000, x + 1)`,
	`let x = decimal(padStart("", 990, "7")); map(1..400000, x * 3)`,
	`let x = decimal(padStart("", 990, "7")); map(1..400000, abs(-x))`,
	`let x = decimal(padStart("", 990, "7")); map(1..400000, -x)`,
	`let x = decimal(padStart("", 990, "7")); map(1..400000, round(x, 2))`,
	`let x = decimal(padStart("", 990, "7")); map(1..400000, max(x, x))`,
	`let x = decimal(padStart("", 990, "7")); map(1..400000, x in [x])`,
	`let x = decimal(padStart("", 990, "7")); sortBy(map(1..100000, x + #), #)`,
	`let x = big + "a"; let y = big + "b"; map(1..400000, x < y)`,
	`let x = big + "a"; let y = big + "a"; map(1..400000, x == y)`,
	`let x = big + "a"; let y = big + "b"; map(1..400000, max(x, y))`,
	`let x = big + "a"; let y = big + "a"; map(1..400000, x in [y])`,
	`let x = big + "a"; let y = big + "a"; sortBy(map(1..1000, # % 2 == 0 ? x : y), #)`,
	`let x = big + "é"; map(1..400000, upper(x))`,
	`map(1..400000, lower(big))`,
	`big matches "(a?){1000}b"`,
	`map(1..400000, "a" matches "a{1000}")`,
	`map(1..400000, matches("a", "a{" + text(900 + # % 100) + "}"))`,
	`map(rows, matches(.name, "(r?){500}x"))`,
	`map(1..1000, unique(map(rows, .name)))`,
	`map(1..1000, groupBy(rows, .name))`,
	`map(1..1000, sortBy(rows, .name))`,
	`map(1..1000, sum(rows, .price))`,
	`map(1..1000, filter(rows, .price > 12.4))`,
	`map(1..1000, join(map(rows, .name), ","))`,
	`map(1..1000, len(split(big, "a")))`,
	`map(1..1000, map(rows, text(.price)))`,
	`map(1..1000, map(rows, padStart(.name, 30)))`,
	`map(1..1000, map(rows, [{a: .id, b: .name}]))`,
	`map(1..1000, map(rows, [.id, .name]))`,
	`map(1..1000, map(rows, formatDate("2025-01-31", "dd.MM.yyyy")))`,
	`map(1..1000, mean(map(rows, .price)))`,
}
