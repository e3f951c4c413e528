package table

import (
	"bufio"
	"errors"
	"io"

	"github.com/seed627bd532/runner/engine/diag"
)

// maxRow bounds one record of a CSV file, one line of JSON Lines and one
// element of a JSON array, in bytes: a quote that nobody closes must not take a whole
// file into memory.
const maxRow = 16 << 20

var errLongRow = errors.New("the row is longer than 16 MiB")

// longRow is the fault of a file that cannot be read beyond a row.
func longRow(name string, line int, hint string) *diag.Diagnostic {
	return fault(name, line, "too-large", hint, "%v", errLongRow)
}

// A rowMeter passes a file on, but not much more than maxRow bytes of one row.
type rowMeter struct {
	in   io.Reader
	left int
}

func newRowMeter(in io.Reader) *rowMeter { return &rowMeter{in, maxRow} }

// next begins a row.
func (m *rowMeter) next() { m.left = maxRow }

func (m *rowMeter) Read(p []byte) (int, error) {
	if m.left < 0 {
		return 0, errLongRow
	}
	n, err := m.in.Read(p)
	m.left -= n
	return n, err
}

// readLine returns the next line, with its end; one that is too long is passed
// over, and nothing of it is returned. At the end of the file err is io.EOF, beside the
// last line.
func readLine(in *bufio.Reader) (line []byte, tooLong bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > maxRow; tooLong {
			line = nil
		} else {
			line = append(line, part...)
		}
		if err != bufio.ErrBufferFull {
			return line, tooLong, err
		}
	}
}
