// Package pipeline is the model of a pipeline file, its step kinds, and the
// checker that joins it with the catalogue.
package pipeline

import (
	"iter"
	"slices"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
)

// A Pipeline is a loaded, linked and compiled pipeline file. It never changes.
type Pipeline struct {
	Name string
	// Path is the file's path in the project.
	Path string
	File *diag.File
	// Broken says that a step could not be decoded, and is missing.
	Broken bool
	Inputs *Inputs
	// Connections are those that the file names, in file order.
	Connections []Connection
	// Tables are the tables of the state that the file declares; a param's type is
	// that of each value in the table.
	Tables    *catalog.Params
	Steps     []*Step
	OnFailure OnFailure
	Outputs   []Output
	// OutputsType is the object type of Outputs.
	OutputsType *types.Type
}

// Inputs are a pipeline's inputs, with what only pipelines say about them.
type Inputs struct {
	*catalog.Params
	// Files are the default files of list inputs, by name, relative to the
	// project's root.
	Files map[string]string
	// Streamed are the list inputs that nothing but a foreach reads: their rows
	// are taken one by one, and a bad row is a failed row, not a bad input.
	Streamed map[string]bool
}

// A Connection is a vendor under the name that steps use.
type Connection struct {
	Name   string
	Vendor *catalog.Vendor
	Place  diag.Place
}

// A Step is one entry of steps.
type Step struct {
	// ID is "" for a step that has none; these have no outputs.
	ID    string
	Place diag.Place
	// If decides whether the step runs; nil always.
	If *expr.Expr
	// Foreach repeats the step; nil for once.
	Foreach *Foreach
	// Until repeats a read until something is there; nil for once.
	Until *Until
	// Timeout bounds the step, its retries and waits included; 0 for no bound.
	// A step that has one has an ID.
	Timeout time.Duration
	OnError OnError
	// Handlers deal with a failure, the first that fits; OnError is FailRun then.
	Handlers []Handler
	// Undo takes back what the step did; nil when nothing can.
	Undo   *Call
	Action Action
	// Leads says that a create may depend on what the step gives: a later step of the same list creates, and
	// uses it, at first hand or through others.
	Leads bool

	shape shape // of its records
}

// OnError says what happens after a failure.
type OnError string

// The ways to go on.
const (
	FailRun  OnError = "fail"
	Continue OnError = "continue" // the step's outputs are null
	Collect  OnError = "collect"  // the row is recorded, the other rows go on
)

// Foreach repeats a step for each element of a list.
type Foreach struct {
	Over *expr.Expr
	// Input is the param that Over names when it is just inputs.NAME; nil otherwise.
	Input *catalog.Param
	// As is the element's name; it is the last variable of the body's scope.
	As string
	// Key names a row; nil for its number.
	Key      *expr.Expr
	Parallel int
	// Batch hands out lists of at most this many elements; 0 for single ones.
	Batch int
	// Breaker is how many rows in a row may find the vendor down before the others are skipped.
	Breaker int
	// Columns are the names of the outputs in a row of results, in order.
	Columns []string
}

// An Action is what a step does: *Call, *Set, *Fail, *Group or *Switch. The set is closed.
type Action interface{ action() }

// Call calls a vendor's operation or another pipeline; one of the two is set.
type Call struct {
	Connection string
	Operation  *catalog.Operation
	Pipeline   *Pipeline
	With       *template.Template // nil: no inputs

	name string // what Name returns, once it was found
}

// Name returns what is called as people write it.
func (c *Call) Name() string {
	switch {
	case c.name != "":
		return c.name
	case c.Operation != nil:
		return c.Connection + "." + c.Operation.Name
	}
	return c.Pipeline.Path
}

// Params returns what the callee asks for.
func (c *Call) Params() *catalog.Params {
	if c.Operation != nil {
		return c.Operation.Inputs
	}
	return c.Pipeline.Inputs.Params
}

// Outputs returns the type of what the callee gives where it succeeds.
func (c *Call) Outputs() *types.Type {
	if c.Operation != nil {
		return c.Operation.Response.Given()
	}
	return c.Pipeline.OutputsType
}

// Set computes values.
type Set struct{ Values *template.Template }

// Fail ends the run with a message.
type Fail struct{ Message *template.Template }

func (*Call) action() {}
func (*Set) action()  {}
func (*Fail) action() {}

// An Output is one result of a pipeline.
type Output struct {
	Name  string
	Value *template.Template
	// File is where a list goes when the pipeline is run by itself; "" for none.
	File string
	// Columns are the file's columns, when the type tells them.
	Columns []string
	Place   diag.Place
}

// AllConnections returns the connections that p and every pipeline it calls
// name, each once, in the order they are met.
func (p *Pipeline) AllConnections() []Connection {
	var all []Connection
	seen := map[string]bool{}
	for _, q := range p.AllPipelines() {
		for _, c := range q.Connections {
			if !seen[c.Name] {
				seen[c.Name] = true
				all = append(all, c)
			}
		}
	}
	return all
}

// AllPipelines returns p and every pipeline it calls, each once, in the order
// they are met.
func (p *Pipeline) AllPipelines() []*Pipeline {
	var all []*Pipeline
	var visit func(*Pipeline)
	visit = func(p *Pipeline) {
		if slices.Contains(all, p) {
			return
		}
		all = append(all, p)
		for s := range AllSteps(p.Steps) {
			if call, ok := s.Action.(*Call); ok && call.Pipeline != nil {
				visit(call.Pipeline)
			}
		}
	}
	visit(p)
	return all
}

// AllSteps yields the steps and those of the groups and branches below them.
func AllSteps(steps []*Step) iter.Seq[*Step] {
	return func(yield func(*Step) bool) { walkSteps(steps, yield) }
}

func walkSteps(steps []*Step, yield func(*Step) bool) bool {
	for _, s := range steps {
		if !yield(s) {
			return false
		}
		switch a := s.Action.(type) {
		case *Group:
			if !walkSteps(a.Steps, yield) {
				return false
			}
		case *Switch:
			for _, b := range a.Branches {
				if !walkSteps(b.Steps, yield) {
					return false
				}
			}
		}
	}
	return true
}
