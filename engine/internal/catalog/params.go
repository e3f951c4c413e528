package catalog

import (
	"errors"
	"fmt"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Params are named, typed values that a file asks for: a vendor's config, the
// inputs of an operation or of a pipeline.
type Params struct {
	List []*Param
	// Type is the closed object type of all of them.
	Type *lang.Type
}

// A Param is one of them.
type Param struct {
	Name string
	Type *lang.Type
	// Optional params may be left out, and are null then.
	Optional bool
	Secret   bool
	// Default stands for a param that is not given; HasDefault tells it from none.
	Default    value.Value
	HasDefault bool
	Place      diag.Place

	schema *schema.Schema
	item   *schema.Schema // of a list's elements; nil when the schema says nothing about them
}

// Required reports whether the param must be given.
func (p *Param) Required() bool { return !p.Optional && !p.HasDefault }

// Get returns the param called name, or nil.
func (p *Params) Get(name string) *Param {
	for _, q := range p.List {
		if q.Name == name {
			return q
		}
	}
	return nil
}

// Names returns the params' names in declaration order.
func (p *Params) Names() []string {
	names := make([]string, len(p.List))
	for i, q := range p.List {
		names[i] = q.Name
	}
	return names
}

// DecodeParams compiles a mapping of name → schema that stands in document
// base; n may be nil (no params). The answer is never nil.
func DecodeParams(n *source.Node, base string, lib *schema.Library, faults *diag.List) *Params {
	p := &Params{Type: lang.ObjectOf()}
	if n == nil {
		return p
	}
	for _, pair := range n.Pairs {
		q := decodeParam(pair, base, lib, faults)
		if q == nil {
			continue
		}
		p.List = append(p.List, q)
		p.Type.Fields = append(p.Type.Fields, lang.Field{Name: q.Name, Type: q.Type, Optional: q.Optional})
	}
	return p
}

func decodeParam(pair source.Pair, base string, lib *schema.Library, faults *diag.List) *Param {
	raw, ok := pair.Value.Literal().(*value.Object)
	if !ok {
		faults.Add(pair.Value.Errorf("wrong-type", "expected a schema, such as {type: string}"))
		return nil
	}
	compiled, err := lib.Compile(raw, base)
	if err != nil {
		faults.Add(schemaFault(pair.Value, err))
		return nil
	}
	q := &Param{
		Name:   pair.Key.Text,
		Place:  placeOf(pair.Key, "declared here"),
		schema: compiled,
	}
	if items, ok := raw.At("items").(*value.Object); ok {
		// The list compiled, so its items do.
		q.item, _ = lib.Compile(items, base)
	}
	q.Optional = raw.At("optional") == true
	q.Secret = raw.At("secret") == true
	if d, ok := raw.Get("default"); ok {
		q.Default, q.HasDefault = d, true
		if bad := q.check(d); len(bad) > 0 {
			faults.Add(pair.Value.Get("default").Errorf("wrong-value", "the default of %s does not fit: %s", q.Name, bad[0].Message))
		}
	}
	t := *lang.FromSchema(raw, base, lib)
	t.Declared, t.Secret = q.Place, q.Secret
	q.Type = &t
	return q
}

// schemaFault places what is wrong with a schema at the part that is wrong.
func schemaFault(n *source.Node, err error) *diag.Diagnostic {
	var inside *schema.CompileError
	if errors.As(err, &inside) {
		n, _ = n.Find(inside.Pointer)
		return n.Errorf("bad-schema", "%s", inside.Message)
	}
	return n.Errorf("bad-schema", "%v", err)
}

func (p *Param) check(v value.Value) []schema.Violation {
	bad := p.schema.Validate(v)
	for i := range bad {
		bad[i].Path = joinPath(p.Name, bad[i].Path)
		bad[i].Pointer = "/" + p.Name + bad[i].Pointer
	}
	return bad
}

func joinPath(name, rest string) string {
	if rest == "" || rest[0] == '[' {
		return name + rest
	}
	return name + "." + rest
}

// CheckItem holds one element of a list param against the schema of its items.
// Paths are relative to the element.
func (p *Param) CheckItem(v value.Value) []schema.Violation {
	if p.item == nil {
		return nil
	}
	return p.item.Validate(v)
}

// Bind checks given values and fills in defaults. The answer has every param,
// in declaration order, null where an optional one was not given (or given as
// null). Violations name missing, surplus and unfitting values.
func (p *Params) Bind(given *value.Object) (*value.Object, []schema.Violation) {
	bound := value.NewObject(len(p.List))
	var bad []schema.Violation
	for _, q := range p.List {
		v, ok := given.Get(q.Name)
		if ok && v == nil && (q.Optional || q.HasDefault) {
			ok = false
		}
		switch {
		case ok:
			bad = append(bad, q.check(v)...)
			v = q.normal(v)
		case q.HasDefault:
			v = q.Default
		case !q.Optional:
			bad = append(bad, schema.Violation{Path: q.Name, Pointer: "/" + q.Name, Message: "is missing"})
		}
		bound.Set(q.Name, v)
	}
	for name := range given.All() {
		if p.Get(name) == nil {
			msg := "is not known here"
			if near := diag.Nearest(name, p.Names()); near != "" {
				msg += fmt.Sprintf("; did you mean %s?", near)
			}
			bad = append(bad, schema.Violation{Path: name, Pointer: "/" + name, Message: msg})
		}
	}
	return bound, bad
}

// normal gives integers one form: 15.0 is 15 where an integer is asked for.
func (p *Param) normal(v value.Value) value.Value {
	if p.Type.Kind == lang.Integer {
		if i, ok := value.IsInteger(v); ok {
			return i
		}
	}
	return v
}

func placeOf(n *source.Node, note string) diag.Place {
	return diag.Place{File: n.File, Pos: n.Pos, Note: note}
}

// CheckWith holds the arguments of a call against the params of what is
// called: missing and surplus names, types, secrets that would flow into something that
// is not secret. what names the callee for messages; at is where to report missing
// arguments; with may be nil (none given).
func CheckWith(what string, params *Params, with *lang.Template, at diag.Place, faults *diag.List) {
	var given []lang.Field
	places := map[string]diag.Place{}
	switch {
	case with == nil:
	case with.Members() != nil:
		at = with.Place()
		for _, m := range with.Members() {
			if m.Key != nil {
				faults.Add(fault(m.Place, "dynamic-input", "an input's name cannot be computed", "write the name as it is declared"))
				return
			}
			given = append(given, lang.Field{Name: m.Name, Type: m.Value.Type()})
			places[m.Name] = m.Place
		}
	default:
		at = with.Place()
		t := with.Type()
		switch {
		case t == nil || t.Kind == lang.Unknown || t.Kind == lang.Object && len(t.Fields) == 0 && t.Extra != nil:
			return // checked when it runs
		case t.Kind != lang.Object:
			faults.Add(fault(at, "wrong-type", fmt.Sprintf("with must be an object of the inputs of %s, found %s", what, t), ""))
			return
		}
		given = t.Fields
	}
	seen := map[string]bool{}
	for _, g := range given {
		seen[g.Name] = true
		place, ok := places[g.Name]
		if !ok {
			place = at
		}
		checkArgument(what, params, g, place, faults)
	}
	for _, q := range params.List {
		if q.Required() && !seen[q.Name] {
			d := fault(at, "missing-input", fmt.Sprintf("%s needs the input %s (%s)", what, q.Name, q.Type), fmt.Sprintf("add %s below with", q.Name))
			d.Related = []diag.Place{q.Place}
			faults.Add(d)
		}
	}
}

func checkArgument(what string, params *Params, g lang.Field, place diag.Place, faults *diag.List) {
	q := params.Get(g.Name)
	if q == nil {
		faults.Add(fault(place, "unknown-input", fmt.Sprintf("%s has no input %s", what, g.Name), DidYouMean(g.Name, params.Names())))
		return
	}
	want := q.Type
	if !q.Required() {
		want = want.OrNull("it is optional")
	}
	from := g.Type
	if g.Optional {
		from = from.OrNull(g.Name + " is optional here")
	}
	if why := want.Accepts(from); why != "" {
		hint := ""
		if from != nil && from.Nullable && !want.Nullable {
			hint = "give a value for the case of null with ??"
			if from.Why != "" {
				hint += " (" + from.Why + ")"
			}
		}
		d := fault(place, "wrong-type", fmt.Sprintf("input %s of %s: %s", g.Name, what, why), hint)
		d.Related = []diag.Place{q.Place}
		faults.Add(d)
	}
	if from != nil && from.Secret && !q.Secret {
		d := fault(place, "secret-leak", fmt.Sprintf("a secret would flow into the input %s of %s, which is not secret", g.Name, what), "mark that input secret: true, or do not pass the secret")
		d.Related = []diag.Place{q.Place}
		faults.Add(d)
	}
}

func fault(at diag.Place, code, message, hint string) *diag.Diagnostic {
	return &diag.Diagnostic{File: at.File, Pos: at.Pos, Code: code, Message: message, Hint: hint}
}
