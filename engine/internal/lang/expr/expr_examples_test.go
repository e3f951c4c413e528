package expr

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/expr-lang/expr"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// examplesOfExpr are the expressions that the module of expr ships for its own tests.
func examplesOfExpr(t *testing.T) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/expr-lang/expr").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(strings.TrimSpace(string(dir)), "testdata", "generated.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		all = append(all, lines.Text())
	}
	return all
}

// TestExamplesOfExpr holds our checker and evaluator against expr's own virtual machine, on the examples of
// its module: where both give a value it is the same one, except as differs says.
func TestExamplesOfExpr(t *testing.T) {
	t.Parallel()
	const data = `{"ok": true, "i": 1, "str": "str", "f64": 0.5, "array": [1, 2, 3, 4, 5], "foo": {"Bar": "foo"}, "list": [{"Bar": "bar"}, {"Bar": "baz"}]}`
	var env map[string]any
	if err := json.Unmarshal([]byte(data), &env); err != nil {
		t.Fatal(err)
	}
	env["i"], env["array"] = 1, []int{1, 2, 3, 4, 5} // integers, as the examples want them
	row := types.ObjectOf(types.Field{Name: "Bar", Type: types.TextType})
	scope := NewScope(Name{"ok", types.BooleanType}, Name{"i", types.IntegerType}, Name{"str", types.TextType}, Name{"f64", types.DecimalType},
		Name{"array", types.ListOf(types.IntegerType)}, Name{"foo", row}, Name{"list", types.ListOf(row)})
	ours := langtest.Decode(t, data).(*value.Object)
	vars := make(Vars, 0, scope.Len())
	for _, name := range []string{"ok", "i", "str", "f64", "array", "foo", "list"} {
		v, _ := ours.Get(name)
		vars = append(vars, v)
	}
	compared := 0
	for _, text := range examplesOfExpr(t) {
		var faults diag.List
		e := Compile(langtest.Expr(t, text), scope, &faults)
		if e == nil {
			continue // not of our language, or refused by our types
		}
		got, err := e.Eval(vars)
		if err != nil {
			continue
		}
		program, err := expr.Compile(text, expr.Env(env))
		if err != nil {
			continue
		}
		want, err := expr.Run(program, env)
		if err != nil {
			continue
		}
		compared++
		if g, w := plain(t, json.RawMessage(value.AppendJSON(nil, got))), plain(t, want); !same(g, w) && !differs(text) {
			t.Errorf("%s: our value is %v, that of expr's machine %v", text, g, w)
		}
	}
	t.Logf("%d expressions compared", compared)
	if compared < 9000 {
		t.Errorf("only %d expressions were compared", compared)
	}
}

// plain returns v as encoding/json reads it back.
func plain(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error() // such as NaN, which we have not
	}
	var back any
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// same compares values with numbers as near as the machine's floats come to our exact ones.
func same(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(a))
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name := range a {
			other, ok := b[name]
			if !ok || !same(a[name], other) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

// differs tells the expressions that mean something else in our language, on purpose: count without a
// condition counts all elements and not those that are true, the mean of nothing is null and not 0, and
// groups are named by texts, in the order in which they were met.
func differs(text string) bool {
	return strings.HasPrefix(text, "count(") && !strings.Contains(text, "#") || strings.HasPrefix(text, "mean(") || strings.Contains(text, "groupBy")
}
