package expr

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

var (
	condition = param{name: "condition", takes: kinds(types.Boolean)}
	keyParam  = param{name: "key", takes: scalar, null: true}
	fnResult  = param{name: "result", takes: anything, null: true}
)

// predicateFunctions run an expression over each element of a list: # is the
// element, .x one of its members, #index its place.
var predicateFunctions = []function{
	{
		name: "all", doc: "whether the condition holds for every element; true for null",
		params: []param{listOrNull, condition}, result: always(types.BooleanType),
		each: func(l *loop) (value.Value, error) {
			_, found, err := l.search(false)
			return !found, err
		},
	}, {
		name: "any", doc: "whether the condition holds for an element; false for null",
		params: []param{listOrNull, condition}, result: always(types.BooleanType),
		each: func(l *loop) (value.Value, error) {
			_, found, err := l.search(true)
			return found, err
		},
	}, {
		name: "none", doc: "whether the condition holds for no element; true for null",
		params: []param{listOrNull, condition}, result: always(types.BooleanType),
		each: func(l *loop) (value.Value, error) {
			_, found, err := l.search(true)
			return !found, err
		},
	}, {
		name: "find", doc: "the first element for which the condition holds, or null",
		params: []param{listOrNull, condition},
		result: func(args []*types.Type) *types.Type { return args[0].ElemOrAny().OrNull(mayNotMatch) },
		each: func(l *loop) (value.Value, error) {
			e, _, err := l.search(true)
			return e, err
		},
	}, {
		name: "count", doc: "how many elements there are, or for how many the condition holds",
		params: []param{listOrNull, {name: "condition", takes: kinds(types.Boolean), optional: true}},
		result: always(types.IntegerType), each: countElements,
	}, {
		name: "filter", doc: "the elements for which the condition holds",
		params: []param{listOrNull, condition}, result: sameList, each: filter,
	}, {
		name: "map", doc: "the results of an expression for each element",
		params: []param{listOrNull, fnResult},
		result: func(args []*types.Type) *types.Type {
			return &types.Type{Kind: types.List, Elem: args[1], NonEmpty: args[0].NonEmpty && !args[0].Nullable}
		},
		each: mapElements,
	}, {
		name: "groupBy", doc: "an object that has, for each key, the list of its elements",
		params: []param{listParam, {name: "key", takes: scalar}},
		result: func(args []*types.Type) *types.Type { return &types.Type{Kind: types.Object, Extra: sameList(args)} },
		each:   groupBy,
	}, {
		name: "sortBy", doc: "the elements by rising keys, or falling with 'desc'; equal ones keep their order, null comes first",
		params: []param{listParam, keyParam, {name: "order", takes: kinds(types.Text), optional: true, check: checkOrder}},
		result: sameList, each: sortBy,
	}, {
		name: "sum", doc: "the exact sum of the numbers in a list, or of a number of each element",
		params: []param{listParam, {name: "number", takes: number, optional: true}},
		result: sumType, each: sum,
	},
}

// search returns the first element for which the condition is want.
func (l *loop) search(want bool) (elem value.Value, found bool, err error) {
	for i, e := range l.elements() {
		holds, err := l.test(i, e)
		if err != nil {
			return nil, false, err
		}
		if holds == want {
			return e, true, nil
		}
	}
	return nil, false, nil
}

func countElements(l *loop) (value.Value, error) {
	if l.callee.body.run == nil {
		return int64(l.length()), nil
	}
	n := int64(0)
	for i, e := range l.elements() {
		holds, err := l.test(i, e)
		if err != nil {
			return nil, err
		}
		if holds {
			n++
		}
	}
	return n, nil
}

func filter(l *loop) (value.Value, error) {
	some := value.List{}
	for i, e := range l.elements() {
		holds, err := l.test(i, e)
		if err != nil {
			return nil, err
		}
		if holds {
			if err := l.f.keep(l.list, 1); err != nil {
				return nil, err
			}
			some = append(some, e)
		}
	}
	return some, nil
}

func mapElements(l *loop) (value.Value, error) {
	results := make(value.List, 0, l.length())
	for i, e := range l.elements() {
		v, err := l.at(i, e)
		if err != nil {
			return nil, err
		}
		if k := types.KindOf(v); k == types.List || k == types.Object {
			if err := l.f.keep(l.list, 1); err != nil {
				return nil, err
			}
		}
		results = append(results, v)
	}
	return results, nil
}

// What putting an element into its group costs, and what a new group does. One
// pass over 100,000 rows of as many groups is within the budget, a second is not.
const (
	groupSteps    = 3
	newGroupSteps = 4
)

// groupBy names the groups as text(key) does; 1 and 1.0 are one group, as is one point in time, named as it was met first.
func groupBy(l *loop) (value.Value, error) {
	type group struct {
		name string
		list value.List
	}
	var groups []*group
	byKey := make(map[any]*group)
	for i, e := range l.elements() {
		v, err := l.at(i, e)
		if err == nil {
			err = l.f.keep(l.list, 1)
		}
		if err != nil {
			return nil, err
		}
		k := identity(l.callee.keys.Of(v))
		g := byKey[k]
		if g == nil {
			name, err := value.Text(v)
			if err != nil {
				return nil, fmt.Errorf("key of groupBy is %s, expected %s", types.Shown(v), scalar)
			}
			if err := l.f.spend(newGroupSteps); err != nil {
				return nil, err
			}
			g = &group{name: name}
			byKey[k] = g
			groups = append(groups, g)
		}
		if err := l.f.spend(groupSteps + len(g.name)/bytesPerStep); err != nil {
			return nil, err
		}
		g.list = append(g.list, e)
	}
	o := value.NewObject(len(groups))
	for _, g := range groups {
		if old, ok := o.Get(g.name); ok { // 1 and "1"
			g.list = append(slices.Clip(old.(value.List)), g.list...)
		}
		o.Set(g.name, g.list)
	}
	return o, nil
}

// identity returns a map key that is the same for equal values only. It is
// value.Key without its cost for what is a good key already.
func identity(v value.Value) any {
	switch v := v.(type) {
	case nil, bool, string, int64:
		return v
	case value.Decimal:
		if i, ok := value.IsInteger(v); ok {
			if _, fits := i.(int64); fits {
				return i
			}
		}
	}
	return valueKey(value.Key(v))
}

// valueKey tells a value.Key from a text that looks like one.
type valueKey string

func checkOrder(v value.Value) error {
	if v != "asc" && v != "desc" {
		return fmt.Errorf("order of sortBy is %s, expected 'asc' or 'desc'", types.Shown(v))
	}
	return nil
}

func sortBy(l *loop) (value.Value, error) {
	type row struct{ key, elem value.Value }
	falling := false
	if len(l.extra) > 0 {
		if err := checkOrder(l.extra[0]); err != nil {
			return nil, err
		}
		falling = l.extra[0] == "desc"
	}
	rows := make([]row, 0, l.length())
	for i, e := range l.elements() {
		k, err := l.at(i, e)
		if err == nil {
			err = l.f.keep(l.list, 1)
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{l.callee.keys.SortKey(k), e})
	}
	if err := l.f.spend(len(rows) * bits.Len(uint(len(rows))) / 3); err != nil {
		return nil, err
	}
	if err := l.f.spendKeys(len(rows), func(i int) value.Value { return rows[i].key }); err != nil {
		return nil, err
	}
	var fault error
	slices.SortStableFunc(rows, func(a, b row) int {
		order, err := compareKeys(a.key, b.key)
		if err != nil && fault == nil {
			fault = err
		}
		if falling {
			return -order
		}
		return order
	})
	if fault != nil {
		return nil, fault
	}
	sorted := make(value.List, len(rows))
	for i, r := range rows {
		sorted[i] = r.elem
	}
	return sorted, nil
}

// spendKeys takes what long keys cost above short ones: each is compared with
// some others.
func (f *frame) spendKeys(n int, key func(i int) value.Value) error {
	rounds := bits.Len(uint(n))
	for i := range n {
		switch k := key(i).(type) {
		case string:
			if len(k) > 64 {
				if err := f.spend(rounds * (len(k) / 64)); err != nil {
					return err
				}
			}
		case value.Decimal:
			if len(k) > 18 {
				if err := f.spend(rounds * (len(k) / 4)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// compareKeys orders keys of one kind; null comes before all others.
func compareKeys(a, b value.Value) (int, error) {
	if a == nil || b == nil {
		return cmp.Compare(boolInt(a != nil), boolInt(b != nil)), nil
	}
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			return cmp.Compare(x, y), nil
		}
	}
	order, err := value.Compare(a, b)
	if err != nil {
		return 0, errNotOrdered
	}
	return order, nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func sumType(args []*types.Type) *types.Type {
	t := args[0].ElemOrAny()
	if len(args) > 1 {
		t = args[1]
	}
	return numberType(t)
}

func sum(l *loop) (value.Value, error) {
	var total value.Value = int64(0)
	for i, e := range l.elements() {
		v, err := l.at(i, e)
		if err != nil {
			return nil, err
		}
		if !value.IsNumber(v) {
			return nil, fmt.Errorf("element %d of sum is %s, expected a number", i+1, types.Shown(v))
		}
		if total, err = arithmetic(value.Add)(l.f, total, v); err != nil {
			return nil, err
		}
	}
	return total, nil
}
