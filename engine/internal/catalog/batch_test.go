package catalog

import (
	"reflect"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const articles = `
vendor: acme
version: 1
operations:
  send:
    effect: EFFECT
    inputs:
      shop: {type: string}
      articles:
        type: array
        items:
          type: object
          properties: {sku: {type: [string, integer, "null"]}, size: {type: string}}
    rows: {of: inputs.articles, as: row}
    IDENTITY
    request: {method: POST, path: /articles}
`

func TestBatchRowsAreNamed(t *testing.T) {
	t.Parallel()
	rows := value.List{
		value.ObjectOf("sku", "A 1", "size", "L"),
		value.ObjectOf("sku", int64(7), "size", "L"),
		value.ObjectOf("sku", nil),
	}
	tests := []struct {
		name, effect, identity string
		want                   []flow.RowRef
	}{
		{"a create locks each", "create", "identity: row.sku", []flow.RowRef{{Key: "A 1", Identity: `"A 1"`}, {Key: "7", Identity: `7`}, {Key: "3"}}},
		{"a repeatable batch locks none", "idempotent", "identity: row.sku", []flow.RowRef{{Key: "A 1"}, {Key: "7"}, {Key: "3"}}},
		{"with the other inputs in scope", "create", `identity: 'inputs.shop + "/" + (row.size ?? "-")'`,
			[]flow.RowRef{{Key: "s/L", Identity: `"s/L"`}, {Key: "s/L", Identity: `"s/L"`}, {Key: "s/-", Identity: `"s/-"`}}},
		{"a list of parts", "create", "identity: '[row.sku, row.size]'",
			[]flow.RowRef{{Key: `["A 1","L"]`, Identity: `["A 1","L"]`}, {Key: `[7,"L"]`, Identity: `[7,"L"]`}, {Key: `[null,null]`, Identity: `[null,null]`}}},
		{"by number where nothing names them", "create", "", []flow.RowRef{{Key: "1"}, {Key: "2"}, {Key: "3"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			op := vendor(t, strings.NewReplacer("EFFECT", test.effect, "IDENTITY", test.identity).Replace(articles)).Operation("send")
			got, err := op.BatchRows(value.ObjectOf("shop", "s", "articles", rows))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v", got, err)
			}
			if got, err := op.BatchRows(value.ObjectOf("shop", "s", "articles", value.List{})); err != nil || got == nil || len(got) != 0 {
				t.Errorf("of no rows: %+v, %v", got, err)
			}
		})
	}
}

func TestOnlyABatchHasRows(t *testing.T) {
	t.Parallel()
	op := vendor(t, "vendor: acme\nversion: 1\noperations:\n  get:\n    effect: read\n    request: {method: GET, path: /a}\n").Operation("get")
	if rows, err := op.BatchRows(value.NewObject(0)); rows != nil || err != nil {
		t.Errorf("got %+v, %v", rows, err)
	}
}

func TestIdentityThatCannotBeEvaluatedIsAnError(t *testing.T) {
	t.Parallel()
	op := vendor(t, strings.NewReplacer("EFFECT", "create", "IDENTITY", "identity: int(row.size ?? \"1\")").Replace(articles)).Operation("send")
	_, err := op.BatchRows(value.ObjectOf("shop", "s", "articles", value.List{value.ObjectOf("size", "L")}))
	if err == nil || !strings.HasPrefix(err.Error(), "acme.yaml:15:15: ") {
		t.Errorf("got %v", err)
	}
}
