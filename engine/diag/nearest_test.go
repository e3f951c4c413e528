package diag_test

import (
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
)

func TestNearestFindsWhatWasMeant(t *testing.T) {
	t.Parallel()
	keys := []string{"timeout", "steps", "outputs", "inputs", "if", "id", "as", "AccountId"}
	tests := []struct{ name, want string }{
		{"timout", "timeout"},
		{"tiemout", "timeout"},
		{"step", "steps"},
		{"TIMEOUT", "timeout"},
		{"AcountId", "AccountId"},
		{"inputs", ""}, // itself is no suggestion, and outputs is too far away
		{"ID", "id"},
		{"ip", ""},
		{"nothing", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got := diag.Nearest(tt.name, keys); got != tt.want {
			t.Errorf("Nearest(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestNearestDoesNotDependOnTheOrderOfCandidates(t *testing.T) {
	t.Parallel()
	for _, candidates := range [][]string{{"cast", "cart"}, {"cart", "cast"}} {
		if got := diag.Nearest("caxt", candidates); got != "cart" {
			t.Errorf("of %q: got %q, want cart", candidates, got)
		}
	}
}
