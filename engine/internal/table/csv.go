package table

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"io"
	"strings"
)

// NewCSV returns a reader of the records of in, whose lines may end as any system ends them. delimiters
// are the characters, all ASCII, that may separate cells: the one that stands most often in the first line with text,
// outside of quotes, does; of those that stand there as often, the first in that line; the first of delimiters
// where none does. The record that Read returns is valid until the next call.
func NewCSV(in io.Reader, delimiters string) *csv.Reader {
	text := bufio.NewReaderSize(lineEndsOf(in), 64<<10)
	// What is not there, or does not fit, makes no difference to the answer; Read tells of an error.
	start, _ := text.Peek(text.Size())
	r := csv.NewReader(text)
	r.Comma = delimiterOf(start, delimiters)
	r.ReuseRecord = true
	return r
}

func delimiterOf(start []byte, delimiters string) rune {
	var counts [256]int
	quoted := false
	comma := delimiters[0]
	var met []byte // the delimiters of the line, in order
header:
	for _, c := range bytes.TrimLeft(start, "\r\n") {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n':
			break header
		case strings.IndexByte(delimiters, c) >= 0:
			if counts[c]++; counts[c] == 1 {
				met = append(met, c)
			}
		}
	}
	for _, c := range met {
		if counts[c] > counts[comma] || counts[c] == counts[comma] && bytes.IndexByte(met, comma) > bytes.IndexByte(met, c) {
			comma = c
		}
	}
	return rune(comma)
}
