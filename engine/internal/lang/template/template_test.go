package template

import (
	"bytes"
	"errors"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A sample is a name of the scope that the tests use, with its type and value.
type sample struct {
	name string
	typ  *types.Type
	json string
}

var samples = []sample{
	{"n", types.IntegerType, `7`},
	{"price", types.DecimalType, `203.7700`},
	{"s", types.TextType, `"a \"b\" <é>"`},
	{"yes", types.BooleanType, `true`},
	{"nick", types.TextType.OrNull("nick may be absent"), `null`},
	{"token", (&types.Type{Kind: types.Text}).SecretIf(true), `"tok-1"`},
	{"xs", types.ListOf(types.ObjectOf(types.Field{Name: "id", Type: types.IntegerType}, types.Field{Name: "tag", Type: types.TextType, Optional: true})),
		`[{"id":1,"tag":"one"},{"id":2}]`},
	{"o", types.ObjectOf(types.Field{Name: "a", Type: types.ObjectOf(types.Field{Name: "b", Type: types.TextType})}), `{"a":{"b":"deep"}}`},
	{"any", types.AnyType, `{"list":[1],"null":null,"text":"t"}`},
}

func sampleScope(t testing.TB) (*expr.Scope, expr.Vars) {
	t.Helper()
	var names []expr.Name
	var vars expr.Vars
	for _, s := range samples {
		v, err := value.Decode([]byte(s.json))
		if err != nil {
			t.Fatal(err)
		}
		names, vars = append(names, expr.Name{Name: s.name, Type: s.typ}), append(vars, v)
	}
	return expr.NewScope(names...), vars
}

func compileTemplate(t testing.TB, yaml string, s *expr.Scope) *Template {
	t.Helper()
	return langtest.Compiled(t, langtest.YAML(t, yaml), func(n *source.Node, faults *diag.List) *Template { return Compile(n, s, faults) })
}

func TestTemplateYields(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, yaml, want, typ string }{
		{"literal number keeps its digits", `203.7700`, `203.7700`, "decimal"},
		{"literal text", `plain`, `"plain"`, "plain"},
		{"quoted number is text", `'7'`, `"7"`, "7"},
		{"literal null", `null`, `null`, "null"},
		{"literal list", `[1, a, true]`, `[1,"a",true]`, "list"},
		{"literal object", `{a: 1, b: {}}`, `{"a":1,"b":{}}`, "object"},
		{"empty list", `[]`, `[]`, "list"},
		{"one marker keeps the type", `${{ price }}`, `203.7700`, "decimal"},
		{"one quoted marker keeps the type", `"${{ n }}"`, `7`, "integer"},
		{"one marker in a block keeps the type", "|\n  ${{\n    n }}\n", `7`, "integer"},
		{"a space makes text of it", `" ${{ n }}"`, `" 7"`, "text"},
		{"marker in text", `"<${{ s }}> ${{ price }}/${{ yes }}"`, `"<a \"b\" <é>> 203.7700/true"`, "text"},
		{"secret in text", `"Bearer ${{ token }}"`, `"Bearer tok-1"`, "secret text"},
		{"escaped marker", `a $${{ n }}`, `"a ${{ n }}"`, "a ${{ n }}"},
		{"escaped beside real", `$${{ ${{ n }} }}`, `"${{ 7 }}"`, "text"},
		{"braces in strings", `'${{ "}}" + s }}'`, `"}}a \"b\" <é>"`, "text"},
		{"null is sent", `{a: "${{ nick }}"}`, `{"a":null}`, "object"},
		{"members in order", `{b: 1, a: "${{ n }}", c: x, d: "${{ n }}"}`, `{"b":1,"a":7,"c":"x","d":7}`, "object"},
		{"first member omitted", `{a: "${{ nick ?? omit }}", b: 1, c: 2}`, `{"b":1,"c":2}`, "object"},
		{"last member omitted", `{b: 1, a: "${{ nick ?? omit }}"}`, `{"b":1}`, "object"},
		{"middle members omitted", `{b: 1, a: "${{ omit }}", x: "${{ nick ?? omit }}", c: "${{ n }}"}`, `{"b":1,"c":7}`, "object"},
		{"all members omitted", `{x: {a: "${{ omit }}", y: {b: "${{ omit }}"}}, z: 1}`, `{"z":1}`, "object"},
		{"everything omitted", `{a: "${{ omit }}"}`, `omit`, "object"},
		{"empty object stays", `{a: {}, b: "${{ omit }}"}`, `{"a":{}}`, "object"},
		{"omitted elements", `["${{ omit }}", 1, 2, "${{ omit }}", "${{ n }}", {a: "${{ omit }}"}]`, `[1,2,7]`, "list"},
		{"all elements omitted", `["${{ omit }}"]`, `[]`, "list"},
		{"names from markers", `{"x-${{ n }}": 1, "${{ s }}": "${{ n }}"}`, `{"x-7":1,"a \"b\" <é>":7}`, "object"},
		{"omitted member with a name from a marker", `{"x-${{ n }}": "${{ omit }}", a: 1}`, `{"a":1}`, "object"},
		{"a deep member", `${{ o.a.b }}`, `"deep"`, "text"},
		{"each", "$each: xs\nas: x\nvalue: {id: \"${{ x.id }}\", tag: \"${{ x.tag ?? omit }}\", of: \"${{ n }}\"}",
			`[{"id":1,"tag":"one","of":7},{"id":2,"of":7}]`, "list of object"},
		{"each with marker, elements omitted", "$each: ${{ xs }}\nas: x\nvalue: ${{ x.tag ?? omit }}", `["one"]`, "list of text"},
		{"each of a fixed value", "$each: xs\nas: x\nvalue: {a: 1}", `[{"a":1},{"a":1}]`, "list of object"},
		{"each within each", "$each: xs\nas: x\nvalue:\n  $each: xs\n  as: y\n  value: ${{ x.id * 10 + y.id }}",
			`[[11,12],[21,22]]`, "list of list of integer"},
	}
	s, vars := sampleScope(t)
	for _, tt := range tests {
		tmpl := compileTemplate(t, tt.yaml, s)
		if got := evaluate(t, tmpl, vars); got != tt.want {
			t.Errorf("%s: %s\n gives %s\n  want %s", tt.name, tt.yaml, got, tt.want)
		}
		if got := typeText(tmpl.Type()); got != tt.typ {
			t.Errorf("%s: %s is %s; want %s", tt.name, tt.yaml, got, tt.typ)
		}
	}
}

// typeText is the type, or the text itself where only one is possible.
func typeText(typ *types.Type) string {
	if typ.Kind == types.Text && len(typ.Enum) == 1 {
		return typ.Enum[0].(string)
	}
	return typ.String()
}

// evaluate computes the template both ways, which must agree.
func evaluate(t testing.TB, tmpl *Template, vars expr.Vars) string {
	t.Helper()
	v, evalErr := tmpl.Eval(vars)
	out, ok, err := tmpl.AppendJSON([]byte("before"), vars)
	if (evalErr == nil) != (err == nil) || err != nil && evalErr.Error() != err.Error() {
		t.Fatalf("Eval fails with %v, AppendJSON with %v", evalErr, err)
	}
	if (err == nil && v != types.Omit) != ok {
		t.Fatalf("Eval gives %v, AppendJSON ok is %v", v, ok)
	}
	rest, found := bytes.CutPrefix(out, []byte("before"))
	switch {
	case !found || !ok && len(rest) > 0:
		t.Fatalf("AppendJSON left %q", out)
	case err != nil:
		return "error: " + err.Error()
	case !ok:
		return "omit"
	}
	if want := value.AppendJSON(nil, v); !bytes.Equal(want, rest) {
		t.Fatalf("Eval gives %s, AppendJSON %s", want, rest)
	}
	return string(rest)
}

func TestTemplateObjectTypes(t *testing.T) {
	t.Parallel()
	s, _ := sampleScope(t)
	tmpl := compileTemplate(t, `{a: 1, b: "${{ nick ?? omit }}", c: "${{ token }}", "${{ s }}": "${{ n }}", d: {e: "${{ omit }}"}}`, s)
	typ := tmpl.Type()
	want := []struct {
		name, typ        string
		optional, secret bool
	}{
		{"a", "integer", false, false},
		{"b", "text", true, false},
		{"c", "secret text", false, true},
		{"d", "object", true, false},
	}
	if len(typ.Fields) != len(want) || typ.Extra.String() != "integer" {
		t.Fatalf("fields %v, others %s", typ.Fields, typ.Extra)
	}
	for i, w := range want {
		f := typ.Fields[i]
		if f.Name != w.name || f.Type.String() != w.typ || f.Optional != w.optional || f.Type.HasSecret() != w.secret {
			t.Errorf("field %s: %s, optional %v, secret %v; want %+v", f.Name, f.Type, f.Optional, f.Type.HasSecret(), w)
		}
	}
	if mixed := compileTemplate(t, `x ${{ token }}`, s); !mixed.Type().Secret {
		t.Error("text with a secret in it is not secret")
	}
}

func TestTemplateFailsAtItsMarker(t *testing.T) {
	t.Parallel()
	tests := []struct{ yaml, want string }{
		{`{a: "x ${{ any.null }}"}`, `error: test.yaml:1:12: null cannot stand inside a text`},
		{`{a: "x ${{ any.list }}"}`, `error: test.yaml:1:12: list cannot stand inside a text`},
		{`{a: 1, "${{ any.list }}": 1}`, `error: test.yaml:1:9: a member's name must be text, found list`},
		{`{a: 1, "${{ any.text }}": 1, "${{any.text}}": 2}`, `error: test.yaml:1:31: the object has two members called "t"`},
		{`{"${{ any.text }}": 1, t: 2}`, `error: test.yaml:1:3: the object has two members called "t"`},
		{`{$each: any.text, as: x, value: 1}`, `error: test.yaml:1:9: $each needs a list, found "t"`},
	}
	s, vars := sampleScope(t)
	for _, tt := range tests {
		tmpl := compileTemplate(t, tt.yaml, s)
		if got := evaluate(t, tmpl, vars); got != tt.want {
			t.Errorf("%s\n gives %s\n  want %s", tt.yaml, got, tt.want)
		}
		_, err := tmpl.Eval(vars)
		if _, ok := errors.AsType[*diag.Diagnostic](err); !ok {
			t.Errorf("%s: error is %T", tt.yaml, err)
		}
	}
}

func TestTemplateFaults(t *testing.T) {
	t.Parallel()
	tests := []struct{ yaml, want string }{
		{`a: "x ${{ nick }}"`, `
test.yaml:1:11: text or null (nick may be absent) cannot stand inside a text
    1 | a: "x ${{ nick }}"
      |           ^
  hint: say what to write instead: ${{ nick ?? '' }}
`},
		{`a: "x ${{ xs }} ${{ o }} ${{ null }} ${{ omit }}"`, `
test.yaml:1:11: list of object cannot stand inside a text
    1 | a: "x ${{ xs }} ${{ o }} ${{ null }} ${{ omit }}"
      |           ^
test.yaml:1:21: object cannot stand inside a text
    1 | a: "x ${{ xs }} ${{ o }} ${{ null }} ${{ omit }}"
      |                     ^
test.yaml:1:30: null cannot stand inside a text
    1 | a: "x ${{ xs }} ${{ o }} ${{ null }} ${{ omit }}"
      |                              ^
  hint: say what to write instead: ${{ null ?? '' }}
test.yaml:1:42: omit cannot stand inside a text
    1 | a: "x ${{ xs }} ${{ o }} ${{ null }} ${{ omit }}"
      |                                          ^
  hint: only a whole value can be left out
`},
		{`a: 'é ${{ n'`, `
test.yaml:1:7: ${{ is not closed
    1 | a: 'é ${{ n'
      |       ^
  hint: end the expression with }}, or write $${{ for the characters themselves
`},
		{`a: ${{ }}`, `
test.yaml:1:8: an expression is missing
    1 | a: ${{ }}
      |        ^
`},
		{`{"${{ n }}": 1, "${{ token }}": 2, "${{ omit }}": 3}`, `
test.yaml:1:3: a member's name must be text: expected text, found integer
    1 | {"${{ n }}": 1, "${{ token }}": 2, "${{ omit }}": 3}
      |   ^
test.yaml:1:18: a member's name cannot be secret: names are not masked
    1 | {"${{ n }}": 1, "${{ token }}": 2, "${{ omit }}": 3}
      |                  ^
test.yaml:1:37: a member's name cannot be omit
    1 | {"${{ n }}": 1, "${{ token }}": 2, "${{ omit }}": 3}
      |                                     ^
  hint: give the member the value omit to leave it out
`},
		{"a: &x ${{ n }}\nb: *x", `
test.yaml:1:7: an anchor or alias cannot stand for a value with ${{ }}
    1 | a: &x ${{ n }}
      |       ^
  hint: write the value out in each place, or compute it once with set
`},
		{"$each: n\nsa: x\nvalue: ${{ y }}", `
test.yaml:1:1: $each needs "as", the name of the element
    1 | $each: n
      | ^
test.yaml:1:8: $each needs a list: expected list, found integer
    1 | $each: n
      |        ^
test.yaml:2:1: unknown key "sa" beside $each
    2 | sa: x
      | ^
  hint: known here: as, value
`},
		{"$each: [1]\nas: in\nvalue: 1", `
test.yaml:1:9: $each is an expression that gives a list
    1 | $each: [1]
      |         ^
test.yaml:2:5: "as" must be a name that expressions can use
    2 | as: in
      |     ^
  hint: letters, digits and _, and no word of the language
`},
		{"$each: any.list\nas: x", `
test.yaml:1:1: $each needs "value", what each element becomes
    1 | $each: any.list
      | ^
`},
	}
	s, _ := sampleScope(t)
	for _, tt := range tests {
		var faults diag.List
		tmpl := Compile(langtest.YAML(t, tt.yaml), s, &faults)
		if got := "\n" + langtest.Rendered(faults); tmpl != nil || got != tt.want {
			t.Errorf("template %s\n got %s\nwant %s", tt.yaml, got, tt.want)
		}
	}
}

func TestTemplateMembers(t *testing.T) {
	t.Parallel()
	s, _ := sampleScope(t)
	members := compileTemplate(t, "b: 1\n${{ s }}: ${{ n }}\n$${{: 2\n", s).Members()
	want := []struct {
		name    string
		dynamic bool
		line    int
		literal value.Value
	}{{"b", false, 1, int64(1)}, {"s", true, 2, nil}, {"${{", false, 3, int64(2)}}
	if len(members) != len(want) {
		t.Fatalf("%d members", len(members))
	}
	for i, w := range want {
		m := members[i]
		v, _ := m.Value.Literal()
		if m.Name != w.name || (m.Key != nil) != w.dynamic || m.Place.Pos.Line != w.line || v != w.literal {
			t.Errorf("member %d is %q (dynamic %v) at %v: %v", i, m.Name, m.Key != nil, m.Place.Pos, v)
		}
	}
	if m := compileTemplate(t, "$each: xs\nas: x\nvalue: 1", s).Members(); m != nil {
		t.Errorf("$each has members %v", m)
	}
}

func TestTemplateLiteral(t *testing.T) {
	t.Parallel()
	s, _ := sampleScope(t)
	if v, ok := compileTemplate(t, "{a: [1, {b: x}]}", s).Literal(); !ok || string(value.AppendJSON(nil, v)) != `{"a":[1,{"b":"x"}]}` {
		t.Errorf("literal %v, %v", v, ok)
	}
	if v, ok := compileTemplate(t, "{a: [1, '${{ n }}']}", s).Literal(); ok {
		t.Errorf("a template with a marker is literally %v", v)
	}
}

func TestTemplateWithShortVars(t *testing.T) {
	t.Parallel()
	s, vars := sampleScope(t)
	tmpl := compileTemplate(t, "$each: xs\nas: x\nvalue: {id: \"${{ x.id }}\", any: \"${{ any }}\"}", s)
	if got := evaluate(t, tmpl, vars[:7]); got != `[{"id":1,"any":null},{"id":2,"any":null}]` {
		t.Error(got)
	}
}
