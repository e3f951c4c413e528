package schema

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// TestBothValidatorsAgree holds random values against random schemas, by our
// own validator and by jsonschema: same verdict, same words.
func TestBothValidatorsAgree(t *testing.T) {
	t.Parallel()
	d := dice{rand.New(rand.NewPCG(1, 2))}
	fits, fails := 0, 0
	for range 250 {
		lib := new(Library)
		schemas := value.ObjectOf("A", d.schema(2), "B", d.schema(2))
		lib.Add("x.yaml", value.ObjectOf("schemas", schemas))
		schema := d.schema(3)
		own, err := lib.Compile(schema, "x.yaml")
		if err != nil {
			continue // references in a circle
		}
		other, err := bundle(lib, schema, "x.yaml")
		if err != nil {
			t.Fatalf("%s\n%v", value.AppendJSON(nil, schema), err)
		}
		for range 10 {
			v := d.value(3)
			got, want := sorted(own.Validate(v)), sorted((&Schema{root: own.root, foreign: other}).Validate(v))
			if got != want {
				t.Fatalf("schema %s\nschemas %s\nvalue %s\nown\n%s\njsonschema\n%s", value.AppendJSON(nil, schema),
					value.AppendJSON(nil, schemas), value.AppendJSON(nil, v), got, want)
			}
			if got == "" {
				fits++
			} else {
				fails++
			}
		}
	}
	if fits < 500 || fails < 500 {
		t.Errorf("%d values fitted and %d did not: the test shows little", fits, fails)
	}
}

// sorted is told without regard to the order of faults of the same value.
func sorted(vs []Violation) string {
	slices.SortFunc(vs, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return told(vs)
}

// FuzzValidators looks for schemas and values that break a validator, or
// that the two judge differently.
func FuzzValidators(f *testing.F) {
	f.Add(`{"type": ["integer", "null"], "minimum": 1}`, `15.0`)
	f.Add(`{"properties": {"a": {"$ref": "#"}}, "required": ["a"], "additionalProperties": false}`, `{"a": {"b": 1}}`)
	f.Add(`{"anyOf": [{"type": "date"}, {"items": {"enum": [1, 2.50]}, "uniqueItems": true}]}`, `[1, 2.5]`)
	f.Add(`{"patternProperties": {"^x": {"multipleOf": 0.01}}, "propertyNames": {"maxLength": 2}}`, `{"xy": 1e-3}`)
	f.Fuzz(func(t *testing.T, schema, text string) {
		s, err := value.Decode([]byte(schema))
		if err != nil {
			return
		}
		v, err := value.Decode([]byte(text))
		if err != nil {
			return
		}
		lib := new(Library)
		if doc, ok := s.(*value.Object); ok {
			lib.Add("x.yaml", doc)
		}
		own, err := lib.Compile(s, "x.yaml")
		if err != nil || own.foreign != nil {
			return
		}
		other, err := bundle(lib, s, "x.yaml")
		if err != nil {
			return
		}
		got := own.Validate(v)
		want := (&Schema{root: own.root, foreign: other}).Validate(v)
		if (got == nil) != (want == nil) {
			t.Errorf("own %q, jsonschema %q", told(got), told(want))
		}
	})
}

// dice makes schemas and values that have a fair chance to fit each other.
type dice struct{ *rand.Rand }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

func (d dice) value(depth int) value.Value {
	switch n := d.IntN(10); {
	case n < 2 && depth > 0:
		l := make(value.List, d.IntN(4))
		for i := range l {
			l[i] = d.value(depth - 1)
		}
		return l
	case n < 6 && depth > 0:
		o := value.NewObject(4)
		for range d.IntN(4) {
			o.Set(pick(d, "a", "b", "c", "d e"), d.value(depth-1))
		}
		return o
	}
	return pick[value.Value](d, nil, true, false, "", "a", "ab", "üü", "2026-11-22", "2026-11-22T01:02:03Z", "x@y.z",
		int64(0), int64(1), int64(-3), value.Decimal("1.0"), value.Decimal("1.50"), value.Decimal("9007199254740993123"))
}

func (d dice) schema(depth int) value.Value {
	if d.IntN(15) == 0 {
		return d.IntN(3) > 0
	}
	o := value.NewObject(4)
	for range 1 + d.IntN(3) {
		d.keyword(o, depth)
	}
	return o
}

func (d dice) keyword(o *value.Object, depth int) {
	below := func() value.Value { return d.schema(depth - 1) }
	size := func() value.Value { return int64(d.IntN(3)) }
	number := func() value.Value { return pick[value.Value](d, int64(0), int64(1), value.Decimal("1.5")) }
	member := func() string { return pick(d, "a", "b", "c") }
	n := d.IntN(30)
	if depth == 0 {
		n = d.IntN(16)
	}
	switch n {
	case 0, 1, 2:
		o.Set("type", pick[value.Value](d, "string", "integer", "number", "decimal", "boolean", "array", "object", "null", "date", "datetime",
			value.List{"string", "null"}, value.List{"date", "datetime", "integer"}, value.List{"decimal", "number", "array"}, value.List{"date", "string"}))
	case 3:
		o.Set("enum", value.List{d.value(1), d.value(1), d.value(0)})
	case 4:
		o.Set("const", d.value(1))
	case 5:
		o.Set(pick(d, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), number())
	case 6:
		o.Set("multipleOf", pick[value.Value](d, int64(2), value.Decimal("0.5"), value.Decimal("0.01")))
	case 7:
		o.Set(pick(d, "minLength", "maxLength"), size())
	case 8:
		o.Set("pattern", pick(d, "^a", "b$", "^[a-z]*$", "(?=x)y"))
	case 9:
		o.Set("format", pick(d, "date", "date-time", "email", "uri", "nonsense"))
	case 10:
		o.Set(pick(d, "minItems", "maxItems"), size())
	case 11:
		o.Set(pick(d, "minProperties", "maxProperties"), size())
	case 12:
		o.Set("required", value.List{member()})
	case 13:
		o.Set("uniqueItems", true)
	case 14:
		o.Set(pick(d, "nullable", "secret"), true)
	case 15:
		o.Set("dependentRequired", value.ObjectOf(member(), value.List{member()}))
	case 16, 17, 18, 19:
		props := value.NewObject(3)
		for range 1 + d.IntN(3) {
			props.Set(member(), below())
		}
		o.Set("properties", props)
	case 20, 21:
		o.Set("additionalProperties", pick[value.Value](d, false, true, below()))
	case 22:
		o.Set("patternProperties", value.ObjectOf(pick(d, "^[ab]$", "c", "(?!x)"), below()))
	case 23, 24:
		o.Set("items", below())
	case 25:
		o.Set("prefixItems", value.List{below(), below()})
	case 26:
		o.Set(pick(d, "allOf", "anyOf", "oneOf"), value.List{below(), below()})
	case 27:
		o.Set("not", below())
	case 28:
		o.Set("$ref", fmt.Sprintf("#/schemas/%s", pick(d, "A", "B")))
	case 29:
		o.Set("propertyNames", d.schema(0))
	}
}
