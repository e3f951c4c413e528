package expr

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// refs is a Resolver of schemas by name.
type refs map[string]value.Value

func (r refs) Resolve(base, ref string) (value.Value, string, error) {
	s, ok := r[ref]
	if !ok {
		return nil, "", errors.New("no such schema")
	}
	return s, base, nil
}

// sketch writes a type with its members, as deep as depth; cycles come to an end.
func sketch(t *types.Type, depth int) string {
	t = types.OrAny(t)
	if depth == 0 {
		return "…"
	}
	var s string
	switch t.Kind {
	case types.List:
		s = "[" + sketch(t.Elem, depth-1) + "]"
	case types.Object:
		var parts []string
		for _, f := range t.Fields {
			name := f.Name
			if f.Optional {
				name += "?"
			}
			parts = append(parts, name+" "+sketch(f.Type, depth-1))
		}
		if t.Extra != nil {
			parts = append(parts, "* "+sketch(t.Extra, depth-1))
		}
		s = "{" + strings.Join(parts, ", ") + "}"
	default:
		plain := &types.Type{Kind: t.Kind, Format: t.Format}
		s = plain.String()
	}
	if t.Secret {
		s = "secret " + s
	}
	if t.Enum != nil {
		s += "(" + types.ListValues(t.Enum) + ")"
	}
	if t.Nullable && t.Kind != types.Null {
		s += "?"
	}
	return s
}

func TestSchemasBecomeTypes(t *testing.T) {
	r := refs{
		"#/Loop": langtest.Decode(t, `{"$ref":"#/Back"}`),
		"#/Back": langtest.Decode(t, `{"$ref":"#/Loop"}`),
		"#/Self": langtest.Decode(t, `{"allOf":[{"$ref":"#/Self"}]}`),
	}
	cases := []struct{ schema, want string }{
		{`true`, `anything`},
		{`{}`, `anything`},
		{`{"type":"string"}`, `text`},
		{`{"type":"string","format":"date-time"}`, `datetime`},
		{`{"type":"date"}`, `date`},
		{`{"type":"datetime","secret":true}`, `secret datetime`},
		{`{"type":"decimal"}`, `decimal`},
		{`{"type":["number","integer"]}`, `decimal`},
		{`{"type":["integer","null"]}`, `integer?`},
		{`{"type":["integer","string"]}`, `anything`},
		{`{"type":"null"}`, `null`},
		{`{"type":"string","nullable":true}`, `text?`},
		{`{"enum":["a","b",null]}`, `text(a, b)?`},
		{`{"enum":[1,2.5]}`, `decimal(1, 2.5)`},
		{`{"enum":[1,"a"]}`, `anything`},
		{`{"const":"x"}`, `text(x)`},
		{`{"type":"array"}`, `[anything]`},
		{`{"items":{"type":"string"}}`, `[text]`},
		{`{"type":"object"}`, `{* anything}`},
		{`{"type":"object","additionalProperties":{"type":"integer"}}`, `{* integer}`},
		{`{"properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["a"]}`, `{a integer, b? text}`},
		{`{"properties":{"a":{"default":1,"type":"integer"},"b":{"optional":true}},"required":["b"]}`, `{a integer, b? anything}`},
		{`{"properties":{"a":{"type":"integer"}},"additionalProperties":true}`, `{a? integer, * anything}`},
		{`{"allOf":[{"properties":{"a":{"type":"integer"}}},{"properties":{"b":{"type":"string"}}},{"required":["a"]}]}`, `{a integer, b? text}`},
		{`{"allOf":[{"type":"number"},{"type":"integer"}]}`, `integer`},
		{`{"allOf":[{"type":"string"},{"type":"integer"}]}`, `anything`},
		{`{"oneOf":[{"type":"string"},{"type":"null"}]}`, `text?`},
		{`{"oneOf":[{"type":"string"},{"type":"string","format":"date"}]}`, `text`},
		{`{"oneOf":[{"type":"string"},{"type":"integer"}]}`, `anything`},
		{`{"anyOf":[{"properties":{"a":{"type":"integer"},"k":{"type":"string"}},"required":["a","k"]},{"properties":{"b":{"type":"string"},"k":{"type":"string"}},"required":["b","k"]}]}`,
			`{a? integer, k text, b? text}`},
		{`{"type":"object","properties":{"k":{"type":"string"}},"oneOf":[{"required":["a"]},{"required":["b"]}]}`, `{k? text}`},
		{`{"$ref":"#/Nowhere"}`, `anything`},
		{`{"$ref":"#/Loop"}`, `anything`},
		{`{"$ref":"#/Self"}`, `anything`},
	}
	for _, c := range cases {
		got := sketch(types.FromSchema(langtest.Decode(t, c.schema), "doc", r), 3)
		if got != c.want {
			t.Errorf("%s\n got  %s\n want %s", c.schema, got, c.want)
		}
	}
}

func TestRecursiveSchemasAreCyclicTypes(t *testing.T) {
	r := refs{"#/Node": langtest.Decode(t, `{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"next":{"$ref":"#/Node"},
		"up":{"anyOf":[{"$ref":"#/Node"},{"type":"null"}]},"all":{"type":"array","items":{"$ref":"#/Node"}}}}`)}
	node := types.FromSchema(langtest.Decode(t, `{"$ref":"#/Node"}`), "doc", r)
	const want = "{id integer, next? {id …, next? …, up? …, all? …}, up? {id …, next? …, up? …, all? …}?, all? […]}"
	for _, step := range []string{"next", "up", "up", "next"} {
		if got := sketch(node.NotNull(), 2); got != want {
			t.Errorf("before %s\n got  %s\n want %s", step, got, want)
		}
		node, _ = node.Field(step)
	}
	if why := node.Accepts(types.FromSchema(langtest.Decode(t, `{"$ref":"#/Node"}`), "doc", r)); why != "" {
		t.Errorf("two readings of one schema differ: %s", why)
	}
}

func TestAcceptsSaysWhyNot(t *testing.T) {
	dateType := &types.Type{Kind: types.Text, Format: "date"}
	timeType := &types.Type{Kind: types.Text, Format: "datetime"}
	status := &types.Type{Kind: types.Text, Enum: []value.Value{"a", "b"}}
	endless := &types.Type{Kind: types.List}
	endless.Elem = endless
	cases := []struct {
		want, from *types.Type
		why        string
	}{
		{types.IntegerType, types.IntegerType, ""},
		{types.DecimalType, types.IntegerType, ""},
		{types.IntegerType, types.DecimalType, "expected integer, found decimal"},
		{types.IntegerType, nil, ""},
		{nil, types.ListOf(types.TextType), ""},
		{types.IntegerType, types.TextType.OrNull(""), "expected integer, found text or null"},
		{types.TextType, types.TextType.OrNull("x may be absent"), "expected text, found text or null (x may be absent)"},
		{types.TextType, types.NullType, "expected text, found null"},
		{types.TextType.OrNull(""), types.NullType, ""},
		{dateType, types.TextType, ""},
		{dateType, timeType, "expected date, found datetime"},
		{status, &types.Type{Kind: types.Text, Enum: []value.Value{"c"}}, `expected one of a, b, found "c"`},
		{types.ListOf(types.IntegerType), types.ListOf(types.TextType), "elements: expected integer, found text"},
		{types.ListOf(types.IntegerType), types.ListOf(types.NothingType), ""},
		{types.ObjectOf(types.Field{Name: "a", Type: types.IntegerType}), types.ObjectOf(), `expected a member "a", found none`},
		{types.ObjectOf(types.Field{Name: "a", Type: types.IntegerType, Optional: true}), types.ObjectOf(), ""},
		{types.ObjectOf(types.Field{Name: "a", Type: types.IntegerType, Optional: true}), types.ObjectOf(types.Field{Name: "a", Type: types.NullType}), ""},
		{types.ObjectOf(), types.ObjectOf(types.Field{Name: "a", Type: types.IntegerType}), `unknown member "a"`},
		{&types.Type{Kind: types.Object, Extra: types.TextType}, types.ObjectOf(types.Field{Name: "a", Type: types.IntegerType}), `member "a": expected text or null, found integer`},
		{types.ObjectOf(types.Field{Name: "a", Type: types.IntegerType}), types.ObjectOf(types.Field{Name: "a", Type: types.TextType}), `member "a": expected integer, found text`},
		{endless, types.ListOf(endless), ""},
		{endless, types.ListOf(types.TextType), "elements: expected list of list of list of list of list, found text"},
	}
	for _, c := range cases {
		if got := c.want.Accepts(c.from); got != c.why {
			t.Errorf("%s accepts %s: %q, want %q", c.want, c.from, got, c.why)
		}
	}
}

func TestParseTextReadsByType(t *testing.T) {
	cases := []struct {
		typ        *types.Type
		text, want string
	}{
		{nil, "007", `"007"`},
		{types.TextType, "", `""`},
		{types.IntegerType, "42", `42`},
		{types.IntegerType, "15.0", `15`},
		{types.IntegerType, "007", `error: expected integer, found "007"`},
		{types.IntegerType.OrNull(""), "x", `error: expected integer, found "x"`},
		{types.DecimalType, "203.7700", `203.7700`},
		{types.BooleanType, "yes", `error: expected boolean (true or false), found "yes"`},
		{types.BooleanType, "true", `true`},
		{types.BooleanType, "FALSE", `false`},
		{&types.Type{Kind: types.Text, Format: "date"}, "2025-01-01", `"2025-01-01"`},
		{types.ListOf(types.TextType), "a.pt; b.pt", `["a.pt","b.pt"]`},
		{types.ListOf(types.TextType), "a;; b ; ", `["a","","b"]`},
		{types.ListOf(types.IntegerType), "1;x", `error: element 2: expected integer, found "x"`},
		{types.ListOf(types.IntegerType), " [1, 2]", `[1,2]`},
		{types.ListOf(types.TextType), "", `[]`},
		{types.ObjectOf(), `{"a":1}`, `{"a":1}`},
		{types.ObjectOf(), `[]`, `error: expected object (in JSON), found "[]"`},
	}
	for _, c := range cases {
		v, err := types.ParseText(c.typ, c.text)
		got := "error: "
		if err != nil {
			got += err.Error()
		} else {
			got = string(value.AppendJSON(nil, v))
		}
		if got != c.want {
			t.Errorf("%s from %q: %s, want %s", c.typ, c.text, got, c.want)
		}
	}
}

func TestExpressionsHaveTypes(t *testing.T) {
	const out = "steps.lookup.outputs"
	cases := []struct{ expr, want string }{
		{`inputs.n + 1`, `integer`},
		{`inputs.n + 1.5`, `decimal`},
		{`inputs.n / 2`, `decimal`},
		{`body.a + 1`, `anything`},
		{out + `.account_id ?? 0`, `integer`},
		{out + `.company.Nick`, `text or null`},
		{`first(` + out + `.companies)?.AccountId`, `integer or null`},
		{`filter(` + out + `.companies, .AccountId > 1)[0].Since`, `date`},
		{`map(` + out + `.companies, .AccountId)`, `list of integer`},
		{`groupBy(` + out + `.companies, .Status).Active`, `list of object or null`},
		{`inputs.flag ? {a: 1} : {b: "x"}`, `object`},
		{`(inputs.flag ? {a: 1} : {b: "x"}).b`, `text or null`},
		{`inputs.flag ? 1 : "x"`, `integer or text`},
		{`inputs.flag ? 1 : null`, `integer or null`},
		{`body.x ?? []`, `anything`},
		{out + `.company.Tags ?? []`, `list of text`},
		{`concat([1], [2.5])`, `list of decimal`},
		{`unique(` + out + `.companies)[0].AccountId`, `integer`},
		{`sum(` + out + `.companies, .Balance)`, `decimal`},
		{`max(1, 2.5)`, `decimal`},
		{`max([1])`, `integer or null`},
		{`values({a: 1, b: 2})`, `list of integer`},
		{`now()`, `datetime`},
		{`addDays(` + out + `.company.Since, 1)`, `date`},
		{`round(1 / 3)`, `integer`},
		{`inputs.token`, `secret text`},
		{`"Bearer " + inputs.token`, `secret text`},
		{`{h: upper(inputs.token)}.h`, `secret text`},
		{`[inputs.token, "x"][0]`, `secret text`},
		{`join([inputs.token], "")`, `secret text`},
		{`digest(inputs)`, `secret text`},
		{`inputs.token == ""`, `boolean`},
		{`inputs.flag ? inputs.token : ""`, `secret text`},
	}
	for _, c := range cases {
		if got := mustCompile(t, testScope, c.expr).Type().String(); got != c.want {
			t.Errorf("%s is %s, want %s", c.expr, got, c.want)
		}
	}
}

func TestScopeFunctionsAreChecked(t *testing.T) {
	s := testScope.WithFuncs(Func{
		Name: "next", Params: []*types.Type{types.TextType, types.IntegerType}, Optional: 1, Result: types.IntegerType,
		Call: func(vars Vars, args []value.Value) (value.Value, error) {
			if args[0] == "bad" {
				return nil, errors.New("no counter bad")
			}
			return int64(len(args)), nil
		},
	})
	cases := []struct{ expr, want string }{
		{`next("a") + next("a", 1)`, `3`},
		{`next()`, `1: next takes 1 to 2 arguments, found 0`},
		{`next(1)`, `6: argument 1 of next: expected text, found integer`},
		{`nexd("a")`, `1: unknown function "nexd" (did you mean "next"?)`},
		{`1 + next("bad")`, `run 5: no counter bad`},
	}
	for _, c := range cases {
		if got := outcome(t, s, testVars(t), c.expr); got != c.want {
			t.Errorf("%s\n got  %s\n want %s", c.expr, got, c.want)
		}
	}
	if got := outcome(t, NewScope(), nil, `now()`); got != `1: unknown function "now" (now() is not known here; pipelines have it)` {
		t.Errorf("now() without a clock: %s", got)
	}
}

func TestOmitIsAWholeResult(t *testing.T) {
	var faults diag.List
	e := CompileSource(langtest.Expr(t, `body.nope ?? omit`), `body.nope ?? omit`, 0, testScope, &faults)
	if e == nil {
		t.Fatal(faults)
	}
	if v, err := e.Eval(testVars(t)); v != types.Omit || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
	e = CompileSource(langtest.Expr(t, `inputs.n ?? omit`), `inputs.n ?? omit`, 0, testScope, &faults)
	if got := e.Type().String(); got != "integer" || !e.Type().MayOmit {
		t.Errorf("type %s, omittable %v", got, e.Type().MayOmit)
	}
}

func TestUnknownMembersPointAtTheirDeclaration(t *testing.T) {
	file := &diag.File{Name: "spec.yaml"}
	typ := types.ObjectOf(types.Field{Name: "id", Type: types.IntegerType})
	typ.Declared = diag.Place{File: file, Pos: diag.Pos{Line: 7, Col: 3}}
	var faults diag.List
	Compile(langtest.Expr(t, `row.idd`), NewScope(Name{"row", typ}), &faults)
	want := diag.Place{File: file, Pos: diag.Pos{Line: 7, Col: 3}, Note: "declared here"}
	if len(faults) != 1 || len(faults[0].Related) != 1 || faults[0].Related[0] != want {
		t.Errorf("faults %v", faults)
	}
}

func TestBoolWantsABoolean(t *testing.T) {
	vars := testVars(t)
	if b, err := mustCompile(t, testScope, `body.a == 1`).Bool(vars); !b || err != nil {
		t.Errorf("got %v, %v", b, err)
	}
	_, err := mustCompile(t, testScope, `body.a`).Bool(vars)
	if want := "e.yaml:2:3: the condition gives 1, expected true or false"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestBarePathsDoNotAllocate(t *testing.T) {
	vars := testVars(t)
	e := mustCompile(t, testScope, `steps.lookup.outputs.company.AccountId`)
	if n := testing.AllocsPerRun(100, func() { e.Eval(vars) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestShortVarsAreNull(t *testing.T) {
	e := mustCompile(t, testScope, `text`)
	if v, err := e.Eval(nil); v != nil || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
}
