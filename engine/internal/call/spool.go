package call

import (
	"fmt"
	"io"
	"os"
)

// A spool is the text of an answer that is too large for memory, in a file of
// which nobody else knows: it has no name, or loses it with the last reader.
// Whoever holds Rows over it keeps it open.
type spool struct {
	*os.File
	size int64
}

// newEmptySpool returns a new file in the folder for temporary files.
func newEmptySpool() (*spool, error) {
	file, err := openSpool(os.TempDir())
	if err != nil {
		return nil, fmt.Errorf("cannot keep a large answer: %w", err)
	}
	return &spool{File: file}, nil
}

// newSpool writes all of in to a new file in the folder for temporary files. Of
// a text longer than limit, one byte more is there. The error of reading is
// apart from that of the file.
func newSpool(in io.Reader, limit int64) (s *spool, read, write error) {
	empty, err := newEmptySpool()
	if err != nil {
		return nil, nil, err
	}
	file := empty.File
	from := &watchedReader{in: io.LimitReader(in, limit+1)}
	// Without the file's own ReadFrom, which would look through the reader.
	n, err := io.CopyBuffer(struct{ io.Writer }{file}, from, make([]byte, 64<<10))
	switch {
	case from.err != nil:
		return &spool{file, n}, from.err, nil
	case err != nil:
		file.Close()
		return nil, nil, fmt.Errorf("cannot keep a large answer: %w", err)
	}
	return &spool{file, n}, nil, nil
}

// A watchedReader remembers what went wrong with it.
type watchedReader struct {
	in  io.Reader
	err error
}

func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}
