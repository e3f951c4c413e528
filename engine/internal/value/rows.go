package value

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"sort"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Rows is a list whose elements lie outside of memory, as JSON text, and are
// decoded one at a time as they are asked for. It is a Value, and a list
// wherever one is wanted; Survey makes one.
//
// Rows never change, and are safe for concurrent use: every pass reads for
// itself. What they read from must live as long as they do; a file that nothing else refers
// to is closed when the last Rows over it are gone.
//
// The functions of this package that return no error (AppendJSON, Equal, Key,
// ToGo) panic with a *ReadError where the text cannot be read back, as on a broken
// disk. TryAppendJSON and InMemory do not.
type Rows struct {
	in io.ReaderAt
	// The text from the opening bracket to the closing one.
	from, to int64
	n        int
	// marks lead into the middle, in order; the first is where the list starts.
	marks []mark
	// each is what elements become; nil leaves them as they are.
	each func(i int, elem Value) (Value, error)
}

// A mark is a place in the text of a list: right after the element before that
// of index, or at the opening bracket when index is 0.
type mark struct {
	index int
	at    int64
}

// markEvery is the distance of marks in bytes: what is read for one element
// in the middle of a list, beside the element.
const markEvery = 16 << 10

// A ReadError tells that Rows could not be read back.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return "cannot read back the rows of an answer: " + e.Err.Error() }

func (e *ReadError) Unwrap() error { return e.Err }

// Len returns the number of elements.
func (r *Rows) Len() int { return r.n }

// Size returns the length of the list's text in bytes.
func (r *Rows) Size() int64 { return r.to - r.from }

// All decodes the elements, in order. An error, either of Map's function or a
// *ReadError, is the last.
func (r *Rows) All() iter.Seq2[Value, error] { return r.From(0) }

// From is All without the elements before index i, from 0. They are not decoded.
func (r *Rows) From(i int) iter.Seq2[Value, error] {
	return func(yield func(Value, error) bool) {
		if i >= r.n {
			return
		}
		d, err := r.seek(max(i, 0))
		if err != nil {
			yield(nil, err)
			return
		}
		for i := max(i, 0); i < r.n; i++ {
			v, err := d.value()
			if err != nil {
				err = &ReadError{err}
			} else if r.each != nil {
				v, err = r.each(i, v)
			}
			if err != nil {
				v = nil
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// seek returns a decoder right before element i.
func (r *Rows) seek(i int) (*decoder, error) {
	m := r.marks[sort.Search(len(r.marks), func(n int) bool { return r.marks[n].index > i })-1]
	var in io.Reader = io.NewSectionReader(r.in, m.at, r.to-m.at)
	skip := i - m.index
	if m.index > 0 {
		// A list that starts with a 0 of ours in the place of all that was before.
		in = io.MultiReader(strings.NewReader("[0"), in)
		skip++
	}
	d := &decoder{}
	d.from(in)
	if _, err := d.in.ReadToken(); err != nil {
		return nil, &ReadError{err}
	}
	for range skip {
		if err := d.in.SkipValue(); err != nil {
			return nil, &ReadError{err}
		}
	}
	return d, nil
}

// At returns element i, from 0 to Len()-1. It reads some kilobytes beside the element.
func (r *Rows) At(i int) (Value, error) {
	for v, err := range r.From(i) {
		return v, err
	}
	return nil, fmt.Errorf("there is no element %d", i)
}

// Map returns Rows whose elements are what f makes of r's, each time that they
// are asked for: f is pure, and safe for concurrent use.
func (r *Rows) Map(f func(i int, elem Value) (Value, error)) *Rows {
	mapped := *r
	before := r.each
	mapped.each = func(i int, elem Value) (Value, error) {
		if before != nil {
			var err error
			if elem, err = before(i, elem); err != nil {
				return nil, err
			}
		}
		return f(i, elem)
	}
	return &mapped
}

// List returns all elements, in memory.
func (r *Rows) List() (List, error) {
	list := make(List, 0, r.n)
	for v, err := range r.All() {
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// mustAll is All for those who have no error to return.
func (r *Rows) mustAll() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for v, err := range r.All() {
			if err != nil {
				panic(readError(err))
			}
			if !yield(v) {
				return
			}
		}
	}
}

func readError(err error) *ReadError {
	var read *ReadError
	if errors.As(err, &read) {
		return read
	}
	return &ReadError{err}
}

// Elements returns the elements of a list, be it a List or Rows, to be ranged
// over any number of times; ok is false for all other values.
func Elements(v Value) (elems iter.Seq2[Value, error], ok bool) {
	switch v := v.(type) {
	case List:
		return func(yield func(Value, error) bool) {
			for _, e := range v {
				if !yield(e, nil) {
					return
				}
			}
		}, true
	case *Rows:
		return v.All(), true
	}
	return nil, false
}

// Length returns the number of elements of a list, be it a List or Rows; ok is
// false for all other values.
func Length(v Value) (n int, ok bool) {
	switch v := v.(type) {
	case List:
		return len(v), true
	case *Rows:
		return v.n, true
	}
	return 0, false
}

// HoldsRows reports whether v is, or has in it, Rows.
func HoldsRows(v Value) bool {
	switch v := v.(type) {
	case *Rows:
		return true
	case List:
		for _, e := range v {
			if HoldsRows(e) {
				return true
			}
		}
	case *Object:
		for _, e := range v.All() {
			if HoldsRows(e) {
				return true
			}
		}
	}
	return false
}

// TryAppendJSON is AppendJSON for values that may hold Rows; the error is that
// of reading them, and dst is returned as it was then.
func TryAppendJSON(dst []byte, v Value) (out []byte, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			read, ok := fault.(*ReadError)
			if !ok {
				panic(fault)
			}
			out, err = dst, read
		}
	}()
	return AppendJSON(dst, v), nil
}

// RowsWithin returns the names of members that lead to Rows in v, through
// objects, from the outside in; no names lead to v itself.
func RowsWithin(v Value) (paths [][]string) {
	switch v := v.(type) {
	case *Rows:
		return [][]string{{}}
	case *Object:
		for name, member := range v.All() {
			for _, below := range RowsWithin(member) {
				paths = append(paths, append([]string{name}, below...))
			}
		}
	}
	return paths
}

// InMemory returns v with all Rows in it replaced by Lists; v itself when it has none.
func InMemory(v Value) (Value, error) {
	if !HoldsRows(v) {
		return v, nil
	}
	switch v := v.(type) {
	case *Rows:
		return v.List()
	case List:
		list := make(List, len(v))
		for i, e := range v {
			var err error
			if list[i], err = InMemory(e); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	object := v.(*Object)
	o := NewObject(object.Len())
	for name, e := range object.All() {
		e, err := InMemory(e)
		if err != nil {
			return nil, err
		}
		o.Set(name, e)
	}
	return o, nil
}

// newTextDecoder reads JSON as Decode does.
func newTextDecoder(in io.Reader) *jsontext.Decoder {
	return jsontext.NewDecoder(in, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}
