package lang

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// spot returns the place of a rune of the expression.
func (c *compiler) spot(rune int) spot { return spot{c.src, c.at + rune} }

// spotOf returns where faults of n are shown: at its operator, its last member or
// its first rune.
func (c *compiler) spotOf(n ast.Node) spot { return c.spot(place(n)) }

func place(n ast.Node) int {
	if cond, ok := n.(*ast.ConditionalNode); ok {
		return place(cond.Cond) // its own location is that of the token that follows
	}
	return n.Location().From
}

func (c *compiler) fault(at spot, code, message string) *diag.Diagnostic {
	c.failed = true
	d := at.fault(code, message)
	c.faults.Add(d)
	return d
}

func (c *compiler) mismatch(n ast.Node, format string, args ...any) *diag.Diagnostic {
	return c.fault(c.spotOf(n), "type-mismatch", fmt.Sprintf(format, args...))
}

// related points d at the place where t was declared, when that is known.
func related(d *diag.Diagnostic, t *Type) {
	if t != nil && t.Declared.File != nil {
		p := t.Declared
		if p.Note == "" {
			p.Note = "declared here"
		}
		d.Related = append(d.Related, p)
	}
}

// suggest sets the hint of d to the nearest of the names, or to all of them
// when none is near and they are few.
func suggest(d *diag.Diagnostic, name string, among []string) {
	const few = 8
	if near := diag.Nearest(name, among); near != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", near)
	} else if len(among) > 0 && len(among) <= few {
		d.Hint = "known here: " + strings.Join(among, ", ")
	}
}

// byteAt returns the byte offset of a rune.
func byteAt(text string, rune int) int {
	for i := range text {
		if rune == 0 {
			return i
		}
		rune--
	}
	return len(text)
}

// kindOf returns the Kind of a value.
func kindOf(v value.Value) Kind {
	switch v.(type) {
	case nil:
		return Null
	case bool:
		return Boolean
	case int64:
		return Integer
	case value.Decimal:
		return Decimal
	case string:
		return Text
	case value.List, *value.Rows:
		return List
	case *value.Object:
		return Object
	}
	return Unknown
}

// shown is a value inside a message: short, texts quoted, structures by kind.
func shown(v value.Value) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(excerpt(v))
	case nil, value.List, *value.Rows, *value.Object:
		return kindOf(v).String()
	}
	text, err := value.Text(v)
	if err != nil {
		return "omit"
	}
	return excerpt(text)
}

// excerpt shortens a text for a message.
func excerpt(text string) string {
	const longest = 60
	if utf8.RuneCountInString(text) <= longest {
		return text
	}
	return text[:byteAt(text, longest)] + "…"
}

func listValues(values []value.Value) string {
	names := make([]string, len(values))
	for i, v := range values {
		if text, ok := v.(string); ok {
			names[i] = text
		} else {
			names[i] = shown(v)
		}
	}
	return strings.Join(names, ", ")
}
