package expr

import (
	"github.com/seed627bd532/runner/engine/internal/lang/dates"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// equalTimes is value.Equal within the budget, of points in time where values are datetimes.
func equalTimes(f *frame, ts types.Times, a, b value.Value) (bool, error) {
	if ts == nil {
		return equal(f, a, b)
	}
	x, isText := a.(string)
	if y, ok := b.(string); ok && isText && ts.Self() {
		return dates.CompareTimes(x, y) == 0, f.spend(timeSteps)
	}
	for _, v := range []value.Value{a, b} {
		if err := f.spendDeep(v); err != nil {
			return false, err
		}
	}
	return equal(f, ts.Of(a), ts.Of(b))
}

// timeSteps is what reading datetimes costs above comparing texts.
const timeSteps = 2

// orderTimes is value.Compare, of points in time where values are datetimes.
func orderTimes(f *frame, ts types.Times, a, b value.Value) (int, error) {
	if ts != nil && ts.Self() {
		x, isText := a.(string)
		if y, ok := b.(string); ok && isText {
			return dates.CompareTimes(x, y), f.spend(timeSteps)
		}
	}
	return value.Compare(a, b)
}
