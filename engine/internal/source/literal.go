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
	case isNumber(text):
		if n, err := value.ParseNumber(text); err == nil {
			return n
		}
	}
	return text
}

func isNull(text string) bool {
	return text == "" || text == "~" || text == "null" || text == "Null" || text == "NULL"
}

// isNumber reports whether text is a number by JSON's grammar.
func isNumber(text string) bool {
	s := text
	if s != "" && s[0] == '-' {
		s = s[1:]
	}
	whole := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	s = s[whole:]
	if s != "" && s[0] == '.' {
		fraction := digits(s[1:])
		if fraction == 0 {
			return false
		}
		s = s[1+fraction:]
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		exponent := digits(s)
		if exponent == 0 {
			return false
		}
		s = s[exponent:]
	}
	return s == ""
}

// digits counts the digits s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}
