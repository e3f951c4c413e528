package source

import (
	"bytes"
	"fmt"
	"strings"
)

// This file passes over the values that may go on for many lines.

// quoteEnd returns the place after the quoted text at p, perhaps on a later
// line; the end of the text when it is not closed.
func (f *finder) quoteEnd(p int) int {
	quote := f.text[p]
	for p++; p < len(f.text); p++ {
		switch {
		case quote == '"' && f.text[p] == '\\':
			p++
		case f.text[p] != quote:
		case quote == '\'' && p+1 < len(f.text) && f.text[p+1] == quote:
			p++
		default:
			return p + 1
		}
	}
	return len(f.text)
}

// blockScalar passes over the lines below that are empty or indented by more
// than column.
func (f *finder) blockScalar(column int) {
	for f.p < len(f.text) {
		start := f.p + breakSize(f.text[f.p:])
		text := start
		for text < len(f.text) && f.text[text] == ' ' {
			text++
		}
		if text < len(f.text) && breakSize(f.text[text:]) == 0 && text-start <= column {
			return
		}
		f.p = text
		f.p = f.end()
	}
}

// collection reads the list or mapping in flow style at p, to the end of the
// line with its closing bracket.
func (f *finder) collection(p int) {
	depth := 0
	for p < len(f.text) {
		switch c := f.text[p]; {
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
			if depth == 0 {
				f.p = p + 1
				f.p = f.end()
				return
			}
		case (c == '"' || c == '\'') && strings.IndexByte(" \t\n[{,:", f.text[p-1]) >= 0:
			p = f.quoteEnd(p)
			continue
		case c == '#' && isBlank(f.text[p-1]):
			f.p = p
			p = f.end()
			continue
		case bytes.HasPrefix(f.text[p:], []byte("${{")):
			p = f.flowMarker(p)
			continue
		case (c == '@' || c == '`' || c == '%') && f.beginsItem(p):
			p = f.flowReserved(p)
			continue
		}
		p++
	}
	f.p = p
}

// flowMarker reports a marker without quotes inside of a flow collection, where
// it never works, and returns its end.
func (f *finder) flowMarker(p int) int {
	f.p = p
	line := string(f.text[p:f.end()])
	n := markerEnd(line)
	if n < 0 {
		n = len("${{")
	}
	f.report(p, p, p+n, "marker-cut", "a marker inside of [ ] or { } must be quoted",
		"quote it: "+quoted([]byte(line[:n]))+", or write one key or item per line")
	return p + n
}

// beginsItem reports whether nothing but blanks stands between p and what an item follows.
func (f *finder) beginsItem(p int) bool {
	for p--; p > 0 && isBlank(f.text[p]); p-- {
	}
	return p >= 0 && strings.IndexByte("[{,:\n", f.text[p]) >= 0
}

// flowReserved reports an item that begins with a reserved character, and returns its end.
func (f *finder) flowReserved(p int) int {
	to := p
	for to < len(f.text) && strings.IndexByte(",]}\r\n", f.text[to]) < 0 {
		to++
	}
	to = p + len(strings.TrimRight(string(f.text[p:to]), " \t"))
	f.report(p, p, to, "reserved", fmt.Sprintf("no value can begin with %c", f.text[p]), "quote it: "+quoted(f.text[p:to]))
	return to
}
