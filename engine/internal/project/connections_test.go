package project_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/project"
)

// TestVariablesWithoutAMarker holds which texts of a connections file are taken for variables of the environment.
func TestVariablesWithoutAMarker(t *testing.T) {
	for text, want := range map[string]bool{
		"env.TOKEN": true, "$TOKEN": true, "${TOKEN}": true, "${token}": true, "%TOKEN%": true, "$(TOKEN)": true, "{{ TOKEN }}": true, "{{ env.token }}": true,
		"${env.TOKEN}": true, "$env:TOKEN": true, "<TOKEN>": true, "#{TOKEN}": true, "%{TOKEN}": true, "<%= TOKEN %>": true, "{TOKEN}": true,
		"Bearer ${TOKEN}": true, "Bearer env.TOKEN": true, "file('/run/x')": true,
		"$(cat /run/secrets/x)": true, "$(op read op://vault/key)": true, "`cat /run/x`": true, "${TOKEN:-none}": true, "${TOKEN:?}": true, "${TOKEN-}": true,
		"$(a)b c": false, "$(9 x)": false, "${a b": false, "a $(b c) d": false,
		"a$B9x": false, "pa%ss": false, "x{Y": false, "$$A{B}c": false, "env.example.com": false, "see env.example.com": false,
		"${{ env.TOKEN }}": false, "${{ env['TOKEN'] }}": false, "${{ '$TOKEN' }}": false,
	} {
		file := fmt.Sprintf("connections: {shop: {vendor: shop, base_url: \"https://env.example.com\", config: {key: %s}}}\n", strconv.Quote(text))
		_, faults := project.Load(spoil(t, edit{"connections.yaml", "", file}), "connections.yaml")
		if found := faults.HasErrors(); found != want {
			t.Errorf("%s: %v", text, faults)
			for _, d := range faults {
				t.Log(d)
			}
		}
	}
}
