// Package testfile is the model of a test file: cases of a pipeline, with what
// vendors answer and what must come of it. It checks a file against the pipeline and its vendors.
package testfile

import (
	"net/http"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Suffix is how the name of a test file ends, before its extension.
const Suffix = ".test"

// A Test is a loaded test file. It never changes.
type Test struct {
	// Path is the file's path in the project.
	Path     string
	Pipeline *pipeline.Pipeline
	// Config is that of each connection which the pipeline needs, by name.
	Config map[string]*value.Object
	Cases  []*Case
}

// A Case is one run of the pipeline.
type Case struct {
	Name   string
	Place  diag.Place
	Now    time.Time
	Inputs *value.Object
	// Tables are what the tables of the state hold before.
	Tables []Cell
	// Answers are those of each operation, by CONNECTION.OPERATION.
	Answers map[string]*Answers
	Expect  Expect
}

// A Cell is one value of a table.
type Cell struct {
	Table, Key string
	Wanted
}

// Answers are the answers of an operation, in order.
type Answers struct {
	Place diag.Place
	List  []*Answer // one that is given several times is there as often
	// Shared answers are those of all cases. They need not be asked for.
	Shared bool
}

// Lost says what comes in place of an answer.
type Lost string

// What may come in place of an answer.
const (
	Nothing     Lost = ""
	Timeout     Lost = "timeout"     // none comes within the timeout
	LoseAnswer  Lost = "lose_answer" // the connection breaks
	Unreachable Lost = "unreachable" // there is no connection
)

// An Answer is what a request gets.
type Answer struct {
	Place    diag.Place
	Lost     Lost
	Delay    time.Duration
	Status   int
	Header   http.Header
	Body     []byte
	Truncate bool // the body breaks off in its middle
}

// An Expect is what must come of a case. What is nil says nothing.
type Expect struct {
	Status   string     // as session.Status has it
	At       diag.Place // of the status, or of what it follows from
	Outputs  []Named
	Error    []Named // code, outcome, step, operation, message
	Sent     []Named // integers, by operation
	Requests []Requests
	Tables   []Cell // nil for what must not be there
}

// A Named is a wanted value with a name.
type Named struct {
	Name string
	Wanted
}

// Requests are the first ones of an operation, each with what is wanted of its parts.
type Requests struct {
	Operation string
	Place     diag.Place
	List      [][]Named // method, path, query, headers, body
}

// A Wanted is a value, and the node that it was written as.
type Wanted struct {
	Value value.Value
	node  *source.Node
}

// Place returns where it stands.
func (w Wanted) Place() diag.Place {
	return diag.Place{File: w.node.File, Pos: w.node.Pos}
}

// Member returns what is wanted of a member; w's value is an object.
func (w Wanted) Member(name string) Wanted {
	o, _ := w.Value.(*value.Object)
	return Wanted{o.At(name), inside(w.node, 0, name)}
}

// Element returns what is wanted of an element; w's value is a list that has it.
func (w Wanted) Element(i int) Wanted {
	list, _ := w.Value.(value.List)
	return Wanted{list[i], inside(w.node, i, "")}
}
