package template

import (
	"strings"

	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
)

// BareAbsent returns the markers that are the whole of a value and nothing but the name of
// something that may not be given: null stands in its place then, and no ?? says that it shall.
func (t *Template) BareAbsent() []*expr.Expr {
	var found []*expr.Expr
	switch f := t.form.(type) {
	case hole:
		if is := f.expr.Type(); f.expr.IsChain() && is.Nullable && strings.HasSuffix(is.Why, types.Absent) {
			found = append(found, f.expr)
		}
	case *list:
		for _, item := range f.items {
			found = append(found, item.BareAbsent()...)
		}
	case *each:
		found = f.value.BareAbsent()
	}
	for _, m := range t.members {
		found = append(found, m.Value.BareAbsent()...)
	}
	return found
}

// BareMember returns the name of the member that a template passes on as it is, and the type of what it
// is read from: name and the type of inputs for ${{ inputs.name }}.
func (t *Template) BareMember() (name string, of *types.Type, ok bool) {
	if h, isHole := t.form.(hole); isHole {
		return h.expr.LastMember()
	}
	return "", nil, false
}
