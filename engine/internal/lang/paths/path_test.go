package paths

import (
	"strconv"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func TestPathFinds(t *testing.T) {
	t.Parallel()
	const answer = ` {"id": 9007199254740993, "price": 203.7700, "none": null, "a.b": 1, "@type": "T", "0": "zero",
		"list": [{"p": 1.00, "q": [1, 2]}, {"p": 2}, {"q": []}, "[5]", null],
		"deep": {"er": {"x": true}}, "text": "[7]", "escaped": "a\u00e9\"b", "*": "star", "é": "u"} `
	tests := []struct{ path, want string }{
		{"id", `9007199254740993`},
		{"price", `203.7700`},
		{"none", `null`},
		{`a\.b`, `1`},
		{`a.b`, `nothing`},
		{"@type", `"T"`},
		{`\@type`, `"T"`},
		{"0", `"zero"`},
		{"list.0.p", `1.00`},
		{"list.01.p", `2`},
		{"list.9", `nothing`},
		{"list.#", `5`},
		{"list.#.p", `[1.00,2]`},
		{"list.#.q", `[[1,2],[]]`},
		{"list.#.q.#", `[2,0]`},
		{"list.#.q.0", `[1]`},
		{"list.#.0", `[]`}, // no look into the text "[5]"
		{"list.#.nope", `[]`},
		{"list.p", `nothing`},
		{"deep.er.x", `true`},
		{"deep.@this.er", `{"x":true}`},
		{"deep.#", `nothing`},
		{"text.0", `nothing`},
		{"text", `"[7]"`},
		{"escaped", `"aé\"b"`},
		{`\*`, `"star"`},
		{"é", `"u"`},
		{"ID", `nothing`},
		{"nope.nope", `nothing`},
		{`list.#(p==2).p`, `2`},
		{`list.#(p>0)#.p`, `[1.00,2]`},
		{`list.#(p==9)`, `nothing`},
		{`list.#(p==9)#`, `[]`},
		{`list.0.q|@reverse`, `[2,1]`},
		{`list.0.q.@reverse.0`, `2`},
		{`deep.@keys`, `["er"]`},
		{`{id,"p":price}`, `{"id":9007199254740993,"p":203.7700}`},
		{`[id,nope,price]`, `[9007199254740993,203.7700]`},
		{`pri*`, `203.7700`},
		{`deep.er.@tostr`, `"{\"x\": true}"`},
	}
	for _, tt := range tests {
		p := compilePath(t, strconv.Quote(tt.path), nil)
		if got := findIn(t, p, answer); got != tt.want {
			t.Errorf("%s finds %s; want %s", tt.path, got, tt.want)
		}
	}
}

func TestPathOverAnswersThatAreNoObjects(t *testing.T) {
	t.Parallel()
	tests := []struct{ path, answer, want string }{
		{"@this", ` "a" `, `"a"`},
		{"@this", `[1, 2]`, `[1,2]`},
		{"@this", `null`, `null`},
		{"@this", ``, `nothing`},
		{"0", `[1, 2]`, `1`},
		{"#", `[1, 2]`, `2`},
		{"#", `[]`, `0`},
		{"0", `"[5]"`, `nothing`},
		{"a", `"{\"a\":1}"`, `nothing`},
		{"a*", `"{\"a\":1}"`, `nothing`},
		{"a", `5`, `nothing`},
		{"@fromstr.a", `"{\"a\":1}"`, `1`},
		{"@fromstr", `"{"`, `nothing`},
		{"#.a", `[{"a":1},{"a":null},{}]`, `[1,null]`},
		{"a.b", `{"a":1,"a":{"b":2}}`, `nothing`}, // of members with one name the first counts
	}
	for _, tt := range tests {
		p := compilePath(t, strconv.Quote(tt.path), nil)
		if got := findIn(t, p, tt.answer); got != tt.want {
			t.Errorf("%s in %s finds %s; want %s", tt.path, tt.answer, got, tt.want)
		}
	}
}

func TestPathGetSharesNoMemory(t *testing.T) {
	t.Parallel()
	body := []byte(`{"a":["text",12.50]}`)
	v, _, err := compilePath(t, "a", nil).Get(body)
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	if got := string(value.AppendJSON(nil, v)); got != `["text",12.50]` {
		t.Errorf("after the buffer was reused the value is %s", got)
	}
}

func TestPathGetRefusesEndlessNumbers(t *testing.T) {
	t.Parallel()
	p := compilePath(t, "a", nil)
	if _, found, err := p.Get([]byte(`{"a":1e99999999}`)); err == nil || !found {
		t.Errorf("found %v, error %v", found, err)
	}
}

// company is a schema's type with all that a path can meet.
func company(t *testing.T) *types.Type {
	file := &diag.File{Name: "specs/acme.yaml", Text: []byte("Company:\n  type: object\n")}
	charge := types.ObjectOf(
		types.Field{Name: "Price", Type: types.DecimalType},
		types.Field{Name: "Note", Type: types.TextType, Optional: true},
	)
	c := types.ObjectOf(
		types.Field{Name: "AccountId", Type: types.IntegerType},
		types.Field{Name: "Nick", Type: types.TextType, Optional: true},
		types.Field{Name: "Charges", Type: types.ListOf(charge)},
		types.Field{Name: "Owner", Type: types.ObjectOf(types.Field{Name: "Name", Type: types.TextType}), Optional: true},
		types.Field{Name: "Tags", Type: &types.Type{Kind: types.Object, Extra: types.TextType}},
		types.Field{Name: "Any", Type: nil},
	)
	c.Declared = diag.Place{File: file, Pos: diag.Pos{Line: 1, Col: 1}}
	return c
}

func TestPathTypes(t *testing.T) {
	t.Parallel()
	tests := []struct{ path, want, why string }{
		{"@this.AccountId", "integer", ""},
		{"Nick", "text or null", "Nick may be absent"},
		{"Charges", "list of object", ""},
		{"Charges.#", "integer", ""},
		{"Charges.#.Price", "list of decimal", ""},
		{"Charges.#.Note", "list of text", ""}, // what is absent is left out
		{"Charges.0.Price", "decimal or null", "the list may have no element 0"},
		{"Owner.Name", "text or null", "Owner may be absent"},
		{"Tags.x", "text or null", "x may be absent"},
		{"Any.x.y", "anything", ""},
		{"Charges.#(Price>1)#", "list of object", ""},
		{"Charges.#(Price>1)#.Price", "list of decimal", ""},
		{"Charges.#(Price>1).Price", "decimal or null", "no element may match"},
		{"Charges.#(Note%\"a.b)*\").Note", "text or null", "no element may match"},
		{"Charges.#(Price>1)#|0.Price", "decimal or null", "the list may have no element 0"},
		{"Any.#(x==1)#.y", "anything", ""},
		{"[AccountId,Nick]|0", "anything", ""},
		{"Charges.@reverse", "list of object", ""},
		{"Charges.@reverse.0.Price", "decimal or null", "the list may have no element 0"},
		{"Charges|@reverse|0.Note", "text or null", "the list may have no element 0"},
		{"@reverse.Charges.0.Price", "decimal or null", "the list may have no element 0"},
		{"Any.@reverse.0.id", "anything", ""},
		{"Charges.@values", "anything", ""},
	}
	for _, tt := range tests {
		got := compilePath(t, strconv.Quote(tt.path), company(t)).Type()
		if got.String() != tt.want || got.Why != tt.why {
			t.Errorf("%s is %s (%s); want %s (%s)", tt.path, got, got.Why, tt.want, tt.why)
		}
	}
}

func TestPathTypeOfASecretIsSecret(t *testing.T) {
	t.Parallel()
	over := types.ObjectOf(types.Field{Name: "card", Type: (&types.Type{Kind: types.Object, Fields: []types.Field{{Name: "no", Type: types.TextType}}}).SecretIf(true)})
	for _, path := range []string{"card.no", "card.@keys", `"{card}"`} {
		if got := compilePath(t, path, over).Type(); !got.HasSecret() {
			t.Errorf("%s finds %s, which is not secret", path, got)
		}
	}
}

func TestPathFaults(t *testing.T) {
	t.Parallel()
	tests := []struct{ yaml, want string }{
		{`AcountId`, `
test.yaml:1:1: the data has no member "AcountId"
    1 | AcountId
      | ^
  hint: did you mean "AccountId"?
  specs/acme.yaml:1:1: declared here
`},
		{`"Charges.#.Prise"`, `
test.yaml:1:12: the data has no member "Prise"
    1 | "Charges.#.Prise"
      |            ^
  hint: did you mean "Price"?
`},
		{`Charges.Price`, `
test.yaml:1:9: list of object has no member "Price"
    1 | Charges.Price
      |         ^
  hint: write "#.Price" for all elements, "0.Price" for the first
`},
		{`"AccountId.#"`, `
test.yaml:1:12: integer has no elements for #
    1 | "AccountId.#"
      |            ^
`},
		{`Chrges|0`, `
test.yaml:1:1: the data has no member "Chrges"
    1 | Chrges|0
      | ^
  hint: did you mean "Charges"?
  specs/acme.yaml:1:1: declared here
`},
		{`Charges..Price`, `
test.yaml:1:9: the path has an empty part
    1 | Charges..Price
      |         ^
  hint: members are joined by single dots; the member called "" cannot be reached
`},
		{`""`, `
test.yaml:1:2: the path is empty
    1 | ""
      |  ^
  hint: "@this" is the whole answer; a path that starts with # or @ must be quoted
`},
		{`Charges.-1`, `
test.yaml:1:9: an index counts from 0: -1 finds nothing
    1 | Charges.-1
      |         ^
  hint: "@reverse.0" is the last element; a member of that name is written "\-1"
`},
		{`Charges.99999999999999999999`, `
test.yaml:1:9: the index 99999999999999999999 is too large
    1 | Charges.99999999999999999999
      |         ^
`},
		{`Any.@dig:x`, `
test.yaml:1:5: a path cannot use the modifier @dig
    1 | Any.@dig:x
      |     ^
  hint: there are @this, @reverse, @keys, @values, @flatten, @join, @tostr, @fromstr
`},
		{`'{"a": Any.@mine}'`, `
test.yaml:1:12: a path cannot use the modifier @mine
    1 | '{"a": Any.@mine}'
      |            ^
  hint: there are @this, @reverse, @keys, @values, @flatten, @join, @tostr, @fromstr; a member of that name is written "\@mine"
`},
		{`'Charges.@flatten:{"deep":true}'`, `
test.yaml:1:18: the modifier @flatten takes no argument here
    1 | 'Charges.@flatten:{"deep":true}'
      |                  ^
`},
		{`'Charges.#(Price==9007199254740993)'`, `
test.yaml:1:19: a query does not compare 9007199254740993 exactly: it sees the first 15 digits
    1 | 'Charges.#(Price==9007199254740993)'
      |                   ^
  hint: take the list, and pick from it with filter() or find(), which compare exactly
`},
		{`'Charges.#(Price==9'`, `
test.yaml:1:11: '(' is not closed
    1 | 'Charges.#(Price==9'
      |           ^
`},
		{`Any.!true`, `
test.yaml:1:5: a path cannot write a value of its own with !
    1 | Any.!true
      |     ^
`},
		{`Any.${{ x }}`, `
test.yaml:1:1: a path cannot hold ${{ }}
    1 | Any.${{ x }}
      | ^
  hint: a path is fixed; choose among what it finds with an expression over the outputs
`},
	}
	for _, tt := range tests {
		var faults diag.List
		p := Compile(langtest.YAML(t, tt.yaml), company(t), &faults)
		if got := "\n" + langtest.Rendered(faults); p != nil || got != tt.want {
			t.Errorf("path %s\n got %s\nwant %s", tt.yaml, got, tt.want)
		}
	}
}

func compilePath(t testing.TB, yaml string, over *types.Type) *Path {
	t.Helper()
	return langtest.Compiled(t, langtest.YAML(t, yaml), func(n *source.Node, faults *diag.List) *Path { return Compile(n, over, faults) })
}

func findIn(t *testing.T, p *Path, answer string) string {
	t.Helper()
	v, found, err := p.Get([]byte(answer))
	switch {
	case err != nil:
		return err.Error()
	case !found:
		return "nothing"
	}
	return string(value.AppendJSON(nil, v))
}

func TestElementsOfTheListThatAPathTakesFrom(t *testing.T) {
	t.Parallel()
	const body = `{"items":[{"id":1,"on":true},{"id":2},{}],"none":[],"null":null,"text":"a"}`
	for path, want := range map[string]int{
		"items": 3, "items.#.id": 3, "items.#(on==true)#": 3, "items.#(on==true)#.id": 3, "items|#.id": 3, "items.#": 3, "items.@reverse": 3,
		"none": 0, "none.#.id": 0, "none.#(on==true)#": 0, "[items,none]|@flatten": 3,
		"item": -1, "item.#.id": -1, "item.#(on==true)#": -1, "null": -1, "text": -1, "@this": -1, "text.#.id": -1,
	} {
		var faults diag.List
		p := Compile(&source.Node{Text: path, Quoted: true}, types.AnyType, &faults)
		if p == nil {
			t.Errorf("%s: %v", path, faults)
			continue
		}
		n, ok := p.Elements([]byte(body))
		if !ok {
			n = -1
		}
		if n != want {
			t.Errorf("%s: got %d, want %d", path, n, want)
		}
	}
	var faults diag.List
	if n, ok := Compile(&source.Node{Text: "#(id>1)#", Quoted: true}, types.AnyType, &faults).Elements([]byte(`[{"id":1},{"id":2}]`)); n != 2 || !ok {
		t.Errorf("got %d, %v", n, ok)
	}
}
