package lang

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
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

// syntaxFault reports what the parser refused, in our words.
func (c *compiler) syntaxFault(err error) {
	e, ok := errors.AsType[*file.Error](err)
	if !ok {
		c.fault(c.spot(0), "expr-syntax", "cannot read the expression: "+err.Error())
		return
	}
	at := min(max(e.From, 0), utf8.RuneCountInString(c.text))
	if strings.Contains(e.Message, " literal: ") {
		at = c.numberBefore(at)
	}
	message, hint := c.explain(e.Message, at)
	c.fault(c.spot(at), "expr-syntax", message).Hint = hint
}

// numberBefore returns the start of the last number before a rune: the parser
// reports a bad number at the token after it.
func (c *compiler) numberBefore(at int) int {
	tokens, _ := lexer.Lex(file.NewSource(c.text))
	number := at
	for _, t := range tokens {
		if t.Kind == lexer.Number && t.From < at {
			number = t.From
		}
	}
	return number
}

// explain turns the parser's message at the given rune into ours.
func (c *compiler) explain(message string, at int) (text, hint string) {
	token, unexpected := strings.CutPrefix(message, "unexpected token ")
	switch {
	case unexpected && token == "EOF":
		return "the expression ends too early", ""
	case unexpected:
		word := tokenText(token)
		return fmt.Sprintf("unexpected %q", word), c.trap(word, at)
	case strings.Contains(message, "literal not terminated"):
		return "a text is not closed", "end it with the quote that began it"
	case strings.Contains(message, "invalid char escape"):
		return `unknown escape after "\"`, `write "\\" for a backslash`
	case strings.Contains(message, "unclosed comment"):
		return "a comment is not closed", "end it with */"
	case strings.Contains(message, "coalesce expressions (??) cannot be mixed"):
		return "?? cannot stand beside another operator", "put parentheses around it: (a ?? b) + c"
	case strings.HasPrefix(message, "invalid integer literal"):
		return "the number is too large to be written here", "write it as decimal('…')"
	case strings.HasPrefix(message, "invalid float literal"):
		return "the number is out of range", ""
	case strings.HasPrefix(message, "invalid hex"), strings.HasPrefix(message, "invalid binary"),
		strings.HasPrefix(message, "invalid octal"), strings.HasPrefix(message, "bad number syntax"):
		return "not a number", "numbers are written as in JSON"
	case strings.HasPrefix(message, "unrecognized character"):
		return "unexpected character" + strings.TrimPrefix(message, "unrecognized character:"), ""
	case strings.HasPrefix(message, "expected at least"):
		return "the function needs a list and a condition", "as in filter(list, .member == 1)"
	case strings.HasPrefix(message, "wrap predicate with brackets"):
		return "several expressions in a predicate need braces", "write { let x = …; … }"
	case strings.HasPrefix(message, "a map key must be"):
		return "expected a member name", "names are words or quoted; computed ones stand in parentheses"
	case strings.HasPrefix(message, "expected name"):
		return "expected a member name after the dot", ""
	case strings.Contains(message, "exceeds maximum allowed nodes"):
		return "the expression has too many parts", ""
	case strings.HasPrefix(message, "unexpected end of expression"):
		return "the expression ends too early", ""
	}
	return message, ""
}

// tokenText takes the text out of the parser's Kind("text").
func tokenText(token string) string {
	if i := strings.IndexByte(token, '('); i >= 0 && strings.HasSuffix(token, ")") {
		if text, err := strconv.Unquote(token[i+1 : len(token)-1]); err == nil {
			return text
		}
	}
	return token
}

// trap knows what people write who meet a token where it cannot stand.
func (c *compiler) trap(word string, at int) string {
	before := c.text[:byteAt(c.text, at)]
	switch {
	case strings.Contains(c.text, markerOpen):
		return "this is one expression; leave the ${{ }} inside it away"
	case word == "=":
		return "write == to compare"
	case word == "&":
		return "write and"
	case word == ":" && strings.Contains(before, "{"):
		return "inside a predicate an object needs parentheses: map(list, ({name: .name}))"
	case word == "." || word == "#":
		return "an element (. or #) is known only inside a predicate"
	case strings.HasPrefix(c.text, "if ") || strings.Contains(before, " if "):
		return "write condition ? a : b"
	case word == "%" || word == "{":
		return "only ${{ }} marks an expression"
	}
	return ""
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
	case value.List:
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
	case nil, value.List, *value.Object:
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
