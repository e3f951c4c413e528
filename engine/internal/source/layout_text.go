package source

import (
	"bytes"
	"fmt"
	"strings"
)

// This file writes the tokens that may have many lines.

// write writes a token. The lines of a scalar but for the first are indented
// below its key.
func (f *formatter) write(t token) {
	text := f.text[t.start:t.end]
	switch {
	case t.kind == commentToken || t.kind == markerToken:
		f.out.Write(bytes.TrimRight(text, " \t"))
		return
	case t.kind != scalarToken || !bytes.ContainsAny(text, "\r\n"):
		f.out.Write(text)
		return
	}
	indent := strings.Repeat(" ", f.top().new+2*max(f.flow, 1))
	if len(f.levels) == 0 {
		indent = "  "
	}
	for n, line := range splitLines(text) {
		line = trimEnd(line, text[0] == '"')
		if n > 0 {
			f.out.WriteByte('\n')
			line = bytes.TrimLeft(line, " \t")
			if len(line) > 0 {
				f.out.WriteString(indent)
			}
		}
		f.out.Write(line)
	}
}

// trimEnd cuts the white space at the end of a line; a backslash keeps what
// follows it in a text in double quotes.
func trimEnd(line []byte, escapes bool) []byte {
	short := bytes.TrimRight(line, " \t")
	slashes := len(short) - len(bytes.TrimRight(short, `\`))
	if escapes && slashes%2 == 1 && len(short) < len(line) {
		short = line[:len(short)+1]
	}
	return short
}

// body writes the lines of the block scalar i.
func (f *formatter) body(i int) {
	t := f.tokens[i]
	header := i - 1
	for f.tokens[header].kind != headerToken {
		header--
	}
	indent := max(f.top().new+2, 2)
	if at := f.tokens[header]; bytes.ContainsAny(f.text[at.start:at.end], "123456789") {
		digit := bytes.IndexAny(f.text[at.start:at.end], "123456789")
		indent = max(f.top().new, 0) + int(f.text[at.start+digit]-'0')
	}
	for _, line := range splitLines(f.text[t.start:t.end]) {
		f.out.WriteByte('\n')
		spaces := len(line) - len(bytes.TrimLeft(line, " "))
		if spaces == len(line) && spaces <= t.indent {
			continue
		}
		fmt.Fprintf(&f.out, "%*s%s", indent, "", line[t.indent:])
	}
}

// splitLines cuts text at its line breaks.
func splitLines(text []byte) [][]byte {
	var all [][]byte
	from := 0
	for p := 0; p < len(text); p++ {
		if n := breakSize(text[p:]); n > 0 {
			all = append(all, text[from:p])
			p += n - 1
			from = p + 1
		}
	}
	return append(all, text[from:])
}
