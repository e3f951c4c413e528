package catalog

import (
	"errors"
	"slices"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Params are named, typed values that a file asks for: a vendor's config, the
// inputs of an operation or of a pipeline.
type Params struct {
	List []*Param
	// Type is the closed object type of all of them.
	Type *types.Type
	// WrittenDown says that what is given is kept as it is, so that nothing secret may be.
	WrittenDown bool
}

// A Param is one of them.
type Param struct {
	Name string
	Type *types.Type
	// Optional params may be left out, and are null then.
	Optional bool
	Secret   bool
	// Default stands for a param that is not given; HasDefault tells it from none.
	Default    value.Value
	HasDefault bool
	Place      diag.Place
	// MaxItems is how long a list may be; 0 for as long as one likes.
	MaxItems int

	schema *schema.Schema
	item   *schema.Schema // of a list's elements; nil when the schema says nothing about them
	// rowwise lists are right when each of their elements is.
	rowwise bool
	// fills says that members of the value have defaults.
	fills bool
}

// Rowwise reports whether a list may be checked element by element: its schema
// says nothing about how many there are, or how they differ.
func (p *Param) Rowwise() bool { return p.Type.Kind == types.List && p.rowwise }

// Schema returns what the param's values must fit; nil where anything does.
func (p *Param) Schema() *schema.Schema { return p.schema }

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
	p := &Params{Type: types.ObjectOf()}
	if n == nil {
		return p
	}
	for _, pair := range n.Pairs {
		q := decodeParam(pair, base, lib, faults)
		if q == nil {
			continue
		}
		p.List = append(p.List, q)
		p.Type.Fields = append(p.Type.Fields, types.Field{Name: q.Name, Type: q.Type, Optional: q.Optional})
	}
	return p
}

func decodeParam(pair source.Pair, base string, lib *schema.Library, faults *diag.List) *Param {
	raw, ok := pair.Value.Literal().(*value.Object)
	if !ok {
		faults.Add(pair.Value.Errorf("wrong-type", "expected a schema, such as {type: string}"))
		return nil
	}
	misfits := schema.Misfits(raw)
	for _, m := range misfits {
		addSchemaFault(faults, pair.Value, lib, m)
	}
	addUnchecked(faults, pair.Value, diag.Error, "write a pattern that RE2 knows; several of them, below allOf, must all match")
	compiled, err := lib.Compile(raw, base)
	if err != nil || len(misfits) > 0 {
		if err != nil {
			addSchemaFault(faults, pair.Value, lib, err)
		}
		// Of any type, so that those who use it need not suffer.
		return &Param{Name: pair.Key.Text, Place: placeOf(pair.Key, "declared here"), Type: types.AnyType, Optional: true}
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
	q.rowwise = onlyItems(raw)
	if most, ok := raw.At("maxItems").(int64); ok {
		q.MaxItems = int(most)
	}
	t := *types.FromSchema(raw, base, lib)
	q.Secret = t.Secret || raw.At("secret") == true
	t.Declared, t.Secret = q.Place, q.Secret
	q.Type, q.fills = &t, t.HasDefaults()
	d, hasDefault := raw.Get("default")
	q.Optional = raw.At("optional") == true && !hasDefault // with a default it is never null
	if hasDefault {
		q.Default, q.HasDefault = d, true
		if bad := q.check(d); len(bad) > 0 {
			faults.Add(pair.Value.Get("default").Errorf("wrong-value", "the default of %s does not fit: %s", q.Name, bad[0].Message))
		} else if text, isText := d.(string); isText && q.Type.Enum == nil {
			types.WarnOtherWord(pair.Value.Get("default"), text, faults)
		}
	}
	return q
}

// onlyItems reports whether a list's schema says nothing about the list as a whole.
func onlyItems(raw *value.Object) bool {
	for key := range raw.All() {
		switch key {
		case "type", "items", "title", "description", "$comment", "example", "examples", "deprecated",
			"optional", "secret", "default", "file":
		default:
			return false
		}
	}
	return true
}

// addSchemaFault places what is wrong with a schema at the part that is wrong.
// References to broken files are no fault of their own. A schema that many refer to is
// reported once, where it stands.
func addSchemaFault(faults *diag.List, n *source.Node, lib *schema.Library, err error) {
	var inside *schema.CompileError
	switch {
	case errors.Is(err, schema.ErrBroken):
	case errors.As(err, &inside):
		n, _ = n.Find(inside.Pointer)
		d := n.Errorf("bad-schema", "%s", inside.Message)
		if file, pointer, message, ok := inside.Origin(); ok {
			if at := lib.At(file, pointer); at != nil {
				d = at.Errorf("bad-schema", "%s", message)
				d.Related = []diag.Place{placeOf(n, "referred to here")}
			}
		}
		if !slices.ContainsFunc(*faults, func(f *diag.Diagnostic) bool {
			return f.Code == d.Code && f.File == d.File && f.Pos == d.Pos && f.Message == d.Message
		}) {
			faults.Add(d)
		}
	default:
		faults.Add(n.Errorf("bad-schema", "%v", err))
	}
}

// addMisfits reports the keywords of a vendor's schema that say nothing about its types, and warns of patterns that nothing checks.
func addMisfits(faults *diag.List, n *source.Node, lib *schema.Library) {
	for _, m := range schema.Misfits(n.Literal()) {
		addSchemaFault(faults, n, lib, m)
	}
	addUnchecked(faults, n, diag.Warning, "take the pattern out: nothing checks it here")
}

// addUnchecked reports the patterns of a schema that nothing would check.
func addUnchecked(faults *diag.List, n *source.Node, severity diag.Severity, hint string) {
	for _, m := range schema.Unchecked(n.Literal()) {
		at, _ := n.Find(m.Pointer)
		d := at.Errorf("bad-schema", "%s", m.Message).WithHint(hint)
		d.Severity = severity
		faults.Add(d)
	}
}

func placeOf(n *source.Node, note string) diag.Place {
	return diag.Place{File: n.File, Pos: n.Pos, Note: note}
}
