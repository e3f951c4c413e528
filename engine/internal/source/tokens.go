package source

import (
	"bytes"

	"gopkg.in/yaml.v3"
)

// A tokenKind tells the pieces apart that a file is made of.
type tokenKind int

const (
	scalarToken tokenKind = iota // plain or quoted, perhaps on several lines
	headerToken                  // of a block scalar: | or >, with what follows it
	bodyToken                    // the lines of a block scalar
	nameToken                    // an anchor, an alias or a tag
	dashToken
	queryToken // of an explicit key
	colonToken
	commaToken
	openToken
	closeToken
	markerToken // ---, ... or a directive
	commentToken
)

// A token is a piece of a file that stands by itself: between two of them is nothing but white space.
type token struct {
	kind       tokenKind
	start, end int
	key        bool // a key of a mapping in block style begins here
	indent     int  // of the lines of a body
}

// A tokenizer cuts a text that yaml.v3 has parsed into tokens. yaml.v3 tells
// where scalars are; all that is between them is punctuation and comments.
type tokenizer struct {
	text   []byte
	lines  *lines
	tokens []token
	keys   map[int]bool // offsets at which keys of mappings in block style begin
	p      int          // all before is cut
	ok     bool
}

// tokenize cuts text; root is what yaml.v3 made of it. ok is false when a scalar
// was not found where it should be.
func tokenize(text []byte, root *yaml.Node, l *lines) (tokens []token, ok bool) {
	t := &tokenizer{text: text, lines: l, keys: map[int]bool{}, ok: true}
	t.walk(root)
	t.between(len(text))
	return t.tokens, t.ok
}

func (t *tokenizer) walk(y *yaml.Node) {
	switch y.Kind {
	case yaml.ScalarNode:
		t.scalar(y)
		return
	case yaml.MappingNode:
		for i := 0; i < len(y.Content) && y.Style&yaml.FlowStyle == 0; i += 2 {
			t.keys[t.lines.offset(y.Content[i].Line, y.Content[i].Column)] = true
		}
	}
	for _, c := range y.Content {
		t.walk(c)
	}
}

// scalar adds the tokens up to the scalar y, and those of it.
func (t *tokenizer) scalar(y *yaml.Node) {
	if y.Value == "" && y.Style&quotedStyles == 0 {
		return // nothing is written, but for a tag or an anchor, perhaps
	}
	off := t.lines.offset(y.Line, y.Column)
	p := skipProperties(t.text, off)
	if p < t.p || p >= len(t.text) {
		t.ok = false
		return
	}
	t.between(p)
	s := trace(t.text, off, y)
	t.ok = t.ok && s.ok
	switch {
	case y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		t.block(p, s.body)
	case y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		t.add(scalarToken, p, s.end+1)
	default:
		t.add(scalarToken, p, s.end)
	}
}

// block adds the tokens of a block scalar whose indicator is at p.
func (t *tokenizer) block(p int, lines body) {
	end := p + 1
	for end < len(t.text) && bytes.IndexByte([]byte("+-0123456789"), t.text[end]) >= 0 {
		end++
	}
	t.add(headerToken, p, end)
	t.between(t.lines.lineEnd(end)) // a comment
	if lines.end > 0 {
		t.add(bodyToken, lines.start, lines.end)
		t.tokens[len(t.tokens)-1].indent = lines.indent
	}
}

// between adds the tokens from t.p to end.
func (t *tokenizer) between(end int) {
	for t.p < end {
		c := t.text[t.p]
		next := t.p + 1
		kind := nameToken
		switch {
		case isBlank(c) || breakSize(t.text[t.p:]) > 0:
			t.p++
			continue
		case c == '#':
			next, kind = t.lines.lineEnd(t.p), commentToken
		case t.isMarker():
			next, kind = t.p+3, markerToken
			if c == '%' {
				next = t.lines.lineEnd(t.p)
			}
		case c == '&' || c == '*' || c == '!':
			for next < end && !isBlank(t.text[next]) && breakSize(t.text[next:]) == 0 && bytes.IndexByte([]byte(",[]{}"), t.text[next]) < 0 &&
				(c == '!' || t.text[next] != ':') {
				next++
			}
		default:
			var known bool
			kind, known = map[byte]tokenKind{'-': dashToken, '?': queryToken, ':': colonToken, ',': commaToken,
				'[': openToken, '{': openToken, ']': closeToken, '}': closeToken}[c]
			t.ok = t.ok && known
		}
		t.add(kind, t.p, next)
	}
}

// isMarker reports whether a document marker or a directive stands at t.p.
func (t *tokenizer) isMarker() bool {
	rest := t.text[t.p:]
	return (t.p == 0 || breakSize(t.text[t.p-1:]) > 0) &&
		(bytes.HasPrefix(rest, []byte("---")) || bytes.HasPrefix(rest, []byte("...")) || rest[0] == '%')
}

func (t *tokenizer) add(kind tokenKind, start, end int) {
	t.tokens = append(t.tokens, token{kind: kind, start: start, end: end, key: kind != headerToken && t.keys[start]})
	t.p = end
}
