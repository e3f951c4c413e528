package sandbox

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/value"
)

var connectionScope = lang.NewScope(lang.Name{
	Name: "sandbox", Type: lang.ObjectOf(lang.Field{Name: "url", Type: lang.TextType}),
})

// The places of the names that every expression over a request may use. The
// first is the turn itself, for the functions: no expression can spell its name.
const (
	turnVar = iota
	requestVar
	stateVar
	operationVar
	baseVars
)

func requestScope(state *lang.Type, operations []value.Value, params *lang.Type, s seen) *lang.Scope {
	return lang.NewScope(
		lang.Name{Name: "(turn)", Type: lang.AnyType},
		lang.Name{Name: "request", Type: lang.ObjectOf(
			lang.Field{Name: "method", Type: lang.TextType},
			lang.Field{Name: "path", Type: lang.TextType},
			lang.Field{Name: "params", Type: params},
			lang.Field{Name: "query", Type: s.query},
			lang.Field{Name: "headers", Type: s.headers},
			lang.Field{Name: "body", Type: s.body},
			lang.Field{Name: "form", Type: s.form},
			lang.Field{Name: "members", Type: s.members},
			lang.Field{Name: "text", Type: lang.TextType},
		)},
		lang.Name{Name: "state", Type: state},
		lang.Name{Name: "operation", Type: &lang.Type{Kind: lang.Text, Enum: operations}},
	).WithFuncs(
		lang.Func{Name: "next", Params: []*lang.Type{lang.TextType, lang.IntegerType}, Optional: 1, Result: lang.IntegerType, Call: next},
		lang.Func{Name: "reads", Params: []*lang.Type{lang.AnyType}, Result: lang.IntegerType, Call: reads},
		lang.Func{Name: "elapsed", Params: []*lang.Type{lang.AnyType}, Result: lang.DecimalType, Call: elapsed},
	)
}

// next(name, start) counts: start (1 unless given), then one more each time.
func next(vars lang.Vars, args []value.Value) (value.Value, error) {
	start := int64(1)
	if len(args) > 1 {
		start, _ = args[1].(int64)
	}
	return turnOf(vars).store.next(args[0].(string), start), nil
}

// reads(record) is how many requests have asked this of the record, the
// present one included.
func reads(vars lang.Vars, args []value.Value) (value.Value, error) {
	t := turnOf(vars)
	r, err := t.store.lifeOf(args[0])
	if err != nil {
		return nil, fmt.Errorf("reads: %w", err)
	}
	if r.readIn != t.number {
		r.readIn, r.reads = t.number, r.reads+1
	}
	return r.reads, nil
}

// elapsed(record) is the record's age in seconds, to the millisecond.
func elapsed(vars lang.Vars, args []value.Value) (value.Value, error) {
	t := turnOf(vars)
	r, err := t.store.lifeOf(args[0])
	if err != nil {
		return nil, fmt.Errorf("elapsed: %w", err)
	}
	ms := max(t.now.Sub(r.born).Milliseconds(), 0)
	return value.ParseNumber(fmt.Sprintf("%d.%03d", ms/1000, ms%1000))
}

func turnOf(vars lang.Vars) *turn { return vars[turnVar].(*turn) }
