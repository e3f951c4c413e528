package report

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// writer writes until the first error and keeps that.
type writer struct {
	w   io.Writer
	err error
}

// Err returns the first error of writing, after which nothing more was written.
func (w *writer) Err() error { return w.err }

func (w *writer) write(p []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(p)
	}
}

func (w *writer) printf(format string, args ...any) {
	w.write(fmt.Appendf(nil, format, args...))
}

// Plain makes a vendor's words safe for one line of a terminal: without line
// breaks, and without what moves the cursor or reorders text.
func Plain(s string) string { return oneLine(s) }

// oneLine makes a vendor's words safe for one line of a terminal.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(printable(s), isBreak), " ")
}

// printable takes out what moves the cursor or reorders text, and could so
// rewrite what was shown before. Line feeds stay.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.Is(unicode.C, r) || isBreak(r)) {
			return ' '
		}
		return r
	}, s)
}

func isBreak(r rune) bool { return r == '\n' || r == '\u2028' || r == '\u2029' }

// duration writes d for people: "35ms", "3.2s", "1m5s".
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		d = d.Round(time.Millisecond)
	case d < time.Minute:
		d = d.Round(100 * time.Millisecond)
	default:
		d = d.Round(time.Second)
	}
	return d.String()
}
