package types

import "github.com/seed627bd532/runner/engine/internal/value"

// Shape returns v, which was read from a format that tells neither a list of one element from that
// element, nor an object without members from an empty text, as t wants it. v may be changed.
func (t *Type) Shape(v value.Value) value.Value {
	switch {
	case t == nil:
	case t.Kind == List:
		list, isList := v.(value.List)
		switch {
		case v == nil:
			return nil
		case !isList:
			list = value.List{v}
		}
		for i, elem := range list {
			list[i] = t.Elem.Shape(elem)
		}
		return list
	case t.Kind == Object:
		if v == "" {
			return value.NewObject(0)
		}
		o, ok := v.(*value.Object)
		if !ok {
			return v
		}
		for _, f := range t.Fields {
			if part, there := o.Get(f.Name); there {
				o.Set(f.Name, f.Type.Shape(part))
			}
		}
		return o
	}
	return v
}
