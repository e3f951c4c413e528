package project_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/project"
)

const lookupVendor = `vendor: shop
version: 1
operations:
  list:
    effect: read
    inputs: {ref: {type: string}}
    request: {method: GET, path: /orders, query: {ref: "${{ inputs.ref }}"}}
    response:
      %s
      schema: {type: array, items: {type: object, required: [id], properties: {id: {type: integer}}}}
      outputs: {orders: "@this"}
  add:
    effect: create
    inputs: {ref: {type: string}}
    request: {method: POST, path: /orders, body: {ref: "${{ inputs.ref }}"}}
    response: {as: none}
    identity: inputs.ref
    reconcile: {call: list, with: {ref: "${{ inputs.ref }}"}, found: "%s"}
`

// TestFoundTellsOneLookFromAnother holds that an outcome tells something only where the look-up has more than one.
func TestFoundTellsOneLookFromAnother(t *testing.T) {
	t.Parallel()
	const none, empty = "message: error", "outcomes: [{if: status == 404, is: empty}]"
	for _, c := range []struct{ outcomes, found, want string }{
		{none, "len(outputs.orders) > 0", ""},
		{none, "outcome == 'ok' and len(outputs.orders) > 0", ""},
		{none, "outcome == 'ok'", "the outcome of list is ok whenever it succeeds"},
		{none, "outcome == 'empty'", `"empty" is not a value of outcome`},
		{none, "outcome != 'empty'", `"empty" is not a value of outcome`},
		{none, "outcome == 'empty' or len(outputs.orders) > 0", `"empty" is not a value of outcome`},
		{empty, "outcome == 'ok'", ""},
		{empty, "outcome != 'empty'", ""},
		{empty, "outcome == 'ok' and len(outputs.orders) > 0", ""},
		{empty, "outcome == 'not_found'", `"not_found" is not a value of outcome`},
	} {
		_, faults := project.Load(fstest.MapFS{"specs/shop.yaml": {Data: fmt.Appendf(nil, lookupVendor, c.outcomes, c.found)}})
		said := messages(faults)
		if c.want == "" && said != "" || !strings.Contains(said, c.want) {
			t.Errorf("%s, found: %s: got %q, want %q", c.outcomes, c.found, said, c.want)
		}
	}
}

const listingVendor = `vendor: logs
version: 1
operations:
  list:
    effect: read
    paginate: {by: cursor, size: 2, items: hits, next: "%s"}
    request: {method: POST, path: /_search, body: {size: "${{ page.size }}", after: "${{ page.cursor ?? omit }}"}}
    response:
      schema:
        type: object
        required: [hits]
        properties:
          hits:
            type: object
            required: [hits]
            properties: {hits: {type: array, items: {type: object, required: [id, sort], properties: {id: {type: string}, sort: {type: array, items: {type: integer}}}}}}
      outputs: {hits: hits.hits}
`

// TestTheLastElementsCursorIsInTheSchema holds that a misspelt path behind @reverse, with which the listing would end with its
// first page, is a mistake.
func TestTheLastElementsCursorIsInTheSchema(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ next, want string }{
		{"hits.hits.@reverse.0.sort.0", ""},
		{"hits.hits|@reverse|0.id", ""},
		{"hits.hits.@reverse.0.ID", `no member "ID"`},
		{"hits.hits.@reverse.0._sort.0", `no member "_sort"`},
		{"hits.@reverse.0.sort.0", `no member "0"`},
		{"hits.hits.@reverse.id", `no member "id"`},
		{"hits.hits.@reverse.0.sort", "finds list of integer or null"},
	} {
		_, faults := project.Load(fstest.MapFS{"specs/logs.yaml": {Data: fmt.Appendf(nil, listingVendor, c.next)}})
		if said := messages(faults); c.want == "" && said != "" || !strings.Contains(said, c.want) {
			t.Errorf("next: %s: got %q, want %q", c.next, said, c.want)
		}
	}
}

const decidingVendor = `vendor: stock
version: 1
envelope:
  outcomes: [{if: "%s", is: throttled}]
operations:
  put:
    effect: idempotent
    inputs: {rows: {type: array, items: {type: object, required: [sku], properties: {sku: {type: string}}}}}
    rows: {of: inputs.rows, as: row}
    identity: row.sku
    request: {method: POST, path: /stock, body: "${{ inputs.rows }}"}
    response:
      ok: "%s"
      schema: {type: array, items: {type: object, required: [sku], properties: {sku: {type: string}, done: {type: boolean}}}}
      rows: {path: "@this", match: sku, ok: "%s"}
`

// TestConditionsOverAnswersAreTrueOrFalse holds that what can be neither is a mistake: it would be false of every answer.
func TestConditionsOverAnswersAreTrueOrFalse(t *testing.T) {
	t.Parallel()
	const good = "status == 200"
	for _, c := range []struct{ outcome, ok, row, want string }{
		{good, good, good, ""},
		{"body.busy", "body?.ok", "row.done", ""}, // of unknown type; a boolean that may be absent
		{"status", good, good, "found integer"},
		{"lower(text)", good, good, "found text"},
		{good, "headers['content-type']", good, "found text or null"},
		{good, "status - 200", good, "found integer"},
		{good, good, "row.sku", "found text"},
	} {
		_, faults := project.Load(fstest.MapFS{"specs/stock.yaml": {Data: fmt.Appendf(nil, decidingVendor, c.outcome, c.ok, c.row)}})
		if said := messages(faults); c.want == "" && said != "" || !strings.Contains(said, c.want) {
			t.Errorf("%+v: got %q", c, said)
		}
	}
}

// messages joins what is wrong.
func messages(faults diag.List) string {
	var said []string
	for _, d := range faults {
		said = append(said, d.Message)
	}
	return strings.Join(said, "; ")
}
