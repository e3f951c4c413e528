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

// asked returns for people what r asks the vendor to do, as a JSON object: its inputs without those
// that are secret, and masked, and the digest of these as {"inputs", "digest"}. nil for reads, and
// for inputs that are too large to be held in memory.
func (rt *runtime) asked(r flow.CallRequest) []byte {
	if r.Effect == flow.Read || r.Inputs == nil || value.HoldsRows(r.Inputs) {
		return nil
	}
	var open value.Value = without(r.Inputs, r.SecretInputs)
	if rt.Mask != nil {
		open = rt.Mask(open)
	}
	inputs := value.AppendJSON(nil, open)
	sum := sha256.Sum256(inputs)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	if len(inputs) > maxAsked {
		inputs = []byte("null")
	}
	dst := append([]byte(`{"inputs":`), inputs...)
	return append(appendText(dst, `,"digest":`, digest), '}')
}

// withAsked adds what was asked for to the payload of a result.
func withAsked(payload, asked []byte) []byte {
	if asked == nil {
		return payload
	}
	payload = append(payload[:len(payload)-1], `,"asked":`...)
	return append(append(payload, asked...), '}')
}

// askedIn returns what withAsked has added to a payload, which may be nil; nil for nothing.
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
