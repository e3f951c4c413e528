package template

import "github.com/seed627bd532/runner/engine/internal/lang/types"

// objectType returns the type of a mapping: closed, unless names are computed.
func objectType(members []Member) *types.Type {
	t := &types.Type{Kind: types.Object}
	omittable := len(members) > 0
	for _, m := range members {
		omittable = omittable && m.Value.typ.MayOmit
		if m.Key == nil {
			t.Fields = append(t.Fields, types.Field{
				Name:     m.Name,
				Type:     m.Value.typ.Kept(),
				Optional: m.Value.typ.MayOmit,
			})
			continue
		}
		extra := m.Value.typ.Kept()
		if t.Extra != nil {
			extra = types.Join(t.Extra, extra)
		}
		t.Extra = extra
	}
	return t.Omitted(omittable)
}
