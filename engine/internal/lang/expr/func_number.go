package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

var numberParam = param{name: "x", takes: number}

var numberFunctions = []function{
	{
		name: "abs", doc: "the number without its sign",
		params: []param{numberParam},
		result: func(args []*types.Type) *types.Type { return numberType(types.OrAny(args[0])) },
		call: func(_ *frame, args []value.Value) (value.Value, error) {
			if order, err := value.Compare(args[0], int64(0)); order >= 0 || err != nil {
				return args[0], err
			}
			return value.Neg(args[0])
		},
	}, {
		name: "round", doc: "the number with that many decimal places, halves away from zero; round(a / b, places) for quotients without end",
		params: []param{numberParam, {name: "places", takes: kinds(types.Integer), optional: true, check: checkPlaces}},
		result: always(types.DecimalType),
	}, {
		name: "int", doc: "a number without its fraction, or the integer that a text holds",
		params: []param{{name: "x", takes: number | kinds(types.Text)}}, result: always(types.IntegerType), call: toInt,
	}, {
		name: "decimal", doc: "the number that a text holds, blanks around it ignored",
		params: []param{{name: "x", takes: number | kinds(types.Text)}}, result: always(types.DecimalType), call: toDecimal,
	}, {
		name: "min", doc: "the least of numbers or texts, or of a list's elements; null for an empty list",
		params: []param{{name: "x", takes: number | kinds(types.Text, types.List)}}, repeat: true,
		result: extremeType, compare: extreme("min", -1), streams: true,
	}, {
		name: "max", doc: "the greatest of numbers or texts, or of a list's elements; null for an empty list",
		params: []param{{name: "x", takes: number | kinds(types.Text, types.List)}}, repeat: true,
		result: extremeType, compare: extreme("max", 1), streams: true,
	}, {
		name: "mean", doc: "the exact mean of the numbers in a list, null for an empty list; round(mean(list), places) where it has no end",
		params: []param{listParam}, streams: true,
		result: always(types.DecimalType.OrNull(mayBeEmpty)),
		call: func(f *frame, args []value.Value) (value.Value, error) {
			total, n, err := meanParts(f, args[0])
			if err != nil || n == 0 {
				return nil, err
			}
			return value.Div(total, n)
		},
	},
}

func meanParts(f *frame, list value.Value) (total value.Value, n int64, err error) {
	count, ok := value.Length(list)
	if !ok {
		return nil, 0, fmt.Errorf("list of mean is %s, expected list", types.Shown(list))
	}
	total = int64(0)
	var broken error
	for i, v := range f.elements(list, &broken) {
		if err := f.spend(1); err != nil {
			return nil, 0, err
		}
		if !value.IsNumber(v) {
			return nil, 0, fmt.Errorf("element %d of mean is %s, expected a number", i+1, types.Shown(v))
		}
		if total, err = arithmetic(value.Add)(f, total, v); err != nil {
			return nil, 0, err
		}
	}
	return total, int64(count), broken
}

// mostPlaces bounds the work of rounding.
const mostPlaces = 100

func checkPlaces(v value.Value) error {
	if n, ok := v.(int64); !ok || n < 0 || n > mostPlaces {
		return fmt.Errorf("places of round is %s, expected an integer from 0 to %d", types.Shown(v), mostPlaces)
	}
	return nil
}

func toInt(f *frame, args []value.Value) (value.Value, error) {
	v := args[0]
	if text, ok := v.(string); ok {
		if err := f.spend(conversionSteps(text)); err != nil {
			return nil, err
		}
		if n, err := numberOf(text); err == nil {
			if i, ok := value.IsInteger(n); ok {
				return i, nil
			}
		}
		return nil, fmt.Errorf("%s is not an integer", types.Shown(text))
	}
	return value.Truncate(v)
}

// conversionSteps is what reading a number costs, above a call: many digits
// are read more than once.
func conversionSteps(text string) int {
	const cheap = 15
	if len(text) > cheap {
		return decimalSteps + len(text)
	}
	return decimalSteps
}

// numberOf reads a number in JSON grammar, between blanks.
func numberOf(text string) (value.Value, error) {
	return value.ParseNumber(strings.TrimSpace(text))
}

func toDecimal(f *frame, args []value.Value) (value.Value, error) {
	if text, ok := args[0].(string); ok {
		if err := f.spend(conversionSteps(text)); err != nil {
			return nil, err
		}
		n, err := numberOf(text)
		if err != nil {
			return nil, fmt.Errorf("%s is not a number", types.Shown(text))
		}
		return n, nil
	}
	return args[0], nil
}

// extremeType is the type of min and max: of one list its elements, else what all arguments have in common.
func extremeType(args []*types.Type) *types.Type {
	if len(args) == 1 {
		if types.OrAny(args[0]).Kind == types.List {
			return elementOrNull(args)
		}
		return args[0]
	}
	t := types.NothingType
	for _, a := range args {
		t = types.Join(t, a)
	}
	return t
}

func extreme(name string, sign int) func(*frame, []value.Value, []types.Times) (value.Value, error) {
	return func(f *frame, args []value.Value, ts []types.Times) (value.Value, error) {
		all := slices.Concat(ts...)
		var list value.Value = value.List(args)
		if _, ok := value.Length(args[0]); ok && len(args) == 1 {
			list, all = args[0], ts[0].Elems()
		}
		var best value.Value
		var broken error
		for i, v := range f.elements(list, &broken) {
			if err := f.spend(1); err != nil {
				return nil, err
			}
			if !(number | kinds(types.Text)).has(types.KindOf(v)) {
				return nil, fmt.Errorf("element %d of %s is %s, expected number or text", i+1, name, types.Shown(v))
			}
			if i == 0 {
				best = v
				continue
			}
			if err := f.spendCompare(v, best); err != nil {
				return nil, err
			}
			order, err := orderTimes(f, all, v, best)
			if err != nil {
				return nil, err
			}
			if order*sign > 0 {
				best = v
			}
		}
		return best, broken
	}
}
