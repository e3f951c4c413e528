package diag

import (
	"bytes"
	"strings"
)

// A File is a text that diagnostics point into. It never changes.
type File struct {
	// Name is the path as the user knows it.
	Name string
	// Text is the file's content.
	Text []byte
}

// byteOrderMark may open a file; it is not part of its first line.
const byteOrderMark = "\uFEFF"

// Line returns line n, counted from 1, without its break (LF, CR LF or CR) and
// without a byte order mark. It is empty when the file is nil or has no such line.
func (f *File) Line(n int) string {
	text, ok := f.line(n)
	if !ok {
		return ""
	}
	return text
}

// line is Line that tells an empty line from one that is not there. The place
// after a final break counts as a line: faults at the end of a file stand there.
func (f *File) line(n int) (text string, ok bool) {
	if f == nil || n < 1 || len(f.Text) == 0 {
		return "", false
	}
	rest := f.Text
	for range n - 1 {
		i := bytes.IndexAny(rest, "\r\n")
		if i < 0 {
			return "", false
		}
		if bytes.HasPrefix(rest[i:], []byte("\r\n")) {
			i++
		}
		rest = rest[i+1:]
	}
	if i := bytes.IndexAny(rest, "\r\n"); i >= 0 {
		rest = rest[:i]
	}
	text = string(rest)
	if n == 1 {
		text = strings.TrimPrefix(text, byteOrderMark)
	}
	return text, true
}
