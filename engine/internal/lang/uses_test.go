package lang

import (
	"fmt"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/source"
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
		EachUse("inputs", func(path []string) { found = append(found, path) }, &source.Node{Kind: source.Scalar, Text: text})
		if got := fmt.Sprint(found); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
