package catalog

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/value"
)

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

// BindItem fills the defaults of one element of a list param in, and holds it
// against the schema of its items. Paths are relative to the element.
func (p *Param) BindItem(v value.Value) (value.Value, []schema.Violation) {
	if p.fills {
		v = p.Type.Elem.Fill(v)
	}
	if p.item == nil {
		return v, nil
	}
	return v, p.item.Validate(v)
}

// Bind checks given values and fills in defaults, those of members too. The answer has every param,
// in declaration order, null where an optional one was not given (or given as
// null). Violations name missing, surplus and unfitting values.
func (p *Params) Bind(given *value.Object) (*value.Object, []schema.Violation) {
	bound := value.NewObject(len(p.List))
	var bad []schema.Violation
	known := 0 // of those given
	for _, q := range p.List {
		v, ok := given.Get(q.Name)
		if ok {
			known++
		}
		if ok && v == nil && (q.Optional || q.HasDefault) {
			ok = false
		}
		switch {
		case ok:
			if q.fills {
				v = q.Type.Fill(v)
			}
			bad = append(bad, q.check(v)...)
			v = q.normal(v)
		case q.HasDefault:
			v = q.Default
		case !q.Optional:
			bad = append(bad, schema.Violation{Path: q.Name, Pointer: "/" + q.Name, Message: "is missing"})
		}
		bound.Add(q.Name, v)
	}
	if known == given.Len() {
		return bound, bad
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
