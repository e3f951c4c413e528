package types

import (
	"slices"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// joinDepth bounds the work on recursive types; below it, a difference becomes Unknown.
const joinDepth = 6

// Join returns the type of a value that comes from any one of these. Objects
// are merged: a member that not all of them have is optional. Of no types it is
// the type of nothing, which joins with all.
func Join(types ...*Type) *Type {
	joined := NothingType
	for _, t := range types {
		joined = joinTo(OrAny(joined), OrAny(t), joinDepth)
	}
	return joined
}

func joinTo(a, b *Type, depth int) *Type {
	switch {
	case a == b || b == NothingType:
		return a
	case a == NothingType:
		return b
	case a.MayOmit != b.MayOmit:
		a, b = a.Omitted(false), b.Omitted(false)
		return joinTo(a, b, depth).Omitted(true)
	case isOmit(a):
		return b
	case isOmit(b):
		return a
	case a.Kind == Null:
		return b.OrNull(a.Why).SecretIf(a.Secret)
	case b.Kind == Null:
		return a.OrNull(b.Why).SecretIf(b.Secret)
	}
	t := &Type{
		Kind:    joinKind(a.Kind, b.Kind),
		Secret:  a.Secret || b.Secret,
		MayOmit: a.MayOmit,
	}
	if depth == 0 && (t.Kind == List || t.Kind == Object) {
		t.Kind = Unknown
	}
	if t.Kind != Unknown && (a.Nullable || b.Nullable) {
		t.Nullable, t.Why = true, a.Why
		if !a.Nullable {
			t.Why = b.Why
		}
	}
	if t.Kind == Unknown && depth > 0 {
		t.Either = alternatives(a, b)
	}
	if a.Format == b.Format {
		t.Format = a.Format
	}
	if t.Kind == Text && (a.IsTime() || b.IsTime()) {
		t.Times = true
		if a.alwaysTime() && b.alwaysTime() {
			t.Format = "datetime"
		}
	}
	switch t.Kind {
	case List:
		t.Elem = joinTo(OrAny(a.Elem), OrAny(b.Elem), depth-1)
	case Object:
		t.Fields, t.Extra = joinMembers(a, b, depth-1)
	default:
		t.Enum = joinEnums(a.Enum, b.Enum)
	}
	return t
}

// alternatives returns what a value of a or b can be, one type of each kind; nil where
// one of them can be anything.
func alternatives(types ...*Type) []*Type {
	var all []*Type
	for _, t := range types {
		some := t.Either
		if t.Kind != Unknown {
			some = []*Type{t.NotNull()}
		}
		if len(some) == 0 {
			return nil
		}
		for _, one := range some {
			if !slices.ContainsFunc(all, func(other *Type) bool { return other.Kind == one.Kind }) {
				all = append(all, one)
			}
		}
	}
	return all
}

// isOmit reports whether t is the type of the name omit itself, less its mark.
func isOmit(t *Type) bool { return t.Kind == Null && t.Format == omitFormat }

func joinKind(a, b Kind) Kind {
	switch {
	case a == b:
		return a
	case KindAccepts(Decimal, a) && KindAccepts(Decimal, b):
		return Decimal
	}
	return Unknown
}

func joinMembers(a, b *Type, depth int) (fields []Field, extra *Type) {
	for _, f := range a.Fields {
		joined := Field{Name: f.Name, Type: OrAny(f.Type), Optional: true}
		if g, ok := b.Own(f.Name); ok {
			joined.Type = joinTo(joined.Type, OrAny(g.Type), depth)
			joined.Optional = f.Optional || g.Optional
		} else if b.Extra != nil {
			joined.Type = joinTo(joined.Type, b.Extra, depth)
		}
		fields = append(fields, joined)
	}
	for _, f := range b.Fields {
		if a.Declares(f.Name) {
			continue
		}
		joined := Field{Name: f.Name, Type: OrAny(f.Type), Optional: true}
		if a.Extra != nil {
			joined.Type = joinTo(joined.Type, a.Extra, depth)
		}
		fields = append(fields, joined)
	}
	switch {
	case a.Extra == nil:
		return fields, b.Extra
	case b.Extra == nil:
		return fields, a.Extra
	}
	return fields, joinTo(a.Extra, b.Extra, depth)
}

// Own returns the declared member called name.
func (t *Type) Own(name string) (Field, bool) {
	for _, f := range t.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// joinEnums returns all values of both; nil, which means any value, wins.
func joinEnums(a, b []value.Value) []value.Value {
	if a == nil || b == nil {
		return nil
	}
	all := a[:len(a):len(a)]
	for _, v := range b {
		if !EnumHas(a, v) {
			all = append(all, v)
		}
	}
	return all
}
