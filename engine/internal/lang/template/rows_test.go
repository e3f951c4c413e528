package template

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// rowsOf returns the list of a JSON text as Rows.
func rowsOf(t testing.TB, text string) *value.Rows {
	t.Helper()
	s, err := value.Survey(strings.NewReader(text), int64(len(text)), 0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return s.Value.(*value.Rows)
}

// Whatever takes a list takes Rows, and gives the same.
func TestRowsAreListsInExpressions(t *testing.T) {
	t.Parallel()
	const text = `[{"id":3,"p":1.50,"tags":["a"]},{"id":1,"p":-2,"tags":[]},{"id":2,"p":0.25,"tags":["b","a"]},{"id":3,"p":1.50,"tags":["a"]}]`
	list, err := value.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := expr.NewScope(expr.Name{Name: "rows", Type: types.ListOf(types.AnyType)}, expr.Name{Name: "any", Type: types.AnyType}, expr.Name{Name: "numbers", Type: types.ListOf(types.AnyType)}, expr.Name{Name: "none", Type: types.ListOf(types.AnyType)})
	asList := expr.Vars{list, list, value.List{int64(5), value.Decimal("1.5")}, value.List{}}
	asRows := expr.Vars{rowsOf(t, text), rowsOf(t, text), rowsOf(t, "[5, 1.5]"), rowsOf(t, "[ ]")}
	for _, text := range []string{
		`rows`, `len(rows)`, `len(any)`, `first(rows)`, `last(rows)`, `first(none)`, `last(none)`, `at(rows, 1)`, `at(rows, -2)`, `at(rows, 4)`,
		`any(rows, .id == 2)`, `all(rows, .id > 0)`, `none(rows, .id > 3)`, `count(rows)`, `count(rows, .p > 0)`, `all(none, false)`,
		`find(rows, .id == 1)`, `find(rows, .id == 9)`, `filter(rows, .p > 0)`, `map(rows, .id)`, `map(rows, #index)`, `map(rows, #)`,
		`sum(rows, .p)`, `sum(numbers)`, `min(numbers)`, `max(numbers)`, `min(none)`, `mean(numbers)`, `mean(none)`, `round(mean(numbers), 1)`,
		`groupBy(rows, .id)`, `sortBy(rows, .p)`, `sortBy(rows, .id, "desc")`, `unique(rows)`, `flatten(rows)`, `flatten(map(rows, .tags))`, `concat(rows, numbers)`,
		`join(numbers, ";")`, `digest(rows)`, `5 in numbers`, `6 in numbers`, `first(rows) in rows`, `rows[1]`, `rows[-1].id`, `any[0].p`, `rows[1:3]`, `rows[:-1]`, `rows[4:]`, `none[0:]`,
		`rows == any`, `rows != numbers`, `rows == [1]`, `numbers == [5, 1.50]`, `[rows, 1]`, `{a: rows}`, `rows ?? []`, `len(rows) > 1 ? rows : []`,
		`rows[9]`, `rows.x`, `text(rows)`, `rows["x"]`, `sum(rows)`, `min(rows)`, `join(rows, ",")`, `rows + 1`,
	} {
		var got [2]string
		var faults diag.List
		e := expr.Compile(langtest.Expr(t, text), s, &faults)
		if e == nil {
			continue // a fault of its type, which is the same
		}
		for i, vars := range []expr.Vars{asList, asRows} {
			v, err := e.Eval(vars)
			if err != nil {
				got[i] = err.Error()
			} else {
				got[i] = string(value.AppendJSON(nil, v))
			}
		}
		if got[0] != got[1] {
			t.Errorf("%s:\nlist %s\nrows %s", text, got[0], got[1])
		}
	}
}

func TestRowsAreListsInTemplates(t *testing.T) {
	t.Parallel()
	s := expr.NewScope(expr.Name{Name: "rows", Type: types.ListOf(types.AnyType)})
	vars := expr.Vars{rowsOf(t, `[{"id":1},{"id":2.0}]`)}
	for _, c := range []struct{ template, want string }{
		{"all: ${{ rows }}", `{"all":[{"id":1},{"id":2.0}]}`},
		{"$each: ${{ rows }}\nas: r\nvalue: {n: \"${{ r.id }}\"}", `[{"n":1},{"n":2.0}]`},
	} {
		tpl := compileTemplate(t, c.template, s)
		json, ok, err := tpl.AppendJSON(nil, vars)
		if string(json) != c.want || !ok || err != nil {
			t.Errorf("%s: got %s, %v", c.template, json, err)
		}
		v, err := tpl.Eval(vars)
		if got := string(value.AppendJSON(nil, v)); got != c.want || err != nil {
			t.Errorf("%s: got %s, %v", c.template, got, err)
		}
	}
}

func TestExpressionsGoThroughRowsAFewTimesOnly(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 700 {
		fmt.Fprintf(&b, `,{"id":%d,"text":"%s"}`, i, strings.Repeat("x", 100_000))
	}
	s := expr.NewScope(expr.Name{Name: "rows", Type: types.ListOf(types.AnyType)}, expr.Name{Name: "big", Type: types.ListOf(types.AnyType)})
	vars := expr.Vars{rowsOf(t, `[1,2,3,4,5,6,7,8,9]`), rowsOf(t, "["+b.String()[1:]+"]")}
	for _, c := range []struct {
		text string
		want error
	}{
		{`sum(rows) + max(rows) + len(filter(rows, # > 1))`, nil},
		{`count(rows, any(rows, # == -1))`, expr.ErrPasses},
		{`map(rows, rows)`, nil},
		{`map(rows, sum(rows))`, expr.ErrPasses},
		{`count(big, .id > 1)`, nil},
		{`sum(big, .id)`, nil},
		{`filter(big, true)`, expr.ErrKept},
		{`sortBy(big, .id)`, expr.ErrKept},
		{`big[1:]`, expr.ErrKept},
		{`unique(big)`, expr.ErrKept},
		{`map(1..100000, rows[0])`, expr.ErrBudget},
	} {
		if _, err := exprOf(t, s, c.text).Eval(vars); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.text, err, c.want)
		}
	}
}

func TestPathsFindInValuesWhatTheyFindInTexts(t *testing.T) {
	t.Parallel()
	const text = `{"a":{"b":[{"c":1.50},null]},"0":"zero","n":null}`
	v, err := value.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"@this", "a", "a.b", "a.b.0", "a.b.0.c", "a.b.1", "a.b.2", "a.b.1.c", "a.b.c", "0", "n", "n.x", "x", "a.0"} {
		p := pathOf(t, strconv.Quote(path), types.AnyType)
		want, wantFound, _ := p.Get([]byte(text))
		got, found, err := p.Find(v)
		if found != wantFound || err != nil || !value.Equal(got, want) {
			t.Errorf("%s: got %v %v %v, want %v %v", path, got, found, err, want, wantFound)
		}
	}
	for _, path := range []string{"a.b.#", "a.b.#.c", "a.*", "a.b|0"} {
		if pathOf(t, strconv.Quote(path), types.AnyType).IsWalk() {
			t.Errorf("%s is no walk", path)
		}
	}
	if list, ok := pathOf(t, `"a.b.#"`, types.AnyType).Counts(); !ok {
		t.Error("a.b.# counts")
	} else if l, found, err := list.Find(v); !found || err != nil || len(l.(value.List)) != 2 {
		t.Errorf("got %v %v %v", l, found, err)
	}
	for _, c := range []struct {
		path    string
		touches bool
	}{
		{"a", true}, {"a.b", true}, {"a.b.#.c", true}, {"a.x", false}, {"n.#.c", false}, {"*.b", true}, {"n.*", false}, {"@this", true}, {"{a,n}", true}, {"a.b.#(c>1)", true},
	} {
		if got := pathOf(t, strconv.Quote(c.path), types.AnyType).Touches([]string{"a", "b"}); got != c.touches {
			t.Errorf("%s touches: %v", c.path, got)
		}
	}
}

func TestMappingsOfRowsAreTriedBeforeTheyAreHandedOut(t *testing.T) {
	t.Parallel()
	m := mappingOf(t, `{path: "@this", each: {id: {path: Id, type: integer}, tag: "tags.#"}}`, types.AnyType)
	v, err := m.Take(rowsOf(t, `[{"Id":" 7 ","tags":["a","b"]},{"Id":8,"tags":[]}]`), true)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := v.(*value.Rows); !ok || string(value.AppendJSON(nil, v)) != `[{"id":7,"tag":2},{"id":8,"tag":0}]` {
		t.Errorf("got %T %s", v, value.AppendJSON(nil, v))
	}
	for _, text := range []string{`[{"Id":7,"tags":[]},{"Id":"x","tags":[]}]`, `{"a":1}`} {
		data, err := value.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		_, want := m.Take(data, true)
		var rows value.Value = data
		if text[0] == '[' {
			rows = rowsOf(t, text)
		}
		if _, got := m.Take(rows, true); got == nil || got.Error() != want.Error() {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func exprOf(t testing.TB, s *expr.Scope, text string) *expr.Expr {
	t.Helper()
	return langtest.Compiled(t, langtest.Expr(t, text), func(n *source.Node, faults *diag.List) *expr.Expr { return expr.Compile(n, s, faults) })
}

func pathOf(t testing.TB, yaml string, over *types.Type) *paths.Path {
	t.Helper()
	return langtest.Compiled(t, langtest.YAML(t, yaml), func(n *source.Node, faults *diag.List) *paths.Path { return paths.Compile(n, over, faults) })
}

func mappingOf(t testing.TB, yaml string, over *types.Type) *paths.Mapping {
	t.Helper()
	return langtest.Compiled(t, langtest.YAML(t, yaml), func(n *source.Node, faults *diag.List) *paths.Mapping {
		return paths.CompileMapping("x", n, over, faults)
	})
}
