package call

import (
	"bufio"
	"fmt"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// A listing gathers the elements of many pages: in memory as long as they are
// few, then in a spool. The zero listing is not ready.
type listing struct {
	// spools says that the elements may leave memory, from the size of from bytes
	// on; limit bounds all of them.
	spools      bool
	from, limit int64
	memory      int64 // what one element may take

	rows value.List
	size int64 // of all elements as JSON
	file *spool
	out  *bufio.Writer
	buf  []byte
}

func (e *Executor) newListing(op *operation) *listing {
	l := &listing{spools: op.maySpool(), from: min(e.spoolFrom, e.maxAnswer), limit: e.maxAnswer, memory: e.maxAnswer}
	if l.spools {
		l.limit = e.maxSpooled
	}
	return l
}

// A tooLong is a list that is larger than it may be.
type tooLong struct{ limit int64 }

func (t *tooLong) Error() string {
	return "the list of all pages is larger than " + bytesText(t.limit)
}

// add takes the elements of a page, a list.
func (l *listing) add(page value.Value) error {
	elems, _ := value.Elements(page)
	for elem, err := range elems {
		if err == nil {
			l.buf, err = value.TryAppendJSON(append(l.buf[:0], ','), elem)
		}
		if err == nil {
			err = l.take(elem)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// take adds one element, whose text is in buf, after a comma.
func (l *listing) take(elem value.Value) error {
	l.size += int64(len(l.buf))
	switch {
	case l.size > l.limit:
		return &tooLong{l.limit}
	case l.file != nil:
		_, err := l.out.Write(l.buf)
		return err
	}
	l.rows = append(l.rows, elem)
	if !l.spools || l.size <= l.from {
		return nil
	}
	return l.spill()
}

// spill moves what is in memory into a file.
func (l *listing) spill() error {
	file, err := newEmptySpool()
	if err != nil {
		return err
	}
	l.file, l.out = file, bufio.NewWriterSize(file, 64<<10)
	l.out.WriteByte('[')
	for i, elem := range l.rows {
		l.buf = l.buf[:0]
		if i > 0 {
			l.buf = append(l.buf, ',')
		}
		if l.buf, err = value.TryAppendJSON(l.buf, elem); err != nil {
			return err
		}
		if _, err := l.out.Write(l.buf); err != nil {
			return err
		}
	}
	l.rows = nil
	return nil
}

// list returns all elements, as a List or as Rows. Nothing may be added then.
func (l *listing) list() (value.Value, error) {
	if l.file == nil {
		if l.rows == nil {
			return value.List{}, nil
		}
		return l.rows, nil
	}
	l.out.WriteByte(']')
	if err := l.out.Flush(); err != nil {
		return nil, err
	}
	info, err := l.file.Stat()
	if err != nil {
		return nil, err
	}
	found, err := value.Survey(l.file, info.Size(), largeList, l.memory)
	if err != nil {
		return nil, fmt.Errorf("cannot read back the list: %w", err)
	}
	if value.HoldsRows(found.Value) {
		l.file = nil // it is theirs now
	}
	return found.Value, nil
}

// discard gives up what the list does not need.
func (l *listing) discard() {
	if l.file != nil {
		l.file.Close()
	}
}
