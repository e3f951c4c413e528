package sandbox

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

var connectionScope = expr.NewScope(expr.Name{
	Name: "sandbox", Type: types.ObjectOf(types.Field{Name: "url", Type: types.TextType}),
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

func requestScope(state *types.Type, operations []value.Value, params *types.Type, s seen) *expr.Scope {
	return expr.NewScope(
		expr.Name{Name: "(turn)", Type: types.AnyType},
		expr.Name{Name: "request", Type: types.ObjectOf(
			types.Field{Name: "method", Type: types.TextType},
			types.Field{Name: "path", Type: types.TextType},
			types.Field{Name: "params", Type: params},
			types.Field{Name: "query", Type: s.query},
			types.Field{Name: "headers", Type: s.headers},
			types.Field{Name: "body", Type: s.body},
			types.Field{Name: "form", Type: s.form},
			types.Field{Name: "members", Type: s.members},
			types.Field{Name: "text", Type: types.TextType},
		)},
		expr.Name{Name: "state", Type: state},
		expr.Name{Name: "operation", Type: &types.Type{Kind: types.Text, Enum: operations}},
	).WithFuncs(
		expr.Func{Name: "next", Params: []*types.Type{types.TextType, types.IntegerType}, Optional: 1, Result: types.IntegerType, Call: next},
		expr.Func{Name: "reads", Params: []*types.Type{types.AnyType}, Result: types.IntegerType, Call: reads},
		expr.Func{Name: "elapsed", Params: []*types.Type{types.AnyType}, Result: types.DecimalType, Call: elapsed},
	)
}

// next(name, start) counts: start (1 unless given), then one more each time.
func next(vars expr.Vars, args []value.Value) (value.Value, error) {
	start := int64(1)
	if len(args) > 1 {
		start, _ = args[1].(int64)
	}
	return turnOf(vars).store.next(args[0].(string), start), nil
}

// reads(record) is how many requests have asked this of the record, the
// present one included.
func reads(vars expr.Vars, args []value.Value) (value.Value, error) {
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
func elapsed(vars expr.Vars, args []value.Value) (value.Value, error) {
	t := turnOf(vars)
	r, err := t.store.lifeOf(args[0])
	if err != nil {
		return nil, fmt.Errorf("elapsed: %w", err)
	}
	ms := max(t.now.Sub(r.born).Milliseconds(), 0)
	return value.ParseNumber(fmt.Sprintf("%d.%03d", ms/1000, ms%1000))
}

func turnOf(vars expr.Vars) *turn { return vars[turnVar].(*turn) }
