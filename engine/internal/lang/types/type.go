// Package types has the types that expressions, paths and templates are checked against, and the words in
// which messages name types and values.
package types

import (
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Kind is the shape of a Type.
type Kind uint8

// The kinds. Unknown is the type of data that nothing is known about: every
// use of it is allowed and checked when it happens.
const (
	Unknown Kind = iota
	Null
	Boolean
	Integer
	Decimal // any number; an Integer is accepted where a Decimal is wanted
	Text
	List
	Object
)

// A Type says what an expression may yield. Types are shared, may be cyclic
// (recursive schemas) and must not be changed after they were built.
// A nil *Type means Unknown.
type Type struct {
	Kind Kind
	// Elem is the type of a List's elements.
	Elem *Type
	// Fields are an Object's members in declaration order; a member that is
	// not among them is an error unless Extra says what it is.
	Fields []Field
	Extra  *Type
	// LowerNames says that the names of an Object's members have no capitals.
	LowerNames bool
	// Nullable types may be null; Why says the reason for messages ("step
	// create is skipped when its if is false").
	Nullable bool
	Why      string
	// Secret values may go into requests and secret inputs, nowhere else.
	Secret bool
	// Enum lists the only possible values, when known.
	Enum []value.Value
	// Least and Most bound an Integer where Most is not 0.
	Least, Most int64
	// Also lists values that are none of Enum, and no mistake in a list beside one that is:
	// x in ['ok', 'empty'] where x is never empty.
	Also []value.Value
	// Format is "date" or "datetime" for texts that hold one, else empty or
	// the schema's own word.
	Format string
	// Declared is where the type was declared, for "declared here".
	Declared diag.Place

	// Narrow says of a Text that its schema's pattern lets only letters, digits and plain signs in.
	Narrow bool
	// Members are the names that the members of a value of Unknown type may have; nil for any.
	Members []string
	// either lists what a value of Unknown type can be where two branches of an expression
	// differ in kind, null aside: each of them must fit where the value is used. nil otherwise.
	Either []*Type
	// Times says that some of the texts may be datetimes, although not all need be.
	Times bool
	// proven types are those of what only a condition makes sure not to be null, and nonEmpty those
	// of lists that it makes sure to have an element.
	Proven, NonEmpty bool
	// omittable marks results that may be Omit: templates take them, operators do not.
	MayOmit bool
}

// A Field is one member of an Object type.
type Field struct {
	Name string
	Type *Type
	// Optional members may be absent, and are null then.
	Optional bool
	// Default stands for the member where nothing is given; HasDefault tells it from none.
	Default    value.Value
	HasDefault bool
}

// Field returns the member's type, with Nullable set for optional members and
// for those that only Extra describes; ok is false when the object has no such
// member. Members of a secret are secret.
func (t *Type) Field(name string) (*Type, bool) {
	if t == nil || t.Kind != Object {
		return nil, false
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Name != name {
			continue
		}
		m := OrAny(f.Type)
		if f.Optional {
			m = m.OrNull(name + Absent)
		}
		return m.SecretIf(t.Secret), true
	}
	if t.Extra != nil {
		return t.Extra.OrNull(name + Absent).SecretIf(t.Secret), true
	}
	return nil, false
}

// AnyMember returns the type of a member whose name is computed: that of an object's members
// where all are alike, as groupBy makes them.
func (t *Type) AnyMember() *Type {
	if len(t.Fields) > 0 || t.Extra == nil {
		return AnyType.SecretIf(t.HasSecret())
	}
	return t.Extra.OrNull("there may be no such member").SecretIf(t.HasSecret())
}

// Elements returns the names of the members that the elements of a list are known to have.
func (t *Type) Elements() []string {
	var names []string
	for _, f := range t.ElemOrAny().Fields {
		names = append(names, f.Name)
	}
	return names
}

// elem returns the type of a list's elements; those of a secret are secret.
func (t *Type) ElemOrAny() *Type {
	if t == nil || t.Kind != List || t.Elem == nil {
		return AnyType.SecretIf(t != nil && t.Secret)
	}
	return t.Elem.SecretIf(t.Secret)
}

// The types without structure.
var (
	AnyType     = &Type{Kind: Unknown}
	NullType    = &Type{Kind: Null, Nullable: true}
	BooleanType = &Type{Kind: Boolean}
	IntegerType = &Type{Kind: Integer}
	DecimalType = &Type{Kind: Decimal}
	TextType    = &Type{Kind: Text}
)

// ListOf returns the type of lists of elem.
func ListOf(elem *Type) *Type { return &Type{Kind: List, Elem: elem} }

// ObjectOf returns a closed object type.
func ObjectOf(fields ...Field) *Type { return &Type{Kind: Object, Fields: fields} }

// NothingType is the element type of an empty list literal: it joins with any other.
var NothingType = &Type{Kind: Unknown}

// MembersOf returns the type of what nothing is known of but the names that its members may have.
func MembersOf(names ...string) *Type { return &Type{Kind: Unknown, Members: names} }

// NamesOnly returns a type of which no more is known than the names that t says its members have.
func (t *Type) NamesOnly() *Type {
	if t.Kind != Object || t.Extra != nil || len(t.Fields) == 0 {
		return AnyType.SecretIf(t.HasSecret())
	}
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = f.Name
	}
	return MembersOf(names...).SecretIf(t.HasSecret())
}

// OrAny makes the nil Type, which means Unknown, one that can be looked into.
func OrAny(t *Type) *Type {
	if t == nil {
		return AnyType
	}
	return t
}

// OrNull returns t as a nullable type, for the reason why. A type that is
// nullable already keeps its own reason; Unknown stays as it is, because null is
// among the things that an unknown value may be.
func (t *Type) OrNull(why string) *Type {
	t = OrAny(t)
	if t.Kind == Unknown || t.Nullable {
		return t
	}
	n := *t
	n.Nullable, n.Why = true, why
	return &n
}

// NotNull is the opposite of OrNull.
func (t *Type) NotNull() *Type {
	if !t.Nullable || t.Kind == Null {
		return t
	}
	n := *t
	n.Nullable, n.Why = false, ""
	return &n
}

func (t *Type) SecretIf(secret bool) *Type {
	t = OrAny(t)
	if !secret || t.Secret {
		return t
	}
	s := *t
	s.Secret = true
	return &s
}

func (t *Type) Omitted(omittable bool) *Type {
	if t.MayOmit == omittable {
		return t
	}
	o := *t
	o.MayOmit = omittable
	return &o
}

// HasSecret reports whether a value of type t is secret or holds a secret.
func (t *Type) HasSecret() bool { return t.hasSecret(make(map[*Type]bool)) }

func (t *Type) hasSecret(seen map[*Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	if t.Secret || t.Elem.hasSecret(seen) || t.Extra.hasSecret(seen) {
		return true
	}
	for _, f := range t.Fields {
		if f.Type.hasSecret(seen) {
			return true
		}
	}
	return false
}

var kindNames = [...]string{
	Unknown: "anything",
	Null:    "null",
	Boolean: "boolean",
	Integer: "integer",
	Decimal: "decimal",
	Text:    "text",
	List:    "list",
	Object:  "object",
}

// String returns the kind as people write it.
func (k Kind) String() string { return kindNames[k] }

// String returns the type as people write it: "list of text", "integer or null".
func (t *Type) String() string { return t.describe(4) }

// describe names the type; depth bounds lists of lists, which may be endless.
func (t *Type) describe(depth int) string {
	t = OrAny(t)
	name := t.Kind.String()
	switch {
	case len(t.Either) > 0 && depth > 0:
		var names []string
		for _, one := range t.Either {
			names = append(names, one.describe(depth-1))
		}
		name = strings.Join(names, " or ")
	case t.Kind == Text && (t.Format == "date" || t.Format == "datetime"):
		name = t.Format
	case t.Kind == List && depth > 0 && OrAny(t.Elem).Kind != Unknown:
		elem := t.Elem.describe(depth - 1)
		if t.Elem.Nullable {
			elem = "(" + elem + ")"
		}
		name = "list of " + elem
	}
	if t.Secret {
		name = "secret " + name
	}
	if t.Nullable && t.Kind != Null && t.Kind != Unknown {
		name += " or null"
	}
	return name
}

// Omittable reports whether the value may be omit, so that it is left out.
func (t *Type) Omittable() bool { return t != nil && t.MayOmit }

// Names reports whether the type says that there is such a member.
func (t *Type) Names(member string) bool {
	return t != nil && (slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Name == member }) || slices.Contains(t.Members, member))
}
