package types

import "github.com/seed627bd532/runner/engine/internal/value"

const omitFormat = "omit"

// OmitType is the type of omit: null to the eye, and marked as what only templates take.
var OmitType = &Type{Kind: Null, Nullable: true, Format: omitFormat, MayOmit: true}

// Omit is what a template yields when its whole value is to be left out.
var Omit value.Value = omitted{}

type omitted struct{}

// Kept returns the type of a value of type t that was not left out.
func (t *Type) Kept() *Type {
	if isOmit(t) {
		return NothingType
	}
	return t.Omitted(false)
}
