package table

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// csvFile is a CSV file whose header was read.
type csvFile struct {
	name    string
	in      *csv.Reader
	meter   *rowMeter // below in
	columns []column
}

// delimiters of files: spreadsheets of many countries write semicolons. Names of columns contain neither, cells may.
const delimiters = ",;"

func openCSV(name string, in *bufio.Reader, meter *rowMeter, item *types.Type, required []string) (*Reader, error) {
	f := &csvFile{name: name, in: NewCSV(in, delimiters), meter: meter}
	f.in.FieldsPerRecord = -1 // a row with too few or too many cells is a bad row, not the end

	header, err := f.in.Read()
	var syntax *csv.ParseError
	switch {
	case err == io.EOF:
		return nil, fault(name, 0, "empty-file", "", "the file is empty: its first line must name the columns")
	case errors.As(err, &syntax):
		return nil, fault(name, syntax.Line, "bad-header", "", "the header cannot be read: %v", reason(syntax))
	case errors.Is(err, errLongRow):
		return nil, longRow(name, 1, notClosed)
	case err != nil:
		return nil, unreadable(name, err)
	case !utf8.ValidString(strings.Join(header, "")):
		return nil, fault(name, 1, "wrong-encoding", "save it as UTF-8", "the header is not UTF-8")
	}
	columns, warnings, err := columnsOf(name, header, item, required)
	if err != nil {
		return nil, err
	}
	f.columns = columns
	return &Reader{rows: f.rows, warnings: warnings}, nil
}

// rows reads until the end of the file.
func (f *csvFile) rows(yield func(Row, error) bool) {
	line := 1 // of the row before
	for index := 0; ; index++ {
		f.meter.next()
		cells, err := f.in.Read()
		row := Row{Index: index}
		var syntax *csv.ParseError
		switch {
		case err == io.EOF:
			return
		case errors.As(err, &syntax):
			row.Line, row.Err = syntax.StartLine, reason(syntax)
			line = syntax.Line
		case errors.Is(err, errLongRow):
			yield(Row{}, longRow(f.name, line+1, notClosed))
			return
		case err != nil:
			yield(Row{}, unreadable(f.name, err))
			return
		default:
			row.Line, _ = f.in.FieldPos(0)
			last := len(cells) - 1
			line, _ = f.in.FieldPos(last)
			line += strings.Count(cells[last], "\n")
			row.Value, row.Err = f.object(cells)
		}
		if !yield(row, nil) {
			return
		}
	}
}

// object converts the cells of a row. Empty cells are not given; all cells that
// cannot be converted are named in the error, and the object has the others.
func (f *csvFile) object(cells []string) (value.Value, error) {
	o := value.NewObject(len(cells))
	var faults []string
	if len(cells) != len(f.columns) {
		faults = append(faults, fmt.Sprintf("%s where the header has %d", count(len(cells), "cell"), len(f.columns)))
	}
	for i, c := range f.columns[:min(len(cells), len(f.columns))] {
		if !c.used || cells[i] == "" {
			continue
		}
		if !utf8.ValidString(cells[i]) {
			faults = append(faults, fmt.Sprintf("column %s: not UTF-8", c.name))
			continue
		}
		v, err := types.ParseText(c.typ, cells[i])
		if err != nil {
			faults = append(faults, fmt.Sprintf("column %s: %v", c.name, err))
			continue
		}
		o.Set(c.name, v)
	}
	if len(faults) > 0 {
		return o, errors.New(strings.Join(faults, "; "))
	}
	return o, nil
}

const notClosed = "is there a quote that is never closed?"

// reason says in our words what breaks the grammar of CSV.
func reason(e *csv.ParseError) error {
	switch {
	case errors.Is(e.Err, csv.ErrBareQuote):
		return fmt.Errorf("a quote stands inside a cell, at column %d of line %d: quote the cell and double the quote", e.Column, e.Line)
	case errors.Is(e.Err, csv.ErrQuote):
		return fmt.Errorf("a quoted cell is not closed as it should be, at column %d of line %d", e.Column, e.Line)
	}
	return e.Err
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
