package catalog

import (
	"fmt"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
)

// DidYouMean returns a hint that names the nearest candidate, else all of them.
func DidYouMean(name string, candidates []string) string {
	if near := diag.Nearest(name, candidates); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if len(candidates) == 0 {
		return "there are none"
	}
	const most = 12
	if len(candidates) > most {
		candidates = append(candidates[:most:most], "…")
	}
	return "there are: " + strings.Join(candidates, ", ")
}
