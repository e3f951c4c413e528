package types

import "github.com/seed627bd532/runner/engine/internal/value"

// HasDefaults reports whether some member below t has a default.
func (t *Type) HasDefaults() bool { return t.hasDefaults(make(map[*Type]bool)) }

func (t *Type) hasDefaults(seen map[*Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	for _, f := range t.Fields {
		if f.HasDefault || f.Type.hasDefaults(seen) {
			return true
		}
	}
	return t.Elem.hasDefaults(seen)
}

// Fill returns v with the defaults of the members below t where they are
// absent, or null and may not be. What does not have the shape of t stays as it
// is, and v is not changed.
func (t *Type) Fill(v value.Value) value.Value {
	switch v := v.(type) {
	case value.List:
		if t == nil || t.Kind != List {
			return v
		}
		filled := make(value.List, len(v))
		for i, elem := range v {
			filled[i] = t.Elem.Fill(elem)
		}
		return filled
	case *value.Rows:
		if t == nil || t.Kind != List {
			return v
		}
		return v.Map(func(_ int, elem value.Value) (value.Value, error) { return t.Elem.Fill(elem), nil })
	case *value.Object:
		if t == nil || t.Kind != Object {
			return v
		}
		return t.fillMembers(v)
	}
	return v
}

func (t *Type) fillMembers(o *value.Object) *value.Object {
	filled := o.Clone()
	for _, f := range t.Fields {
		v, given := o.Get(f.Name)
		switch {
		case f.HasDefault && (!given || v == nil && !OrAny(f.Type).Nullable):
			filled.Set(f.Name, f.Default)
		case given:
			filled.Set(f.Name, f.Type.Fill(v))
		}
	}
	return filled
}
