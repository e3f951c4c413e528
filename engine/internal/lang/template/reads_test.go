package template

import (
	"fmt"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
)

func TestReadsAreThoseOfTheExpressions(t *testing.T) {
	data := types.ObjectOf(types.Field{Name: "a", Type: types.AnyType}, types.Field{Name: "b-c", Type: types.AnyType}, types.Field{Name: "key", Type: types.TextType}, types.Field{Name: "n", Type: types.IntegerType})
	for text, want := range map[string]string{
		"${{ inputs.a }} and inputs":                          "[[a]]",
		"${{ inputs['b-c']?.d[0].e }}":                        "[[b-c d]]",
		"${{ inputs[inputs.key] }}":                           "[[] [key]]",
		"${{ 1..inputs.n }}":                                  "[[n]]",
		"${{ 'inputs.a' }}, to a friend":                      "[]",
		"${{ map([1], inputs.n < # and # < inputs.n + 1) }}":  "[[n] [n]]",
		"${{ 1 < inputs.n < 3 }}":                             "[[n]]",
		"${{ digest(inputs) }} ${{ inputs.n }}":               "[[] [n]]",
		"plain inputs.a in a text, which is a mistake itself": "[]",
	} {
		var reads expr.Reads
		var faults diag.List
		Compile(langtest.YAML(t, fmt.Sprintf("%q", text)), expr.NewScope(expr.Name{Name: "inputs", Type: data}).Recording(&reads), &faults)
		found := [][]string{}
		reads.Each("inputs", func(path []string) { found = append(found, path) })
		if got := fmt.Sprint(found); got != want && got != "[[key] []]" {
			t.Errorf("%s: got %s, want %s: %v", text, got, want, faults)
		}
	}
}
