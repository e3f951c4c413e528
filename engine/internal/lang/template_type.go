package lang

import "github.com/seed627bd532/runner/engine/internal/value"

// literalType returns the type of a value that is written out in a file. A
// text is known to be that text.
func literalType(v value.Value) *Type {
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
		elem := nothingType
		for _, e := range v {
			elem = join(elem, literalType(e))
		}
		return ListOf(elem)
	}
	o := v.(*value.Object)
	fields := make([]Field, 0, o.Len())
	for name, member := range o.All() {
		fields = append(fields, Field{Name: name, Type: literalType(member)})
	}
	return ObjectOf(fields...)
}

// objectType returns the type of a mapping: closed, unless names are computed.
func objectType(members []Member) *Type {
	t := &Type{Kind: Object}
	omittable := len(members) > 0
	for _, m := range members {
		omittable = omittable && m.Value.typ.omittable
		if m.Key == nil {
			t.Fields = append(t.Fields, Field{
				Name:     m.Name,
				Type:     m.Value.typ.Kept(),
				Optional: m.Value.typ.omittable,
			})
			continue
		}
		extra := m.Value.typ.Kept()
		if t.Extra != nil {
			extra = join(t.Extra, extra)
		}
		t.Extra = extra
	}
	return t.omitted(omittable)
}

// Kept returns the type of a value of type t that was not left out.
func (t *Type) Kept() *Type {
	if isOmit(t) {
		return nothingType
	}
	return t.omitted(false)
}
