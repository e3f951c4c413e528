package lang

import (
	"strings"

	"github.com/seed627bd532/runner/engine/internal/source"
)

// BareAbsent returns the markers that are the whole of a value and nothing but the name of
// something that may not be given: null stands in its place then, and no ?? says that it shall.
func (t *Template) BareAbsent() []*Expr {
	var found []*Expr
	switch f := t.form.(type) {
	case hole:
		if is := f.expr.typ; f.expr.path != nil && is.Nullable && strings.HasSuffix(is.Why, absent) {
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

// JustName returns the name that is all of a value: ${{ name }}.
func JustName(n *source.Node) (name string, ok bool) {
	if n == nil || n.Kind != source.Scalar {
		return "", false
	}
	inner, ok := strings.CutPrefix(strings.TrimSpace(n.Text), openMarker)
	inner, closed := strings.CutSuffix(inner, closeMarker)
	name = strings.TrimSpace(inner)
	return name, ok && closed && isName(name)
}

// BareMember returns the name of the member that a template passes on as it is, and the type of what it
// is read from: name and the type of inputs for ${{ inputs.name }}.
func (t *Template) BareMember() (name string, of *Type, ok bool) {
	h, ok := t.form.(hole)
	if !ok || h.expr.path == nil || len(h.expr.path.links) == 0 {
		return "", nil, false
	}
	last := h.expr.path.links[len(h.expr.path.links)-1]
	return last.name, last.of, true
}
