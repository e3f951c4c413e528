package expr

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

var (
	listParam     = param{name: "list", takes: kinds(types.List)}
	listOrNull    = param{name: "list", takes: kinds(types.List), null: true}
	objectParam   = param{name: "object", takes: kinds(types.Object)}
	integerParam  = param{name: "index", takes: kinds(types.Integer)}
	mayBeEmpty    = "the list may be empty"
	mayNotMatch   = "no element may match"
	errNotOrdered = errors.New("keys must be all numbers or all texts")
)

// elementOrNull is the result rule of functions that pick one element.
func elementOrNull(args []*types.Type) *types.Type {
	if args[0].NonEmpty && !args[0].Nullable {
		return args[0].ElemOrAny()
	}
	return args[0].ElemOrAny().OrNull(mayBeEmpty)
}

// sameList is the result rule of functions that give some elements of their list.
func sameList(args []*types.Type) *types.Type { return types.ListOf(args[0].ElemOrAny()) }

var listFunctions = []function{
	{
		name: "len", doc: "the number of elements, members or characters; 0 for null",
		params: []param{{name: "x", takes: kinds(types.List, types.Object, types.Text), null: true}},
		result: always(types.IntegerType),
		call:   length, streams: true,
	}, {
		name: "first", doc: "the first element, or null",
		params: []param{listOrNull}, result: elementOrNull,
		call: func(f *frame, args []value.Value) (value.Value, error) { return elementOf(f, args[0], 0) }, streams: true,
	}, {
		name: "last", doc: "the last element, or null",
		params: []param{listOrNull}, result: elementOrNull,
		call: func(f *frame, args []value.Value) (value.Value, error) { return elementOf(f, args[0], -1) }, streams: true,
	}, {
		name: "at", doc: "the element at an index from 0, negative from the end, or null",
		params:  []param{listOrNull, integerParam},
		result:  func(args []*types.Type) *types.Type { return args[0].ElemOrAny().OrNull("the list may be shorter") },
		streams: true,
		call: func(f *frame, args []value.Value) (value.Value, error) {
			i, ok := args[1].(int64)
			if !ok {
				return nil, fmt.Errorf("index of at is %s, expected integer", types.Shown(args[1]))
			}
			return elementOf(f, args[0], i)
		},
	}, {
		name: "flatten", doc: "the elements of the lists in a list, one level deep",
		params: []param{listParam},
		result: func(args []*types.Type) *types.Type {
			if elem := args[0].ElemOrAny(); elem.Kind == types.List {
				return types.ListOf(elem.ElemOrAny())
			}
			return types.ListOf(types.AnyType)
		},
		call: flatten,
	}, {
		name: "concat", doc: "the elements of several lists, one after another",
		params: []param{listParam, listParam}, repeat: true,
		result: func(args []*types.Type) *types.Type {
			elem := types.NothingType
			for _, a := range args {
				elem = types.Join(elem, a.ElemOrAny())
			}
			return types.ListOf(elem)
		},
		call: concat,
	}, {
		name: "unique", doc: "the elements without repeats, each where it came first",
		params: []param{listParam}, result: sameList, compare: unique,
	}, {
		name: "keys", doc: "the names of an object's members, in their order",
		params: []param{objectParam}, result: always(types.ListOf(types.TextType)),
		call: func(f *frame, args []value.Value) (value.Value, error) {
			o := args[0].(*value.Object)
			list := make(value.List, 0, o.Len())
			for k := range o.All() {
				list = append(list, k)
			}
			return list, f.spend(o.Len())
		},
	}, {
		name: "values", doc: "the values of an object's members, in their order",
		params: []param{objectParam}, result: valuesType,
		call: func(f *frame, args []value.Value) (value.Value, error) {
			o := args[0].(*value.Object)
			list := make(value.List, 0, o.Len())
			for _, v := range o.All() {
				list = append(list, v)
			}
			return list, f.spend(o.Len())
		},
	},
}

func valuesType(args []*types.Type) *types.Type {
	o := types.OrAny(args[0])
	if o.Kind != types.Object {
		return types.ListOf(types.AnyType)
	}
	elem := types.NothingType
	for _, f := range o.Fields {
		elem = types.Join(elem, f.Type)
	}
	if o.Extra != nil {
		elem = types.Join(elem, o.Extra)
	}
	return types.ListOf(elem)
}

func length(f *frame, args []value.Value) (value.Value, error) {
	switch x := args[0].(type) {
	case value.List:
		return int64(len(x)), nil
	case *value.Rows:
		return int64(x.Len()), nil
	case *value.Object:
		return int64(x.Len()), nil
	case string:
		return int64(utf8.RuneCountInString(x)), f.spendText(len(x))
	}
	return int64(0), nil
}

// elementOf returns the element at i, from the end when i is negative, or null.
func elementOf(f *frame, list value.Value, i int64) (value.Value, error) {
	elem, _, err := f.elementAt(list, i)
	return elem, err
}

func flatten(f *frame, args []value.Value) (value.Value, error) {
	list := args[0].(value.List)
	n := 0
	for _, e := range list {
		if part, ok := e.(value.List); ok {
			n += len(part)
		} else {
			n++
		}
	}
	if err := f.spend(n + len(list)); err != nil {
		return nil, err
	}
	flat := make(value.List, 0, n)
	for _, e := range list {
		if part, ok := e.(value.List); ok {
			flat = append(flat, part...)
		} else {
			flat = append(flat, e)
		}
	}
	return flat, nil
}

func concat(f *frame, args []value.Value) (value.Value, error) {
	n := 0
	for _, a := range args {
		n += len(a.(value.List))
	}
	if err := f.spend(n); err != nil {
		return nil, err
	}
	all := make(value.List, 0, n)
	for _, a := range args {
		all = append(all, a.(value.List)...)
	}
	return all, nil
}

// uniqueSteps is what a scalar costs that was not there before.
const uniqueSteps = 2

func unique(f *frame, args []value.Value, ts []types.Times) (value.Value, error) {
	list := args[0].(value.List)
	if err := f.spendDeep(list); err != nil {
		return nil, err
	}
	seen, elems := make(map[any]bool), ts[0].Elems()
	once := value.List{}
	for _, e := range list {
		if k := identity(elems.Of(e)); !seen[k] {
			if _, read := k.(valueKey); !read { // which has cost enough
				if err := f.spend(uniqueSteps); err != nil {
					return nil, err
				}
			}
			seen[k] = true
			once = append(once, e)
		}
	}
	return once, nil
}
