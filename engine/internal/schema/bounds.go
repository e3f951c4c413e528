package schema

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// ranges are the pairs of keywords of which the first must not be above the second.
var ranges = [][2]string{
	{"minLength", "maxLength"}, {"minItems", "maxItems"}, {"minProperties", "maxProperties"},
	{"minimum", "maximum"}, {"exclusiveMinimum", "maximum"}, {"minimum", "exclusiveMaximum"},
	{"exclusiveMinimum", "exclusiveMaximum"},
}

// bounds reports limits between which there is nothing.
func bounds(o *value.Object, at string, found *[]*CompileError) {
	for _, r := range ranges {
		low, high := o.At(r[0]), o.At(r[1])
		if !value.IsNumber(low) || !value.IsNumber(high) {
			continue
		}
		d, err := value.Compare(low, high)
		open := r[0] == "exclusiveMinimum" || r[1] == "exclusiveMaximum"
		if err == nil && (d > 0 || open && d == 0) {
			*found = append(*found, &CompileError{Pointer: at + "/" + r[0], Message: fmt.Sprintf("nothing fits: %s is not below %s", r[0], r[1])})
		}
	}
}

// kindsOf tells of which kinds of value a type of JSON Schema is.
var kindsOf = map[string]func(value.Value) bool{
	"string":  isText,
	"text":    isText,
	"boolean": func(v value.Value) bool { _, ok := v.(bool); return ok },
	"integer": func(v value.Value) bool { _, ok := value.IsInteger(v); return ok },
	"number":  value.IsNumber,
	"decimal": value.IsNumber,
	"null":    func(v value.Value) bool { return v == nil },
	"array":   func(v value.Value) bool { _, ok := v.(value.List); return ok },
	"list":    func(v value.Value) bool { _, ok := v.(value.List); return ok },
	"object":  func(v value.Value) bool { _, ok := v.(*value.Object); return ok },
}

func isText(v value.Value) bool { _, ok := v.(string); return ok }

// constants reports values of enum and const that are of no declared type.
func constants(o *value.Object, types []string, at string, found *[]*CompileError) {
	if len(types) == 0 {
		return
	}
	nullable := o.At("nullable") == true
	check := func(v value.Value, at string) {
		if v == nil && nullable || slices.ContainsFunc(types, func(t string) bool { is, known := kindsOf[t]; return !known || is(v) }) {
			return
		}
		*found = append(*found, &CompileError{Pointer: at, Message: fmt.Sprintf("%s is of another type than the one declared (%s)", value.AppendJSON(nil, v), types[0])})
	}
	if list, ok := o.At("enum").(value.List); ok {
		for i, v := range list {
			check(v, at+"/enum/"+strconv.Itoa(i))
		}
	}
	if v, ok := o.Get("const"); ok {
		check(v, at+"/const")
	}
}

// knownFormats are those of JSON Schema.
var knownFormats = []string{
	"date", "time", "date-time", "datetime", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6",
	"uri", "uri-reference", "uri-template", "iri", "iri-reference", "uuid", "json-pointer", "relative-json-pointer", "regex",
}

// misspeltFormat reports a format that is nearly one of the known ones; others are remarks.
func misspeltFormat(arg value.Value, at string, found *[]*CompileError) {
	name, ok := arg.(string)
	if !ok || slices.Contains(knownFormats, name) {
		return
	}
	if near := didYouMean(name, knownFormats); near != "" {
		*found = append(*found, &CompileError{Pointer: at, Message: name + " is no known format; " + near})
	}
}

// neverThere reports names that are required of a closed object which does not have them, and
// names that are required twice.
func neverThere(o *value.Object, required value.Value, at string, found *[]*CompileError) {
	properties, _ := o.At("properties").(*value.Object)
	patterns := o.At("patternProperties") != nil
	list, _ := required.(value.List)
	seen := make(map[string]bool, len(list))
	for i, one := range list {
		name, ok := one.(string)
		if !ok {
			continue
		}
		here := at + "/" + strconv.Itoa(i)
		if seen[name] {
			*found = append(*found, &CompileError{Pointer: here, Message: name + " is required twice"})
			continue
		}
		seen[name] = true
		_, declared := properties.Get(name)
		if !declared && !patterns && o.At("additionalProperties") == false && nearName(name, properties) == "" {
			*found = append(*found, &CompileError{Pointer: here, Message: "nothing fits: " + name + " is required, and additionalProperties: false does not let it in"})
		}
	}
}
