package value

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Equal reports whether a and b are the same JSON value; numbers are compared
// by value (1.0 equals 1), objects without regard to order.
func Equal(a, b Value) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case bool, string:
		return a == b
	case int64:
		if y, ok := b.(int64); ok {
			return a == y
		}
		return IsNumber(b) && compareNumbers(a, b) == 0
	case Decimal:
		return a == b || IsNumber(b) && compareNumbers(a, b) == 0
	case List:
		switch b := b.(type) {
		case List:
			return slices.EqualFunc(a, b, Equal)
		case *Rows:
			return equalRows(b, a)
		}
		return false
	case *Rows:
		return equalRows(a, b)
	case *Object:
		y, ok := b.(*Object)
		return ok && equalObjects(a, y)
	}
	panic(notAValue(a))
}

// equalRows walks through both lists side by side.
func equalRows(a *Rows, b Value) bool {
	elems, isList := Elements(b)
	if n, _ := Length(b); !isList || n != a.n {
		return false
	}
	if a == b {
		return true
	}
	next, stop := iter.Pull2(elems)
	defer stop()
	for x := range a.mustAll() {
		y, err, _ := next()
		if err != nil {
			panic(readError(err))
		}
		if !Equal(x, y) {
			return false
		}
	}
	return true
}

func equalObjects(a, b *Object) bool {
	if a.Len() != b.Len() {
		return false
	}
	for name, x := range a.All() {
		if y, ok := b.Get(name); !ok || !Equal(x, y) {
			return false
		}
	}
	return true
}

// Compare orders two numbers, two texts (by their bytes) or two booleans (false
// first); anything else is an error.
func Compare(a, b Value) (int, error) {
	switch x := a.(type) {
	case int64, Decimal:
		if IsNumber(b) {
			return compareNumbers(x, b), nil
		}
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), nil
		}
	case bool:
		if y, ok := b.(bool); ok {
			return cmp.Compare(truth(x), truth(y)), nil
		}
	}
	return 0, fmt.Errorf("cannot compare %s with %s", aKind(a), aKind(b))
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compareNumbers orders two numbers.
func compareNumbers(a, b Value) int {
	if x, y, ok := aligned(a, b); ok {
		return cmp.Compare(x.n, y.n)
	}
	x, _ := toAPD(a)
	y, _ := toAPD(b)
	return x.Cmp(y)
}

// Key returns a text that is the same for values that are Equal, and only for
// those; it serves as a map key for unique, groupBy and row keys. A short
// number or text in it is readable, but it is not meant to be read back.
func Key(v Value) string { return string(appendKey(nil, v)) }

// appendKey writes what looks like JSON with the freedoms taken out: numbers in
// one form, members sorted, and texts quoted so that even invalid UTF-8 stays distinct.
func appendKey(dst []byte, v Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return strconv.AppendQuote(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case Decimal:
		return appendNumberKey(dst, v)
	case List:
		dst = append(dst, '[')
		for i, elem := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendKey(dst, elem)
		}
		return append(dst, ']')
	case *Rows:
		dst = append(dst, '[')
		start := len(dst)
		for elem := range v.mustAll() {
			if len(dst) > start {
				dst = append(dst, ',')
			}
			dst = appendKey(dst, elem)
		}
		return append(dst, ']')
	case *Object:
		var some [indexFrom]int // most objects are small
		order := some[:0]
		for i := range v.Len() {
			order = append(order, i)
		}
		slices.SortFunc(order, func(a, b int) int { return strings.Compare(v.members[a].name, v.members[b].name) })
		dst = append(dst, '{')
		for n, i := range order {
			if n > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendQuote(dst, v.members[i].name)
			dst = append(dst, ':')
			dst = appendKey(dst, v.members[i].value)
		}
		return append(dst, '}')
	}
	panic(notAValue(v))
}

// appendNumberKey writes an integer that fits as an int64 is written, and any
// other number as its digits without trailing zeros and their exponent.
func appendNumberKey(dst []byte, d Decimal) []byte {
	var reduced apd.Decimal
	reduced.Reduce(d.apd())
	if reduced.IsZero() {
		return append(dst, '0')
	}
	if n, err := reduced.Int64(); err == nil {
		return strconv.AppendInt(dst, n, 10)
	}
	if reduced.Negative {
		dst = append(dst, '-')
	}
	dst = reduced.Coeff.Append(dst, 10)
	dst = append(dst, 'e')
	return strconv.AppendInt(dst, int64(reduced.Exponent), 10)
}
