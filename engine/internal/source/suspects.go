package source

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
)

// A suspect is a piece of text that YAML probably stumbles over.
type suspect struct {
	at       int  // where to point
	from, to int  // what to paint over
	blank    bool // paint with spaces, not with letters
	fault    diag.Diagnostic
}

// findSuspects searches a text that could not be parsed. It reads line by line, as
// people do, and needs not be exact: explain believes no suspect without a proof.
func findSuspects(text []byte) []suspect {
	f := &finder{text: text}
	for f.p < len(text) {
		f.line()
	}
	return f.found
}

// A finder walks over the text; p is always inside of a line or at its end.
type finder struct {
	text  []byte
	p     int
	found []suspect
}

func (f *finder) end() int {
	p := f.p
	for p < len(f.text) && breakSize(f.text[p:]) == 0 {
		p++
	}
	return p
}

func (f *finder) report(at, from, to int, code, message, hint string) {
	f.found = append(f.found, suspect{at: at, from: from, to: to, fault: diag.Diagnostic{Code: code, Message: message, Hint: hint}})
}

// line reads one line of block style, and whatever follows that belongs to its
// last value: the rest of a block scalar, of a quoted one, of a list in brackets.
func (f *finder) line() {
	start := f.p
	f.p = skipBlanks(f.text, f.p)
	if tab := bytes.IndexByte(f.text[start:f.p], '\t'); tab >= 0 && f.p < f.end() && f.text[f.p] != '#' {
		f.report(start+tab, start, f.p, "tab", "a tab cannot indent", "indent with spaces")
		f.found[len(f.found)-1].blank = true
	}
	if tab := bytes.IndexByte(f.text[start:f.p], '\t'); tab >= 0 && f.p == f.end() {
		f.report(start+tab, start, f.p, "tab", "a tab stands in a line that is empty otherwise", "take it out")
		f.found[len(f.found)-1].blank = true
	}
	column := f.p - start // of the key or dash that a block scalar must be indented under
	keyed := false        // whether a key stands on the line: there is room for one
	for f.p < len(f.text) {
		end := f.end()
		switch {
		case f.p == end:
		case f.text[f.p] == '#' && (f.p == start || isBlank(f.text[f.p-1])):
			f.p = end
		case f.text[f.p] == '-' && (f.p+1 == end || isBlank(f.text[f.p+1])):
			column = f.p - start
			f.p = skipBlanks(f.text, f.p+1)
			continue
		default:
			if key := f.key(end); key >= 0 && !keyed {
				keyed = true
				column = f.p - start
				f.p = skipBlanks(f.text, key)
				continue
			}
			f.value(end, column)
			continue
		}
		f.p += breakSize(f.text[f.p:])
		return
	}
}

// key returns the place after the colon of the key that begins at p, or -1 when
// there is none on the line.
func (f *finder) key(end int) int {
	p := f.p
	switch c := f.text[p]; {
	case c == '"' || c == '\'':
		p = f.quoteEnd(p)
		if p >= end || f.text[p] != ':' {
			return -1
		}
	case bytes.HasPrefix(f.text[p:end], []byte("${{")):
		n := markerEnd(string(f.text[p:end]))
		if n < 0 {
			return -1
		}
		p += n
	case strings.IndexByte("[{|>@`%", c) >= 0:
		return -1
	}
	for ; p < end; p++ {
		switch {
		case f.text[p] == '#' && p > f.p && isBlank(f.text[p-1]), bytes.HasPrefix(f.text[p:end], []byte("${{")):
			return -1
		case f.text[p] == ':' && (p+1 == end || isBlank(f.text[p+1])):
			return p + 1
		}
	}
	return -1
}

// value reads the value at p, which ends the line.
func (f *finder) value(end, column int) {
	from, rest := f.p, string(f.text[f.p:end])
	stop := end
	if i := strings.Index(rest, " #"); i >= 0 {
		stop = from + i
	}
	stop = from + len(strings.TrimRight(string(f.text[from:stop]), " \t"))
	f.p = end
	switch c := rest[0]; c {
	case '|', '>':
		f.blockScalar(column)
	case '"', '\'':
		f.p = f.quoteEnd(from)
		if f.p > end && f.beginsKey(end, column) {
			f.report(from, from, stop, "quote", "the quote that begins here is not closed", "close it on the line that it belongs to")
			f.p = end
			return
		}
		if f.p >= end {
			return
		}
		if after := skipBlanks(f.text, f.p); after < end && f.text[after] != '#' {
			f.report(from, from, stop, "quote", "a value that begins with a quote must end with it",
				"begin with something else, or quote the whole value")
		}
		f.p = end
	case '[', '{':
		f.collection(from)
	case '@', '`', '%':
		f.report(from, from, stop, "reserved", fmt.Sprintf("no value can begin with %c", c), "quote it: "+quoted(f.text[from:stop]))
	case '&', '*', '!':
		if c != '!' && isName(rest[1:stop-from]) {
			return
		}
		if name, _, _ := strings.Cut(rest[1:], " "); c == '&' && isName(name) {
			f.p = skipBlanks(f.text, from+1+len(name))
			f.value(end, column)
			return
		}
		f.report(from, from, stop, "indicator", fmt.Sprintf("a value that begins with %c is an %s", c,
			map[byte]string{'&': "anchor", '*': "alias", '!': "unknown tag"}[c]), "quote it: "+quoted(f.text[from:stop]))
		if c == '!' {
			f.found[len(f.found)-1].fault.Hint = "write not to negate, or quote the text: " + quoted(f.text[from:stop])
		}
	default:
		f.plain(from, stop, end)
	}
}

// beginsKey reports whether the next line with text, from the line break at p
// on, is a key or an item that belongs no deeper than column.
func (f *finder) beginsKey(p, column int) bool {
	for p < len(f.text) {
		start := p + breakSize(f.text[p:])
		if start == p {
			return false
		}
		next := finder{text: f.text, p: skipBlanks(f.text, start)}
		p = next.end()
		switch {
		case next.p == p || f.text[next.p] == '#':
		case next.p-start > column:
			return false
		case f.text[next.p] == '-':
			return next.p+1 == p || isBlank(f.text[next.p+1])
		default:
			return next.key(p) >= 0
		}
	}
	return false
}

// plain reads a plain value: a colon in it makes it a key where none can be.
func (f *finder) plain(from, stop, end int) {
	rest := string(f.text[from:end])
	if open := strings.Index(rest, "${{"); open >= 0 {
		marker := rest[open:]
		n := markerEnd(marker)
		if n < 0 {
			n = len(marker)
		}
		if colon := colonIn(marker[:n]); colon >= 0 {
			f.report(from+open+colon, from, end, "marker-cut",
				"\": \" inside of a marker that is not quoted", "quote the whole value, or put it below, after >-")
			return
		}
	}
	if colon := colonIn(string(f.text[from:stop])); colon >= 0 {
		f.report(from+colon, from, stop, "colon", "\": \" is not allowed in a text that is not quoted", "quote it: "+quoted(f.text[from:stop]))
	}
}

// isName reports whether s can be the name of an anchor.
func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

// colonIn returns the offset of the first colon that YAML takes for that of a key, or -1.
func colonIn(s string) int {
	if i := strings.Index(s, ": "); i >= 0 {
		return i
	}
	if strings.HasSuffix(s, ":") {
		return len(s) - 1
	}
	return -1
}

// quoted returns text as a single quoted scalar.
func quoted(text []byte) string {
	return "'" + strings.ReplaceAll(string(text), "'", "''") + "'"
}
