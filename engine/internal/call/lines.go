package call

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// asList returns a body of CSV or of JSON Lines as the JSON text of a list, made while it is
// read: so that what holds for lists in answers, large ones too, holds for these.
func asList(as string, body io.Reader) io.Reader {
	in := bufio.NewReader(body)
	if start, _ := in.Peek(len(byteOrderMark)); bytes.Equal(start, byteOrderMark) {
		_, _ = in.Discard(len(byteOrderMark))
	}
	l := &listReader{end: "["}
	if as == "csv" {
		l.next = csvRows(in)
	} else {
		l.next = jsonLines(in)
	}
	return l
}

// A listReader reads the JSON text of a list whose elements come from next, until io.EOF.
type listReader struct {
	next func() ([]byte, error)
	text bytes.Buffer // what was not read yet
	end  string       // what stands before the next element
	err  error
}

// Read is part of io.Reader.
func (l *listReader) Read(p []byte) (int, error) {
	for l.text.Len() < len(p) && l.err == nil {
		element, err := l.next()
		switch {
		case err == nil:
			l.text.WriteString(l.end)
			l.text.Write(element)
			l.end = ","
			continue
		case errors.Is(err, io.EOF):
			l.text.WriteString(strings.TrimSuffix(l.end, ",") + "]")
		}
		l.err = err
	}
	if l.text.Len() > 0 {
		return l.text.Read(p)
	}
	return 0, l.err
}

// A formatError is an answer that is not of the format that the vendor file says.
type formatError struct {
	format string
	err    error
}

func (f *formatError) Error() string { return fmt.Sprintf("the answer is not %s: %v", f.format, f.err) }

func (f *formatError) Unwrap() error { return f.err }

// csvRows returns the rows of CSV as objects of texts. The first line names the columns, and the
// first , ; | or tab in it, outside of quotes, is what separates them.
func csvRows(in *bufio.Reader) func() ([]byte, error) {
	r := csv.NewReader(in)
	r.ReuseRecord = true
	head, _ := in.Peek(in.Size())
	r.Comma = separator(head)
	var names []string
	row := value.NewObject(8)
	return func() ([]byte, error) {
		if names == nil {
			record, err := r.Read()
			if err != nil {
				return nil, csvError(err)
			}
			names = append(names, record...)
			for i, name := range names {
				names[i] = strings.TrimSpace(name)
				if _, twice := row.Get(names[i]); twice {
					return nil, &formatError{"CSV", fmt.Errorf("the column %q is there twice", names[i])}
				}
				row.Set(names[i], nil)
			}
		}
		record, err := r.Read()
		if err != nil {
			return nil, csvError(err)
		}
		for i, cell := range record {
			row.Set(names[i], strings.ToValidUTF8(cell, "\uFFFD"))
		}
		return value.AppendJSON(nil, row), nil
	}
}

func csvError(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return &formatError{"CSV", err}
	}
	return err
}

func separator(head []byte) rune {
	quoted := false
	for _, c := range head {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n':
			return ','
		case c == ',' || c == ';' || c == '|' || c == '\t':
			return rune(c)
		}
	}
	return ','
}

// jsonLines returns the lines that are not empty, each of which is one JSON value.
func jsonLines(in *bufio.Reader) func() ([]byte, error) {
	n := 0
	return func() ([]byte, error) {
		for {
			line, err := in.ReadBytes('\n')
			n++
			line = bytes.TrimSpace(line)
			switch {
			case err != nil && !errors.Is(err, io.EOF):
				return nil, err
			case len(line) == 0 && err != nil:
				return nil, io.EOF
			case len(line) == 0:
			case !lang.ValidJSON(line):
				return nil, &formatError{"JSON Lines", fmt.Errorf("line %d is not JSON", n)}
			default:
				return line, nil
			}
		}
	}
}
