package expr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
	"github.com/seed627bd532/runner/engine/internal/lang/marker"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
)

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
	if strings.HasPrefix(e.Message, "unexpected token EOF") || strings.HasPrefix(e.Message, "unexpected end") {
		if open := c.unclosed(); open >= 0 {
			c.fault(c.spot(open), "expr-syntax", fmt.Sprintf("this %c is not closed", []rune(c.text)[open]))
			return
		}
	}
	message, hint := c.explain(e.Message, at)
	c.fault(c.spot(at), "expr-syntax", message).Hint = hint
}

// unclosed returns the rune of the last bracket that nothing closes, or -1.
func (c *compiler) unclosed() int {
	tokens, _ := lexer.Lex(file.NewSource(c.text))
	var open []int
	for _, t := range tokens {
		switch {
		case t.Kind != lexer.Bracket:
		case strings.Contains("([{", t.Value):
			open = append(open, t.From)
		case len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	if len(open) == 0 {
		return -1
	}
	return open[len(open)-1]
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
		return "the expression ends too early", c.pipeHint()
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
		hint := ""
		if strings.ContainsAny(message, "‘’‚“”„´") {
			hint = "write ' or \" around a text"
		}
		return "unexpected character" + strings.TrimPrefix(message, "unrecognized character:"), hint
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
		return "the expression ends too early", c.pipeHint()
	}
	return message, ""
}

// pipeHint explains a | that no call follows.
func (c *compiler) pipeHint() string {
	if i := strings.LastIndexByte(c.text, '|'); i > 0 && c.text[i-1] != '|' && marker.IsName(strings.TrimSpace(c.text[i+1:])) {
		return "what follows | is a call: write " + strings.TrimSpace(c.text[i+1:]) + "()"
	}
	return ""
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
	before := c.text[:types.ByteAt(c.text, at)]
	switch {
	case strings.Contains(c.text, marker.Open):
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
