package template

import (
	"fmt"
	"testing"
)

func TestUsesOfANameAreFound(t *testing.T) {
	for text, want := range map[string]string{
		"inputs.a + inputs?.b":          "[[a] [b]]",
		`inputs["a b"].c.d.e`:           "[[a b c d]]",
		"my.inputs.a, xinputs.b inputs": "[[]]",
		"inputs[key], inputs['x":        "[[] []]",
		"inputs.":                       "[[]]",
		"steps.inputs":                  "[]",
	} {
		found := [][]string{}
		eachUseIn(text, "inputs", func(_ int, path []string) { found = append(found, path) })
		if got := fmt.Sprint(found); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
