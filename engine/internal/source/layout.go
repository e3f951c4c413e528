package source

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A formatter lays out the tokens of a text.
type formatter struct {
	text   []byte
	tokens []token
	out    bytes.Buffer
	levels []level // the lists and mappings in block style that the place is in
	flow   int     // the lists and mappings in flow style around the place
	// before and after are, for each token, the nearest ones that are no comments, or itself.
	before, after []int
}

// A level is a list or mapping in block style: the column at which its items or
// keys stand, and the one where they shall.
type level struct {
	list     bool
	old, new int
}

func newFormatter(text []byte, tokens []token) *formatter {
	f := &formatter{text: text, tokens: tokens, before: make([]int, len(tokens)), after: make([]int, len(tokens))}
	for i := range tokens {
		f.before[i] = i
		if tokens[i].kind == commentToken {
			f.before[i] = -1
			if i > 0 {
				f.before[i] = f.before[i-1]
			}
		}
	}
	for i := len(tokens) - 1; i >= 0; i-- {
		f.after[i] = i
		if tokens[i].kind == commentToken {
			f.after[i] = len(tokens)
			if i+1 < len(tokens) {
				f.after[i] = f.after[i+1]
			}
		}
	}
	return f
}

func (f *formatter) format() []byte {
	opens := true // whether only dashes, or nothing, stand on the line so far
	for i, t := range f.tokens {
		breaks := 2
		if i > 0 {
			breaks = f.breaks(f.tokens[i-1].end, t.start)
		}
		switch {
		case t.kind == bodyToken:
			f.body(i)
			continue
		case i == 0 || breaks > 0:
			if i > 0 {
				f.out.WriteString("\n\n"[:min(breaks, 2)])
			}
			indent := f.lineIndent(i)
			f.out.WriteString(strings.Repeat(" ", indent))
			opens = true
		default:
			if opens && f.flow == 0 && opensLevel(t) {
				f.enter(t)
			}
			f.out.WriteString(strings.Repeat(" ", f.gap(i)))
		}
		opens = opens && (t.kind == dashToken || t.kind == queryToken || t.kind == colonToken)
		switch t.kind {
		case openToken:
			f.flow++
		case closeToken:
			f.flow--
		}
		f.write(t)
	}
	if !f.endsInText() {
		f.out.WriteByte('\n')
	}
	return f.out.Bytes()
}

// endsInText reports whether the file ends in a block scalar without a line
// break, which would be part of the text.
func (f *formatter) endsInText() bool {
	last := len(f.tokens) - 1
	if last < 1 || f.tokens[last].kind != bodyToken || f.tokens[last].end < len(f.text) {
		return false
	}
	for f.tokens[last].kind != headerToken {
		last--
	}
	return !bytes.Contains(f.text[f.tokens[last].start:f.tokens[last].end], []byte("-"))
}

// breaks counts the line breaks between two places.
func (f *formatter) breaks(from, to int) int {
	n := 0
	for p := from; p < to; p++ {
		if size := breakSize(f.text[p:]); size > 0 {
			n++
			p += size - 1
		}
	}
	return n
}

func opensLevel(t token) bool {
	return t.key || t.kind == dashToken || t.kind == queryToken || t.kind == colonToken
}

func (f *formatter) column(t token) int {
	return t.start - (bytes.LastIndexAny(f.text[:t.start], "\r\n") + 1)
}

func (f *formatter) top() level {
	if len(f.levels) == 0 {
		return level{old: -1, new: -2}
	}
	return f.levels[len(f.levels)-1]
}

// enter goes to the level at which t, a dash or a key, stands, and returns its new column.
func (f *formatter) enter(t token) int {
	column, list := f.column(t), t.kind == dashToken
	for f.top().old > column || f.top().old == column && f.top().list && !list {
		f.levels = f.levels[:len(f.levels)-1]
	}
	// A list may stand in the same column as the key that it belongs to.
	if top := f.top(); top.old < column || top.list != list {
		f.levels = append(f.levels, level{list: list, old: column, new: top.new + 2})
	}
	return f.top().new
}

// lineIndent returns the indentation of the line that token i begins.
func (f *formatter) lineIndent(i int) int {
	t := f.tokens[i]
	switch {
	case t.kind == commentToken:
		return f.commentIndent(i)
	case t.kind == markerToken:
		f.levels = nil
		return 0
	case f.flow > 0:
		return f.flowIndent(t)
	case opensLevel(t):
		return f.enter(t)
	}
	return f.top().new + 2
}

// flowIndent returns the indentation of a line inside of [ ] or { }, which t begins.
func (f *formatter) flowIndent(t token) int {
	depth := f.flow
	if t.kind == closeToken {
		depth--
	}
	if len(f.levels) == 0 {
		return 2 * depth
	}
	return f.top().new + 2*max(depth, 1)
}

// commentIndent returns the indentation of the comment i, which has a line of
// its own. It belongs to what follows it, unless it is indented deeper.
func (f *formatter) commentIndent(i int) int {
	next := f.after[i]
	if f.flow > 0 {
		return f.flowIndent(f.tokens[next])
	}
	column, nextColumn := f.column(f.tokens[i]), 0
	if next < len(f.tokens) {
		nextColumn = f.column(f.tokens[next])
	}
	if column <= nextColumn {
		if next == len(f.tokens) || f.tokens[next].kind == markerToken {
			return 0
		}
		levels := append([]level(nil), f.levels...)
		defer func() { f.levels = levels }()
		return f.lineIndent(next)
	}
	for j := len(f.levels) - 1; j >= 0; j-- {
		at := f.levels[j]
		switch {
		case column < at.old:
		case column == at.old || f.afterText(i):
			return at.new
		default:
			return at.new + 2
		}
	}
	return 0
}

// afterText reports whether only comments stand between the comment i and a block
// scalar, which it would become a part of if it were indented.
func (f *formatter) afterText(i int) bool {
	i = f.before[i]
	return i >= 0 && (f.tokens[i].kind == bodyToken || f.tokens[i].kind == headerToken)
}

// gap returns how many spaces stand before token i, which is on the same line as
// the one before.
func (f *formatter) gap(i int) int {
	before, t := f.tokens[i-1], f.tokens[i]
	switch {
	case t.kind == commentToken:
		return f.commentGap(before, t)
	case before.kind == nameToken:
		tag := f.text[before.start] == '!'
		if !tag && (t.kind == commaToken || t.kind == closeToken) {
			return 0
		}
		return 1
	case t.kind == commaToken, t.kind == colonToken && before.kind != queryToken && before.kind != commaToken:
		if before.kind == colonToken {
			return 1
		}
		return 0
	case before.kind == openToken:
		return 0
	case t.kind == closeToken:
		if before.kind == colonToken {
			return 1
		}
		return 0
	}
	return 1
}

// commentGap returns how many spaces stand before a comment at the end of a
// line. Comments far from the text are aligned to others: they keep their column.
func (f *formatter) commentGap(before, t token) int {
	blanks := f.text[before.end:t.start]
	if len(blanks) < 3 || bytes.IndexByte(blanks, '\t') >= 0 {
		return min(len(blanks), 2)
	}
	line := f.text[t.start-f.column(t) : t.start]
	written := f.out.Bytes()
	written = written[bytes.LastIndexByte(written, '\n')+1:]
	return max(1, utf8.RuneCount(line)-utf8.RuneCount(written))
}
