package lang

import (
	"fmt"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
)

func TestReadsAreThoseOfTheExpressions(t *testing.T) {
	data := ObjectOf(Field{Name: "a", Type: AnyType}, Field{Name: "b-c", Type: AnyType}, Field{Name: "key", Type: TextType}, Field{Name: "n", Type: IntegerType})
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
		var reads Reads
		var faults diag.List
		CompileTemplate(langtest.YAML(t, fmt.Sprintf("%q", text)), NewScope(Name{"inputs", data}).Recording(&reads), &faults)
		found := [][]string{}
		reads.Each("inputs", func(path []string) { found = append(found, path) })
		if got := fmt.Sprint(found); got != want && got != "[[key] []]" {
			t.Errorf("%s: got %s, want %s: %v", text, got, want, faults)
		}
	}
}
