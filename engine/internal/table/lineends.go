package table

import (
	"bufio"
	"io"
)

// lineEndsOf passes CSV on with the line ends that csv.Reader knows: where the first line ends with a
// carriage return alone, as old spreadsheets write it, each of these becomes a line feed.
func lineEndsOf(in io.Reader) io.Reader { return &lineEnds{in: bufio.NewReader(in)} }

type lineEnds struct {
	in     *bufio.Reader
	quoted bool // within a quoted cell of the first line
	// known says that the first line has ended, and lone that it did so with a carriage return.
	known, lone bool
}

// Read is part of io.Reader.
func (l *lineEnds) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	if l.known && !l.lone {
		return n, err
	}
	for i, c := range p[:n] {
		switch {
		case c == '\r' && (l.lone || !l.known && !l.quoted):
			lone := !l.feedAt(p[:n], i+1)
			if !l.known {
				l.known, l.lone = true, lone
			}
			if lone {
				p[i] = '\n'
			}
		case l.known:
		case c == '"':
			l.quoted = !l.quoted
		case c == '\n' && !l.quoted:
			l.known = true
		}
	}
	return n, err
}

// feedAt reports whether a line feed stands at p[i], or next where that is the end of p.
func (l *lineEnds) feedAt(p []byte, i int) bool {
	if i == len(p) {
		next, _ := l.in.Peek(1) // the next Read tells of an error
		return len(next) == 1 && next[0] == '\n'
	}
	return p[i] == '\n'
}
