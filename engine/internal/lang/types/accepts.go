package types

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
	return accepts(part{t, false, ""}, part{from, false, ""}, make(map[[2]*Type]bool))
}

// AcceptsValue is Accepts for a value that is there already.
func (t *Type) AcceptsValue(v value.Value) string { return t.Accepts(LiteralType(v)) }

// A part is a type at its place in another: an optional member may be null
// although its type is not. The Types are not copied for that, so that those of
// recursive schemas are recognised.
type part struct {
	*Type
	null bool
	why  string
}

func (p part) nullable() bool { return p.null || p.Nullable }

// String names the part for a message.
func (p part) String() string {
	if p.null {
		return p.OrNull("").String()
	}
	return p.Type.String()
}

// member returns the part of an object called name.
func (p part) member(name string) (part, bool) {
	if f, ok := p.Own(name); ok {
		return part{OrAny(f.Type), f.Optional, name + Absent}, true
	}
	return part{p.Extra, true, name + Absent}, p.Extra != nil
}

// accepts assumes that a pair of types it is already comparing fits, so that
// recursive types come to an end.
func accepts(want, from part, seen map[[2]*Type]bool) string {
	want.Type, from.Type = OrAny(want.Type), OrAny(from.Type)
	for _, one := range from.Either {
		if want.Kind != Unknown && !KindAccepts(want.Kind, one.Kind) {
			return fmt.Sprintf("expected %s, found %s", want, from)
		}
	}
	if want.Kind == Unknown || from.Kind == Unknown {
		return ""
	}
	if from.nullable() && !want.nullable() {
		why := from.why
		if from.Why != "" {
			why = from.Why
		}
		if from.Kind == Null || why == "" {
			return fmt.Sprintf("expected %s, found %s", want, from)
		}
		return fmt.Sprintf("expected %s, found %s (%s)", want, from, why)
	}
	pair := [2]*Type{want.Type, from.Type}
	if want.Type == from.Type || from.Kind == Null || seen[pair] {
		return ""
	}
	seen[pair] = true
	if !KindAccepts(want.Kind, from.Kind) || formatsDiffer(want.Type, from.Type) {
		return fmt.Sprintf("expected %s, found %s", want, from)
	}
	switch want.Kind {
	case List:
		if why := accepts(part{Type: want.Elem}, part{Type: from.Elem}, seen); why != "" {
			return "elements: " + why
		}
	case Object:
		return acceptsMembers(want, from, seen)
	}
	return want.acceptsEnum(from.Type)
}

func acceptsMembers(want, from part, seen map[[2]*Type]bool) string {
	for _, f := range want.Fields {
		m, ok := from.member(f.Name)
		if !ok && !f.Optional {
			return fmt.Sprintf("expected a member %q, found none", f.Name)
		}
		if !ok {
			continue
		}
		if why := accepts(part{Type: f.Type, null: f.Optional}, m, seen); why != "" {
			return fmt.Sprintf("member %q: %s", f.Name, why)
		}
	}
	for _, f := range from.Fields {
		switch {
		case want.Declares(f.Name):
		case want.Extra == nil:
			return fmt.Sprintf("unknown member %q", f.Name)
		default:
			if why := accepts(part{want.Extra, true, ""}, part{Type: f.Type}, seen); why != "" {
				return fmt.Sprintf("member %q: %s", f.Name, why)
			}
		}
	}
	if want.Extra != nil && from.Extra != nil {
		if why := accepts(part{Type: want.Extra}, part{Type: from.Extra}, seen); why != "" {
			return "other members: " + why
		}
	}
	return ""
}

func (t *Type) Declares(name string) bool {
	return slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Name == name })
}

func (t *Type) acceptsEnum(from *Type) string {
	if t.Enum == nil || from.Enum == nil {
		return ""
	}
	for _, v := range from.Enum {
		if !EnumHas(t.Enum, v) {
			return fmt.Sprintf("expected one of %s, found %s", ListValues(t.Enum), Shown(v))
		}
	}
	return ""
}

func EnumHas(enum []value.Value, v value.Value) bool {
	return slices.ContainsFunc(enum, func(e value.Value) bool { return value.Equal(e, v) })
}

func KindAccepts(want, from Kind) bool {
	return want == from || want == Decimal && from == Integer
}

// formatsDiffer reports whether one type is a date and the other a date with
// time. A text of which nothing is known may hold either.
func formatsDiffer(a, b *Type) bool {
	return a.Kind == Text &&
		(a.Format == "date" && b.Format == "datetime" || a.Format == "datetime" && b.Format == "date")
}

// Because gives the reason why a type may be null, as the end of a sentence.
func Because(t *Type) string {
	if t.Why == "" {
		return ""
	}
	return " (" + t.Why + ")"
}
