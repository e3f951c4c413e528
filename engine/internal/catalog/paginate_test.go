package catalog

import (
	"testing"

	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/page"
)

func TestPagingIsRead(t *testing.T) {
	t.Parallel()
	v := vendor(t, `
vendor: acme
version: 1
operations:
  short:
    effect: read
    paginate: {by: offset, items: rows}
    request: {method: GET, path: /a, query: {from: "${{ page.offset }}"}}
    response: {outputs: {rows: "@this"}}
  long:
    effect: read
    paginate: {by: cursor, start: "*", size: 50, items: rows, next: {header: X-Next}, stop: page.cursor == outputs.next or page.size > len(outputs.rows) or status == 206 or inputs.all, max_pages: 7}
    inputs:
      all: {type: boolean}
    request: {method: POST, path: /a, body: {at: "${{ page.cursor }}", size: "${{ page.size }}"}}
    response: {outputs: {rows: rows, next: next}}
`)
	p := v.Operation("short").Paging
	if p.First != (page.Page{Value: int64(0)}) || p.Size != 0 || p.Next != nil || p.Stop != nil || p.MaxPages != 10_000 {
		t.Errorf("got %+v", p)
	}
	p = v.Operation("long").Paging
	if p.First != (page.Page{Value: "*"}) || p.Next.Header != "X-Next" || p.Next.Path != nil || p.MaxPages != 7 || p.Items != "rows" {
		t.Errorf("got %+v", p)
	}
	request, err := (&Operation{}).RequestVars(nil, nil, "k")
	if err != nil {
		t.Fatal(err)
	}
	vars := p.Vars(request, page.Page{Value: "c"})
	if got := string(value.AppendJSON(nil, vars[len(vars)-1])); got != `{"cursor":"c","size":50}` {
		t.Errorf("got %s", got)
	}
}
