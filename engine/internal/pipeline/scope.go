package pipeline

import (
	"slices"

	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// The variables of a pipeline, in the order of Vars. A foreach body has its
// element after them.
const (
	varInputs = iota
	varSteps
	varRun
	varNow
	varCount
)

var runType = types.ObjectOf(
	types.Field{Name: "id", Type: types.TextType},
	types.Field{Name: "started", Type: &types.Type{Kind: types.Text, Format: "datetime"}},
)

func scopeOf(inputs, steps *types.Type) *expr.Scope {
	return expr.NewScope(
		expr.Name{Name: "inputs", Type: inputs},
		expr.Name{Name: "steps", Type: steps},
		expr.Name{Name: "run", Type: runType},
		expr.Name{Name: "now()", Type: &types.Type{Kind: types.Text, Format: "datetime"}},
	)
}

// A Run is what all pipelines of a run have in scope.
type Run struct{ run, now value.Value }

// NewRun returns that of the run. started is an RFC 3339 time in UTC.
func NewRun(id, started string) Run {
	return Run{run: value.ObjectOf("id", id, "started", started), now: started}
}

var noSteps = value.NewObject(0)

// Vars returns the variables of a pipeline at its start.
func (r Run) Vars(inputs *value.Object) expr.Vars {
	vars := make(expr.Vars, varCount)
	vars[varInputs], vars[varSteps], vars[varRun], vars[varNow] = inputs, noSteps, r.run, r.now
	return vars
}

// A Trail is the variables of a list of steps, which grow by the record of each.
type Trail struct {
	Vars  expr.Vars
	rooms []value.Object // for the objects that steps is yet to be
}

// NewTrail returns the trail of so many steps that begin with vars, which stay as they are.
func NewTrail(vars expr.Vars, n int) *Trail {
	t := &Trail{Vars: slices.Clone(vars), rooms: make([]value.Object, n)}
	before := vars[varSteps].(*value.Object)
	t.Vars[varSteps] = before.Head(before.Len(), before.Len()+n)
	return t
}

// Add makes record what steps.id is. What was taken from Vars before, such as the value of
// steps, stays as it was.
func (t *Trail) Add(id string, record *value.Object) {
	steps := &t.rooms[0]
	t.rooms = t.rooms[1:]
	t.Vars[varSteps].(*value.Object).Grow(steps, id, record)
	t.Vars[varSteps] = steps
}

// WithItem returns vars with the element of a foreach after them.
func WithItem(vars expr.Vars, item value.Value) expr.Vars {
	return append(vars[:len(vars):len(vars)], item)
}
