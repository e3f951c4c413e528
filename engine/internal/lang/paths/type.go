package paths

import (
	"slices"
	"strconv"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// found is the type of what a path finds, and why it may find nothing ("" when
// it always finds something).
type found struct {
	typ     *types.Type
	missing string
}

func (f found) orMissing(why string) found {
	if f.missing == "" {
		f.missing = why
	}
	return f
}

func (c *pathCompiler) typeOf(p *Path, over *types.Type) *types.Type {
	var f found
	if p.whole {
		f = c.typeOfWhole(found{typ: over}, p.text, 0)
	} else {
		f = c.walkType(found{typ: over}, p.steps)
	}
	p.elem = f.typ.ElemOrAny()
	if c.guessed {
		p.elem = p.elem.NamesOnly()
		return types.AnyType.SecretIf(over.HasSecret())
	}
	if f.missing != "" {
		return f.typ.OrNull(f.missing)
	}
	return f.typ
}

// Around returns the type of what the path leads into, where it finds a value of type t. Nothing is known
// of it where the path does more than to name members.
func (p *Path) Around(t *types.Type) *types.Type {
	if p.whole {
		return types.AnyType
	}
	for _, s := range slices.Backward(p.steps) {
		if s.each || s.index >= 0 || s.name == "" {
			return types.AnyType
		}
		t = &types.Type{Kind: types.Object, Fields: []types.Field{{Name: s.name, Type: t}}, Extra: types.AnyType}
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
		case t.Kind == types.Unknown && t.Members != nil && !s.each && s.index < 0 && !slices.Contains(t.Members, s.name):
			d := c.fault(s.at, "unknown-member", "", "the data has no member %q", s.name)
			types.Suggest(d, s.name, t.Members)
			return found{typ: types.AnyType}
		case t.Kind == types.Unknown || t.Kind == types.Null:
			return found{typ: types.AnyType.SecretIf(t.Secret), missing: f.missing}
		case t.Kind == types.List && s.each && i == len(steps)-1:
			return found{typ: types.IntegerType.SecretIf(t.Secret), missing: f.missing}
		case t.Kind == types.List && s.each:
			// Elements without the member are left out, so that only a null
			// that is really there remains.
			elem := c.walkType(found{typ: t.ElemOrAny()}, steps[i+1:])
			return found{typ: types.ListOf(elem.typ).SecretIf(t.Secret), missing: f.missing}
		case t.Kind == types.List && s.index >= 0:
			f = found{typ: t.ElemOrAny(), missing: f.missing}.
				orMissing("the list may have no element " + strconv.Itoa(s.index))
		case t.Kind == types.Object && !s.each:
			m, ok := c.member(t, s)
			if !ok {
				return found{typ: types.AnyType}
			}
			f = found{typ: m.typ, missing: f.missing}.orMissing(m.missing)
		default:
			c.misfit(t, s)
			return found{typ: types.AnyType}
		}
	}
	return f
}

func (c *pathCompiler) member(t *types.Type, s step) (found, bool) {
	m, declared := t.Own(s.name)
	why := s.name + types.Absent
	switch {
	case !declared && t.Extra != nil:
		return found{typ: t.Extra.SecretIf(t.Secret), missing: why}, true
	case !declared:
		c.unknownMember(t, s)
		return found{}, false
	case m.Optional:
		return found{typ: types.OrAny(m.Type).SecretIf(t.Secret), missing: why}, true
	}
	return found{typ: types.OrAny(m.Type).SecretIf(t.Secret)}, true
}

func (c *pathCompiler) unknownMember(t *types.Type, s step) {
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = f.Name
	}
	d := c.fault(s.at, "unknown-member", "", "the data has no member %q", s.name)
	types.Suggest(d, s.name, names)
	types.Related(d, t)
}

// misfit reports a step into a value that has no such parts.
func (c *pathCompiler) misfit(t *types.Type, s step) {
	hint := ""
	if t.Kind == types.List {
		hint = `write "#.` + s.key + `" for all elements, "0.` + s.key + `" for the first`
	}
	what := "member " + strconv.Quote(s.name)
	if s.each {
		what = "elements for #"
	}
	d := c.fault(s.at, "unknown-member", hint, "%s has no %s", t, what)
	types.Related(d, t)
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
