package lang

// objectType returns the type of a mapping: closed, unless names are computed.
func objectType(members []Member) *Type {
	t := &Type{Kind: Object}
	omittable := len(members) > 0
	for _, m := range members {
		omittable = omittable && m.Value.typ.omittable
		if m.Key == nil {
			t.Fields = append(t.Fields, Field{
				Name:     m.Name,
				Type:     m.Value.typ.Kept(),
				Optional: m.Value.typ.omittable,
			})
			continue
		}
		extra := m.Value.typ.Kept()
		if t.Extra != nil {
			extra = Join(t.Extra, extra)
		}
		t.Extra = extra
	}
	return t.omitted(omittable)
}
