package source

import (
	"sort"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/diag"
)

// lines turns yaml.v3's marks into byte offsets, and offsets into places. The two
// count lines differently: YAML 1.1 also ends a line at NEL, LS and PS, which no
// editor does. Columns are runes in both.
//
// It remembers the last answer of each kind, since nodes are met in order: a file
// of one long line would cost quadratic time otherwise.
type lines struct {
	text     []byte // without byte order mark
	ours     []int  // offsets of line starts as editors see them
	theirs   []int  // the same by YAML 1.1
	lastPos  cursor
	lastMark cursor
}

// cursor is a known pair of offset and column (from 0) in a line (from 0).
type cursor struct{ line, col, off int }

func newLines(text []byte) *lines {
	l := &lines{text: text, ours: []int{0}}
	exotic := false
	for i, c := range text {
		switch {
		case c == '\n', c == '\r' && (i+1 == len(text) || text[i+1] != '\n'):
			l.ours = append(l.ours, i+1)
		case c >= utf8.RuneSelf && exoticBreak(text[i:]) > 0:
			exotic = true
		}
	}
	l.theirs = l.ours
	if !exotic {
		return l
	}
	l.theirs = []int{0}
	for i := 0; i < len(text); {
		if n := breakSize(text[i:]); n > 0 {
			i += n
			l.theirs = append(l.theirs, i)
		} else if n := exoticBreak(text[i:]); n > 0 {
			i += n
			l.theirs = append(l.theirs, i)
		} else {
			i++
		}
	}
	return l
}

// offset returns the byte offset of yaml.v3's line and column, both from 1; a
// mark outside of the text gives the nearest place inside.
func (l *lines) offset(line, col int) int {
	line = min(max(line-1, 0), len(l.theirs)-1)
	at := cursor{line: line, off: l.theirs[line]}
	if l.lastMark.line == line && l.lastMark.col <= col-1 {
		at = l.lastMark
	}
	for at.col < col-1 && at.off < len(l.text) {
		at.off += runeSize(l.text[at.off:])
		at.col++
	}
	l.lastMark = at
	return at.off
}

// pos returns the place of a byte offset.
func (l *lines) pos(off int) diag.Pos {
	off = min(max(off, 0), len(l.text))
	at := l.lastPos
	if off < at.off || at.line+1 < len(l.ours) && off >= l.ours[at.line+1] {
		line := sort.SearchInts(l.ours, off+1) - 1
		at = cursor{line: line, off: l.ours[line]}
	}
	at.col += utf8.RuneCount(l.text[at.off:off])
	at.off = off
	l.lastPos = at
	return diag.Pos{Line: at.line + 1, Col: at.col + 1}
}

// lineEnd returns the offset of the break that ends the line off stands in, or
// the end of the text.
func (l *lines) lineEnd(off int) int {
	for off < len(l.text) && l.text[off] != '\n' && l.text[off] != '\r' {
		off++
	}
	return off
}

// breakSize returns the length of the line break b begins with, or 0.
func breakSize(b []byte) int {
	switch {
	case len(b) == 0:
		return 0
	case b[0] == '\r' && len(b) > 1 && b[1] == '\n':
		return 2
	case b[0] == '\n' || b[0] == '\r':
		return 1
	}
	return 0
}

// exoticBreak returns the length of the NEL, LS or PS b begins with, or 0.
func exoticBreak(b []byte) int {
	switch {
	case len(b) > 1 && b[0] == 0xC2 && b[1] == 0x85:
		return 2
	case len(b) > 2 && b[0] == 0xE2 && b[1] == 0x80 && (b[2] == 0xA8 || b[2] == 0xA9):
		return 3
	}
	return 0
}

func runeSize(b []byte) int {
	_, n := utf8.DecodeRune(b)
	return n
}
