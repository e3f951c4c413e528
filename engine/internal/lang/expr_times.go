package lang

import "github.com/seed627bd532/runner/engine/internal/value"

// equalTimes is value.Equal within the budget, of points in time where values are datetimes.
func equalTimes(f *frame, ts times, a, b value.Value) (bool, error) {
	if ts == nil {
		return equal(f, a, b)
	}
	x, isText := a.(string)
	if y, ok := b.(string); ok && isText && ts.self() {
		return compareTimes(x, y) == 0, f.spend(timeSteps)
	}
	for _, v := range []value.Value{a, b} {
		if err := f.spendDeep(v); err != nil {
			return false, err
		}
	}
	return equal(f, ts.of(a), ts.of(b))
}

// timeSteps is what reading datetimes costs above comparing texts.
const timeSteps = 2

// orderTimes is value.Compare, of points in time where values are datetimes.
func orderTimes(f *frame, ts times, a, b value.Value) (int, error) {
	if ts != nil && ts.self() {
		x, isText := a.(string)
		if y, ok := b.(string); ok && isText {
			return compareTimes(x, y), f.spend(timeSteps)
		}
	}
	return value.Compare(a, b)
}
