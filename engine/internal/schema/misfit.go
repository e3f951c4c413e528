package schema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// fits says which types a keyword says something about.
var fits = map[string][]string{
	"minLength": textTypes, "maxLength": textTypes, "pattern": textTypes,
	"minimum": numberTypes, "maximum": numberTypes, "exclusiveMinimum": numberTypes,
	"exclusiveMaximum": numberTypes, "multipleOf": numberTypes,
	"items": listTypes, "prefixItems": listTypes, "minItems": listTypes, "maxItems": listTypes, "uniqueItems": listTypes,
	"properties": objectTypes, "required": objectTypes, "additionalProperties": objectTypes,
	"minProperties": objectTypes, "maxProperties": objectTypes, "propertyNames": objectTypes,
}

var (
	textTypes   = []string{"string", "text", "date", "datetime"}
	numberTypes = []string{"integer", "number", "decimal"}
	listTypes   = []string{"array", "list"}
	objectTypes = []string{"object"}
)

// Misfits returns the keywords of a schema, and of those inside it, that say
// nothing about the declared type, and misspelt names of required members: they are allowed by the letter of JSON
// Schema, and mistakes all the same. What is referred to is not looked at.
func Misfits(s value.Value) []*CompileError {
	var found []*CompileError
	misfits(s, "", &found)
	return found
}

func misfits(s value.Value, at string, found *[]*CompileError) {
	o, ok := s.(*value.Object)
	if !ok {
		return
	}
	types := typesOf(o)
	bounds(o, at, found)
	constants(o, types, at, found)
	for word, arg := range o.All() {
		here := at + "/" + escapePointer(word)
		if wanted, ok := fits[word]; ok && len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return slices.Contains(wanted, t) }) {
			*found = append(*found, &CompileError{Pointer: here,
				Message: word + " says something about " + wanted[0] + ", and the type is " + strings.Join(types, " or ")})
		}
		switch word {
		case "required":
			misspelt(o, arg, here, found)
			neverThere(o, arg, here, found)
		case "format":
			misspeltFormat(arg, here, found)
		case "items", "additionalProperties", "not", "propertyNames", "contains":
			misfits(arg, here, found)
		case "properties", "patternProperties":
			eachMember(arg, here, found)
		case "allOf", "anyOf", "oneOf", "prefixItems":
			list, _ := arg.(value.List)
			for i, part := range list {
				misfits(part, here+"/"+strconv.Itoa(i), found)
			}
		}
	}
}

// misspelt reports names that required has, and properties only in another spelling.
func misspelt(o *value.Object, required value.Value, at string, found *[]*CompileError) {
	properties, _ := o.At("properties").(*value.Object)
	if properties == nil {
		return
	}
	list, _ := required.(value.List)
	for i, one := range list {
		name, ok := one.(string)
		if _, declared := properties.Get(name); !ok || declared {
			continue
		}
		if near := nearName(name, properties); near != "" {
			*found = append(*found, &CompileError{Pointer: at + "/" + strconv.Itoa(i), Message: name + " is required, and properties does not have it; " + near})
		}
	}
}

// mostNames bounds the names that a misspelt one is held against.
const mostNames = 500

// nearName is a hint at the property that name may be meant to be.
func nearName(name string, properties *value.Object) string {
	if properties.Len() > mostNames {
		return ""
	}
	return didYouMean(name, properties.Keys())
}

func eachMember(v value.Value, at string, found *[]*CompileError) {
	members, _ := v.(*value.Object)
	for name, part := range members.All() {
		misfits(part, at+"/"+escapePointer(name), found)
	}
}

// typesOf returns the declared types; none where nothing is declared.
func typesOf(o *value.Object) []string {
	switch t := o.At("type").(type) {
	case string:
		return []string{t}
	case value.List:
		var types []string
		for _, one := range t {
			if name, ok := one.(string); ok {
				types = append(types, name)
			}
		}
		return types
	}
	return nil
}
