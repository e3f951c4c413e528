package call

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/table"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// inRows reports whether a successful answer is read as rows, each of which is an element of a list.
func inRows(r *catalog.Response) bool { return r.As == "csv" || r.As == "lines" }

// asList returns a body of CSV or of JSON Lines as the JSON text of a list, made while it is
// read: so that what holds for lists in answers, large ones too, holds for these. Nothing is made of a body
// that holds nothing, not even the names of columns.
func asList(r *catalog.Response, body io.Reader) io.Reader {
	in := bufio.NewReader(body)
	if start, _ := in.Peek(len(byteOrderMark)); bytes.Equal(start, byteOrderMark) {
		_, _ = in.Discard(len(byteOrderMark))
	}
	l := &listReader{end: "["}
	if r.As == "csv" {
		l.next = csvRows(r, in)
	} else {
		l.next = jsonLines(in)
	}
	return l
}

// errNothing is the end of a body that holds nothing.
var errNothing = fmt.Errorf("nothing: %w", io.EOF)

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
		case err == errNothing:
			err = io.EOF
		case err == io.EOF:
			l.text.WriteString(strings.TrimSuffix(l.end, ",") + "]")
		}
		l.err = err
	}
	if l.text.Len() > 0 {
		return l.text.Read(p)
	}
	return 0, l.err
}

// A formatError is an answer that is not of the format that the vendor file says, or has other columns.
type formatError struct {
	what string // follows "it" or "the answer"
	head []byte // how the answer begins; nil where that tells people nothing
}

func (f *formatError) Error() string { return "the answer " + f.what }

// delimiters of answers; the first line, which names the columns, tells which of them it is.
const delimiters = ",;|\t"

// csvRows returns the rows of CSV as objects of texts.
func csvRows(of *catalog.Response, in *bufio.Reader) func() ([]byte, error) {
	head, _ := in.Peek(maxShown)
	head = bytes.Clone(head) // as it is before more is read
	r := table.NewCSV(in, delimiters)
	refused := func(what string) error { return &formatError{what, head} }
	var names []string
	row := value.NewObject(8)
	return func() ([]byte, error) {
		if names == nil {
			record, err := r.Read()
			switch {
			case err == io.EOF:
				return nil, errNothing
			case looksLikeHTML(head):
				return nil, refused("is not CSV")
			case err != nil:
				return nil, csvError(err, head)
			}
			names = append(names, record...)
			for i, name := range names {
				if strings.ContainsFunc(name, isBinary) {
					return nil, &formatError{what: "is not CSV: it begins with bytes that are no text"}
				}
				names[i] = strings.TrimSpace(name)
				if _, twice := row.Get(names[i]); twice {
					return nil, refused(fmt.Sprintf("is not CSV: the column %q is there twice", names[i]))
				}
				row.Set(names[i], nil)
			}
			if lacks := lacksColumns(of, row); lacks != "" {
				return nil, refused(lacks)
			}
		}
		record, err := r.Read()
		switch {
		case err == io.EOF && of.Schema == nil && len(names) == 1 && row.At(names[0]) == nil:
			return nil, refused("is not CSV: it is one line, without anything that separates columns")
		case err != nil:
			return nil, csvError(err, head)
		}
		for i, cell := range record {
			row.Set(names[i], strings.ToValidUTF8(cell, "\uFFFD"))
		}
		return value.AppendJSON(nil, row), nil
	}
}

// isBinary reports whether a rune is a control character that no text has.
func isBinary(c rune) bool { return c < ' ' && c != '\t' && c != '\n' && c != '\r' }

// lacksColumns says which columns the schema wants and the header, whose names row has, lacks; "" for none.
func lacksColumns(r *catalog.Response, row *value.Object) string {
	if r.Schema == nil || r.Data != nil {
		return ""
	}
	missing := r.Schema.Missing(value.List{row})
	if len(missing) == 0 {
		known := r.Over.Elements()
		for _, name := range known {
			if _, there := row.Get(name); there {
				return ""
			}
		}
		missing = known
	}
	switch len(missing) {
	case 0:
		return ""
	case 1:
		return "has no column " + missing[0]
	}
	return "has no columns " + strings.Join(missing, ", ")
}

// csvError is what reading CSV failed with: a fault of its grammar, or that of the connection.
func csvError(err error, head []byte) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return &formatError{"is not CSV: " + err.Error(), head}
	}
	return err
}

// jsonLines returns the lines that are not empty, each of which is one JSON value.
func jsonLines(in *bufio.Reader) func() ([]byte, error) {
	n, end := 0, errNothing
	return func() ([]byte, error) {
		for {
			line, err := in.ReadBytes('\n')
			n++
			line = bytes.TrimSpace(line)
			switch {
			case err != nil && err != io.EOF:
				return nil, err
			case len(line) == 0 && err != nil:
				return nil, end
			case len(line) == 0:
			case !paths.ValidJSON(line):
				return nil, &formatError{fmt.Sprintf("is not JSON Lines: line %d is not JSON", n), line[:min(len(line), maxShown)]}
			default:
				end = io.EOF
				return line, nil
			}
		}
	}
}
