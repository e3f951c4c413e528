package schema

import (
	"testing"

	"github.com/seed627bd532/runner/engine/internal/value"
)

func testLibrary(t *testing.T) *Library {
	t.Helper()
	lib := new(Library)
	lib.Add("specs/acme.yaml", yamlValue(t, `
vendor: acme
config:
  user: {type: string}
schemas:
  Company:
    type: object
    required: [Id]
    properties:
      Id: {type: integer}
      Parent: {$ref: "#/schemas/Company"}
  a/b: {type: string}
  Loop: {$ref: "#/schemas/Pool"}
  Pool: {allOf: [{$ref: "#/schemas/Loop"}]}
  Broken: {items: {type: strng}}
  Note: just text
`).(*value.Object))
	lib.Add("pipelines/acme/ensure.yaml", yamlValue(t, `
pipeline: ensure
inputs:
  vat_id: {type: string, minLength: 2}
  name: {type: string, optional: true}
  kind: {type: string, default: x}
  rows: {type: array, file: rows.csv}
  company: {$ref: "../../specs/acme.yaml#/schemas/Company"}
`).(*value.Object))
	return lib
}

func TestResolve(t *testing.T) {
	t.Parallel()
	lib := testLibrary(t)
	for _, test := range []struct{ base, ref, want, newBase string }{
		{"specs/acme.yaml", "#/schemas/a~1b", `{"type":"string"}`, "specs/acme.yaml"},
		{"pipelines/acme/all.yaml", "ensure.yaml#/inputs/vat_id", `{"type":"string","minLength":2}`, "pipelines/acme/ensure.yaml"},
		{"pipelines/acme/all.yaml", "./ensure.yaml#/inputs",
			`{"type":"object","properties":{"vat_id":{"type":"string","minLength":2},"name":{"type":"string","optional":true},"kind":{"type":"string","default":"x"},"rows":{"type":"array","file":"rows.csv"},"company":{"$ref":"../../specs/acme.yaml#/schemas/Company"}},"required":["vat_id","company"],"additionalProperties":false}`,
			"pipelines/acme/ensure.yaml"},
		{"specs/acme.yaml", "#/config", `{"type":"object","properties":{"user":{"type":"string"}},"required":["user"],"additionalProperties":false}`, "specs/acme.yaml"},
	} {
		s, newBase, err := lib.Resolve(test.base, test.ref)
		if err != nil {
			t.Errorf("%s: %v", test.ref, err)
			continue
		}
		if got := string(value.AppendJSON(nil, s)); got != test.want || newBase != test.newBase {
			t.Errorf("%s: got %s in %s, want %s in %s", test.ref, got, newBase, test.want, test.newBase)
		}
	}
}

func TestResolveTellsWhatIsNotThere(t *testing.T) {
	t.Parallel()
	lib := testLibrary(t)
	for _, test := range []struct{ base, ref, want string }{
		{"specs/acme.yaml", "acmee.yaml#/schemas/Company", `there is no file "specs/acmee.yaml" to refer to; did you mean specs/acme.yaml?`},
		{"specs/acme.yaml", "#/schemas/Compnay", `specs/acme.yaml#/schemas has no "Compnay"; did you mean Company?`},
		{"specs/acme.yaml", "#/shemas/Company", `specs/acme.yaml has no "shemas"; did you mean schemas?`},
		{"specs/acme.yaml", "#Company", `"#Company" is not a reference: write it as #/schemas/NAME or FILE#/schemas/NAME`},
		{"specs/acme.yaml", "/etc/passwd#/x", `"/etc/passwd#/x" leads out of the project: put the schema into one of its files`},
		{"specs/acme.yaml", "#/schemas/Note", `specs/acme.yaml#/schemas/Note is text, not a schema`},
	} {
		if _, _, err := lib.Resolve(test.base, test.ref); err == nil || err.Error() != test.want {
			t.Errorf("%s\ngot  %v\nwant %s", test.ref, err, test.want)
		}
	}
}

func TestCompileFollowsReferences(t *testing.T) {
	t.Parallel()
	lib := testLibrary(t)
	const text = `[{"vat_id": "PT1", "company": {"Id": 1, "Parent": {"Id": "x", "Parent": {}}}, "more": 1}, {}]`
	const want = `[0].company.Parent.Id: expected integer, found text "x"
[0].company.Parent.Parent: missing member "Id"
[0].more: unknown member "more"
[1]: missing member "vat_id"
[1]: missing member "company"`
	for _, schema := range []string{
		`{type: array, items: {$ref: "ensure.yaml#/inputs"}}`,
		`{type: array, items: {$ref: "ensure.yaml#/inputs"}` + beyond + `}`,
	} {
		s, err := lib.Compile(yamlValue(t, schema), "pipelines/acme/all.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if got := told(s.Validate(jsonValue(t, text))); got != want {
			t.Errorf("%s\ngot\n%s\nwant\n%s", schema, got, want)
		}
	}
}

func TestCompileRefusesBadReferences(t *testing.T) {
	t.Parallel()
	lib := testLibrary(t)
	for _, test := range []struct{ schema, want string }{
		{`{$ref: "#/schemas/Loop"}`, `the schema refers to itself without end`},
		{`{items: {$ref: "#/schemas/Broken"}}`, `items.$ref: in specs/acme.yaml#/schemas/Broken: items.type: there is no type "strng" (there are string, integer, number, decimal, boolean, date, datetime, array, object, null); did you mean string?`},
	} {
		_, err := lib.Compile(yamlValue(t, test.schema), "specs/acme.yaml")
		if err == nil || err.Error() != test.want {
			t.Errorf("%s\ngot  %v\nwant %s", test.schema, err, test.want)
		}
	}
}
