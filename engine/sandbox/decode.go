package sandbox

import (
	"slices"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// decode compiles a sandbox file whose shape was checked, and reports every
// fault. The definition is only usable when there was none. sees says what is known of the
// requests to an operation, or of all, which is "".
func decode(n *source.Node, faults *diag.List, sees func(operation string) seen) *Definition {
	d := &decoder{def: &Definition{vendor: n.Get("sandbox").Text, root: n}, faults: faults}
	if c := n.Get("connection"); c != nil {
		d.def.connection = template.Compile(c, connectionScope, faults)
	}
	d.state(n, n.Get("state"))
	names := operationNames(n)
	d.scope = requestScope(d.stateType, names, types.ObjectOf(), sees(""))
	if t := n.Get("tokens"); t != nil {
		d.def.tokens = d.collection(t)
	}
	if t := n.Get("token"); t != nil {
		d.def.token = expr.Compile(t, d.scope, faults)
	}
	if b := n.Get("before"); b != nil {
		d.def.before = d.rules(b)
	}
	for _, pair := range n.Get("operations").Pairs {
		at := newPath(pair.Value.Get("path").Text)
		d.scope = requestScope(d.stateType, names, at.params(), sees(pair.Key.Text))
		d.operation(pair.Key.Text, at, pair.Value)
	}
	return d.def
}

type decoder struct {
	def    *Definition
	faults *diag.List
	// stateType is the closed object type of the state, so that a misspelt
	// collection is found; what the collections hold is raw, and unknown but for the names of members.
	stateType *types.Type
	scope     *expr.Scope // of the operation at hand
}

func operationNames(n *source.Node) []value.Value {
	var names []value.Value
	for _, pair := range n.Get("operations").Pairs {
		names = append(names, pair.Key.Text)
	}
	return names
}

func (d *decoder) state(file, n *source.Node) {
	d.stateType = types.ObjectOf()
	if n == nil {
		return
	}
	if tmpl := template.Compile(n, expr.NewScope(), d.faults); tmpl != nil {
		v, err := tmpl.Eval(nil)
		if err != nil {
			d.faults.Add(n.Errorf("sandbox-state", "the state cannot be computed: %v", err))
		}
		d.def.state, _ = v.(*value.Object)
	}
	for _, pair := range n.Pairs {
		t := types.AnyType
		if pair.Value.Kind == source.List {
			t = types.ListOf(recordOf(file, pair.Value, pair.Key.Text))
		}
		d.stateType.Fields = append(d.stateType.Fields, types.Field{Name: pair.Key.Text, Type: t})
	}
}

// recordsOf returns the type of the records of a list of the state.
func (d *decoder) recordsOf(list string) *types.Type {
	if t, ok := d.stateType.Field(list); ok && t.Kind == types.List {
		return t.Elem
	}
	return types.AnyType
}

// collection returns the name of a list of the state.
func (d *decoder) collection(n *source.Node) string {
	var lists []string
	for _, f := range d.stateType.Fields {
		if f.Type.Kind == types.List {
			lists = append(lists, f.Name)
		}
	}
	if !slices.Contains(lists, n.Text) {
		d.faults.Add(n.Errorf("unknown-collection", "no list %s in the state", n.Text).
			WithHint(catalog.DidYouMean(n.Text, lists)))
	}
	return n.Text
}

func (d *decoder) operation(name string, at path, n *source.Node) {
	op := &operation{name: name, place: diag.Place{File: n.File, Pos: n.Pos}, method: n.Get("method").Text, path: at}
	if w := n.Get("when"); w != nil {
		op.when = d.condition(w, d.scope)
	}
	if id := n.Get("identity"); id != nil {
		op.identity = expr.Compile(id, d.scope, d.faults)
	}
	op.rules = d.rules(n.Get("rules"))
	d.answered(n.Get("rules"))
	for _, other := range d.def.operations {
		if other.method == op.method && other.when == nil && takes(other.path, op.path) {
			d.faults.Add(n.Get("path").Errorf("unreachable-operation",
				"%s %s is always taken by operation %s, which comes first", op.method, op.path.text, other.name).
				WithHint("tell the two apart by when, or put the one that has it first"))
			break
		}
	}
	d.def.operations = append(d.def.operations, op)
}
