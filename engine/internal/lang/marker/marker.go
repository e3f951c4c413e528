// Package marker finds the ${{ }} markers in texts of YAML files. It knows their bounds, not what is in them.
package marker

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// What opens and closes a marker, and what writes the opening braces themselves.
const (
	Open        = "${{"
	OpenLiteral = "$${{"
	Close       = "}}"
)

// A piece is a part of a scalar's text: text that stands for itself, or the
// inside of a marker.
type Piece struct {
	// text is the expression between the braces, or the literal text with
	// $${{ already turned into ${{.
	Text string
	// at is the rune of the scalar's text where the piece starts: of an
	// expression, the rune after the opening braces.
	At     int
	IsExpr bool
}

// Split takes a scalar's text apart. unclosed is the rune at which a
// marker opens that nothing closes, or -1; pieces are those before it.
func Split(text string) (pieces []Piece, unclosed int) {
	var literal strings.Builder
	at, literalAt := 0, 0
	flush := func() {
		if literal.Len() > 0 {
			pieces = append(pieces, Piece{Text: literal.String(), At: literalAt})
			literal.Reset()
		}
	}
	for text != "" {
		next := strings.IndexByte(text, '$')
		if next < 0 {
			next = len(text)
		}
		if literal.Len() == 0 {
			literalAt = at
		}
		literal.WriteString(text[:next])
		at += utf8.RuneCountInString(text[:next])
		text = text[next:]
		switch {
		case strings.HasPrefix(text, OpenLiteral):
			literal.WriteString(Open)
			text, at = text[len(OpenLiteral):], at+len(OpenLiteral)
		case strings.HasPrefix(text, Open):
			flush()
			inner, ok := markerEnd(text[len(Open):])
			if !ok {
				return pieces, at
			}
			pieces = append(pieces, Piece{Text: inner, At: at + len(Open), IsExpr: true})
			text = text[len(Open)+len(inner)+len(Close):]
			at += len(Open) + utf8.RuneCountInString(inner) + len(Close)
		case text != "":
			literal.WriteByte('$')
			text, at = text[1:], at+1
		}
	}
	flush()
	return pieces, -1
}

// markerEnd returns what stands before the braces that close a marker. Braces
// inside strings and of object literals do not count. Where the text is no
// expression at all, the first closing braces end it, so that the compiler of
// expressions can say what is wrong.
func markerEnd(text string) (inner string, ok bool) {
	// Most markers are short. To prepare all that follows for each of them would take for ever in a long text.
	for size := 512; ; size *= 8 {
		size = min(size, len(text))
		if size > maxMarker {
			inner, _, ok = strings.Cut(text, Close) // the compiler finds it too long
			return inner, ok
		}
		inner, ok, broken := lexedEnd(text[:size])
		if ok && !broken || size == len(text) {
			return inner, ok
		}
	}
}

// maxMarker is how far the end of a marker is looked for, which is further than an expression may be long.
const maxMarker = 4 * LongestExpr

// lexedEnd is markerEnd, by reading text as an expression; broken says that it is none.
func lexedEnd(text string) (inner string, ok, broken bool) {
	l := lexer.New()
	l.Reset(file.NewSource(text))
	const none = -2 // no rune follows it
	depth, closing := 0, none
	for {
		t, err := l.Next()
		if err != nil {
			inner, _, ok = strings.Cut(text, Close)
			return inner, ok, true
		}
		switch {
		case t.Kind == lexer.EOF:
			return "", false, false
		case t.Kind == lexer.Bracket && t.Value == "{":
			depth++
		case t.Kind == lexer.Bracket && t.Value == "}" && depth > 0:
			depth--
		case t.Kind == lexer.Bracket && t.Value == "}":
			if closing == t.From-1 {
				return text[:types.ByteAt(text, closing)], true, false
			}
			closing = t.From
			continue
		}
		closing = none
	}
}

// Whole returns the inside of a text that is exactly one marker, spaces
// and line breaks around it allowed, and the rune of text where it starts.
func Whole(text string) (inner string, at int, ok bool) {
	trimmed := strings.TrimLeftFunc(text, unicode.IsSpace)
	front := text[:len(text)-len(trimmed)]
	rest, ok := strings.CutPrefix(trimmed, Open)
	if !ok {
		return "", 0, false
	}
	inner, ok = markerEnd(rest)
	if !ok || strings.TrimSpace(rest[len(inner)+len(Close):]) != "" {
		return "", 0, false
	}
	return inner, utf8.RuneCountInString(front) + len(Open), true
}

// Has reports whether a text holds a marker, closed or not.
func Has(text string) bool {
	pieces, unclosed := Split(text)
	for _, p := range pieces {
		if p.IsExpr {
			return true
		}
	}
	return unclosed >= 0
}

// PlainText returns the text of a scalar with spaces in place of its markers, so that runes keep their places. It is
// empty where a marker is not closed, or where the characters of one are written with $${{.
func PlainText(n *source.Node) string {
	pieces, unclosed := Split(n.Text)
	if unclosed >= 0 || strings.Contains(n.Text, OpenLiteral) {
		return ""
	}
	text := []rune(strings.Repeat(" ", utf8.RuneCountInString(n.Text)))
	for _, p := range pieces {
		if !p.IsExpr {
			copy(text[p.At:], []rune(p.Text))
		}
	}
	return string(text)
}

// In reports whether a YAML value holds a marker anywhere.
func In(n *source.Node) bool {
	if n == nil {
		return false
	}
	for _, p := range n.Pairs {
		if In(p.Key) || In(p.Value) {
			return true
		}
	}
	for _, item := range n.Items {
		if In(item) {
			return true
		}
	}
	return n.Kind == source.Scalar && Has(n.Text)
}

// LongestExpr bounds what the compiler looks at, in bytes.
const LongestExpr = 20_000
