package diag

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Render prints every fault of l, sorted, each with its code in brackets (where it is about a file), the line it points into, a
// caret, its hint and its related places. The line is left out where the place is
// not known. Long lines are cut to a window around the caret, and characters that
// would steer a terminal are replaced. l is not changed. The error is that of w.
func Render(w io.Writer, l List) error {
	var buf bytes.Buffer
	for _, d := range sorted(l) {
		renderFault(&buf, d)
	}
	_, err := w.Write(buf.Bytes())
	return err
}

func renderFault(buf *bytes.Buffer, d *Diagnostic) {
	buf.WriteString(where(d.File, d.Pos))
	if d.Severity == Warning {
		buf.WriteString("warning: ")
	}
	buf.WriteString(oneLine(d.Message))
	if d.Code != "" && d.File != nil {
		fmt.Fprintf(buf, " [%s]", d.Code)
	}
	buf.WriteByte('\n')
	renderSnippet(buf, d.File, d.Pos)
	if d.Hint != "" {
		fmt.Fprintf(buf, "  hint: %s\n", oneLine(d.Hint))
	}
	for _, p := range d.Related {
		fmt.Fprintf(buf, "  %s%s\n", where(p.File, p.Pos), oneLine(p.Note))
	}
}

// where returns "file:line:col: ", as far as it is known.
func where(f *File, p Pos) string {
	switch {
	case f == nil:
		return ""
	case !p.IsValid():
		return oneLine(f.Name) + ": "
	}
	return fmt.Sprintf("%s:%d:%d: ", oneLine(f.Name), p.Line, p.Col)
}

func renderSnippet(buf *bytes.Buffer, f *File, p Pos) {
	text, ok := f.line(p.Line)
	if !ok {
		return
	}
	shown, caret := window([]rune(text), p.Col-1)
	number := fmt.Sprintf("%5d", p.Line)
	line := number + " | " + string(shown)
	fmt.Fprintln(buf, strings.TrimRight(line, " \t"))
	buf.WriteString(strings.Repeat(" ", len(number)) + " | ")
	for _, r := range shown[:caret] {
		switch {
		case r == '\t':
			buf.WriteByte('\t')
		default:
			buf.WriteString(strings.Repeat(" ", width(r)))
		}
	}
	buf.WriteString("^\n")
}

// The window of a long line: so much is shown at most, and so much of it before
// the caret.
const (
	windowRunes  = 110
	windowBefore = 70
)

// window returns what to print of a line, and the caret's offset in it; caret is
// an offset into line, and may lie outside of it.
func window(line []rune, caret int) ([]rune, int) {
	caret = min(max(caret, 0), len(line))
	from, to := 0, len(line)
	if len(line) > windowRunes {
		from = min(max(caret-windowBefore, 0), len(line)-windowRunes)
		to = from + windowRunes
	}
	shown := make([]rune, 0, to-from+2)
	if from > 0 {
		shown = append(shown, '…')
		caret++
	}
	for _, r := range line[from:to] {
		shown = append(shown, harmless(r))
	}
	if to < len(line) {
		shown = append(shown, '…')
	}
	return shown, caret - from
}

// oneLine makes text fit for one line of output.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return ' '
		}
		return harmless(r)
	}, text)
}

// harmless replaces control characters and those that change the direction of
// text; a tab stays.
func harmless(r rune) rune {
	switch {
	case r == '\t':
		return r
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
		return utf8.RuneError
	}
	return r
}

// wide lists the blocks whose characters take two columns in a terminal.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115F, Stride: 1}, // Hangul Jamo
		{Lo: 0x2E80, Hi: 0x303E, Stride: 1}, // CJK radicals, punctuation
		{Lo: 0x3041, Hi: 0x33FF, Stride: 1}, // Kana, CJK symbols
		{Lo: 0x3400, Hi: 0x4DBF, Stride: 1}, // CJK extension A
		{Lo: 0x4E00, Hi: 0x9FFF, Stride: 1}, // CJK
		{Lo: 0xA000, Hi: 0xA4CF, Stride: 1}, // Yi
		{Lo: 0xAC00, Hi: 0xD7A3, Stride: 1}, // Hangul
		{Lo: 0xF900, Hi: 0xFAFF, Stride: 1}, // CJK compatibility
		{Lo: 0xFE30, Hi: 0xFE6F, Stride: 1}, // CJK compatibility forms
		{Lo: 0xFF00, Hi: 0xFF60, Stride: 1}, // full-width forms
		{Lo: 0xFFE0, Hi: 0xFFE6, Stride: 1}, // full-width signs
	},
	R32: []unicode.Range32{
		{Lo: 0x1F300, Hi: 0x1F64F, Stride: 1}, // pictographs, emoticons
		{Lo: 0x1F680, Hi: 0x1F6FF, Stride: 1}, // transport
		{Lo: 0x1F900, Hi: 0x1F9FF, Stride: 1}, // more pictographs
		{Lo: 0x20000, Hi: 0x3FFFD, Stride: 1}, // CJK extensions B and later
	},
}

// width returns the columns r takes in a terminal, near enough for a caret.
func width(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}
