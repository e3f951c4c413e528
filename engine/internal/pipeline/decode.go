package pipeline

import (
	"fmt"
	"path"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang"
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
		p:      &Pipeline{Name: n.Get("pipeline").Text, Path: file, File: n.File, OutputsType: lang.ObjectOf()},
		link:   link,
		faults: faults,
		steps:  lang.ObjectOf(),
		places: map[string]diag.Place{},
	}
	if stem := strings.TrimSuffix(path.Base(file), path.Ext(file)); stem != d.p.Name {
		faults.Add(n.Get("pipeline").Errorf("wrong-name", "the pipeline is called %s, its file %s", d.p.Name, path.Base(file)).
			WithHint("name both alike"))
	}
	d.p.Inputs = decodeInputs(n.Get("inputs"), file, lib, faults)
	d.connections(n.Get("connections"))
	for _, s := range n.Get("steps").Items {
		d.step(s)
	}
	d.outputs(n.Get("outputs"))
	d.p.Inputs.findStreamed(n, d.p)
	return d.p
}

type decoder struct {
	p      *Pipeline
	link   Linker
	faults *diag.List
	// steps is the type of steps so far; it is replaced, never changed.
	steps  *lang.Type
	places map[string]diag.Place // of the ids so far
}

func (d *decoder) scope() *lang.Scope { return scopeOf(d.p.Inputs.Type, d.steps) }

func decodeInputs(n *source.Node, file string, lib *schema.Library, faults *diag.List) *Inputs {
	in := &Inputs{
		Params:   catalog.DecodeParams(n, file, lib, faults),
		Files:    map[string]string{},
		Streamed: map[string]bool{},
	}
	if n == nil {
		return in
	}
	for _, pair := range n.Pairs {
		f := pair.Value.Get("file")
		if f == nil {
			continue
		}
		if q := in.Get(pair.Key.Text); q != nil && q.Type.Kind != lang.List && q.Type.Kind != lang.Unknown {
			faults.Add(pair.Value.Key("file").Errorf("wrong-type", "only a list can come from a file of rows, %s is %s", pair.Key.Text, q.Type))
		}
		in.Files[pair.Key.Text] = path.Join(path.Dir(file), f.Text)
	}
	return in
}

func (d *decoder) connections(n *source.Node) {
	if n == nil {
		return
	}
	for _, pair := range n.Pairs {
		vendor := pair.Value.Get("vendor")
		v, known := d.link.Vendor(vendor.Text)
		if v == nil {
			if known != nil {
				d.faults.Add(vendor.Errorf("unknown-vendor", "no vendor %s: there is no specs/%s.yaml", vendor.Text, vendor.Text).
					WithHint(catalog.DidYouMean(vendor.Text, known)))
			}
		}
		d.p.Connections = append(d.p.Connections, Connection{
			Name:   pair.Key.Text,
			Vendor: v,
			Place:  diag.Place{File: pair.Key.File, Pos: pair.Key.Pos, Note: "declared here"},
		})
	}
}

// kinds are the step kinds: each decodes the value of its key. A step has exactly one of them.
var kinds = map[string]func(d *decoder, s *Step, n, v *source.Node, scope *lang.Scope) Action{
	"call": decodeCall,
	"set":  decodeSet,
	"fail": decodeFail,
}

func (d *decoder) step(n *source.Node) {
	s := &Step{Place: diag.Place{File: n.File, Pos: n.Pos}, OnError: FailRun}
	if id := n.Get("id"); id != nil {
		s.ID = id.Text
		d.newID(id)
	}
	if e := n.Get("on_error"); e != nil {
		s.OnError = OnError(e.Text)
		if s.OnError == Collect && n.Get("foreach") == nil {
			d.faults.Add(e.Errorf("collect-without-foreach", "collect gathers the failed rows of a foreach, and this step has none").
				WithHint("on_error: continue lets the run go on after a failed step"))
		}
	}
	scope := d.scope()
	if cond := n.Get("if"); cond != nil {
		s.If = d.boolean(cond, scope)
	}
	if over := n.Get("foreach"); over != nil {
		s.Foreach = d.foreach(n, scope)
		scope = scope.With(lang.Name{Name: s.Foreach.As, Type: s.Foreach.elem()})
		if k := n.Get("key"); k != nil {
			s.Foreach.Key = lang.CompileExpr(k, scope, d.faults)
		}
	}
	for _, pair := range n.Pairs {
		if decode, ok := kinds[pair.Key.Text]; ok {
			s.Action = decode(d, s, n, pair.Value, scope)
		}
	}
	if s.Action == nil {
		if s.ID != "" {
			d.declare(s.ID, lang.AnyType) // reported already: later lines shall not suffer
		}
		return
	}
	if s.Foreach != nil {
		d.columns(s, n)
	}
	d.p.Steps = append(d.p.Steps, s)
	if s.ID != "" {
		d.declare(s.ID, s.recordType())
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

func (d *decoder) declare(id string, t *lang.Type) {
	fields := append(d.steps.Fields[:len(d.steps.Fields):len(d.steps.Fields)], lang.Field{Name: id, Type: t})
	d.steps = lang.ObjectOf(fields...)
}

func (d *decoder) boolean(n *source.Node, scope *lang.Scope) *lang.Expr {
	e := lang.CompileExpr(n, scope, d.faults)
	if e == nil {
		return nil
	}
	if t := e.Type(); t != nil && t.Kind != lang.Boolean && t.Kind != lang.Unknown || t != nil && t.Nullable {
		d.faults.Add(n.Errorf("wrong-type", "a condition must be true or false, found %s", t))
	}
	return e
}

func (d *decoder) foreach(n *source.Node, scope *lang.Scope) *Foreach {
	over := n.Get("foreach")
	f := &Foreach{As: "item", Parallel: 1}
	if as := n.Get("as"); as != nil {
		f.As = as.Text
		if scope.Index(f.As) >= 0 {
			d.faults.Add(as.Errorf("name-taken", "%s has a meaning already", f.As).WithHint("choose another name for the row"))
		}
	}
	f.Over = lang.CompileExpr(over, scope, d.faults)
	if f.Over != nil {
		t := f.Over.Type()
		switch {
		case t == nil || t.Kind == lang.Unknown:
		case t.Kind != lang.List:
			d.faults.Add(over.Errorf("wrong-type", "foreach wants a list, found %s", t))
		case t.Nullable:
			d.faults.Add(over.Errorf("may-be-null", "the list may be null: %s", t.Why).WithHint("write ?? [] behind it"))
		}
		if name, ok := strings.CutPrefix(f.Over.Text(), "inputs."); ok {
			f.Input = d.p.Inputs.Get(name)
		}
	}
	if p := n.Get("parallel"); p != nil {
		if parallel, ok := p.Literal().(int64); ok {
			f.Parallel = int(parallel)
		}
	}
	return f
}

func (f *Foreach) elem() *lang.Type {
	if f.Over == nil || f.Over.Type() == nil || f.Over.Type().Elem == nil {
		return lang.AnyType
	}
	return f.Over.Type().Elem
}

// columns finds the outputs that a row of results has, and refuses those that
// the row needs for itself.
func (d *decoder) columns(s *Step, n *source.Node) {
	for _, f := range s.rowOutputs() {
		switch f.Name {
		case rowKey, rowStatus, rowError:
			d.faults.Add(n.Key("foreach").Errorf("name-taken", "the results of a foreach have their own %s, the output of that name would be lost", f.Name).
				WithHint("name the output otherwise"))
		}
		s.Foreach.Columns = append(s.Foreach.Columns, f.Name)
	}
}

func decodeCall(d *decoder, s *Step, n, v *source.Node, scope *lang.Scope) Action {
	if s.ID == "" {
		d.faults.Add(n.Key("call").Errorf("missing-id", "a step that calls needs an id").
			WithHint("add id: with a short name; it names the call in results, in the journal and in steps.ID"))
	}
	c := &Call{}
	if w := n.Get("with"); w != nil {
		c.With = lang.CompileTemplate(w, scope, d.faults)
		if c.With == nil {
			d.target(c, v)
			return resolved(c)
		}
	}
	if !d.target(c, v) {
		return nil
	}
	catalog.CheckWith(c.Name(), c.Params(), c.With, diag.Place{File: v.File, Pos: v.Pos}, d.faults)
	return c
}

func resolved(c *Call) Action {
	if c.Operation == nil && c.Pipeline == nil {
		return nil
	}
	return c
}

// target finds what a call names: ./other.yaml, or connection.operation.
func (d *decoder) target(c *Call, v *source.Node) bool {
	if strings.HasPrefix(v.Text, "./") || strings.HasPrefix(v.Text, "../") {
		c.Pipeline = d.link.Pipeline(path.Join(path.Dir(d.p.Path), v.Text), v)
		return c.Pipeline != nil
	}
	name, operation, ok := strings.Cut(v.Text, ".")
	if !ok {
		d.faults.Add(v.Errorf("wrong-value", "%q names nothing that can be called", v.Text).
			WithHint("write connection.operation, or the path of a pipeline that begins with ./"))
		return false
	}
	var names []string
	for _, conn := range d.p.Connections {
		names = append(names, conn.Name)
		if conn.Name != name {
			continue
		}
		if conn.Vendor == nil {
			return false // reported already
		}
		c.Connection = name
		if c.Operation = conn.Vendor.Operation(operation); c.Operation == nil {
			d.unknownOperation(v, len([]rune(name))+1, conn.Vendor, operation)
			return false
		}
		return true
	}
	d.faults.Add(v.Errorf("unknown-connection", "no connection %s in this pipeline", name).
		WithHint(catalog.DidYouMean(name, names)))
	return false
}

func (d *decoder) unknownOperation(v *source.Node, at int, vendor *catalog.Vendor, name string) {
	var names []string
	for _, op := range vendor.Operations {
		names = append(names, op.Name)
	}
	fault := v.Errorf("unknown-operation", "vendor %s has no operation %s", vendor.Name, name).
		WithHint(catalog.DidYouMean(name, names))
	fault.Pos = v.At(at)
	d.faults.Add(fault)
}

func decodeSet(d *decoder, s *Step, n, v *source.Node, scope *lang.Scope) Action {
	if s.ID == "" {
		d.faults.Add(n.Key("set").Errorf("missing-id", "values that are set without an id can never be read").
			WithHint("add id: and read them as steps.ID.outputs.NAME"))
	}
	t := lang.CompileTemplate(v, scope, d.faults)
	if t == nil {
		return nil
	}
	return &Set{Values: t}
}

func decodeFail(d *decoder, _ *Step, _, v *source.Node, scope *lang.Scope) Action {
	t := lang.CompileTemplate(v, scope, d.faults)
	if t == nil {
		return nil
	}
	if k := t.Type(); k != nil && (k.Kind != lang.Text && k.Kind != lang.Unknown || k.Nullable) {
		d.faults.Add(v.Errorf("wrong-type", "the message of fail must be text, found %s", k))
	}
	if k := t.Type(); k != nil && k.Secret {
		d.faults.Add(v.Errorf("secret-leak", "a secret would stand in the message"))
	}
	return &Fail{Message: t}
}

func (d *decoder) outputs(n *source.Node) {
	if n == nil {
		return
	}
	for _, pair := range n.Pairs {
		o := Output{Name: pair.Key.Text, Place: diag.Place{File: pair.Key.File, Pos: pair.Key.Pos, Note: "declared here"}}
		v := pair.Value
		if f := v.Get("file"); f != nil {
			o.File = f.Text
			for _, other := range v.Pairs {
				if other.Key.Text != "file" && other.Key.Text != "value" {
					d.faults.Add(other.Key.Errorf("unknown-key", "unknown key %q beside file", other.Key.Text).WithHint("allowed here: value, file"))
				}
			}
			v = v.Get("value")
		}
		o.Value = lang.CompileTemplate(v, d.scope(), d.faults)
		t := lang.AnyType
		if o.Value != nil {
			t = o.Value.Type()
			d.checkOutput(&o, v, t)
		}
		copied := *t
		copied.Declared = o.Place
		d.p.OutputsType.Fields = append(d.p.OutputsType.Fields, lang.Field{Name: o.Name, Type: &copied})
		d.p.Outputs = append(d.p.Outputs, o)
	}
}

func (d *decoder) checkOutput(o *Output, v *source.Node, t *lang.Type) {
	if t.Secret {
		d.faults.Add(v.Errorf("secret-leak", "the output %s would show a secret", o.Name))
	}
	if o.File == "" {
		return
	}
	if t.Kind != lang.List && t.Kind != lang.Unknown {
		d.faults.Add(v.Errorf("wrong-type", "a file holds a list of rows, %s is %s", o.Name, t))
		return
	}
	if t.Elem != nil {
		for _, f := range t.Elem.Fields {
			o.Columns = append(o.Columns, f.Name)
			if f.Type != nil && f.Type.Secret {
				d.faults.Add(v.Errorf("secret-leak", "the column %s would write a secret into %s", f.Name, o.File))
			}
		}
	}
	if ext := path.Ext(o.File); ext == ".csv" && len(o.Columns) == 0 {
		d.faults.Add(v.Errorf("unknown-columns", "the columns of %s are not known: %s is %s", o.File, o.Name, t).
			WithHint(fmt.Sprintf("give %s objects with known members, or write a .jsonl file", o.Name)))
	}
}
