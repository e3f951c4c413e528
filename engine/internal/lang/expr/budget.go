package expr

import (
	"errors"
	"sync"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// budget is what one evaluation may cost, in steps: an operator, a call and each round of a
// predicate are one step, as are bytesPerStep bytes of text and each element of a
// list that is built; what takes longer costs more, see the constants named …Steps. A
// legitimate filter over 100,000 rows takes some 500,000; what would take
// more runs away, and is ended after a few hundredths of a second. Steps are
// counted, not timed, so that an expression fails always or never.
//
// The prices are such that one pass of any function over 100,000 rows is
// within the budget, and a second pass of a dear one is not. The dearest is
// unique over whole objects, which may take a tenth of a second.
const (
	budget       = 1_000_000
	bytesPerStep = 16
)

var ErrBudget = errors.New("the expression takes too many steps or builds too much data")

// A frame is the state of one evaluation.
type frame struct {
	vars   Vars
	locals []value.Value // let variables, elements and indexes of predicates
	left   int
	passes int   // over value.Rows
	kept   int64 // bytes of their elements
}

// frames are used again: no value that an expression yields holds on to one.
var frames = sync.Pool{New: func() any { return new(frame) }}

func newFrame(vars Vars, slots int) *frame {
	f := frames.Get().(*frame)
	f.vars, f.left, f.passes, f.kept = vars, budget, 0, 0
	if cap(f.locals) < slots {
		f.locals = make([]value.Value, slots)
	}
	f.locals = f.locals[:slots]
	return f
}

// release lets go of all that the evaluation saw.
func (f *frame) release() {
	clear(f.locals)
	f.vars = nil
	frames.Put(f)
}

// code computes the value of one node of an expression.
type code func(f *frame) (value.Value, error)

// spend takes steps from the budget.
func (f *frame) spend(steps int) error {
	if steps < 0 || steps > f.left {
		f.left = 0
		return ErrBudget
	}
	f.left -= steps
	return nil
}

// spendText takes the cost of building or reading a text of that many bytes.
func (f *frame) spendText(bytes int) error { return f.spend(1 + bytes/bytesPerStep) }

// spendDeep takes the cost of visiting all of v.
func (f *frame) spendDeep(v value.Value) error {
	switch v := v.(type) {
	case string:
		return f.spendText(len(v))
	case value.Decimal:
		return f.spendText(len(v))
	case value.List:
		if err := f.spend(1 + len(v)); err != nil {
			return err
		}
		for _, e := range v {
			if err := f.spendDeep(e); err != nil {
				return err
			}
		}
	case *value.Rows:
		if err := f.spend(1 + 2*v.Len()); err != nil {
			return err
		}
		return f.pass()
	case *value.Object:
		if err := f.spend(1 + v.Len()); err != nil {
			return err
		}
		for _, e := range v.All() {
			if err := f.spendDeep(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// spendNumber takes the cost of reading a number: one of many digits is no
// machine word.
func (f *frame) spendNumber(v value.Value) error {
	const cheap = 18
	if d, ok := v.(value.Decimal); ok && len(d) > cheap {
		return f.spend(len(d) / 3)
	}
	return nil
}

// spendCompare takes the cost of comparing scalars, above that of the operator.
func (f *frame) spendCompare(a, b value.Value) error {
	if x, ok := a.(string); ok {
		y, _ := b.(string)
		return f.spend(min(len(x), len(y)) / 64)
	}
	if err := f.spendNumber(a); err != nil {
		return err
	}
	return f.spendNumber(b)
}
