package types

import (
	"fmt"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// ParseText reads a text that stands for a value of type t, as CSV cells and
// command-line inputs are: numbers in JSON grammar, true/false in any case (spreadsheets write TRUE), dates as written, lists
// split at ";" (elements trimmed; or a JSON array when it starts with "["), objects
// as JSON. For Unknown and Text the text itself. The error says what was expected.
func ParseText(t *Type, text string) (value.Value, error) {
	t = OrAny(t)
	switch t.Kind {
	case Unknown, Text:
		return text, nil
	case Null:
		if text == "" || text == "null" {
			return nil, nil
		}
	case Boolean:
		switch strings.ToLower(text) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
	case Integer:
		if n, err := value.ParseNumber(text); err == nil {
			if i, ok := value.IsInteger(n); ok {
				return i, nil
			}
		}
	case Decimal:
		if n, err := value.ParseNumber(text); err == nil {
			return n, nil
		}
	case List:
		return parseList(t, text)
	case Object:
		if v, err := value.Decode([]byte(text)); err == nil {
			if o, ok := v.(*value.Object); ok {
				return o, nil
			}
		}
	}
	return nil, fmt.Errorf("expected %s%s, found %q", t.NotNull(), textForms[t.Kind], Excerpt(text))
}

// textForms says how the kinds are written where their name alone does not.
var textForms = [Object + 1]string{
	Boolean: " (true or false)",
	Object:  " (in JSON)",
}

func parseList(t *Type, text string) (value.Value, error) {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return value.List{}, nil
	}
	if trimmed[0] == '[' {
		v, err := value.Decode([]byte(trimmed))
		if err != nil {
			return nil, fmt.Errorf("expected %s as a JSON array: %w", t.NotNull(), err)
		}
		return v, nil
	}
	if last := strings.LastIndexByte(text, ';'); last >= 0 && strings.TrimSpace(text[last+1:]) == "" { // "a;b;" are two
		text = text[:last]
	}
	list := make(value.List, 0, 1+strings.Count(text, ";"))
	for part := range strings.SplitSeq(text, ";") {
		v, err := ParseText(t.Elem, strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", len(list)+1, err)
		}
		list = append(list, v)
	}
	return list, nil
}
