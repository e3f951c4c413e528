package pipeline

import (
	"github.com/seed627bd532/runner/engine/internal/lang"
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

var runType = lang.ObjectOf(
	lang.Field{Name: "id", Type: lang.TextType},
	lang.Field{Name: "started", Type: &lang.Type{Kind: lang.Text, Format: "datetime"}},
)

func scopeOf(inputs, steps *lang.Type) *lang.Scope {
	return lang.NewScope(
		lang.Name{Name: "inputs", Type: inputs},
		lang.Name{Name: "steps", Type: steps},
		lang.Name{Name: "run", Type: runType},
		lang.Name{Name: "now()", Type: &lang.Type{Kind: lang.Text, Format: "datetime"}},
	)
}

// Vars returns the variables of a pipeline at its start. started is an RFC 3339 time in UTC.
func Vars(inputs *value.Object, runID, started string) lang.Vars {
	vars := make(lang.Vars, varCount, varCount+1)
	vars[varInputs] = inputs
	vars[varSteps] = value.NewObject(0)
	vars[varRun] = value.ObjectOf("id", runID, "started", started)
	vars[varNow] = started
	return vars
}

// WithStep returns vars in which steps.id is record. The steps object is copied, so that rows
// that run side by side see only what came before them.
func WithStep(vars lang.Vars, id string, record *value.Object) lang.Vars {
	steps := vars[varSteps].(*value.Object).Clone()
	steps.Set(id, record)
	next := append(lang.Vars(nil), vars...)
	next[varSteps] = steps
	return next
}

// WithItem returns vars with the element of a foreach after them.
func WithItem(vars lang.Vars, item value.Value) lang.Vars {
	return append(vars[:len(vars):len(vars)], item)
}
