package source

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// A span is where a scalar stands in the text.
type span struct {
	start, end int    // its first character, and the place after its last, a closing quote not counted
	marks      []mark // runes that do not stand right after the one before; the first is rune 0
	body       body   // of a literal or folded scalar
	ok         bool   // false: only start is known, more or less
}

// A body is the lines of a literal or folded scalar below its indicator.
type body struct {
	start, end int // end is where its last line breaks; 0 where it has none
	indent     int // of its lines; where all are empty, more than they have
}

type mark struct{ runes, off int }

// A tracer decodes a scalar for the second time, beside the text that yaml.v3
// has decoded it to, and notes where each rune came from. Any difference
// between the two ends it: it would rather know no places than wrong ones.
type tracer struct {
	src   []byte
	want  string // what is still to come of the decoded text
	runes int
	next  int // where a rune would stand right after the last one; -1 if nowhere
	marks []mark
	body  body
	bad   bool
}

// trace finds the scalar y, whose mark is at off, in src.
func trace(src []byte, off int, y *yaml.Node) span {
	if y.Value == "" && y.Style&quotedStyles == 0 {
		return span{start: off, end: off, ok: true}
	}
	p := skipProperties(src, off)
	if y.Style&quotedStyles == 0 && bytes.HasPrefix(src[p:], []byte(y.Value)) && !strings.Contains(y.Value, "\n") {
		return span{start: p, end: p + len(y.Value), ok: true}
	}
	if p >= len(src) {
		return span{start: off, end: off}
	}
	t := &tracer{src: src, want: y.Value, next: -1}
	end := p
	switch {
	case y.Style&yaml.SingleQuotedStyle != 0 && src[p] == '\'':
		end = t.flow(p+1, '\'')
	case y.Style&yaml.DoubleQuotedStyle != 0 && src[p] == '"':
		end = t.flow(p+1, '"')
	case y.Style&yaml.LiteralStyle != 0 && src[p] == '|', y.Style&yaml.FoldedStyle != 0 && src[p] == '>':
		end = t.block(p)
	case y.Style&quotedStyles == 0:
		end = t.flow(p, 0)
	default:
		t.bad = true
	}
	if t.bad || t.want != "" {
		return span{start: p, end: p}
	}
	if t.next < 0 {
		t.marks = append(t.marks, mark{t.runes, end})
	}
	return span{start: t.marks[0].off, end: end, marks: t.marks, body: t.body, ok: true}
}

const quotedStyles = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// emit notes that r, which must be the next rune of the decoded text, came from
// off. One that was copied is followed by the next rune in the same row.
func (t *tracer) emit(r rune, off int, copied bool) {
	got, n := utf8.DecodeRuneInString(t.want)
	if n == 0 || got != r {
		t.bad = true
		return
	}
	t.want = t.want[n:]
	if off != t.next {
		t.marks = append(t.marks, mark{t.runes, off})
	}
	t.runes++
	t.next = -1
	if copied {
		t.next = off + n
	}
}

// copy emits the character at p, and returns the place after it.
func (t *tracer) copy(p int) int {
	r, n := utf8.DecodeRune(t.src[p:])
	t.emit(r, p, true)
	return p + n
}

// flow traces a plain (quote is 0) or quoted scalar from its first character on,
// and returns its end.
func (t *tracer) flow(p int, quote byte) int {
	for !t.bad && p < len(t.src) && (quote != 0 || t.want != "") {
		c := t.src[p]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			p = t.white(p)
		case quote == '\'' && bytes.HasPrefix(t.src[p:], []byte("''")):
			t.emit('\'', p, false)
			p += 2
		case quote != 0 && c == quote:
			return p
		case quote == '"' && c == '\\':
			p = t.escape(p)
		default:
			p = t.copy(p)
		}
	}
	t.bad = t.bad || quote != 0
	return p
}

// white traces a run of white space: kept inside a line; around a line break it
// becomes one space, or one line break less than there are.
func (t *tracer) white(p int) int {
	q := skipBlanks(t.src, p)
	if breakSize(t.src[q:]) == 0 {
		for p < q && !t.bad {
			p = t.copy(p)
		}
		return q
	}
	q += breakSize(t.src[q:])
	end := t.emptyLines(q)
	if end == skipBlanks(t.src, q) {
		t.emit(' ', p, false)
	}
	return end
}

// emptyLines emits a line break for each empty line from p on, and returns the
// start of the text that follows.
func (t *tracer) emptyLines(p int) int {
	for {
		p = skipBlanks(t.src, p)
		n := breakSize(t.src[p:])
		if n == 0 || t.bad {
			return p
		}
		t.emit('\n', p, false)
		p += n
	}
}

// escapes are the characters that stand for another one after a backslash.
const (
	escapes = "0abt\tnvfre \"'\\N_LP"
	escaped = "\x00\a\b\t\t\n\v\f\r\x1b \"'\\\u0085\u00a0\u2028\u2029"
)

// escape traces what begins with the backslash at p, and returns its end.
func (t *tracer) escape(p int) int {
	if n := breakSize(t.src[p+1:]); n > 0 {
		return t.emptyLines(p + 1 + n)
	}
	if p+1 == len(t.src) {
		t.bad = true
		return p
	}
	c := t.src[p+1]
	if i := strings.IndexByte(escapes, c); i >= 0 {
		t.emit([]rune(escaped)[i], p, false)
		return p + 2
	}
	end := p + 2 + map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if end == p+2 || end > len(t.src) {
		t.bad = true
		return p
	}
	code, err := strconv.ParseUint(string(t.src[p+2:end]), 16, 31)
	t.bad = t.bad || err != nil
	t.emit(rune(code), p, false)
	return end
}

// skipProperties returns the place after the anchor and the tag at off, if any,
// and the white space and comments that follow them.
func skipProperties(src []byte, off int) int {
	p := off
	for p < len(src) && (src[p] == '&' || src[p] == '!') {
		for p < len(src) && !isBlank(src[p]) && breakSize(src[p:]) == 0 {
			p++
		}
		for {
			p = skipBlanks(src, p)
			if p < len(src) && src[p] == '#' {
				for p < len(src) && breakSize(src[p:]) == 0 {
					p++
				}
			}
			n := breakSize(src[p:])
			if n == 0 {
				break
			}
			p += n
		}
	}
	return p
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// skipBlanks returns the first place from p on that holds neither space nor tab.
func skipBlanks(src []byte, p int) int {
	for p < len(src) && isBlank(src[p]) {
		p++
	}
	return p
}
