package schema

import (
	"strconv"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// A plainer rewrites a schema, and all that it refers to, into one document of
// plain JSON Schema: our own words translated or left out, references led to
// the document's own definitions.
type plainer struct {
	lib     *Library
	names   map[target]string
	defs    *value.Object
	pending []target
	origins map[*value.Object]origin

	// beyond is above 0 inside of keywords that our own nodes pass over, so that
	// they cannot tell where secret values are.
	beyond       int
	secret       bool // something is secret
	secretBeyond bool // something in there is
	refBeyond    bool // something in there leads elsewhere
}

// An origin is what a plain schema was made from: keywords that stand in
// document base. All of them together explain a fault where whole is set, else
// each explains the fault of the same keyword.
type origin struct {
	schema *value.Object
	base   string
	whole  bool
}

// hides reports whether there may be secret values at unknown places.
func (b *plainer) hides() bool { return b.secretBeyond || b.refBeyond && b.secret }

// document returns the schema with its definitions. It must have been compiled
// without fault before.
func (b *plainer) document(s value.Value, base string) (*value.Object, error) {
	root := b.schema(s, base)
	for len(b.pending) > 0 {
		t := b.pending[0]
		b.pending = b.pending[1:]
		s, err := b.lib.find(t)
		if err != nil {
			return nil, err
		}
		b.defs.Set(b.names[t], b.schema(s, t.base))
	}
	return value.ObjectOf("allOf", value.List{root}, "$defs", b.defs), nil
}

func (b *plainer) schema(s value.Value, base string) value.Value {
	o, ok := s.(*value.Object)
	if !ok {
		return s
	}
	out := value.NewObject(o.Len())
	for word, arg := range o.All() {
		if word == "additionalProperties" && hasUnchecked(o) {
			continue
		}
		if plain, keep := b.keyword(word, arg, base); keep {
			if _, tuple := arg.(value.List); tuple && word == "items" {
				word = "prefixItems"
			}
			out.Set(word, plain)
		}
	}
	if o.At("secret") == true {
		b.secret = true
		b.secretBeyond = b.secretBeyond || b.beyond > 0
	}
	if words, ok := o.Get("type"); ok {
		b.types(out, words, base)
	}
	b.origins[out] = origin{schema: o, base: base}
	if o.At("nullable") == true {
		out = value.ObjectOf("anyOf", value.List{value.ObjectOf("type", "null"), out})
		b.origins[out] = origin{schema: o, base: base, whole: true}
	}
	return out
}

// keyword returns the plain form of a keyword's argument; keep is false for
// remarks and words of ours.
func (b *plainer) keyword(word string, arg value.Value, base string) (plain value.Value, keep bool) {
	if isForeign(word) {
		b.beyond++
		defer func() { b.beyond-- }()
	}
	switch word {
	case "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
		"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
		"uniqueItems", "required", "dependentRequired", "minContains", "maxContains", "format":
		return arg, true
	case "pattern":
		re, _ := compilePattern(arg.(string))
		return arg, re != nil
	case "$ref":
		t, _ := locate(base, arg.(string))
		b.refBeyond = b.refBeyond || b.beyond > 0
		return "#/$defs/" + b.definition(t), true
	case "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
		"unevaluatedProperties", "unevaluatedItems":
		return b.schema(arg, base), true
	case "allOf", "anyOf", "oneOf", "prefixItems", "items":
		l, ok := arg.(value.List)
		if !ok {
			return b.schema(arg, base), true
		}
		out := make(value.List, len(l))
		for i, s := range l {
			out[i] = b.schema(s, base)
		}
		return out, true
	case "properties", "patternProperties", "dependentSchemas":
		o, ok := arg.(*value.Object)
		if !ok {
			return arg, true // jsonschema says what is wrong with it
		}
		out := value.NewObject(o.Len())
		for name, s := range o.All() {
			if re, _ := compilePattern(name); word == "patternProperties" && re == nil {
				continue
			}
			out.Set(name, b.schema(s, base))
		}
		return out, true
	}
	return nil, false
}

func (b *plainer) definition(t target) string {
	name, ok := b.names[t]
	if !ok {
		name = "s" + strconv.Itoa(len(b.names))
		b.names[t] = name
		b.pending = append(b.pending, t)
	}
	return name
}

// types translates the words of "type" into out: decimal is number, date and
// datetime are texts of that format.
func (b *plainer) types(out *value.Object, arg value.Value, base string) {
	words, isList := arg.(value.List)
	if !isList {
		words = value.List{arg}
	}
	var plain, forms value.List
	anyText := false
	for _, w := range words {
		switch w {
		case "decimal":
			plain = append(plain, "number")
		case "date", "datetime":
			name := map[value.Value]string{"date": "date", "datetime": "date-time"}[w]
			forms = append(forms, value.ObjectOf("type", "string", "format", name))
		default:
			anyText = anyText || w == "string"
			plain = append(plain, w)
		}
	}
	if len(forms) == 0 || anyText {
		out.Set("type", distinct(plain))
		return
	}
	if len(plain) > 0 {
		forms = append(forms, value.ObjectOf("type", distinct(plain)))
	}
	more, _ := out.At("allOf").(value.List)
	holder := value.ObjectOf("anyOf", forms)
	b.origins[holder] = origin{schema: value.ObjectOf("type", words), base: base, whole: true}
	out.Set("allOf", append(more[:len(more):len(more)], holder))
}

func distinct(words value.List) value.List {
	out := make(value.List, 0, len(words))
	seen := make(map[value.Value]bool, len(words))
	for _, w := range words {
		if !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	return out
}
