package local

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// maxAsked is how many bytes of inputs are recorded; larger ones only as their digest.
const maxAsked = 64 << 10

// appendAsked adds to the members of a payload what r asks the vendor to do, for people: its inputs
// without those that are secret, and masked, and the digest of these. It adds nothing for reads, and
// for inputs that are too large to be held in memory.
func (rt *runtime) appendAsked(dst []byte, r flow.CallRequest) []byte {
	if r.Effect == flow.Read || r.Inputs == nil || value.HoldsRows(r.Inputs) {
		return dst
	}
	var open value.Value = without(r.Inputs, r.SecretInputs)
	if rt.Mask != nil {
		open = rt.Mask(open)
	}
	dst = append(dst, askedLead+`{"inputs":`...)
	start := len(dst)
	dst = value.AppendJSON(dst, open)
	sum := sha256.Sum256(dst[start:])
	if len(dst)-start > maxAsked {
		dst = append(dst[:start], "null"...)
	}
	dst = hex.AppendEncode(append(dst, `,"digest":"sha256:`...), sum[:])
	return append(dst, `"}`...)
}

// asked returns what appendAsked adds, as a JSON object; nil for nothing.
func (rt *runtime) asked(r flow.CallRequest) []byte {
	return bytes.TrimPrefix(rt.appendAsked(nil, r), []byte(askedLead))
}

// askedLead begins what is added to a payload.
const askedLead = `,"asked":`

// againAsked adds what appendAsked has added to the payload before, which may be nil.
func againAsked(dst, before []byte) []byte {
	if asked := askedIn(before); asked != nil {
		dst = append(append(dst, askedLead...), asked...)
	}
	return dst
}

// askedIn returns what appendAsked has added to a payload, which may be nil; nil for nothing.
func askedIn(payload []byte) []byte {
	if payload == nil {
		return nil
	}
	o, err := decodeObject(payload)
	if asked, ok := o.At("asked").(*value.Object); err == nil && ok {
		return value.AppendJSON(nil, asked)
	}
	return nil
}

// asksElse reports whether two calls, of which both are known to ask for something, ask for different things.
func asksElse(before, now []byte) bool {
	return before != nil && now != nil && !bytes.Equal(before, now)
}
