package value

import (
	"fmt"
	"strconv"
)

// KindOf returns the JSON word for v: "null", "boolean", "string", "integer",
// "decimal", "list", "object".
func KindOf(v Value) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case int64:
		return "integer"
	case Decimal:
		return "decimal"
	case List, *Rows:
		return "list"
	case *Object:
		return "object"
	}
	panic(notAValue(v))
}

// Text returns a scalar as it is written inside a text or a CSV cell: strings
// as they are, numbers in lexical form, true and false. null, lists and objects
// are an error.
func Text(v Value) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case Decimal:
		return string(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", fmt.Errorf("%s cannot be written as text", aKind(v))
}

// notAValue is what functions over Values panic with.
func notAValue(v any) string { return fmt.Sprintf("value: %T is not a Value", v) }
