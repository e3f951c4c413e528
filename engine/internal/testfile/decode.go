package testfile

import (
	"errors"
	"path"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// start is when a run begins of which the file does not say.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// PipelineFile returns the path of the pipeline that a test file is about: what stands
// at its key test is a path that is relative to the file, or the name of a pipeline beside it.
func PipelineFile(file string, n *source.Node) string {
	name := n.Get("test").Text
	if !strings.Contains(name, "/") && path.Ext(name) == "" {
		name += ".yaml"
	}
	return path.Join(path.Dir(file), name)
}

// Decode reads a test file whose shape was checked, and holds it against its pipeline. It
// reports every fault; the Test is of use only when there is none.
func Decode(n *source.Node, file string, pl *pipeline.Pipeline, faults *diag.List) *Test {
	d := &decoder{
		node:   n,
		test:   &Test{Path: file, Pipeline: pl, Config: map[string]*value.Object{}},
		faults: faults,
		called: callsOf(pl),
		tables: tablesOf(pl),

		missing: map[string][]*source.Node{},
	}
	if stem := strings.TrimSuffix(path.Base(file), path.Ext(file)); !strings.HasSuffix(stem, Suffix) {
		faults.Add(n.Key("test").Errorf("wrong-name", "this is a test, and its file is called %s", path.Base(file)).
			WithHint("call it " + stem + Suffix + ".yaml"))
	}
	d.config(n.Get("connections"))
	d.inputs = n.Get("inputs")
	d.answers = d.answersOf(n.Get("answers"))
	for _, a := range d.answers {
		a.Shared = true
	}
	names := map[string]diag.Place{}
	for _, c := range n.Get("cases").Items {
		name := c.Get("name")
		if first, twice := names[name.Text]; twice {
			fault := name.Errorf("duplicate-case", "a case of this name is there already")
			fault.Related = []diag.Place{first}
			faults.Add(fault)
		}
		names[name.Text] = diag.Place{File: name.File, Pos: name.Pos, Note: "first here"}
		d.test.Cases = append(d.test.Cases, d.caseOf(c))
	}
	d.missingInputs(len(d.test.Cases))
	return d.test
}

type decoder struct {
	node   *source.Node
	test   *Test
	faults *diag.List
	// called are the operations that the pipeline may call, by CONNECTION.OPERATION; nil for a token endpoint.
	called map[string]*catalog.Operation
	tables map[string][]*catalog.Param
	// inputs and answers are those of all cases.
	inputs  *source.Node // nil for none
	answers map[string]*Answers
	// missing are the cases that lack an input, by its name.
	missing map[string][]*source.Node
}

// value returns what a node says. It may hold expressions, but there is nothing that they could read.
func (d *decoder) value(n *source.Node) (v value.Value, ok bool) {
	t := template.Compile(n, expr.NewScope(), d.faults)
	if t == nil {
		return nil, false
	}
	v, err := t.Eval(nil)
	if err != nil {
		var placed *diag.Diagnostic
		if !errors.As(err, &placed) {
			placed = n.Errorf("eval-error", "%v", err)
		}
		d.faults.Add(placed)
		return nil, false
	}
	if v == types.Omit {
		v = nil
	}
	return v, true
}

func (d *decoder) wanted(n *source.Node) Wanted {
	v, _ := d.value(n)
	return Wanted{v, n}
}

func (d *decoder) named(n *source.Node) []Named {
	if n == nil {
		return nil
	}
	var all []Named
	for _, pair := range n.Pairs {
		all = append(all, Named{pair.Key.Text, d.wanted(pair.Value)})
	}
	return all
}

func (d *decoder) caseOf(n *source.Node) *Case {
	c := &Case{
		Name:    n.Get("name").Text,
		Place:   placeOf(n.Get("name")),
		Now:     start,
		Inputs:  d.inputsOf(n),
		Tables:  d.cells(n.Get("tables")),
		Answers: d.answersOf(n.Get("answers")),
	}
	if now := n.Get("now"); now != nil {
		if t, err := time.Parse(time.RFC3339, now.Text); err == nil {
			c.Now = t
		} else {
			d.faults.Add(now.Errorf("wrong-value", "%q is no time", now.Text).WithHint("write it as 2026-01-31T12:00:00Z"))
		}
	}
	for name, a := range d.answers {
		if c.Answers[name] == nil {
			c.Answers[name] = a
		}
	}
	d.expect(c, n)
	return c
}

// cells reads tables, and holds their values against what the pipelines declare of them.
func (d *decoder) cells(n *source.Node) []Cell {
	if n == nil {
		return nil
	}
	var all []Cell
	for _, table := range n.Pairs {
		name := table.Key.Text
		declared := d.tables[name]
		if declared == nil {
			if near := diag.Nearest(name, sortedKeys(d.tables)); near != "" {
				d.faults.Add(table.Key.Errorf("unknown-table", "the pipeline has no table %s", name).WithHint("did you mean " + near + "?"))
			}
		}
		for _, pair := range table.Value.Pairs {
			w := d.wanted(pair.Value)
			all = append(all, Cell{name, pair.Key.Text, w})
			for _, q := range declared {
				if bad := q.Schema().Validate(w.Value); len(bad) > 0 && w.Value != nil {
					at, _ := pair.Value.Find(bad[0].Pointer)
					d.faults.Add(at.Errorf("wrong-value", "table %s: %s", name, bad[0].Message))
				}
			}
		}
	}
	return all
}

func placeOf(n *source.Node) diag.Place { return diag.Place{File: n.File, Pos: n.Pos} }
