package types

import "github.com/seed627bd532/runner/engine/internal/value"

// LiteralType returns the type of a value that is written out in a file. A
// text is known to be that text.
func LiteralType(v value.Value) *Type {
	switch v := v.(type) {
	case nil:
		return NullType
	case bool:
		return BooleanType
	case int64:
		return IntegerType
	case value.Decimal:
		return DecimalType
	case string:
		return &Type{Kind: Text, Enum: []value.Value{v}}
	case value.List:
		elem := NothingType
		for _, e := range v {
			elem = Join(elem, LiteralType(e))
		}
		return ListOf(elem)
	}
	o := v.(*value.Object)
	fields := make([]Field, 0, o.Len())
	for name, member := range o.All() {
		fields = append(fields, Field{Name: name, Type: LiteralType(member)})
	}
	return ObjectOf(fields...)
}
