package types

import (
	"regexp"
	"slices"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Resolver finds the schema that a $ref leads to. base names the document the
// reference stands in; the answer's base is that of the schema found.
type Resolver interface {
	Resolve(base, ref string) (schema value.Value, newBase string, err error)
}

// FromSchema returns the type that a JSON Schema describes, with our own words
// (types decimal, date, datetime; secret; optional; default). What it cannot express
// (unions of different scalars, unknown keywords, references that lead nowhere)
// becomes Unknown. r may be nil when the schema has no references.
func FromSchema(schema value.Value, base string, r Resolver) *Type {
	b := &schemaTypes{resolver: r, refs: make(map[schemaRef]*Type), open: make(map[*Type][]func())}
	return b.convert(schema, base)
}

// schemaTypes converts the schemas of one FromSchema. A $ref that is met again
// inside itself gives the same Type, which makes recursive schemas cyclic types.
type schemaTypes struct {
	resolver Resolver
	refs     map[schemaRef]*Type
	// open holds the types that are not filled yet, with what waits for them:
	// a copy of an open type is made when it is filled.
	open map[*Type][]func()
}

type schemaRef struct{ base, ref string }

func (b *schemaTypes) convert(schema value.Value, base string) *Type {
	s, ok := schema.(*value.Object)
	if !ok {
		return AnyType
	}
	t := b.plain(s, base)
	if ref, ok := s.At("$ref").(string); ok {
		t = b.both(b.reference(base, ref), t)
	}
	if arms, ok := s.At("allOf").(value.List); ok {
		for _, arm := range arms {
			t = b.both(t, b.convert(arm, base))
		}
		t = requireMembers(t, requiredOf(s, arms))
	}
	for _, word := range []string{"oneOf", "anyOf"} {
		if arms, ok := s.At(word).(value.List); ok {
			t = b.both(t, b.either(arms, base))
		}
	}
	if s.At("nullable") == true {
		t = b.changed(t, func(t *Type) *Type { return t.OrNull("its schema allows null") })
	}
	if s.At("secret") == true {
		t = b.changed(t, func(t *Type) *Type { return t.SecretIf(true) })
	}
	return t
}

// changed returns change(t), later when t is not filled yet.
func (b *schemaTypes) changed(t *Type, change func(*Type) *Type) *Type {
	if !b.isOpen(t) {
		return change(t)
	}
	later := &Type{}
	b.open[later] = nil
	b.open[t] = append(b.open[t], func() { b.fill(later, change(t)) })
	return later
}

func (b *schemaTypes) fill(t, with *Type) {
	if !b.isOpen(with) {
		*t = *with
	}
	waiting := b.open[t]
	delete(b.open, t)
	for _, f := range waiting {
		f()
	}
}

func (b *schemaTypes) reference(base, ref string) *Type {
	if b.resolver == nil {
		return AnyType
	}
	key := schemaRef{base, ref}
	if t, ok := b.refs[key]; ok {
		return t
	}
	schema, newBase, err := b.resolver.Resolve(base, ref)
	if err != nil {
		return AnyType
	}
	t := &Type{}
	b.refs[key] = t
	b.open[t] = nil
	b.fill(t, b.convert(schema, newBase))
	return t
}

// plain converts what the schema says by itself, without its references and arms.
func (b *schemaTypes) plain(s *value.Object, base string) *Type {
	t := &Type{}
	names, nullable := typeNames(s)
	switch {
	case len(names) == 1:
		t.Kind, t.Format = kindOfWord(names[0])
	case len(names) == 2 && slices.Contains(names, "integer") && slices.Contains(names, "number"):
		t.Kind = Decimal
	case len(names) > 1:
		return AnyType
	case nullable:
		return NullType
	case hasAny(s, "properties", "additionalProperties"):
		t.Kind = Object
	case hasAny(s, "items"):
		t.Kind = List
	}
	if enum, ok := s.At("enum").(value.List); ok {
		nullable = t.setEnum(enum) || nullable
	} else if c, ok := s.Get("const"); ok {
		nullable = t.setEnum(value.List{c}) || nullable
	}
	switch t.Kind {
	case Unknown:
		return AnyType
	case Null:
		return NullType
	case Text:
		t.setFormat(s)
	case List:
		t.Elem = AnyType
		if items, ok := s.Get("items"); ok {
			t.Elem = b.convert(items, base)
		}
	case Object:
		b.members(t, s, base)
	}
	if nullable {
		t.Nullable, t.Why = true, "its schema allows null"
	}
	return t
}

func hasAny(s *value.Object, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { _, ok := s.Get(w); return ok })
}

// typeNames returns the words of "type" less null, and whether null was among them.
func typeNames(s *value.Object) (names []string, nullable bool) {
	list, ok := s.At("type").(value.List)
	if !ok {
		list = value.List{s.At("type")}
	}
	for _, v := range list {
		switch name, ok := v.(string); {
		case !ok:
		case name == "null":
			nullable = true
		default:
			names = append(names, name)
		}
	}
	return names, nullable
}

func kindOfWord(word string) (kind Kind, format string) {
	switch word {
	case "boolean":
		return Boolean, ""
	case "integer":
		return Integer, ""
	case "number", "decimal":
		return Decimal, ""
	case "string":
		return Text, ""
	case "date", "datetime":
		return Text, word
	case "array":
		return List, ""
	case "object":
		return Object, ""
	}
	return Unknown, ""
}

// narrowPattern fits the patterns of whole texts of letters, digits and the signs of numbers and codes.
var narrowPattern = regexp.MustCompile(`^\^(?:[\w -]|\\d|\\w|\[(?:[\w .:/+-]|\\d|\\w|\\\.)+\]|\\\.|[{(][?:\w,|]*[)}]|[|?+*])+\$$`)

// setFormat takes the schema's format, except where its type said date or datetime.
func (t *Type) setFormat(s *value.Object) {
	pattern, _ := s.At("pattern").(string)
	t.Narrow = narrowPattern.MatchString(pattern)
	format, ok := s.At("format").(string)
	switch {
	case !ok || t.Format != "":
	case format == "date-time":
		t.Format = "datetime"
	default:
		t.Format = format
	}
}

// setEnum sets the possible values less null, and the kind when all of them
// agree on one. It reports whether null was among them.
func (t *Type) setEnum(enum value.List) (nullable bool) {
	var of *Type
	for _, v := range enum {
		switch k := KindOf(v); {
		case k == Null:
			nullable = true
			continue
		case of == nil:
			of = &Type{Kind: k}
		default:
			of = Join(of, &Type{Kind: k})
		}
		t.Enum = append(t.Enum, v)
	}
	switch {
	case t.Kind != Unknown:
	case of != nil && of.Kind != List && of.Kind != Object:
		t.Kind = of.Kind
	case of == nil && nullable:
		t.Kind = Null
	}
	return nullable
}

func (b *schemaTypes) members(t *Type, s *value.Object, base string) {
	required := requiredOf(s, nil)
	props, _ := s.At("properties").(*value.Object)
	for name, p := range props.All() {
		f := Field{Name: name, Type: b.convert(p, base)}
		f.Default, f.HasDefault = defaultOf(p)
		f.Optional = isOptional(p) || !f.HasDefault && !slices.Contains(required, name)
		t.Fields = append(t.Fields, f)
	}
	switch extra := s.At("additionalProperties").(type) {
	case *value.Object:
		t.Extra = b.convert(extra, base)
	case bool:
		if extra {
			t.Extra = AnyType
		}
	default:
		if len(t.Fields) == 0 {
			t.Extra = AnyType
		}
	}
}

func defaultOf(schema value.Value) (v value.Value, ok bool) {
	s, ok := schema.(*value.Object)
	if !ok {
		return nil, false
	}
	return s.Get("default")
}

func isOptional(schema value.Value) bool {
	s, ok := schema.(*value.Object)
	return ok && s.At("optional") == true
}

func (b *schemaTypes) isOpen(t *Type) bool { _, open := b.open[t]; return open }
