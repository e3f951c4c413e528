package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// rowsOf returns a JSON text with its lists as Rows.
func rowsOf(t testing.TB, text string) value.Value {
	t.Helper()
	s, err := value.Survey(strings.NewReader(text), int64(len(text)), 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return s.Value
}

func TestRowsAreHeldAgainstSchemasAsListsAre(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ schema, fits, breaks string }{
		{`{type: array}`, `[1,2]`, `{"a":[1]}`},
		{`{type: object, properties: {a: {type: string}}}`, `{"a":"x"}`, `{"a":[1,2]}`},
		{`{type: array, items: {type: integer}}`, `[1,2]`, `[1,"x",2,null]`},
		{`{type: array, prefixItems: [{type: string}], items: {type: integer}}`, `["x",2]`, `[1,2,"y"]`},
		{`{type: object, properties: {rows: {type: array, items: {type: object, required: [id]}}}}`, `{"rows":[{"id":1}]}`, `{"rows":[{"id":1},{}]}`},
		{`{type: array, minItems: 2, maxItems: 3}`, `[1,2]`, `[1,2,3,4]`},
		{`{type: array, uniqueItems: true}`, `[1,2]`, `[1,2,1.0]`},
		{`{type: array, items: {type: object, properties: {password: {type: string, secret: true, maxLength: 3}}}}`, `[{"password":"abc"}]`, `[{"password":"abcd"}]`},
		{`{enum: [[1,2]]}`, `[1,2.0]`, `[1]`},
		{`{not: {type: array}}`, `{"a":[1]}`, `[1]`},
		{`{type: array, contains: {type: string}}`, `[1,"x"]`, `[1]`},
	} {
		s := compiled(t, c.schema)
		if vs := s.Validate(rowsOf(t, c.fits)); vs != nil {
			t.Errorf("%s: %s: %s", c.schema, c.fits, told(vs))
		}
		got, want := told(s.Validate(rowsOf(t, c.breaks))), told(s.Validate(jsonValue(t, c.breaks)))
		if got != want || want == "" {
			t.Errorf("%s: %s:\ngot  %s\nwant %s", c.schema, c.breaks, got, want)
		}
	}
}

func TestReportsOfRowsHaveABound(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 3 * mostBadRows {
		fmt.Fprintf(&b, ",%d", i)
	}
	s := compiled(t, `{type: array, items: {type: string}}`)
	if n := len(s.Validate(rowsOf(t, "["+b.String()[1:]+"]"))); n != mostBadRows {
		t.Errorf("%d violations", n)
	}
}
