// Package template compiles YAML values with ${{ }} markers in them: request bodies, headers, inputs of calls.
package template

import (
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Template is a compiled YAML value whose scalars may hold ${{ }} markers. It
// never changes and is safe for concurrent use.
type Template struct {
	place   diag.Place
	typ     *types.Type
	form    form
	members []Member
}

// A form is one of the shapes a template can have: literal, hole, mixed, object,
// list, each.
type form interface {
	// eval computes the value, which may be Omit.
	eval(vars expr.Vars) (value.Value, error)
	// appendJSON appends what eval would compute; ok is false, and dst as it
	// was, where that is Omit.
	appendJSON(dst []byte, vars expr.Vars) (out []byte, ok bool, err error)
}

// Type returns what the template yields.
func (t *Template) Type() *types.Type { return t.typ }

// Place returns where the template stands.
func (t *Template) Place() diag.Place { return t.place }

// Members returns the member templates of a mapping in file order, and nil for
// other templates; mapping keys that hold markers have the marker's text as name and Key set.
// The slice must not be changed.
func (t *Template) Members() []Member { return t.members }

// Misfit returns the innermost part of a mapping or list that keeps the template from fitting
// want: a member's key, or an element. ok is false where that is the template itself.
func (t *Template) Misfit(want *types.Type) (at diag.Place, ok bool) {
	for _, m := range t.members {
		wanted, known := want.Field(m.Name)
		if m.Key != nil || known && wanted.Accepts(m.Value.typ.Kept()) == "" {
			continue
		}
		if at, ok = m.Value.Misfit(wanted); !ok {
			at = m.Place
		}
		return at, true
	}
	var items []*Template
	switch f := t.form.(type) {
	case *list:
		items = f.items
	case *each:
		items = []*Template{f.value}
	}
	for _, item := range items {
		if want != nil && want.Kind == types.List && types.OrAny(want.Elem).Accepts(item.typ.Kept()) != "" {
			if at, ok = item.Misfit(want.Elem); !ok {
				at = item.place
			}
			return at, true
		}
	}
	return t.place, false
}

// A Member is one entry of a mapping template.
type Member struct {
	Name  string
	Key   *Template // set when the name itself is a template
	Value *Template
	Place diag.Place // of the key
}

// Eval computes the value, which may be Omit. The error is a *diag.Diagnostic
// at the marker that failed.
func (t *Template) Eval(vars expr.Vars) (value.Value, error) { return t.form.eval(vars) }

// AppendJSON appends the value as JSON, without building it first; ok is false
// when the value is Omit. Where nothing was appended, because of Omit or of an
// error, out is dst as it was.
func (t *Template) AppendJSON(dst []byte, vars expr.Vars) (out []byte, ok bool, err error) {
	out, ok, err = t.form.appendJSON(dst, vars)
	if err != nil || !ok {
		return dst, false, err
	}
	return out, true, nil
}

// Literal returns the value of a template that has no markers; ok is false for others.
func (t *Template) Literal() (v value.Value, ok bool) {
	if l, ok := t.form.(*literal); ok {
		return l.value, true
	}
	return nil, false
}
