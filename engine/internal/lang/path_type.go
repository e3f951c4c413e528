package lang

import (
	"slices"
	"strconv"

	"github.com/seed627bd532/runner/engine/internal/source"
)

// found is the type of what a path finds, and why it may find nothing ("" when
// it always finds something).
type found struct {
	typ     *Type
	missing string
}

func (f found) orMissing(why string) found {
	if f.missing == "" {
		f.missing = why
	}
	return f
}

func (c *pathCompiler) typeOf(p *Path, over *Type) *Type {
	var f found
	if p.whole {
		f = c.typeOfWhole(found{typ: over}, p.text, 0)
	} else {
		f = c.walkType(found{typ: over}, p.steps)
	}
	p.elem = f.typ.elem()
	if c.guessed {
		p.elem = p.elem.namesOnly()
		return AnyType.secretIf(over.HasSecret())
	}
	if f.missing != "" {
		return f.typ.OrNull(f.missing)
	}
	return f.typ
}

// Around returns the type of what the path leads into, where it finds a value of type t. Nothing is known
// of it where the path does more than to name members.
func (p *Path) Around(t *Type) *Type {
	if p.whole {
		return AnyType
	}
	for _, s := range slices.Backward(p.steps) {
		if s.each || s.index >= 0 || s.name == "" {
			return AnyType
		}
		t = &Type{Kind: Object, Fields: []Field{{Name: s.name, Type: t}}, Extra: AnyType}
	}
	return t
}

// walkType follows the steps through the types, as walk does through data.
func (c *pathCompiler) walkType(f found, steps []step) found {
	for i, s := range steps {
		t := f.typ
		if t.Nullable {
			f = f.orMissing(t.Why)
		}
		switch {
		case t.Kind == Unknown && t.members != nil && !s.each && s.index < 0 && !slices.Contains(t.members, s.name):
			d := c.fault(s.at, "unknown-member", "", "the data has no member %q", s.name)
			suggest(d, s.name, t.members)
			return found{typ: AnyType}
		case t.Kind == Unknown || t.Kind == Null:
			return found{typ: AnyType.secretIf(t.Secret), missing: f.missing}
		case t.Kind == List && s.each && i == len(steps)-1:
			return found{typ: IntegerType.secretIf(t.Secret), missing: f.missing}
		case t.Kind == List && s.each:
			// Elements without the member are left out, so that only a null
			// that is really there remains.
			elem := c.walkType(found{typ: t.elem()}, steps[i+1:])
			return found{typ: ListOf(elem.typ).secretIf(t.Secret), missing: f.missing}
		case t.Kind == List && s.index >= 0:
			f = found{typ: t.elem(), missing: f.missing}.
				orMissing("the list may have no element " + strconv.Itoa(s.index))
		case t.Kind == Object && !s.each:
			m, ok := c.member(t, s)
			if !ok {
				return found{typ: AnyType}
			}
			f = found{typ: m.typ, missing: f.missing}.orMissing(m.missing)
		default:
			c.misfit(t, s)
			return found{typ: AnyType}
		}
	}
	return f
}

func (c *pathCompiler) member(t *Type, s step) (found, bool) {
	m, declared := t.own(s.name)
	why := s.name + absent
	switch {
	case !declared && t.Extra != nil:
		return found{typ: t.Extra.secretIf(t.Secret), missing: why}, true
	case !declared:
		c.unknownMember(t, s)
		return found{}, false
	case m.Optional:
		return found{typ: orAny(m.Type).secretIf(t.Secret), missing: why}, true
	}
	return found{typ: orAny(m.Type).secretIf(t.Secret)}, true
}

func (c *pathCompiler) unknownMember(t *Type, s step) {
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = f.Name
	}
	d := c.fault(s.at, "unknown-member", "", "the data has no member %q", s.name)
	suggest(d, s.name, names)
	related(d, t)
}

// misfit reports a step into a value that has no such parts.
func (c *pathCompiler) misfit(t *Type, s step) {
	hint := ""
	if t.Kind == List {
		hint = `write "#.` + s.key + `" for all elements, "0.` + s.key + `" for the first`
	}
	what := "member " + strconv.Quote(s.name)
	if s.each {
		what = "elements for #"
	}
	d := c.fault(s.at, "unknown-member", hint, "%s has no %s", t, what)
	related(d, t)
}

// nodeKind names the shape of a YAML value.
func nodeKind(n *source.Node) string {
	switch n.Kind {
	case source.List:
		return "list"
	case source.Mapping:
		return "mapping"
	}
	return "scalar"
}
