package table

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// csvEncoder writes a header and a line for each row.
type csvEncoder struct {
	out     *bufio.Writer
	csv     *csv.Writer
	columns []string
	cells   []string
}

func newCSVEncoder(out *bufio.Writer, columns []string) *csvEncoder {
	// The csv.Writer takes out as its own buffer, since it is one of a size that it likes.
	return &csvEncoder{out: out, csv: csv.NewWriter(out), columns: slices.Clone(columns)}
}

func (e *csvEncoder) write(n int, row value.Value) error {
	o, ok := row.(*value.Object)
	if !ok {
		return fmt.Errorf("rows of a CSV file are objects, not %s", value.KindOf(row))
	}
	if n == 0 {
		if e.columns == nil {
			e.columns = o.Keys()
		}
		if err := e.line(e.columns); err != nil {
			return err
		}
	}
	for name := range o.All() {
		if !slices.Contains(e.columns, name) {
			return fmt.Errorf("%s is none of the columns of the file", name)
		}
	}
	e.cells = e.cells[:0]
	for _, name := range e.columns {
		e.cells = append(e.cells, cellOf(o.At(name)))
	}
	return e.line(e.cells)
}

// line writes cells. A lone empty cell is quoted, since an empty line is no row.
func (e *csvEncoder) line(cells []string) error {
	if len(cells) != 1 || cells[0] != "" {
		return e.csv.Write(cells)
	}
	_, err := e.out.WriteString("\"\"\n")
	return err
}

// end writes the header of a file without rows.
func (e *csvEncoder) end(n int) error {
	if n == 0 && len(e.columns) > 0 {
		if err := e.line(e.columns); err != nil {
			return err
		}
	}
	e.csv.Flush()
	return e.csv.Error()
}

// lineEncoder writes JSON Lines.
type lineEncoder struct{ out *bufio.Writer }

func (e lineEncoder) write(_ int, row value.Value) error {
	text, err := value.TryAppendJSON(nil, row)
	if err != nil {
		return err
	}
	_, err = e.out.Write(append(text, '\n'))
	return err
}

func (e lineEncoder) end(int) error { return nil }

// arrayEncoder writes a JSON array with a line for each row.
type arrayEncoder struct{ out *bufio.Writer }

func (e arrayEncoder) write(n int, row value.Value) error {
	lead := ",\n"
	if n == 0 {
		lead = "[\n"
	}
	text, err := value.TryAppendJSON([]byte(lead), row)
	if err != nil {
		return err
	}
	_, err = e.out.Write(text)
	return err
}

func (e arrayEncoder) end(n int) error {
	text := "\n]\n"
	if n == 0 {
		text = "[]\n"
	}
	_, err := e.out.WriteString(text)
	return err
}

// wholeEncoder writes the one value of a JSON file, for people to read.
type wholeEncoder struct{ out *bufio.Writer }

func (e wholeEncoder) write(_ int, v value.Value) error {
	text, err := value.TryAppendJSON(nil, v)
	if err != nil {
		return err
	}
	text, err = jsontext.AppendFormat(nil, text, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	_, err = e.out.Write(append(text, '\n'))
	return err
}

func (e wholeEncoder) end(int) error { return nil }
