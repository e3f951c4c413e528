package catalog

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
)

// flat reports members that cannot be written where there are only names and texts: a query,
// headers, or a form. what names such a member; lists says that a list is written as several, and nested
// that lists and objects have a way of their own. t may be nil.
func (d *decoder) flat(t *template.Template, what string, lists, nested bool) {
	if t == nil {
		return
	}
	for _, m := range t.Members() {
		is := m.Value.Type()
		if is == nil || m.Key != nil {
			continue
		}
		switch {
		case is.Kind == types.Null && !is.Omittable() || is.Kept().Nullable && is.Kind != types.Unknown:
			d.unflat(m, "%s %s cannot be null, found %s", what, m.Name, is).
				WithHint("write ${{ … ?? omit }} to leave it out")
		case is.Kind == types.Object && !nested:
			d.unflat(m, "%s %s must be a text, number or boolean, found %s", what, m.Name, is)
		case is.Kind == types.List && !lists && !nested:
			d.unflat(m, "%s %s must be a text, number or boolean, found %s", what, m.Name, is).
				WithHint("write ${{ join(…, ',') }} where the vendor wants the elements in one text")
		}
	}
}

func (d *decoder) unflat(m template.Member, format string, args ...any) *diag.Diagnostic {
	at := m.Value.Place()
	f := &diag.Diagnostic{File: at.File, Pos: at.Pos, Code: "wrong-type"}
	f.Message = fmt.Sprintf(format, args...)
	d.faults.Add(f)
	return f
}
