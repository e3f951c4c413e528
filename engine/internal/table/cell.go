package table

import (
	"strings"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// cellOf writes v as a CSV cell: null as the empty cell, scalars as their text,
// lists of scalars joined by semicolons, all else as JSON. What types.ParseText makes of a
// cell, with the type of v, is v again (but for empty texts).
func cellOf(v value.Value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case *value.Object, *value.Rows:
		return asJSON(v)
	case value.List:
		if joined, ok := join(v); ok {
			return joined
		}
		return asJSON(v)
	}
	text, _ := value.Text(v) // scalars all have one
	return text
}

// join joins a list with semicolons; ok is false where it would not be read
// back as the same list.
func join(list value.List) (joined string, ok bool) {
	if len(list) == 0 {
		return "", false
	}
	parts := make([]string, len(list))
	for i, elem := range list {
		text, err := value.Text(elem)
		if err != nil || text == "" || strings.Contains(text, ";") || strings.TrimSpace(text) != text {
			return "", false
		}
		parts[i] = text
	}
	return strings.Join(parts, ";"), parts[0][0] != '['
}

func asJSON(v value.Value) string { return string(value.AppendJSON(nil, v)) }
