package value

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/apd/v3"
)

// FromGo turns a Go value into a Value: nil, booleans, strings, all integer
// and floating types (a float by its shortest decimal form), json.Number,
// *apd.Decimal, time.Time (RFC 3339), maps with string keys (sorted), slices,
// Values, and anything that encoding/json can marshal. Nil slices and maps are
// empty, other nil pointers null. Infinities, NaN and nesting beyond 10,000 are errors.
func FromGo(x any) (Value, error) { return fromGo(x, 0) }

const maxDepth = 10_000

func fromGo(x any, depth int) (Value, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("cannot use %T as a value: nested deeper than %d", x, maxDepth)
	}
	switch x := x.(type) {
	case nil, bool, string, int64, Decimal, *Rows:
		return x, nil
	case *Object:
		if x == nil {
			return NewObject(0), nil
		}
		return x, nil
	case json.Number:
		return ParseNumber(x.String())
	case *apd.Decimal:
		if x == nil {
			return nil, nil
		}
		return fromAPD(new(apd.Decimal).Set(x))
	case time.Time:
		return x.Format(time.RFC3339Nano), nil
	case []byte, json.Marshaler, encoding.TextMarshaler:
		return throughJSON(x)
	}
	return reflected(reflect.ValueOf(x), depth)
}

func reflected(v reflect.Value, depth int) (Value, error) {
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.String:
		return v.String(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return ParseNumber(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		return fromFloat(v.Float(), v.Type().Bits())
	case reflect.Slice, reflect.Array:
		list := make(List, v.Len())
		for i := range list {
			elem, err := fromGo(v.Index(i).Interface(), depth+1)
			if err != nil {
				return nil, err
			}
			list[i] = elem
		}
		return list, nil
	case reflect.Map:
		if v.Type().Key().Kind() == reflect.String {
			return fromMap(v, depth)
		}
	case reflect.Pointer:
		if v.IsNil() {
			return nil, nil
		}
		return fromGo(v.Elem().Interface(), depth+1)
	}
	return throughJSON(v.Interface())
}

func fromMap(v reflect.Value, depth int) (Value, error) {
	names := v.MapKeys()
	slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	o := NewObject(len(names))
	for _, name := range names {
		member, err := fromGo(v.MapIndex(name).Interface(), depth+1)
		if err != nil {
			return nil, err
		}
		o.Set(name.String(), member)
	}
	return o, nil
}

func fromFloat(f float64, bits int) (Value, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, errors.New("a number cannot be infinite or NaN")
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return ParseNumber(strconv.FormatFloat(f, format, -1, bits))
}

func throughJSON(x any) (Value, error) {
	data, err := json.Marshal(x)
	if err != nil {
		return nil, fmt.Errorf("cannot use %T as a value: %w", x, err)
	}
	return Decode(data)
}

// ToGo turns v into plain Go: *Object becomes map[string]any, List and *Rows []any,
// Decimal json.Number; int64, string, bool and nil stay. Nothing of the result
// is shared with v.
func ToGo(v Value) any {
	switch v := v.(type) {
	case nil, bool, string, int64:
		return v
	case Decimal:
		return json.Number(v)
	case List:
		list := make([]any, len(v))
		for i, elem := range v {
			list[i] = ToGo(elem)
		}
		return list
	case *Rows:
		list := make([]any, 0, v.n)
		for elem := range v.mustAll() {
			list = append(list, ToGo(elem))
		}
		return list
	case *Object:
		m := make(map[string]any, v.Len())
		for name, member := range v.All() {
			m[name] = ToGo(member)
		}
		return m
	}
	panic(notAValue(v))
}
