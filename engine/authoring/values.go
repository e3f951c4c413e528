package authoring

import (
	"encoding/json"
	"slices"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// values describes params; n is the mapping that declares them, or nil.
func values(params *catalog.Params, n *source.Node) []Value {
	var all []Value
	for _, p := range params.List {
		v := valueOf(p.Name, p.Type, nil)
		v.Required = p.Required()
		v.Secret = p.Secret
		v.Description = words(n.Get(p.Name), "description")
		if p.HasDefault && !p.Secret {
			v.Default = value.AppendJSON(nil, p.Default)
		}
		all = append(all, v)
	}
	return all
}

// valueOf describes a value of type t. Types inside of themselves are among around.
func valueOf(name string, t *types.Type, around []*types.Type) Value {
	v := Value{Name: name, Type: t.String(), Secret: t != nil && t.Secret}
	if t == nil {
		return v
	}
	for _, one := range t.Enum {
		v.Enum = append(v.Enum, json.RawMessage(value.AppendJSON(nil, one)))
	}
	inner := t
	for inner.Kind == types.List && inner.Elem != nil {
		inner = inner.Elem
	}
	v.Members = members(inner, around)
	return v
}

// members describes the members of an object; nil for other types, and for one
// that is among those around it.
func members(t *types.Type, around []*types.Type) []Value {
	if t == nil || t.Kind != types.Object || slices.ContainsFunc(around, func(a *types.Type) bool { return sameShape(a, t) }) {
		return nil
	}
	around = append(around[:len(around):len(around)], t)
	var all []Value
	for _, f := range t.Fields {
		v := valueOf(f.Name, f.Type, around)
		v.Required = !f.Optional
		all = append(all, v)
	}
	return all
}

// given describes outputs: nobody has to give them.
func given(t *types.Type) []Value {
	all := members(t, nil)
	var clear func([]Value)
	clear = func(all []Value) {
		for i := range all {
			all[i].Required = false
			clear(all[i].Members)
		}
	}
	clear(all)
	return all
}

// sameShape reports whether two object types share their members: variants of
// one type, such as one that may be null, do.
func sameShape(a, b *types.Type) bool {
	return a == b || len(a.Fields) > 0 && len(a.Fields) == len(b.Fields) && &a.Fields[0] == &b.Fields[0]
}
