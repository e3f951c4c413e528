package schema

import (
	"slices"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// Missing returns the members that the schema requires and v, or what is in it, lacks, each once.
func (s *Schema) Missing(v value.Value) []string {
	r, _ := s.explain(v)
	if r == nil {
		return nil
	}
	var names []string
	for _, f := range r.findings {
		if _, ok := f.check.(*required); ok && !slices.Contains(names, f.name) {
			names = append(names, f.name)
		}
	}
	return names
}
