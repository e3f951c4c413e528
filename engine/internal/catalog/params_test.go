package catalog_test

import (
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func params(t *testing.T, text string) *catalog.Params {
	t.Helper()
	n, faults := source.Read("p.yaml", []byte(text))
	p := catalog.DecodeParams(n, "p.yaml", new(schema.Library), &faults)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return p
}

const declared = `
name: {type: string, minLength: 2}
count: {type: integer, default: 3}
note: {type: string, optional: true}
gap: {type: string, nullable: true}
pin: {type: string, secret: true, pattern: "^[0-9]+$", optional: true}
rate: {type: decimal, optional: true, default: 0.50}
`

func TestBindFillsInAndRefuses(t *testing.T) {
	tests := []struct {
		name, given string // JSON
		want        string // JSON of what is bound, in the order of declaration
		bad         string
	}{
		{"defaults and nulls", `{"gap": "g", "name": "ab"}`, `{"name":"ab","count":3,"note":null,"gap":"g","pin":null,"rate":0.50}`, ""},
		{"null means not given", `{"name": "ab", "count": null, "note": null, "gap": null, "rate": null}`, `{"name":"ab","count":3,"note":null,"gap":null,"pin":null,"rate":0.50}`, ""},
		{"a whole number with a point", `{"name": "ab", "count": 15.0, "gap": null}`, `{"name":"ab","count":15,"note":null,"gap":null,"pin":null,"rate":0.50}`, ""},
		{"digits are kept", `{"name": "ab", "gap": null, "rate": 203.7700}`, `{"name":"ab","count":3,"note":null,"gap":null,"pin":null,"rate":203.7700}`, ""},
		{"missing, even where null would do", `{}`, "", "/name name: is missing; /gap gap: is missing"},
		{"null where a value is needed", `{"name": null, "gap": null}`, "", "/name name: expected text, found null"},
		{"unfit", `{"name": "a", "count": 1.5, "gap": null}`, "", "/name name: expected at least 2 characters, found 1; /count count: expected integer, found number 1.5"},
		{"surplus", `{"name": "ab", "gap": null, "cuont": 1, "zzz": 1}`, "", "/cuont cuont: is not known here; did you mean count?; /zzz zzz: is not known here"},
		{"secrets are not shown", `{"name": "ab", "gap": null, "pin": "hunter2"}`, "", "/pin pin: the text does not match the pattern ^[0-9]+$"},
	}
	p := params(t, declared)
	for _, tt := range tests {
		given, err := value.Decode([]byte(tt.given))
		if err != nil {
			t.Fatal(err)
		}
		bound, bad := p.Bind(given.(*value.Object))
		var texts []string
		for _, v := range bad {
			texts = append(texts, v.Pointer+" "+v.Path+": "+v.Message)
		}
		if got := strings.Join(texts, "; "); got != tt.bad {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.bad)
		}
		if got := string(value.AppendJSON(nil, bound)); tt.bad == "" && got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if _, bad := p.Bind(nil); len(bad) != 2 {
		t.Errorf("nothing given: %v", bad)
	}
}

func TestAParamWithADefaultIsNeverNull(t *testing.T) {
	p := params(t, declared)
	for name, want := range map[string]string{"count": "integer", "rate": "decimal", "gap": "text or null", "pin": "secret text or null", "note": "text or null"} {
		m, ok := p.Type.Field(name)
		if !ok || m.String() != want {
			t.Errorf("%s is %s, want %s", name, m, want)
		}
	}
	required := ""
	for _, q := range p.List {
		if q.Required() {
			required += q.Name + " "
		}
	}
	if required != "name gap " {
		t.Errorf("required: %s", required)
	}
}

// A default counts wherever nothing is given, also deep within a value.
func TestDefaultsOfMembersAreFilledIn(t *testing.T) {
	p := params(t, `
order:
  type: object
  required: [id]
  properties:
    id: {type: integer}
    express: {type: boolean, default: true}
    note: {type: string, nullable: true, default: none}
    lines: {type: array, items: {type: object, properties: {brand: {type: string, default: ACME}, n: {type: integer, minimum: 1, default: 1}}}}
rows: {type: array, items: {type: object, required: [unit], properties: {unit: {type: string, default: kg}}}}
`)
	for _, tt := range []struct{ given, want, bad string }{
		{`{"order":{"id":1},"rows":[{}]}`, `{"order":{"id":1,"express":true,"note":"none"},"rows":[{"unit":"kg"}]}`, ""},
		{`{"order":{"id":1,"express":false,"note":null,"lines":[{},{"brand":"B","n":2}]},"rows":[{"unit":"g"},{"unit":null}]}`,
			`{"order":{"id":1,"express":false,"note":null,"lines":[{"brand":"ACME","n":1},{"brand":"B","n":2}]},"rows":[{"unit":"g"},{"unit":"kg"}]}`, ""},
		{`{"order":{"id":1,"lines":[{"n":0}]},"rows":[]}`, "", "order.lines[0].n"},
		{`{"order":[],"rows":{}}`, "", "order rows"},
	} {
		v, err := value.Decode([]byte(tt.given))
		if err != nil {
			t.Fatal(err)
		}
		bound, violations := p.Bind(v.(*value.Object))
		var paths []string
		for _, violation := range violations {
			paths = append(paths, violation.Path)
		}
		if bad := strings.Join(paths, " "); bad != tt.bad {
			t.Errorf("%s: wrong is %q, want %q", tt.given, bad, tt.bad)
		}
		if got := string(value.AppendJSON(nil, bound)); tt.bad == "" && got != tt.want {
			t.Errorf("%s: %s, want %s", tt.given, got, tt.want)
		}
		if again := string(value.AppendJSON(nil, v)); again != tt.given {
			t.Errorf("%s was changed to %s", tt.given, again)
		}
	}
	row, bad := p.Get("rows").BindItem(value.ObjectOf())
	if got := string(value.AppendJSON(nil, row)); got != `{"unit":"kg"}` || len(bad) > 0 {
		t.Errorf("a row: %s, %v", got, bad)
	}
}

func TestOnlyListsWithoutRulesOfTheirOwnAreRowwise(t *testing.T) {
	p := params(t, `
plain: {type: array, items: {type: string, minLength: 1}, description: rows}
any: {type: array}
few: {type: array, maxItems: 3, items: {type: string}}
apart: {type: array, uniqueItems: true}
text: {type: string}
`)
	got := ""
	for _, q := range p.List {
		if q.Rowwise() {
			got += q.Name + " "
		}
	}
	if got != "plain any " {
		t.Errorf("rowwise: %s", got)
	}
	if _, bad := p.Get("plain").BindItem(""); len(bad) != 1 || bad[0].Path != "" {
		t.Errorf("an element: %v", bad)
	}
	if _, bad := p.Get("any").BindItem(int64(1)); bad != nil {
		t.Errorf("an element of any type: %v", bad)
	}
}

func TestDidYouMeanNamesTheNearestOrAll(t *testing.T) {
	many := strings.Split("a b c d e f g h i j k l m n", " ")
	for _, tt := range []struct {
		name       string
		candidates []string
		want       string
	}{
		{"creat", []string{"create", "find"}, "did you mean create?"},
		{"zzzz", []string{"create", "find"}, "there are: create, find"},
		{"zzzz", nil, "there are none"},
		{"zzzz", many, "there are: a, b, c, d, e, f, g, h, i, j, k, l, …"},
	} {
		if got := catalog.DidYouMean(tt.name, tt.candidates); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if many[12] != "m" {
		t.Error("the candidates were changed")
	}
}
