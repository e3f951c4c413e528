package expr

import (
	"strings"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A function is one entry of the closed list that all expressions may call.
type function struct {
	name string
	// doc is one line for people.
	doc    string
	params []param
	// repeat says that the last parameter may be given any number of times.
	repeat bool
	// result gives the type of the result from those of the arguments, of which
	// optional ones may be missing; for a predicate it is the type of its body.
	result func(args []*types.Type) *types.Type
	// call computes the function; each is set instead for functions that run a
	// predicate over the elements of a list. round and matches have neither: they
	// look at how their arguments are written, see compiler.function.
	call func(f *frame, args []value.Value) (value.Value, error)
	// compare is call for functions that ask which values are equal, or greater; ts has the datetimes
	// of each argument.
	compare func(f *frame, args []value.Value, ts []types.Times) (value.Value, error)
	// streams says that call takes value.Rows as they are; others get lists in memory.
	streams bool
	each    func(l *loop) (value.Value, error)
}

// A param is a parameter of a function.
type param struct {
	name     string
	takes    kindSet
	null     bool // null is taken as well
	optional bool
	// check refuses constants that can never be right.
	check func(v value.Value) error
}

// functions is the closed list by name.
var functions = byName(listFunctions, predicateFunctions, textFunctions, numberFunctions, dateFunctions)

func byName(groups ...[]function) map[string]*function {
	m := make(map[string]*function)
	for _, g := range groups {
		for i := range g {
			m[g[i].name] = &g[i]
		}
	}
	return m
}

func (fn *function) arity() (least, most int) {
	for _, p := range fn.params {
		if !p.optional {
			least++
		}
	}
	if fn.repeat {
		return least, -1
	}
	return least, len(fn.params)
}

func (fn *function) param(i int) *param { return &fn.params[min(i, len(fn.params)-1)] }

// usage writes the function with its parameters.
func (fn *function) usage() string {
	var b strings.Builder
	b.WriteString(fn.name + "(")
	for i, p := range fn.params {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.name)
	}
	if fn.repeat {
		b.WriteString(", …")
	}
	return b.String() + ")"
}

// allows reports whether v can be the argument: types that were not known before
// are looked at here.
func (p *param) allows(v value.Value) bool {
	k := types.KindOf(v)
	return k == types.Null && p.null || k != types.Null && p.takes.has(k)
}

// always is the result rule of functions that give one type.
func always(t *types.Type) func([]*types.Type) *types.Type {
	return func([]*types.Type) *types.Type { return t }
}

// elsewhere says what to write instead of functions that are known from other languages.
var elsewhere = map[string]string{
	"bool":          "write value == 'true'",
	"ceil":          "round(x, places) rounds numbers",
	"duration":      "write durations as seconds, or as 30s in the keys that take one",
	"env":           "only the connections file sees env",
	"findIndex":     "find gives the element; #index is its place inside a predicate",
	"findLast":      "write last(filter(list, …))",
	"findLastIndex": "write last(filter(list, …))",
	"float":         "decimal(x) reads a number",
	"floor":         "int(x) cuts the fraction off, round(x, places) rounds",
	"fromJSON":      "answers are read as JSON already",
	"get":           "write object[name], or at(list, index)",
	"hasPrefix":     "write startsWith",
	"hasSuffix":     "write endsWith",
	"indexOf":       "write text contains part, or element in list",
	"isEmpty":       "write len(x) == 0",
	"length":        "write len(x)",
	"median":        "mean and sortBy exist",
	"now":           "now() is not known here; pipelines have it",
	"one":           "write count(list, …) == 1",
	"reduce":        "sum, min, max, join, groupBy and flatten fold a list",
	"repeat":        "padStart fills a text",
	"reverse":       "sortBy(list, #, 'desc') sorts the other way round",
	"size":          "write len(x)",
	"sort":          "write sortBy(list, #)",
	"string":        "text(x) makes a text",
	"take":          "write list[0:n]",
	"toJSON":        "values are written as JSON where they are sent; digest(x) identifies one",
	"toLower":       "write lower(text)",
	"toUpper":       "write upper(text)",
	"trimPrefix":    "write replace, or a slice such as text[3:]",
	"trimSuffix":    "write replace, or a slice such as text[:-3]",
	"uniq":          "write unique(list)",
}
