package lang

import (
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
)

// forgettableScope has names of the language, of a file, of a row and of data that nothing is known of.
var forgettableScope = NewScope(
	Name{"inputs", ObjectOf(Field{Name: "ref", Type: TextType}, Field{Name: "rows", Type: ListOf(AnyType)}, Field{Name: "note", Type: TextType, Optional: true})},
	Name{"config", ObjectOf(Field{Name: "key", Type: &Type{Kind: Text, Secret: true}}, Field{Name: "vatId", Type: TextType})},
	Name{"steps", ObjectOf(Field{Name: "find", Type: ObjectOf(Field{Name: "outputs", Type: ObjectOf(Field{Name: "id", Type: TextType.OrNull("it may be skipped")})})})},
	Name{"run", ObjectOf(Field{Name: "id", Type: TextType})},
	Name{"page", ObjectOf(Field{Name: "number", Type: IntegerType})},
	Name{"status", IntegerType},
	Name{"text", TextType},
	Name{"item", AnyType},
	Name{"number", TextType},
	Name{"article", ObjectOf(Field{Name: "sku", Type: TextType})},
	Name{"raw", AnyType},
	Name{nowName, TextType},
)

// TestPlainTextThatReadsTheScope holds what is said of a text: E for an error, W for a warning, nothing for plain text.
func TestPlainTextThatReadsTheScope(t *testing.T) {
	for _, test := range []struct{ yaml, want string }{
		// Forgotten markers.
		{`inputs.ref`, "E"},
		{`{a: inputs.ref}`, "E"},
		{`{a: "inputs.ref"}`, "E"},
		{`[inputs.ref]`, "E"},
		{`inputs["ref"]`, "E"},
		{`Bearer config.key`, "E"},
		{`/x/inputs.ref`, "E"},
		{`/x/inputs.ref/lines.json`, "E"},
		{`<Code>inputs.ref</Code>`, "E"},
		{`inputs.ref@${{ run.id }}`, "E"},
		{`{inputs.ref: 1}`, "E"},
		{`steps.find.outputs.id`, "E"},
		{`upper(steps.find.outputs.id)`, "E"}, // would not compile: it may be null
		{`inputs.note ?? omit`, "E"},
		{`len(inputs.rows) > 0`, "E"},
		{`first(inputs.rows)?.name`, "E"},
		{`now()`, "E"},
		{`base64('a:b')`, "E"},
		{`Basic base64('a:b')`, "E"},
		{`item.name`, "E"},
		{`raw[0].name ?? ''`, "E"},
		{`page.number`, "E"},
		{`{a: number}`, "W"}, // of a row
		{`article`, "W"},     // all of the template
		{`order inputs.ref is there twice`, "W"},
		{`the order raw.id is there twice`, "W"},

		// Markers of other languages.
		{`$(inputs.ref)`, "E"},
		{`a$(inputs.ref)b`, "E"},
		{`"%{inputs.ref}"`, "E"},
		{`<%= inputs.ref %>`, "E"},
		{`<%inputs.ref%>`, "E"},
		{`${inputs.ref}`, "E"},
		{`"{{ inputs.ref }}"`, "E"},
		{`"{{ .inputs.ref }}"`, "E"},
		{`"#{inputs.ref}"`, "E"},
		{`"@{inputs.ref}"`, "E"},
		{`"[[ inputs.ref ]]"`, "E"},
		{`"${ref}"`, "E"},
		{`"{ref}"`, "E"},
		{`"$ref"`, "E"},
		{`":ref"`, "E"},
		{`"%ref%"`, "E"},
		{`"<sku>"`, "E"},
		{`"$(now())"`, "E"},
		{`"{{ upper(inputs.ref) }}"`, "E"},
		{`"Dear {{ ref }}, your order"`, "W"}, // the vendor's own template, perhaps

		// Plain text.
		{`inputs.reference`, ""},
		{`inputs`, ""},
		{`{kind: run, of: page, as: text, what: item}`, ""},
		{`{kind: article}`, ""},
		{`run.sh`, ""},
		{`order.csv`, ""},
		{`see raw.csv for more of it`, ""},
		{`my.inputs.ref`, ""},
		{`status`, ""},
		{`status of the page`, ""},
		{`text/xml; charset=utf-8`, ""},
		{`https://config.example.com/`, ""},
		{`count(id) of max(price)`, ""},
		{`round trip (now)`, ""},
		{`"${HOME}"`, ""},
		{`"{{ name }}"`, ""},
		{`"$filter"`, ""},
		{`"{order {ref} }"`, ""},
		{`"$${{ inputs.ref }}"`, ""},
		{`${{ 'inputs.ref' }}`, ""},
		{`nobody is called ${{ inputs.ref }}`, ""},
	} {
		var faults diag.List
		CompileTemplate(langtest.YAML(t, test.yaml), forgettableScope, &faults)
		got := ""
		for _, d := range faults {
			if d.Code != "no-marker" {
				t.Errorf("%s: %v", test.yaml, d)
			}
			got += map[diag.Severity]string{diag.Error: "E", diag.Warning: "W"}[d.Severity]
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q: %v", test.yaml, got, test.want, faults)
		}
	}
}
