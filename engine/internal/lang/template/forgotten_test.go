package template

import (
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
)

// forgettableScope has names of the language, of a file, of a row and of data that nothing is known of.
var forgettableScope = expr.NewScope(
	expr.Name{Name: "inputs", Type: types.ObjectOf(types.Field{Name: "ref", Type: types.TextType}, types.Field{Name: "rows", Type: types.ListOf(types.AnyType)}, types.Field{Name: "note", Type: types.TextType, Optional: true})},
	expr.Name{Name: "config", Type: types.ObjectOf(types.Field{Name: "key", Type: &types.Type{Kind: types.Text, Secret: true}}, types.Field{Name: "vatId", Type: types.TextType})},
	expr.Name{Name: "steps", Type: types.ObjectOf(types.Field{Name: "find", Type: types.ObjectOf(types.Field{Name: "outputs", Type: types.ObjectOf(types.Field{Name: "id", Type: types.TextType.OrNull("it may be skipped")})})})},
	expr.Name{Name: "run", Type: types.ObjectOf(types.Field{Name: "id", Type: types.TextType})},
	expr.Name{Name: "page", Type: types.ObjectOf(types.Field{Name: "number", Type: types.IntegerType})},
	expr.Name{Name: "status", Type: types.IntegerType},
	expr.Name{Name: "text", Type: types.TextType},
	expr.Name{Name: "item", Type: types.AnyType},
	expr.Name{Name: "number", Type: types.TextType},
	expr.Name{Name: "article", Type: types.ObjectOf(types.Field{Name: "sku", Type: types.TextType})},
	expr.Name{Name: "raw", Type: types.AnyType},
	expr.Name{Name: "now()", Type: types.TextType},
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
		Compile(langtest.YAML(t, test.yaml), forgettableScope, &faults)
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
