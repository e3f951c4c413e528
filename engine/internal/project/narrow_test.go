package project_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine/internal/project"
)

const narrowVendor = `vendor: shop
version: 1
operations:
  get:
    effect: read
    inputs: {id: {type: string}}
    request: {method: GET, path: "/${{ inputs.id }}"}
    response:
      outcomes: [{if: status == 404, is: empty}]
      schema: {type: object, required: [id, name, tags], properties: {id: {type: string}, name: {type: string}, note: {type: string}, tags: {type: array, items: {type: string}}}}
      outputs: {id: id, name: name, note: {path: note, default: null}, tags: tags}
  set:
    effect: idempotent
    inputs: {id: {type: string}, vat: {type: string, optional: true}}
    request: {method: PUT, path: "/${{ inputs.id }}", body: {vat: "${{ inputs.vat ?? omit }}"}}
    response:
      schema: {type: object, required: [at], properties: {at: {type: string}}}
      outputs: {at: at}
`

const narrowPipeline = `pipeline: p
version: 1
inputs:
  vat: {type: string, optional: true}
  to: {type: object, optional: true, required: [city], properties: {city: {type: string}, zip: {type: string}}}
  ids: {type: array, items: {type: string}}
  rows: {type: array, items: {type: object, required: [id], properties: {id: {type: string}, vat: {type: string}}}}
connections: {shop: {vendor: shop}}
steps:
  - {id: used, set: {a: "${{ inputs.vat == null }}", b: "${{ len(inputs.rows) + len(inputs.ids) }}", c: "${{ inputs.to == null }}"}}
`

// TestConditionsNarrowWhatFollows holds that what a condition proves not to be null can be used as such where
// the condition holds, and nowhere else: where want is "", the checker has nothing to say.
func TestConditionsNarrowWhatFollows(t *testing.T) {
	const get = "  - {id: c, call: shop.get, with: {id: a}}\n"
	const maybe = "  - {id: c, if: inputs.vat == 'x', call: shop.set, with: {id: a}}\n"
	cases := []struct{ name, steps, want string }{
		{"nothing is known", `  - {id: x, set: {v: "${{ upper(inputs.vat) }}"}}`, "inputs.vat may be null"},
		{"if", `  - {id: x, if: inputs.vat != null, set: {v: "${{ upper(inputs.vat) }}"}}`, ""},
		{"if, the other way", `  - {id: x, if: inputs.vat == null, set: {v: "${{ upper(inputs.vat) }}"}}`, "inputs.vat may be null"},
		{"if, not", `  - {id: x, if: not (inputs.vat == null), set: {v: "${{ upper(inputs.vat) }}"}}`, ""},
		{"if, behind it", "  - {id: x, if: inputs.vat != null, set: {v: 1}}\n  - {id: y, set: {v: \"${{ upper(inputs.vat) }}\"}}", "inputs.vat may be null"},
		{"if, or", `  - {id: x, if: inputs.vat != null or len(inputs.ids) > 0, set: {v: "${{ upper(inputs.vat) }}"}}`, "inputs.vat may be null"},
		{"if, or of the same", `  - {id: x, if: inputs.vat == 'a' or inputs.vat startsWith 'b', set: {v: "${{ upper(inputs.vat) }}"}}`, "inputs.vat may be null"},
		{"if, one of two values", `  - {id: x, if: inputs.vat == 'a' or inputs.vat == 'b', set: {v: "${{ upper(inputs.vat) }}"}}`, ""},
		{"if, in", `  - {id: x, if: "inputs.vat in ['a', 'b']", set: {v: "${{ upper(inputs.vat) }}"}}`, ""},
		{"if, in with null", `  - {id: x, if: "inputs.vat in ['a', null]", set: {v: "${{ upper(inputs.vat) }}"}}`, "inputs.vat may be null"},
		{"if, with a default", `  - {id: x, if: "trim(inputs.vat ?? '') != ''", set: {v: "${{ upper(inputs.vat) }}"}}`, ""},
		{"if, with another default", `  - {id: x, if: "(inputs.vat ?? 'a') != ''", set: {v: "${{ upper(inputs.vat) }}"}}`, "inputs.vat may be null"},
		{"if, prefix of a default", `  - {id: x, if: "(inputs.vat ?? '') startsWith 'PT'", set: {v: "${{ upper(inputs.vat) }}"}}`, ""},
		{"if, equal to what is there", `  - {id: x, if: "inputs.vat == inputs.ids[0]", set: {v: "${{ upper(inputs.vat) }}"}}`, ""},
		{"if, below", `  - {id: x, if: "inputs.to?.zip != null", set: {v: "${{ inputs.to.city + inputs.to.zip }}"}}`, ""},
		{"if, the object only", `  - {id: x, if: inputs.to != null, set: {v: "${{ upper(inputs.to.zip) }}"}}`, "inputs.to.zip may be null"},
		{"if, another test of it", `  - {id: x, if: inputs.vat != null, set: {v: "${{ inputs.vat == null }}"}}`, ""},
		{"and", `  - {id: x, set: {v: "${{ inputs.vat != null and upper(inputs.vat) == 'A' }}"}}`, ""},
		{"or", `  - {id: x, set: {v: "${{ inputs.vat == null or upper(inputs.vat) == 'A' }}"}}`, ""},
		{"ternary", `  - {id: x, set: {v: "${{ inputs.vat == null ? '' : upper(inputs.vat) }}"}}`, ""},
		{"ternary, the wrong side", `  - {id: x, set: {v: "${{ inputs.vat == null ? upper(inputs.vat) : '' }}"}}`, "inputs.vat may be null"},
		{"filter", `  - {id: x, set: {v: "${{ map(filter(inputs.rows, .vat != null), upper(.vat)) }}"}}`, ""},
		{"filter, the other way", `  - {id: x, set: {v: "${{ map(filter(inputs.rows, .vat == null), upper(.vat)) }}"}}`, "vat may be null"},
		{"find", `  - {id: x, set: {v: "${{ upper(find(inputs.rows, .vat != null)?.vat ?? '') }}"}}`, ""},
		{"list with elements", `  - {id: x, if: len(inputs.rows) > 0, set: {v: "${{ first(inputs.rows).id }}"}}`, ""},
		{"list without", `  - {id: x, if: len(inputs.rows) >= 0 and inputs.vat != null, set: {v: "${{ first(inputs.rows).id }}"}}`, "always true"},
		{"list of at most one", `  - {id: x, if: len(inputs.rows) < 2, set: {v: "${{ first(inputs.rows).id }}"}}`, "may be null"},
		{"first", `  - {id: x, if: "first(inputs.rows)?.vat != null", set: {v: "${{ first(inputs.rows).id }}"}}`, ""},

		{"ran", maybe + `  - {id: x, if: steps.c.ran, set: {v: "${{ upper(steps.c.outputs.at) }}"}}`, ""},
		{"ran, of its own condition", maybe + `  - {id: x, if: steps.c.ran, set: {v: "${{ upper(inputs.vat) }}"}}`, ""},
		{"did not run", maybe + `  - {id: x, if: not steps.c.ran, set: {v: "${{ upper(steps.c.outputs.at) }}"}}`, "steps.c.outputs.at may be null"},
		{"outcome", maybe + `  - {id: x, if: steps.c.outcome != null, set: {v: "${{ upper(steps.c.outputs.at) }}"}}`, ""},
		{"sent", maybe + `  - {id: x, if: steps.c.sent, set: {v: "${{ upper(steps.c.outputs.at) }}"}}`, ""},
		{"ran, and a failure was passed over", "  - {id: c, on_error: continue, call: shop.set, with: {id: a}}\n" + `  - {id: x, if: steps.c.ran, set: {v: "${{ upper(steps.c.outputs.at) }}"}}`, "steps.c.outputs.at may be null"},
		{"ok, and a failure was passed over", "  - {id: c, on_error: continue, call: shop.set, with: {id: a}}\n" + `  - {id: x, if: steps.c.outcome == 'ok', set: {v: "${{ upper(steps.c.outputs.at) }}"}}`, ""},
		{"sent, and a handler gives null", "  - {id: c, on_error: [{outputs: {at: null}}], call: shop.set, with: {id: a}}\n" + `  - {id: x, if: steps.c.sent, set: {v: "${{ upper(steps.c.outputs.at) }}"}}`, ""},
		{"ran, and a handler gives null", "  - {id: c, on_error: [{outputs: {at: null}}], call: shop.set, with: {id: a}}\n" + `  - {id: x, if: steps.c.ran, set: {v: "${{ upper(steps.c.outputs.at) }}"}}`, "steps.c.outputs.at may be null"},
		{"ran, and a handler gives it", "  - {id: c, if: inputs.vat != null, on_error: [{outputs: {at: now}}], call: shop.set, with: {id: a}}\n" + `  - {id: x, if: steps.c.ran, set: {v: "${{ upper(steps.c.outputs.at) }}"}}`, ""},

		{"empty", get + `  - {id: x, set: {v: "${{ upper(steps.c.outputs.id) }}"}}`, "steps.c.outputs.id may be null"},
		{"empty, a list", get + `  - {id: x, set: {v: "${{ len(steps.c.outputs.tags) > 0 and steps.c.outputs.tags == [] }}"}}`, ""},
		{"empty, null is no mistake", get + `  - {id: x, if: steps.c.outputs.id == null, set: {v: 1}}`, ""},
		{"empty, asked by an output", get + `  - {id: x, if: steps.c.outputs.id != null, set: {v: "${{ steps.c.outputs.name + steps.c.outputs.id }}"}}`, ""},
		{"empty, asked by an output that may be null", get + `  - {id: x, if: steps.c.outputs.note != null, set: {v: "${{ steps.c.outputs.name }}", w: "${{ upper(steps.c.outputs.note) }}"}}`, ""},
		{"empty, and another may be null", get + `  - {id: x, if: steps.c.outputs.id != null, set: {v: "${{ upper(steps.c.outputs.note) }}"}}`, "steps.c.outputs.note may be null"},
		{"empty, asked by outcome", get + `  - {id: x, if: steps.c.outcome == 'ok', set: {v: "${{ steps.c.outputs.name }}", w: "${{ upper(steps.c.outputs.name) }}"}}`, ""},
		{"empty, excluded", get + `  - {id: x, if: steps.c.outcome != 'empty', set: {w: "${{ upper(steps.c.outputs.name) }}"}}`, ""},
		{"empty, sent", get + `  - {id: x, if: steps.c.sent, set: {w: "${{ upper(steps.c.outputs.name) }}"}}`, "steps.c.outputs.name may be null"},
		{"empty, asked by a list", get + `  - {id: x, if: "steps.c.outputs.tags != []", set: {w: "${{ upper(steps.c.outputs.name) }}"}}`, "steps.c.outputs.name may be null"},

		{"fail", "  - {if: inputs.vat == null, fail: no vat}\n" + `  - {id: x, set: {v: "${{ upper(inputs.vat) }}"}}`, ""},
		{"fail, or", "  - {if: inputs.vat == null or inputs.to == null, fail: no vat}\n" + `  - {id: x, set: {v: "${{ upper(inputs.vat) + inputs.to.city }}"}}`, ""},
		{"fail, and", "  - {if: inputs.vat == null and inputs.to == null, fail: no vat}\n" + `  - {id: x, set: {v: "${{ upper(inputs.vat) }}"}}`, "inputs.vat may be null"},
		{"fail, passed over", "  - {if: inputs.vat == null, on_error: continue, fail: no vat}\n" + `  - {id: x, set: {v: "${{ upper(inputs.vat) }}"}}`, "inputs.vat may be null"},
		{"fail in a group", "  - steps:\n      - {if: inputs.vat == null, fail: no vat}\n" + `  - {id: x, set: {v: "${{ upper(inputs.vat) }}"}}`, ""},
		{"fail in a group with a condition", "  - if: len(inputs.ids) > 0\n    steps:\n      - {if: inputs.vat == null, fail: no vat}\n" + `  - {id: x, set: {v: "${{ upper(inputs.vat) }}"}}`, "inputs.vat may be null"},
		{"a group that ends in a fail", "  - if: inputs.vat == null\n    steps:\n      - {id: w, set: {a: 1}}\n      - {fail: \"no vat ${{ steps.w.outputs.a }}\"}\n" + `  - {id: x, set: {v: "${{ upper(inputs.vat) }}"}}`, ""},
		{"a group that is passed over", "  - on_error: continue\n    steps:\n      - {if: inputs.vat == null, fail: no vat}\n" + `  - {id: x, set: {v: "${{ upper(inputs.vat) }}"}}`, "inputs.vat may be null"},
		{"fail for each", "  - id: e\n    foreach: inputs.ids\n    as: i\n    steps:\n      - {if: \"inputs.vat == null and i != ''\", fail: no vat}\n" + `  - {id: x, set: {v: "${{ upper(inputs.vat) }}"}}`, "inputs.vat may be null"},
		{"fail in all other branches", "  - switch:\n      - {if: inputs.vat != null, steps: [{id: w, set: {a: \"${{ upper(inputs.vat) }}\"}}], outputs: {a: \"${{ steps.w.outputs.a }}\"}}\n      - {steps: [{fail: no vat}]}\n" + `  - {id: x, set: {v: "${{ upper(inputs.vat) }}"}}`, ""},
		{"fail in the first branch", "  - switch:\n      - {if: inputs.vat == null, steps: [{fail: no vat}]}\n      - {if: len(inputs.ids) > 0, steps: [{id: w, set: {a: \"${{ upper(inputs.vat) }}\"}}], outputs: {a: \"${{ steps.w.outputs.a }}\"}}\n" + `  - {id: x, set: {v: "${{ upper(inputs.vat) }}"}}`, ""},
		{"fail in a later branch", "  - switch:\n      - {if: len(inputs.ids) > 0, steps: [{id: w, set: {a: 1}}], outputs: {a: \"${{ steps.w.outputs.a }}\"}}\n      - {if: inputs.vat == null, steps: [{fail: no vat}]}\n" + `  - {id: x, set: {v: "${{ upper(inputs.vat) }}"}}`, "inputs.vat may be null"},

		{"switch", "  - id: x\n    switch:\n      - {if: inputs.vat == null, steps: [{id: w, set: {a: 1}}], outputs: {a: \"${{ text(steps.w.outputs.a) }}\"}}\n      - {steps: [{id: v, set: {a: 1}}], outputs: {a: \"${{ upper(inputs.vat) + text(steps.v.outputs.a) }}\"}}\n", ""},
		{"nested groups", "  - id: x\n    if: inputs.vat != null\n    steps:\n      - id: y\n        steps:\n          - {id: z, set: {a: \"${{ upper(inputs.vat) }}\"}}\n        outputs: {a: \"${{ steps.z.outputs.a }}\"}\n    outputs: {a: \"${{ steps.y.outputs.a + upper(inputs.vat) }}\"}\n", ""},
		{"foreach", "  - id: x\n    if: inputs.vat != null\n    foreach: inputs.ids\n    as: i\n    key: inputs.vat + i\n    call: shop.set\n    with: {id: \"${{ upper(inputs.vat) + i }}\"}\n", ""},
		{"a row", "  - id: x\n    foreach: inputs.rows\n    as: row\n    steps:\n      - {id: y, if: row.vat != null, set: {a: \"${{ upper(row.vat) }}\"}}\n    outputs: {a: \"${{ steps.y.outputs.a }}\"}\n", ""},
		{"a row, behind it", "  - id: x\n    foreach: inputs.rows\n    as: row\n    steps:\n      - {id: y, if: row.vat != null, set: {a: 1}}\n    outputs: {a: \"${{ upper(row.vat) }}\"}\n", "row.vat may be null"},
		{"another row", "  - id: x\n    foreach: inputs.rows\n    as: row\n    steps:\n      - {if: row.vat == null, fail: none}\n      - {id: y, set: {a: \"${{ upper(row.vat) }}\"}}\n    outputs: {a: \"${{ steps.y.outputs.a }}\"}\n  - id: z\n    foreach: inputs.rows\n    as: row\n    steps:\n      - {id: w, set: {a: \"${{ upper(row.vat) }}\"}}\n    outputs: {a: \"${{ steps.w.outputs.a }}\"}\n", "row.vat may be null"},
		{"rows that are filtered", "  - id: x\n    foreach: filter(inputs.rows, .vat != null)\n    as: row\n    call: shop.set\n    with: {id: \"${{ upper(row.vat) }}\"}\n", ""},
		{"handlers", "  - id: c\n    call: shop.set\n    with: {id: a}\n    on_error:\n      - {if: error.outcome != null, outputs: {at: \"${{ upper(error.outcome) }}\"}}\n", ""},
		{"handlers, the next", "  - id: c\n    call: shop.set\n    with: {id: a}\n    on_error:\n      - {if: error.outcome == null, outputs: {at: none}}\n      - {outputs: {at: \"${{ upper(error.outcome) }}\"}}\n", ""},
		{"handlers, of the step's condition", "  - id: c\n    if: inputs.vat != null\n    call: shop.set\n    with: {id: a}\n    on_error:\n      - {outputs: {at: \"${{ upper(inputs.vat) }}\"}}\n", ""},
		{"until", "  - id: c\n    call: shop.get\n    with: {id: a}\n    until: outputs.note != null\n    every: 1s\n    timeout: 1m\n" + `  - {id: x, set: {v: "${{ upper(steps.c.outputs.note) + steps.c.outputs.name }}"}}`, ""},
		{"until, another", "  - id: c\n    call: shop.get\n    with: {id: a}\n    until: outputs.id != null\n    every: 1s\n    timeout: 1m\n" + `  - {id: x, set: {v: "${{ upper(steps.c.outputs.note) }}"}}`, "steps.c.outputs.note may be null"},
	}
	for _, c := range cases {
		files := fstest.MapFS{
			"specs/shop.yaml":  {Data: []byte(narrowVendor)},
			"pipelines/p.yaml": {Data: []byte(narrowPipeline + c.steps + "\n")},
		}
		_, faults := project.Load(files)
		var said []string
		for _, d := range faults {
			if d.Code == "always-same" || d.Severity == 0 || strings.Contains(d.Message, "null") {
				said = append(said, d.Message)
			}
		}
		got := strings.Join(said, "; ")
		if c.want == "" && got != "" || c.want != "" && !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
