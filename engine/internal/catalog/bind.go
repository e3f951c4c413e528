package catalog

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
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
// What is given is the answer itself where it is all that already.
func (p *Params) Bind(given *value.Object) (*value.Object, []schema.Violation) {
	b := binding{params: p, given: given}
	for i, q := range p.List {
		b.bind(i, q)
	}
	if b.known < given.Len() {
		b.surplus()
	}
	switch {
	case b.bound != nil:
		return b.bound, b.bad
	case given != nil && given.Len() == len(p.List):
		return given, b.bad
	}
	return given.Head(len(p.List), len(p.List)), b.bad
}

// A binding is one Bind under way.
type binding struct {
	params *Params
	given  *value.Object
	bound  *value.Object // nil as long as given is the same so far
	bad    []schema.Violation
	known  int // of those given
}

// bind adds the i-th param.
func (b *binding) bind(i int, q *Param) {
	v, at := b.given.AtNear(q.Name, i)
	same := at == i
	if at >= 0 {
		b.known++
	}
	switch {
	case at >= 0 && (v != nil || !q.Optional && !q.HasDefault):
		if q.fills {
			v, same = q.Type.Fill(v), false
		}
		b.bad = append(b.bad, q.check(v)...)
		if n, isOther := q.normal(v); isOther {
			v, same = n, false
		}
	case q.HasDefault:
		v, same = q.Default, false
	case !q.Optional:
		b.bad = append(b.bad, schema.Violation{Path: q.Name, Pointer: "/" + q.Name, Message: "is missing"})
	}
	if b.bound == nil && !same {
		b.bound = b.given.Head(i, len(b.params.List))
	}
	if b.bound != nil {
		b.bound.Add(q.Name, v)
	}
}

// surplus tells of what no param asks for.
func (b *binding) surplus() {
	for name := range b.given.All() {
		if b.params.Get(name) != nil {
			continue
		}
		msg := "is not known here"
		if near := diag.Nearest(name, b.params.Names()); near != "" {
			msg += fmt.Sprintf("; did you mean %s?", near)
		}
		b.bad = append(b.bad, schema.Violation{Path: name, Pointer: "/" + name, Message: msg})
	}
}

// normal gives integers one form: 15.0 is 15 where an integer is asked for. isOther tells that n is not v.
func (p *Param) normal(v value.Value) (n value.Value, isOther bool) {
	if _, ok := v.(value.Decimal); ok && p.Type.Kind == types.Integer {
		if i, ok := value.IsInteger(v); ok {
			return i, true
		}
	}
	return v, false
}
