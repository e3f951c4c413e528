package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// yamlValue reads a value that is written as YAML.
func yamlValue(t testing.TB, text string) value.Value {
	t.Helper()
	n, faults := source.Read("value.yaml", []byte(text))
	if faults.HasErrors() {
		t.Fatalf("%s\ncannot be read: %v", text, faults)
	}
	return n.Literal()
}

func jsonValue(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s\ncannot be read: %v", text, err)
	}
	return v
}

func compiled(t testing.TB, schema string) *Schema {
	t.Helper()
	s, err := new(Library).Compile(yamlValue(t, schema), "test.yaml")
	if err != nil {
		t.Fatalf("%s\n%v", schema, err)
	}
	return s
}

// told joins violations, one a line: path: message.
func told(vs []Violation) string {
	lines := make([]string, len(vs))
	for i, v := range vs {
		lines[i] = v.Path + ": " + v.Message
	}
	return strings.Join(lines, "\n")
}

// beyond makes a schema one that jsonschema has to check.
const beyond = ", if: {type: object}, then: {}"

func TestValidateTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100)
	for _, test := range []struct{ name, schema, value, want string }{
		{"integer", `{type: integer}`, `"x"`, `: expected integer, found text "x"`},
		{"whole decimal", `{type: integer}`, `15.0`, ``},
		{"fraction", `{type: integer}`, `15.5`, `: expected integer, found number 15.5`},
		{"big integer", `{type: integer}`, `123456789012345678901234567890`, ``},
		{"several types", `{type: [string, boolean, "null"]}`, `[]`, `: expected text, boolean or null, found list`},
		{"decimal", `{type: decimal}`, `"2"`, `: expected decimal, found text "2"`},
		{"date", `{type: date}`, `"31.12.2026"`, `: expected date (yyyy-MM-dd), found text "31.12.2026"`},
		{"impossible date", `{type: date}`, `"2026-02-29"`, `: expected date (yyyy-MM-dd), found text "2026-02-29"`},
		{"datetime", `{type: datetime}`, `"2026-01-02T03:04:05Z"`, ``},
		{"not nullable", `{type: string}`, `null`, `: expected text, found null`},
		{"nullable", `{type: string, nullable: true, minLength: 1}`, `null`, ``},
		{"enum", `{enum: [read, 5, null]}`, `"write"`, `: expected "read", 5 or null, found "write"`},
		{"enum by value", `{enum: [1.0]}`, `1`, ``},
		{"const of an object", `{const: {a: 1}}`, `{"a": 2}`, `: expected {"a":1}, found object`},
		{"const", `{const: 5}`, `6`, `: expected 5, found 6`},
		{"minimum", `{minimum: 1}`, `0`, `: expected at least 1, found 0`},
		{"exact minimum", `{minimum: 9007199254740993}`, `9007199254740992`, `: expected at least 9007199254740993, found 9007199254740992`},
		{"exclusive maximum", `{exclusiveMaximum: 2.5}`, `2.50`, `: expected less than 2.5, found 2.50`},
		{"multiple", `{multipleOf: 0.01}`, `203.775`, `: expected a multiple of 0.01, found 203.775`},
		{"exact multiple", `{multipleOf: 0.01}`, `203.7700`, ``},
		{"empty text", `{minLength: 1}`, `""`, `: must not be empty`},
		{"short text", `{minLength: 2}`, `"ü"`, `: expected at least 2 characters, found 1`},
		{"long text", `{maxLength: 2}`, `"üüü"`, `: expected at most 2 characters, found 3`},
		{"pattern", `{pattern: "^a+$"}`, `"b"`, `: "b" does not match the pattern ^a+$`},
		{"format", `{format: email}`, `"x"`, `: expected an e-mail address, found "x"`},
		{"unknown format", `{format: int32}`, `"x"`, ``},
		{"long values are cut", `{type: integer}`, `"` + long + `"`, `: expected integer, found text "` + long[:shown] + `…"`},
		{"missing", `{required: [AccountId, Name]}`, `{"x": 1}`, ": missing member \"AccountId\"\n: missing member \"Name\""},
		{"unknown", `{properties: {vat_id: {}}, additionalProperties: false}`, `{"vat": 1, "vat_idd": 2}`, "vat: unknown member \"vat\"\nvat_idd: unknown member \"vat_idd\"; did you mean vat_id?"},
		{"deep, in document order", `{properties: {a: {type: integer}, b: {items: {properties: {c: {type: string}}}}}}`,
			`{"b": [{}, {"c": 1}], "a": null}`, "b[1].c: expected text, found integer 1\na: expected integer, found null"},
		{"odd names", `{additionalProperties: {type: string}}`, `{"a b/~": 1}`, `["a b/~"]: expected text, found integer 1`},
		{"items", `{prefixItems: [{type: integer}], items: {type: string}}`, `["a", 1, "b"]`, "[0]: expected integer, found text \"a\"\n[1]: expected text, found integer 1"},
		{"unique", `{uniqueItems: true}`, `[1, 2, 1.0]`, `: items [0] and [2] are the same`},
		{"few items", `{minItems: 2}`, `[1]`, `: expected at least 2 items, found 1`},
		{"many members", `{maxProperties: 1}`, `{"a": 1, "b": 2}`, `: expected at most 1 member, found 2`},
		{"names", `{propertyNames: {maxLength: 1}}`, `{"ab": 1}`, `ab: the name of member "ab" is not allowed: expected at most 1 character, found 2`},
		{"dependent", `{dependentRequired: {a: [b]}}`, `{"a": 1}`, `: missing member "b", which "a" needs beside it`},
		{"not", `{type: string, not: {enum: [EMPTY]}}`, `"EMPTY"`, `: "EMPTY" is not allowed`},
		{"anyOf by type", `{anyOf: [{type: string}, {type: integer}]}`, `[]`, `: expected text or integer, found list`},
		{"anyOf by fault", `{anyOf: [{type: string}, {type: object, required: [a]}]}`, `{}`, `: missing member "a"`},
		{"oneOf, two fit", `{oneOf: [{type: string}, {minLength: 1}]}`, `"a"`, `: fits none, or more than one, of the forms of which it must have exactly one`},
		{"oneOf keys", `{oneOf: [{required: [a]}, {required: [b]}]}`, `{"a": 1, "b": 1}`, `: "a" and "b" exclude each other: exactly one of a or b is needed`},
		{"allOf", `{allOf: [{minLength: 3}, {pattern: x}]}`, `"a"`, ": expected at least 3 characters, found 1\n: \"a\" does not match the pattern x"},
		{"false", `{properties: {a: false}}`, `{"a": 1}`, `a: no value is allowed here`},
		{"secret", `{properties: {p: {type: integer, secret: true}}}`, `{"p": "hunter2"}`, `p: expected integer, found text`},
		{"secret below", `{properties: {p: {secret: true, items: {enum: [a]}}}}`, `{"p": ["hunter2"]}`, `p[0]: expected "a"`},
		{"secret by another schema", `{allOf: [{properties: {p: {secret: true}}}, {properties: {p: {pattern: ^x}}}]}`, `{"p": "hunter2"}`, `p: the text does not match the pattern ^x`},
		{"look-around is not checked", `{pattern: "^(?=.*\\d).+$"}`, `"none"`, ``},
		{"old tuples", `{items: [{type: integer}]}`, `["a"]`, `[0]: expected integer, found text "a"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := jsonValue(t, test.value)
			s := compiled(t, test.schema)
			if s.foreign != nil {
				t.Fatal("jsonschema checks what we can check ourselves")
			}
			if got := told(s.Validate(v)); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			s = compiled(t, strings.TrimSuffix(test.schema, "}")+beyond+"}")
			if s.foreign == nil {
				t.Fatal("jsonschema is not asked")
			}
			if got := told(s.Validate(v)); got != test.want {
				t.Errorf("by jsonschema: got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestValidateGoesBeyondOurOwnKeywords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, schema, value, want string }{
		{"then", `{if: {required: [a]}, then: {required: [b]}}`, `{"a": 1}`, `: missing member "b"`},
		{"contains", `{contains: {type: string}}`, `[1]`, `: has too few items that fit what it must contain`},
		{"unevaluated", `{allOf: [{properties: {a: {}}}], unevaluatedProperties: false}`, `{"b": 1}`, `b: unknown member "b"`},
		{"dependent schema", `{dependentSchemas: {a: {properties: {b: {type: integer}}}}}`, `{"a": 1, "b": "x"}`, `b: expected integer, found text "x"`},
		{"our words", `{if: {type: date}, then: {const: "2026-01-01"}}`, `"2026-01-02"`, `: expected "2026-01-01", found "2026-01-02"`},
		{"secrets", `{properties: {p: {secret: true}}, if: {}, then: {properties: {p: {type: integer}}}}`, `{"p": "hunter2"}`, `p: expected integer, found text`},
		{"secrets at unknown places", `{if: {required: [a]}, then: {properties: {a: {secret: true}}}, properties: {a: {const: 5}}}`, `{"a": "hunter2"}`, `a: expected 5`},
		{"huge exponent", `{if: {}, then: {minimum: 5}}`, ``, `: a number in it has too large an exponent`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var v value.Value = value.Decimal("1e10000000")
			if test.value != "" {
				v = jsonValue(t, test.value)
			}
			if got := told(compiled(t, test.schema).Validate(v)); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestViolationsHavePointers(t *testing.T) {
	t.Parallel()
	s := compiled(t, `{additionalProperties: {items: {type: string}}}`)
	got := s.Validate(jsonValue(t, `{"a/b~c": ["x", 5]}`))
	want := Violation{Path: `["a/b~c"][1]`, Pointer: "/a~1b~0c/1", Message: "expected text, found integer 5"}
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestNilSchemaAcceptsEverything(t *testing.T) {
	t.Parallel()
	if vs := (*Schema)(nil).Validate("x"); vs != nil {
		t.Errorf("got %v", vs)
	}
}

func TestValidateNeverPanics(t *testing.T) {
	t.Parallel()
	got := compiled(t, `{enum: [1]}`).Validate(value.List{struct{}{}})
	if got == nil {
		t.Error("what is no value was accepted")
	}
	type foreignType struct{}
	if got := compiled(t, `{uniqueItems: true}`).Validate(value.List{foreignType{}, foreignType{}}); len(got) != 1 ||
		!strings.HasPrefix(got[0].Message, "cannot be checked against its schema: ") {
		t.Errorf("got %v", got)
	}
}

func TestCompileTellsWhatASchemaDoesWrong(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ schema, want string }{
		{`{type: strng}`, `type: there is no type "strng" (there are string, integer, number, decimal, boolean, date, datetime, array, object, null); did you mean string?`},
		{`{properties: {a: {items: {minLength: -1}}}}`, `properties.a.items.minLength: expected a whole number, 0 or more`},
		{`{properties: {a: text}}`, `properties.a: a schema is a mapping, found text "text"`},
		{`{pattern: "(a"}`, `pattern: "(a" is not a regular expression: missing closing ) in "(a"`},
		{`{required: a}`, `required: expected a list of names`},
		{`{multipleOf: 0}`, `multipleOf: expected a number above 0`},
		{`{$ref: "#/schemas/X"}`, `$ref: there is no file "test.yaml" to refer to`},
		{`{$ref: "https://example.com/x.json"}`, `$ref: "https://example.com/x.json" leads out of the project: put the schema into one of its files`},
		{`{$dynamicRef: "#x"}`, `$dynamicRef: $dynamicRef is not supported: use $ref`},
		{`{if: {type: strng}}`, `the schema is not valid at if.type: `},
	} {
		_, err := new(Library).Compile(yamlValue(t, test.schema), "test.yaml")
		if err == nil || err.Error() != test.want && !(strings.HasSuffix(test.want, ": ") && strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%s\ngot  %v\nwant %s", test.schema, err, test.want)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	schema, text := account(44)
	v := jsonValue(b, text)
	for _, route := range []struct{ name, schema string }{
		{"own", schema},
		{"jsonschema", strings.TrimSuffix(schema, "}") + beyond + "}"},
	} {
		s := compiled(b, route.schema)
		b.Run(route.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if vs := s.Validate(v); vs != nil {
					b.Fatal(told(vs))
				}
			}
		})
	}
}

func TestValidateAllocatesNothingOnSuccess(t *testing.T) {
	schema, text := account(44)
	// Regular expressions keep their memory in a pool, which the race detector empties.
	schema = strings.ReplaceAll(schema, `, pattern: "^[A-Z]+$"`, "")
	s, v := compiled(t, schema), jsonValue(t, text)
	if n := testing.AllocsPerRun(100, func() { s.Validate(v) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// account returns a schema for an object of n members of all kinds, and a text that fits it.
func account(n int) (schema, text string) {
	var props, members []string
	for i := range n {
		name := "Member" + strings.Repeat("I", i)
		kind := [][2]string{
			{`{type: integer, minimum: 1}`, `4711`},
			{`{type: [string, "null"], maxLength: 80}`, `"Straße des Fortschritts"`},
			{`{type: decimal, minimum: 0}`, `203.7700`},
			{`{type: date}`, `"2026-11-22"`},
			{`{type: string, enum: [Active, Closed]}`, `"Closed"`},
			{`{type: array, items: {type: object, required: [Code], properties: {Code: {type: string, pattern: "^[A-Z]+$"}}}}`, `[{"Code": "ABC"}, {"Code": "X"}]`},
		}[i%6]
		props = append(props, name+": "+kind[0])
		members = append(members, `"`+name+`": `+kind[1])
	}
	return `{type: object, required: [Member, MemberI], additionalProperties: false, properties: {` + strings.Join(props, ", ") + `}}`,
		"{" + strings.Join(members, ", ") + "}"
}

func TestMissingMembers(t *testing.T) {
	t.Parallel()
	var lib Library
	schema, err := value.Decode([]byte(`{"type":"array","items":{"type":"object","required":["sku","qty"],"properties":{"sku":{"type":"string"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := lib.Compile(schema, "")
	if err != nil {
		t.Fatal(err)
	}
	for row, want := range map[string]string{`{}`: "[sku qty]", `{"qty":null}`: "[sku]", `{"sku":"","qty":1}`: "[]", `{"sku":7,"qty":1}`: "[]"} {
		v, err := value.Decode([]byte(row))
		if got := fmt.Sprint(s.Missing(value.List{v, v})); err != nil || got != want {
			t.Errorf("%s: got %s, want %s, %v", row, got, want, err)
		}
	}
}
