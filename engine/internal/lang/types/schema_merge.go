package types

import (
	"slices"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// requiredOf lists the members that s and the arms of its allOf require.
func requiredOf(s *value.Object, arms value.List) []string {
	var names []string
	for _, v := range append(value.List{s}, arms...) {
		o, ok := v.(*value.Object)
		if !ok {
			continue
		}
		list, _ := o.At("required").(value.List)
		for _, n := range list {
			if name, ok := n.(string); ok {
				names = append(names, name)
			}
		}
	}
	return names
}

// requireMembers makes members of an object that the arms of an allOf require
// present, whichever arm declares them.
func requireMembers(t *Type, names []string) *Type {
	if t.Kind != Object || len(names) == 0 {
		return t
	}
	r := *t
	r.Fields = slices.Clone(t.Fields)
	for i := range r.Fields {
		if slices.Contains(names, r.Fields[i].Name) {
			r.Fields[i].Optional = false
		}
	}
	return &r
}

// both returns the type of values that fit a and b.
func (b *schemaTypes) both(a, c *Type) *Type {
	switch {
	case a == c || c == AnyType:
		return a
	case a == AnyType:
		return c
	}
	if b.isOpen(a) || b.isOpen(c) {
		return AnyType
	}
	switch {
	case a.Kind == Unknown:
		return c
	case c.Kind == Unknown:
		return a
	case a.Kind == Decimal && c.Kind == Integer:
		a, c = c, a
	case a.Kind == Integer && c.Kind == Decimal:
	case a.Kind != c.Kind:
		return AnyType
	}
	t := *a
	t.Nullable = a.Nullable && c.Nullable
	t.Secret = a.Secret || c.Secret
	if t.Format == "" {
		t.Format = c.Format
	}
	if t.Enum == nil {
		t.Enum = c.Enum
	}
	switch t.Kind {
	case List:
		t.Elem = b.both(OrAny(a.Elem), OrAny(c.Elem))
	case Object:
		t.Fields = b.bothMembers(a, c)
		switch {
		case len(a.Fields) == 0 && a.Extra != nil:
			t.Extra = c.Extra
		case t.Extra == nil && len(c.Fields) > 0:
			t.Extra = c.Extra
		}
	}
	return &t
}

func (b *schemaTypes) bothMembers(a, c *Type) []Field {
	fields := slices.Clone(a.Fields)
	for _, f := range c.Fields {
		i := slices.IndexFunc(fields, func(g Field) bool { return g.Name == f.Name })
		if i < 0 {
			fields = append(fields, f)
			continue
		}
		fields[i].Type = b.both(OrAny(fields[i].Type), OrAny(f.Type))
		fields[i].Optional = fields[i].Optional && f.Optional
	}
	return fields
}

// either returns the type of values that fit one of the arms.
func (b *schemaTypes) either(arms value.List, base string) *Type {
	var t *Type
	nullable := false
	for _, arm := range arms {
		next := b.convert(arm, base)
		switch {
		case next.Kind == Null:
			nullable = true
		case t == nil:
			t = next
		case b.isOpen(t) || b.isOpen(next):
			return AnyType
		default:
			t = Join(t, next)
		}
	}
	switch {
	case t == nil && nullable:
		return NullType
	case t == nil:
		return AnyType
	case nullable:
		return b.changed(t, func(t *Type) *Type { return t.OrNull("its schema allows null") })
	}
	return t
}
