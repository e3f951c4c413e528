package value

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// A Surveyed is a JSON text outside of memory that was read to its end once:
// all of it is JSON, with numbers that ParseNumber takes.
type Surveyed struct {
	// Outline is the text with its large lists emptied: [] stands for each.
	Outline []byte
	// Value is the decoded text; its large lists are Rows.
	Value Value
}

// ErrTooLarge tells that a JSON text has more outside of its large lists, or
// in one element of such a list, than may be held in memory.
var ErrTooLarge = errors.New("too much of the text would have to be held in memory")

// Survey reads the JSON text of size bytes in in. Lists of more than large
// bytes that stand in no other list become Rows, which read from in; the rest, and each
// element of Rows by itself, is bound to hold in memory bytes. The
// errors are those of Decode, ErrTooLarge, and those of in.
func Survey(in io.ReaderAt, size, large, memory int64) (*Surveyed, error) {
	s := &surveyor{in: in, large: large, memory: memory}
	s.source = io.NewSectionReader(in, 0, size)
	s.text = newTextDecoder(s)
	if err := s.value(); err != nil {
		return nil, s.fault(err, size)
	}
	end := s.text.InputOffset()
	if _, err := s.text.ReadToken(); err != io.EOF {
		if _, isRead := errors.AsType[*jsontext.SyntacticError](err); err != nil && !isRead {
			return nil, err
		}
		return nil, fmt.Errorf("not JSON: more data after the value, at offset %d", end)
	}
	return s.outline(size)
}

// A surveyor walks through a text, and remembers its large lists.
type surveyor struct {
	in            io.ReaderAt
	source        io.Reader
	read          int64
	text          *jsontext.Decoder
	large, memory int64
	lists         []*Rows
}

// Read hands the text to the decoder, which holds what it has of a token or
// scalar: one that is too large must not get there.
func (s *surveyor) Read(p []byte) (int, error) {
	if s.read-s.text.InputOffset() > s.memory {
		return 0, ErrTooLarge
	}
	n, err := s.source.Read(p)
	s.read += int64(n)
	return n, err
}

func (s *surveyor) fault(err error, size int64) error {
	switch {
	case errors.Is(err, ErrTooLarge):
		return ErrTooLarge
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("not JSON: the text ends too early, at offset %d", size)
	case err == io.EOF:
		return errors.New("not JSON: the text is empty")
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("not JSON: %w, at offset %d", syntax.Err, syntax.ByteOffset)
	}
	return err
}

// value reads a value that stands in objects only.
func (s *surveyor) value() error {
	switch s.text.PeekKind() {
	case '{':
		return s.object()
	case '[':
		return s.list()
	}
	return s.skim()
}

func (s *surveyor) object() error {
	if _, err := s.text.ReadToken(); err != nil {
		return err
	}
	for s.text.PeekKind() != '}' {
		if _, err := s.text.ReadToken(); err != nil {
			return err
		}
		if err := s.value(); err != nil {
			return err
		}
	}
	_, err := s.text.ReadToken()
	return err
}

func (s *surveyor) list() error {
	if _, err := s.text.ReadToken(); err != nil {
		return err
	}
	r := &Rows{in: s.in, from: s.text.InputOffset() - 1}
	r.marks = []mark{{0, r.from}}
	for s.text.PeekKind() != ']' {
		before := s.text.InputOffset()
		if r.n > 0 && before-r.marks[len(r.marks)-1].at >= markEvery {
			r.marks = append(r.marks, mark{r.n, before})
		}
		if err := s.skim(); err != nil {
			return err
		}
		if s.text.InputOffset()-before > s.memory {
			return ErrTooLarge
		}
		r.n++
	}
	if _, err := s.text.ReadToken(); err != nil {
		return err
	}
	r.to = s.text.InputOffset()
	if r.Size() > s.large {
		s.lists = append(s.lists, r)
	}
	return nil
}

// skim reads one value and keeps nothing of it.
func (s *surveyor) skim() error {
	for depth := s.text.StackDepth(); ; {
		if s.text.PeekKind() == '0' {
			number, err := s.text.ReadValue()
			if err != nil {
				return err
			}
			if err := checkNumber(number); err != nil {
				return err
			}
		} else if _, err := s.text.ReadToken(); err != nil {
			return err
		}
		if s.text.StackDepth() <= depth {
			return nil
		}
	}
}

// checkNumber refuses what ParseNumber would; short digits alone are no question.
func checkNumber(number []byte) error {
	if len(number) <= 100 && bytes.IndexByte(number, 'e') < 0 && bytes.IndexByte(number, 'E') < 0 {
		return nil
	}
	_, err := ParseNumber(string(number))
	return err
}

// outline reads what is not in large lists into memory, and decodes it.
func (s *surveyor) outline(size int64) (*Surveyed, error) {
	rest := size
	for _, r := range s.lists {
		rest -= r.Size()
	}
	if rest > s.memory {
		return nil, ErrTooLarge
	}
	text := make([]byte, 0, rest+int64(2*len(s.lists)))
	at := int64(0)
	copyTo := func(end int64) error {
		start := len(text)
		text = text[:start+int(end-at)]
		n, err := s.in.ReadAt(text[start:], at)
		if n == len(text)-start {
			err = nil
		}
		return err
	}
	d := decoder{rows: make(map[int64]*Rows, len(s.lists))}
	for _, r := range s.lists {
		if err := copyTo(r.from); err != nil {
			return nil, err
		}
		text = append(text, '[', ']')
		d.rows[int64(len(text)-1)] = r
		at = r.to
	}
	if err := copyTo(size); err != nil {
		return nil, err
	}
	d.read(text)
	v, err := d.value()
	if err != nil {
		return nil, err
	}
	return &Surveyed{Outline: text, Value: v}, nil
}
