package table

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// openJSON streams a JSON file, which must be an array of rows.
func openJSON(name string, in io.Reader) (*Reader, error) {
	f := &jsonFile{name: name, lines: &lineCounter{in: in, line: 1}}
	f.in = jsontext.NewDecoder(f, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	token, err := f.in.ReadToken()
	switch {
	case err == io.EOF:
		return nil, fault(name, 0, "empty-file", "", "the file is empty: it must be a JSON array of rows")
	case err != nil:
		return nil, f.broken(err)
	case token.Kind() != '[':
		return nil, fault(name, 1, "wrong-format", "put the rows into [ ], or name the file .jsonl if each line is a row", "the file must be a JSON array of rows")
	}
	return &Reader{rows: f.rows}, nil
}

type jsonFile struct {
	name  string
	in    *jsontext.Decoder
	lines *lineCounter
}

// Read hands the file to the decoder, which keeps what it has of an element.
func (f *jsonFile) Read(p []byte) (int, error) {
	if f.lines.read-f.in.InputOffset() > maxRow {
		return 0, errLongRow
	}
	return f.lines.Read(p[:min(len(p), 64<<10)])
}

// rows reads one element after the other. An element that is JSON, but no value
// that we can hold, is a bad row; whatever breaks the array ends it.
func (f *jsonFile) rows(yield func(Row, error) bool) {
	for index := 0; f.in.PeekKind() != ']'; index++ {
		raw, err := f.in.ReadValue()
		if err != nil {
			yield(Row{}, f.broken(err))
			return
		}
		row := Row{Index: index, Line: f.lines.at(f.in.InputOffset() - int64(len(raw)))}
		row.Value, row.Err = value.Decode(raw)
		if !yield(row, nil) {
			return
		}
	}
	if _, err := f.in.ReadToken(); err != nil {
		yield(Row{}, f.broken(err))
		return
	}
	if _, err := f.in.ReadToken(); err != io.EOF {
		yield(Row{}, fault(f.name, 0, "bad-json", "name the file .jsonl if each line is a row", "something follows the array of rows"))
	}
}

// broken says where the file stops being JSON.
func (f *jsonFile) broken(err error) *diag.Diagnostic {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return fault(f.name, 0, "bad-json", "", "the file ends in the middle of the rows")
	case errors.Is(err, errLongRow):
		return longRow(f.name, f.lines.at(f.in.InputOffset()), "")
	case errors.As(err, &syntax):
		return fault(f.name, f.lines.at(syntax.ByteOffset), "bad-json", "", "the file is not JSON: %v", syntax.Err)
	}
	if cause := errors.Unwrap(err); cause != nil {
		err = cause // without the words of the decoder
	}
	return unreadable(f.name, err)
}

// jsonLines reads rows that are a line each. A line that is not JSON is a bad row; empty lines are passed over.
func jsonLines(name string, in *bufio.Reader) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		index := 0
		for line := 1; ; line++ {
			text, tooLong, err := readLine(in)
			if err != nil && err != io.EOF {
				yield(Row{}, unreadable(name, err))
				return
			}
			if text = bytes.TrimSpace(text); len(text) > 0 || tooLong {
				row := Row{Index: index, Line: line, Err: errLongRow}
				if !tooLong {
					row.Value, row.Err = value.Decode(text)
				}
				if !yield(row, nil) {
					return
				}
				index++
			}
			if err == io.EOF {
				return
			}
		}
	}
}

// lineCounter passes a file on, and tells lines by offsets.
type lineCounter struct {
	in     io.Reader
	read   int64   // how many bytes were passed on
	breaks []int64 // offsets of the line breaks that at has not passed
	line   int     // the line before breaks[0]
}

func (c *lineCounter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			c.breaks = append(c.breaks, c.read+int64(i))
		}
	}
	c.read += int64(n)
	return n, err
}

// at returns the line of an offset. Offsets must not decrease from call to call.
func (c *lineCounter) at(offset int64) int {
	passed := 0
	for passed < len(c.breaks) && c.breaks[passed] < offset {
		passed++
	}
	c.line += passed
	c.breaks = append(c.breaks[:0], c.breaks[passed:]...)
	return c.line
}
