package table

import (
	"bufio"
	"bytes"
	"io"
	"iter"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Row is one row of a file.
type Row struct {
	// Index counts rows from 0, Line is where the row starts in the file, from 1.
	Index int
	Line  int
	// Value is the row: an object for CSV, whatever stands there for JSON.
	Value value.Value
	// Err says why the row cannot be used; Value has what could be read of it, or is nil.
	Err error
}

// A Reader reads the rows of one file. It serves one goroutine.
type Reader struct {
	rows     iter.Seq2[Row, error]
	warnings []string
}

// Open starts to read the file called name, whose extension gives the format and
// whose content is r. Its rows are of type item, nil if that is not known: CSV cells are
// converted by it, JSON is passed on as it is, and neither is validated.
//
// The faults of the file as a whole are found here, as a *diag.Diagnostic (or a
// diag.List of them): a CSV file that lacks required columns (all are named), a JSON file that is no array, a wrong encoding,
// all that is wrong with a YAML file, which alone is read as a whole.
// r stays the caller's to close, after the last row was read.
func Open(name string, r io.Reader, item *types.Type, required []string) (*Reader, error) {
	format, err := FormatOf(name)
	if err != nil {
		return nil, err
	}
	var meter *rowMeter
	if format == CSV {
		meter = newRowMeter(r)
		r = meter
	}
	in := bufio.NewReaderSize(r, 64<<10)
	if err := skipMark(name, in); err != nil {
		return nil, err
	}
	switch format {
	case YAML:
		return openYAML(name, in)
	case CSV:
		return openCSV(name, in, meter, item, required)
	case JSON:
		return openJSON(name, in)
	default:
		return &Reader{rows: jsonLines(name, in)}, nil
	}
}

// Rows yields the rows in order. A bad row is a Row with Err, and more may
// follow; an error in its place, a *diag.Diagnostic, means that the file itself
// broke, and is the last. Rows can be ranged over once.
func (r *Reader) Rows() iter.Seq2[Row, error] { return r.rows }

// Warnings are sentences for people about the file as a whole, such as the
// columns that are not used.
func (r *Reader) Warnings() []string { return r.warnings }

// skipMark skips the mark that some programs put before UTF-8, and refuses that of UTF-16.
func skipMark(name string, in *bufio.Reader) error {
	start, err := in.Peek(3)
	if err != nil && err != io.EOF {
		return unreadable(name, err)
	}
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		in.Discard(3) // they are there
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return fault(name, 1, "wrong-encoding", "save it as UTF-8", "the file is in UTF-16")
	}
	return nil
}
