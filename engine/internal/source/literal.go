package source

import "github.com/seed627bd532/runner/engine/internal/value"

// IsNull reports whether n is nil or a plain null.
func (n *Node) IsNull() bool {
	return n == nil || n.Kind == Scalar && !n.Quoted && isNull(n.Text)
}

// Literal returns the node as a value: a plain scalar is null, boolean, number
// (JSON grammar only) or string; a quoted one is a string. Markers are not looked at.
// A nil node is null.
func (n *Node) Literal() value.Value {
	switch {
	case n == nil:
		return nil
	case n.Kind == List:
		items := make(value.List, len(n.Items))
		for i, item := range n.Items {
			items[i] = item.Literal()
		}
		return items
	case n.Kind == Mapping:
		o := value.NewObject(len(n.Pairs))
		for _, p := range n.Pairs {
			o.Set(p.Key.Text, p.Value.Literal())
		}
		return o
	case n.Quoted:
		return n.Text
	}
	return plain(n.Text)
}

// plain returns what an unquoted scalar means. A number that is too large to be
// one is text; Read has refused it already.
func plain(text string) value.Value {
	switch {
	case isNull(text):
		return nil
	case text == "true" || text == "True" || text == "TRUE":
		return true
	case text == "false" || text == "False" || text == "FALSE":
		return false
	case value.IsNumeral(text):
		if n, err := value.ParseNumber(text); err == nil {
			return n
		}
	}
	return text
}

func isNull(text string) bool {
	return text == "" || text == "~" || text == "null" || text == "Null" || text == "NULL"
}
