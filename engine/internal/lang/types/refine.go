package types

import "slices"

// LenOf is the last name in the path of a Fact about the length of a list: that it has elements, if it is not null.
const LenOf = "#len"

// Refine returns t where the member at path, and so all on the way there, is not null.
func (t *Type) Refine(path []string) *Type {
	if aboutLength := len(path) > 0 && path[len(path)-1] == LenOf; !aboutLength && t.Nullable && t.Kind != Null && t.Kind != Unknown {
		n := *t.NotNull()
		n.Proven = true
		t = &n
	}
	switch {
	case len(path) == 0:
		return t
	case path[0] == LenOf:
		if t.Kind != List || t.NonEmpty {
			return t
		}
		n := *t
		n.NonEmpty = true
		return &n
	case t.Kind != Object:
		return t
	}
	i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.Name == path[0] })
	if i < 0 {
		if OrAny(t.Extra).Kind == Unknown {
			return t
		}
		n := *t
		n.Fields = append(slices.Clip(t.Fields), Field{Name: path[0], Type: t.Extra.OrNull("").Refine(path[1:])})
		return &n
	}
	f := t.Fields[i]
	member, _ := t.Field(path[0])
	known := member.Refine(path[1:])
	if known == member {
		return t
	}
	n := *t
	n.Fields = slices.Clone(t.Fields)
	n.Fields[i] = Field{Name: f.Name, Type: known, Default: f.Default, HasDefault: f.HasDefault}
	return &n
}
