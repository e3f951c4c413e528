package expr

import (
	"errors"
	"iter"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// A list may be value.Rows, whose elements are read and decoded each time that
// they are looked at. That costs far more than a step, so that an evaluation has two more
// allowances: how often it may go through Rows, and how much of them it may
// keep. A step would be too small a unit for either: one pass over 50 MB is
// what people want, a pass within a pass is what runs away.
const (
	maxPasses = 8
	maxKept   = 64 << 20
	// rowSteps is what looking for one element by its index costs.
	rowSteps = 256
)

var (
	ErrPasses = errors.New("the expression goes through the rows of a large answer too often")
	ErrKept   = errors.New("the expression would hold too much of a large answer in memory; foreach takes it row by row")
)

// elements yields the elements of a list, in memory or not; v is no list or
// null yields none. What ends it early is put into *err.
func (f *frame) elements(v value.Value, err *error) iter.Seq2[int, value.Value] {
	return func(yield func(int, value.Value) bool) {
		switch v := v.(type) {
		case value.List:
			for i, e := range v {
				if !yield(i, e) {
					return
				}
			}
		case *value.Rows:
			if *err = f.pass(); *err != nil {
				return
			}
			i := 0
			for e, fault := range v.All() {
				if fault != nil {
					*err = fault
					return
				}
				if !yield(i, e) {
					return
				}
				i++
			}
		}
	}
}

// pass takes one pass over Rows.
func (f *frame) pass() error {
	if f.passes++; f.passes > maxPasses {
		return ErrPasses
	}
	return nil
}

// keep takes the room of n elements of v, where they are not in memory anyhow.
func (f *frame) keep(v value.Value, n int) error {
	r, ok := v.(*value.Rows)
	if !ok || n == 0 {
		return nil
	}
	size := r.Size() / int64(r.Len())
	if f.kept += size * int64(n); f.kept > maxKept {
		return ErrKept
	}
	return nil
}

// list returns a list in memory. Of what is no list it returns nil.
func (f *frame) list(v value.Value) (value.List, error) {
	r, ok := v.(*value.Rows)
	if !ok {
		l, _ := v.(value.List)
		return l, nil
	}
	if err := f.spend(r.Len()); err != nil {
		return nil, err
	}
	if err := f.keep(r, r.Len()); err != nil {
		return nil, err
	}
	if err := f.pass(); err != nil {
		return nil, err
	}
	return r.List()
}

// load puts lists in memory in the place of Rows.
func (f *frame) load(vals []value.Value) error {
	for i, v := range vals {
		if _, ok := v.(*value.Rows); !ok {
			continue
		}
		list, err := f.list(v)
		if err != nil {
			return err
		}
		vals[i] = list
	}
	return nil
}

// elementAt returns the element at i, from the end when i is negative, or
// null; there tells whether there is one.
func (f *frame) elementAt(list value.Value, i int64) (elem value.Value, there bool, err error) {
	n, _ := value.Length(list)
	if i < 0 {
		i += int64(n)
	}
	if i < 0 || i >= int64(n) {
		return nil, false, nil
	}
	if r, ok := list.(*value.Rows); ok {
		if err = f.spend(rowSteps); err == nil {
			elem, err = r.At(int(i))
		}
		return elem, true, err
	}
	return list.(value.List)[i], true, nil
}

// part returns the elements from start up to end, in memory.
func (f *frame) part(r *value.Rows, start, end int) (value.List, error) {
	if err := f.spend(rowSteps + end - start); err != nil {
		return nil, err
	}
	if err := f.keep(r, end-start); err != nil {
		return nil, err
	}
	part := make(value.List, 0, end-start)
	if start == end {
		return part, nil
	}
	for e, err := range r.From(start) {
		if err != nil {
			return nil, err
		}
		if part = append(part, e); len(part) == end-start {
			break
		}
	}
	return part, nil
}
