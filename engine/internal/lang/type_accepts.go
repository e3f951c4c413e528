package lang

import (
	"fmt"
	"slices"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// Accepts reports whether a value of type from may be used where t is wanted:
// "" when it may, else why not ("expected integer, found text"). Unknown on
// either side is accepted; objects are compared member by member. Secrets are
// not looked at: see HasSecret.
func (t *Type) Accepts(from *Type) string {
	return t.accepts(from, make(map[[2]*Type]bool))
}

// accepts assumes that a pair of types it is already comparing fits, so that
// recursive types come to an end.
func (t *Type) accepts(from *Type, seen map[[2]*Type]bool) string {
	t, from = orAny(t), orAny(from)
	pair := [2]*Type{t, from}
	if t == from || t.Kind == Unknown || from.Kind == Unknown || seen[pair] {
		return ""
	}
	seen[pair] = true
	if from.Nullable && !t.Nullable && t.Kind != Null {
		if from.Kind == Null {
			return fmt.Sprintf("expected %s, found null", t)
		}
		return fmt.Sprintf("expected %s, found %s%s", t, from, because(from))
	}
	if from.Kind == Null {
		return ""
	}
	if !kindAccepts(t.Kind, from.Kind) || formatsDiffer(t, from) {
		return fmt.Sprintf("expected %s, found %s", t, from)
	}
	switch t.Kind {
	case List:
		if why := t.Elem.accepts(from.Elem, seen); why != "" {
			return "elements: " + why
		}
	case Object:
		return t.acceptsMembers(from, seen)
	}
	return t.acceptsEnum(from)
}

func (t *Type) acceptsMembers(from *Type, seen map[[2]*Type]bool) string {
	for _, f := range t.Fields {
		m, ok := from.Field(f.Name)
		if !ok {
			if f.Optional {
				continue
			}
			return fmt.Sprintf("expected a member %q, found none", f.Name)
		}
		want := orAny(f.Type)
		if f.Optional {
			want = want.OrNull("")
		}
		if why := want.accepts(m, seen); why != "" {
			return fmt.Sprintf("member %q: %s", f.Name, why)
		}
	}
	for _, f := range from.Fields {
		want, ok := t.Field(f.Name)
		if !ok {
			return fmt.Sprintf("unknown member %q", f.Name)
		}
		if t.declares(f.Name) {
			continue
		}
		if why := want.accepts(f.Type, seen); why != "" {
			return fmt.Sprintf("member %q: %s", f.Name, why)
		}
	}
	if t.Extra != nil && from.Extra != nil {
		if why := t.Extra.accepts(from.Extra, seen); why != "" {
			return "other members: " + why
		}
	}
	return ""
}

func (t *Type) declares(name string) bool {
	return slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Name == name })
}

func (t *Type) acceptsEnum(from *Type) string {
	if t.Enum == nil || from.Enum == nil {
		return ""
	}
	for _, v := range from.Enum {
		if v != nil && !enumHas(t.Enum, v) {
			return fmt.Sprintf("expected one of %s, found %s", listValues(t.Enum), shown(v))
		}
	}
	return ""
}

func enumHas(enum []value.Value, v value.Value) bool {
	return slices.ContainsFunc(enum, func(e value.Value) bool { return value.Equal(e, v) })
}

func kindAccepts(want, from Kind) bool {
	return want == from || want == Decimal && from == Integer
}

// formatsDiffer reports whether one type is a date and the other a date with
// time. A text of which nothing is known may hold either.
func formatsDiffer(a, b *Type) bool {
	return a.Kind == Text &&
		(a.Format == "date" && b.Format == "datetime" || a.Format == "datetime" && b.Format == "date")
}

// because gives the reason why a type may be null, as the end of a sentence.
func because(t *Type) string {
	if t.Why == "" {
		return ""
	}
	return " (" + t.Why + ")"
}
