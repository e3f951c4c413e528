package expr

import (
	"strings"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// FuzzCompileExpr holds any text against: no panic, faults or an expression but
// never both, the same answer twice, and an end.
func FuzzCompileExpr(f *testing.F) {
	for _, seed := range append(append([]string{}, legitimate...), runaway...) {
		f.Add(seed)
	}
	for _, seed := range []string{
		`steps.lookup.outputs.account_id ?? first(steps.lookup.outputs.companies)?.AccountId`,
		`map(body.rows, {let k = .k; ({k: k, n: #index})}) | groupBy(.k)`,
		`body?.a?.[0][1:2].x`, `1 < 2 < 3`, `a ?: b`, `((1 ?: 2) ?: 3) ?: 4`, `contains(matches("a", "b"), not in 1)`,
		`$ontains('a', 'b')`, `::len([1])`, `#`, `0x`, `1e999`, `'\ud800'`, "\xff", `"${{" + '}}'`, `{(1): 2}`, `-9223372036854775808`,
	} {
		f.Add(seed)
	}
	rows := "rows"
	s := testScope.With(Name{rows, types.AnyType}, Name{"big", types.TextType})
	vars := append(testVars(f), langtest.Decode(f, `[{"id":1,"name":"x","price":12.50}]`), strings.Repeat("a", 1000))
	f.Fuzz(func(t *testing.T, text string) {
		n := &source.Node{Kind: source.Scalar, Text: text, File: &diag.File{Name: "f.yaml"}, Pos: diag.Pos{Line: 1, Col: 1}}
		var faults diag.List
		start := time.Now()
		e := Compile(n, s, &faults)
		if (e == nil) != faults.HasErrors() {
			t.Fatalf("expression %v, faults %v", e, faults)
		}
		if e == nil {
			return
		}
		v, err := e.Eval(vars)
		again, errAgain := e.Eval(vars)
		if outcomeOf(v, err) != outcomeOf(again, errAgain) {
			t.Fatalf("first %s, then %s", outcomeOf(v, err), outcomeOf(again, errAgain))
		}
		if err == nil && e.Type().Kind != types.Unknown {
			holds(t, e.Type(), v)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}

func outcomeOf(v value.Value, err error) string {
	if err != nil {
		return err.Error()
	}
	return string(value.AppendJSON(nil, v))
}

// holds fails the test when v is not of the kind that the checker promised.
// What the scope's own values break is not looked at: they come typed from outside.
func holds(t *testing.T, typ *types.Type, v value.Value) {
	t.Helper()
	k := types.KindOf(v)
	switch {
	case v == nil && typ.Nullable, types.KindAccepts(typ.Kind, k):
	case typ.Kind == types.Integer && k == types.Decimal: // integers beyond 64 bits
	default:
		t.Fatalf("the type is %s, the value %s", typ, outcomeOf(v, nil))
	}
}
