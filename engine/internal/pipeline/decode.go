package pipeline

import (
	"path"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// A Linker finds what a pipeline refers to. Faults of the files it loads are
// reported by it; it returns nil where it has reported something, or where
// the thing does not exist (known then lists what does).
type Linker interface {
	// Vendor returns the vendor file called name.
	Vendor(name string) (v *catalog.Vendor, known []string)
	// Pipeline returns the pipeline at a path of the project; from is its caller, for cycles.
	Pipeline(path string, from *source.Node) *Pipeline
}

// Decode compiles a pipeline file whose shape was checked, and checks all that
// it says against what it calls. It reports every fault; the answer is usable
// for checking callers even then.
func Decode(n *source.Node, file string, lib *schema.Library, link Linker, faults *diag.List) *Pipeline {
	d := &decoder{
		p:       &Pipeline{Name: n.Get("pipeline").Text, Path: file, File: n.File, OutputsType: types.ObjectOf()},
		link:    link,
		faults:  faults,
		places:  map[string]diag.Place{},
		vendors: map[string]Connection{},
		known:   map[string]*catalog.Param{},
		files:   map[string]diag.Place{},
	}
	before := len(*faults)
	d.before = before
	if stem := strings.TrimSuffix(path.Base(file), path.Ext(file)); stem != d.p.Name {
		faults.Add(n.Get("pipeline").Errorf("wrong-name", "the pipeline is called %s, its file %s", d.p.Name, path.Base(file)).
			WithHint("name both alike"))
	}
	d.p.Inputs = decodeInputs(n.Get("inputs"), file, lib, faults)
	d.connections(n.Get("connections"))
	d.tables(n.Get("tables"), lib)
	d.scope = scopeOf(d.p.Inputs.Type, types.ObjectOf()).Recording(&d.reads)
	d.p.Steps = d.stepList(n.Get("steps"))
	if f := n.Get("on_failure"); f != nil {
		d.p.OnFailure = OnFailure(f.Text)
	}
	d.nothingToUndo(n.Get("on_failure"))
	d.outputs(n.Get("outputs"))
	d.unused(n)
	d.p.Broken = d.broken
	d.hintAtSteps((*faults)[before:])
	d.p.Inputs.findStreamed(&d.reads, d.p)
	return d.p
}

type decoder struct {
	p      *Pipeline
	link   Linker
	faults *diag.List
	// scope has the steps so far, the rows of the foreach steps around, and what is known there of
	// both. It is replaced, never changed; the fields of steps may share memory with those of
	// the scopes before it, but not with those of a group.
	scope  *expr.Scope
	ending ending                // of the action that was decoded last
	places map[string]diag.Place // of the ids so far
	rows   []rowName             // of the foreach steps around the step, outermost first
	// bound is the shortest timeout around the step; nil for none.
	bound *bound
	// vendors are the connections of this pipeline and of those it calls.
	vendors map[string]Connection
	// known are the tables of this pipeline and of those it calls.
	known  map[string]*catalog.Param
	store  *catalog.Vendor       // nil until something calls Store
	files  map[string]diag.Place // of the outputs so far
	reads  expr.Reads            // what the expressions so far read
	before int                   // how many faults there were before this file
	broken bool                  // a step could not be decoded: what depends on it has no type
}

// hintAtSteps tells of steps that are there, and not known where they are read.
func (d *decoder) hintAtSteps(faults diag.List) {
	for _, f := range faults {
		name, ok := strings.CutPrefix(f.Message, `unknown member "`)
		name, isStep := strings.CutSuffix(name, `" of steps`)
		place, there := d.places[name]
		if f.Code == "unknown-member" && ok && isStep && there && f.File == place.File {
			f.Hint = "a step is known below it, and one in a group only inside of the group"
			f.Related = []diag.Place{{File: place.File, Pos: place.Pos, Note: "the step " + name}}
		}
	}
}

// A rowName is what a foreach calls its row.
type rowName struct {
	name  string
	batch int // how many elements the row is of at most; 0 for a row that is one
}

func (d *decoder) stepList(n *source.Node) []*Step {
	var steps []*Step
	var reads []expr.Reads // of steps
	told := false
	list := ending{}
	for i, item := range n.Items {
		d.ending = ending{}
		before := d.reads.Len()
		if s := d.step(item); s != nil {
			list.never = list.never || d.ending.never
			d.scope = d.scope.Knowing(d.ending.facts...)
			list.facts = append(list.facts, d.ending.facts...)
			steps, reads = append(steps, s), append(reads, d.reads.Since(before))
		}
		if !told && item.Get("fail") != nil && item.Get("if") == nil && item.Get("foreach") == nil && item.Get("on_error") == nil && i < len(n.Items)-1 {
			d.faults.Add(item.Key("fail").Errorf("never-done", "this always fails, so that the steps below it are never done").
				WithHint("say when it fails, with if"))
			told = true
		}
	}
	d.ending = list
	findLeads(steps, reads)
	return steps
}

// step decodes one step and declares what later lines see of it; nil for one
// that is broken.
func (d *decoder) step(n *source.Node) *Step {
	s := &Step{Place: diag.Place{File: n.File, Pos: n.Pos}, OnError: FailRun}
	if id := n.Get("id"); id != nil {
		s.ID = id.Text
		d.newID(id)
	}
	outer := d.scope
	if cond := n.Get("if"); cond != nil {
		s.If = d.choice(cond, outer)
	}
	d.inner(n, s)
	d.scope = outer
	if s.Action == nil {
		d.broken = true
		if s.ID != "" {
			d.declare(s.ID, types.AnyType) // reported already: later lines shall not suffer
		}
		return nil
	}
	s.shape = s.shapeOf()
	if s.ID != "" {
		d.declare(s.ID, s.recordType())
		d.scope = d.scope.Ruled(s.rule(outer))
	}
	d.ending = d.ending.of(s, outer)
	return s
}

// inner decodes what is done where the step's condition holds.
func (d *decoder) inner(n *source.Node, s *Step) {
	rows, bound := d.rows, d.bound
	defer func() { d.rows, d.bound = rows, bound }()
	d.scope = d.scope.Where(s.If, true)
	if over := n.Get("foreach"); over != nil {
		s.Foreach = d.foreach(n, d.scope)
		d.rows = append(rows[:len(rows):len(rows)], rowName{s.Foreach.As, s.Foreach.Batch})
		d.scope = d.scope.With(expr.Name{Name: s.Foreach.As, Type: s.Foreach.handed()})
		if k := n.Get("key"); k != nil {
			s.Foreach.Key = d.rowKey(k, d.scope)
		}
	}
	d.timeout(n, s)
	d.action(n, s)
	if s.Action == nil {
		return
	}
	if s.Foreach != nil && n.Get("key") == nil && s.Foreach.Batch == 0 && creates([]*Step{s}, map[*Pipeline]bool{}) {
		d.faults.Add(n.Key("foreach").Warnf("create-without-key", "rows are created without a key: a row that is moved in the list would be taken for another").
			WithHint("add key with what names a row, as in " + keyOf(s.Foreach)))
	}
	d.modifiers(n, s)
}

// keyOf shows how the key of a row may be written.
func keyOf(f *Foreach) string {
	if t := f.elem(); t.Kind == types.Object && len(t.Fields) > 0 {
		return "key: " + f.As + "." + t.Fields[0].Name
	}
	return "key: " + f.As
}

func (d *decoder) action(n *source.Node, s *Step) {
	for _, pair := range n.Pairs {
		if decode, ok := kinds()[pair.Key.Text]; ok {
			s.Action = decode(d, s, n, pair.Value, d.scope)
		}
	}
}

// modifiers decodes what changes how the action is done.
func (d *decoder) modifiers(n *source.Node, s *Step) {
	scope := d.scope
	if s.Foreach != nil {
		d.columns(s, n)
	}
	if n.Get("until") != nil {
		s.Until = d.until(n, s, scope)
	}
	d.onError(n, s, scope)
	if n.Get("undo") != nil {
		s.Undo = d.undo(n, s, scope)
	}
}

func (d *decoder) newID(id *source.Node) {
	if first, ok := d.places[id.Text]; ok {
		dup := id.Errorf("duplicate-step", "a step %s is there already", id.Text)
		dup.Related = []diag.Place{first}
		d.faults.Add(dup)
		return
	}
	d.places[id.Text] = diag.Place{File: id.File, Pos: id.Pos, Note: "first here"}
}

func (d *decoder) declare(id string, t *types.Type) {
	steps := d.scope.Type("steps")
	if _, twice := steps.Field(id); twice {
		return // reported
	}
	d.scope = d.scope.Retyped("steps", types.ObjectOf(append(steps.Fields, types.Field{Name: id, Type: t})...))
}

// choice compiles a condition that decides whether something is done.
func (d *decoder) choice(n *source.Node, scope *expr.Scope) *expr.Expr {
	e := d.boolean(n, scope)
	if e != nil && !e.Reads() {
		d.faults.Add(n.Warnf("always-same", "this condition is always the same: it looks at nothing").
			WithHint("ask for an input or for what a step gave, or leave it out"))
	}
	return e
}

// ofOutputs compiles a condition over the outputs of the step's own call.
func (d *decoder) ofOutputs(n *source.Node, scope *expr.Scope) *expr.Expr {
	e := d.boolean(n, scope)
	if e != nil && !e.Reads("outputs") {
		d.faults.Add(n.Errorf("always-same", "this is the same at every look: it says nothing of outputs, which are those of the call").
			WithHint("look at what the call gives, as in outputs.state == 'done'"))
	}
	return e
}

func (d *decoder) boolean(n *source.Node, scope *expr.Scope) *expr.Expr {
	e := expr.Compile(n, scope, d.faults)
	if e == nil {
		return nil
	}
	if t := e.Type(); t != nil && t.Kind != types.Boolean && t.Kind != types.Unknown || t != nil && t.Nullable {
		fault := n.Errorf("wrong-type", "a condition must be true or false, found %s", t)
		if t.Kind == types.Boolean {
			fault.Hint = "write ?? false behind it" + because(t)
		}
		d.faults.Add(fault)
	}
	return e
}
