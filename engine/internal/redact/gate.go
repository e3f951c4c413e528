// Package redact is the one gate through which everything passes that people
// get to see: it takes out the secrets that it was told of, by value.
//
// A secret is found whole, never in pieces. Whoever shortens a text, or hands it
// on in chunks, must mask it first.
package redact

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// Mask stands where a secret was.
const Mask = "•••"

// MinLength is how many bytes a value must have to be masked wherever it is found. Shorter
// ones would also be found in words that mean something else: they are masked where they stand
// alone, between signs that are no letters or digits, and a single byte never is.
const MinLength = 4

// Gate masks the secrets it knows. It is safe for concurrent use.
type Gate struct {
	mu       sync.RWMutex
	patterns patterns
	known    map[string]bool
}

// NewGate returns a gate that knows no secret.
func NewGate() *Gate {
	return &Gate{patterns: newPatterns(), known: map[string]bool{}}
}

// Add makes a secret known, for good. It is masked as it is, and in the forms in
// which requests and answers carry it: escaped as JSON, in URLs, in forms and in pages,
// and in base64, also as a part of something longer such as Basic credentials.
// Add returns false for a value too short to be masked.
func (g *Gate) Add(secret string) bool {
	if len(secret) < 2 {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known[secret] {
		return true
	}
	g.known[secret] = true
	for _, form := range formsOf(secret) {
		g.patterns.add(form)
	}
	return true
}

// Text returns s with every secret replaced by the mask; overlapping and
// adjoining secrets become one. Without a secret in it, it is s itself.
func (g *Gate) Text(s string) string {
	spans := g.find(s)
	if spans == nil {
		return s
	}
	return mask(s, spans)
}

// mask returns s with the mask in place of each span.
func mask(s string, spans []span) string {
	var b strings.Builder
	at := 0
	for _, span := range spans {
		b.WriteString(s[at:span.from])
		b.WriteString(Mask)
		at = span.to
	}
	b.WriteString(s[at:])
	return b.String()
}

// Bytes does for bytes what Text does for texts. It does not change data, and
// returns it when there is nothing to mask.
func (g *Gate) Bytes(data []byte) []byte {
	s := string(data)
	if masked := g.Text(s); masked != s {
		return []byte(masked)
	}
	return data
}

// JSON masks a JSON text and leaves it valid: it looks into the strings as they
// are meant, however they are escaped. It always writes the text anew, compact, so
// that nothing passes which was not looked at, such as the second of two
// members with one name. What is not JSON is masked as Bytes does.
func (g *Gate) JSON(data []byte) []byte {
	v, err := value.Decode(data)
	if err != nil {
		return g.Bytes(data)
	}
	return value.AppendJSON(nil, g.Value(v))
}

// Value returns v with every text in it masked, names of members included. A number that
// holds a secret becomes a masked text. v is not changed; it is returned where there is nothing to mask.
func (g *Gate) Value(v value.Value) value.Value {
	if masked, changed := g.value(v); changed {
		return masked
	}
	return v
}

// value is Value, and tells whether anything was masked; it copies what it has to.
func (g *Gate) value(v value.Value) (masked value.Value, changed bool) {
	switch v := v.(type) {
	case string:
		if spans := g.find(v); spans != nil {
			return mask(v, spans), true
		}
	case int64:
		return g.number(strconv.FormatInt(v, 10))
	case value.Decimal:
		return g.number(string(v))
	case value.List:
		return g.list(v)
	case *value.Rows:
		return v.Map(func(_ int, elem value.Value) (value.Value, error) { return g.Value(elem), nil }), true
	case *value.Object:
		return g.object(v)
	}
	return v, false
}

// number masks the text of a number, unless it is short: a count, more often than a secret.
func (g *Gate) number(text string) (value.Value, bool) {
	if len(text) < MinLength {
		return nil, false
	}
	spans := g.find(text)
	if spans == nil {
		return nil, false
	}
	return mask(text, spans), true
}

func (g *Gate) list(v value.List) (value.Value, bool) {
	var list value.List // nil until something is masked
	for i, elem := range v {
		if masked, changed := g.value(elem); changed {
			if list == nil {
				list = slices.Clone(v)
			}
			list[i] = masked
		}
	}
	return list, list != nil
}

func (g *Gate) object(v *value.Object) (value.Value, bool) {
	var o *value.Object // nil until something is masked
	at := 0
	for name, member := range v.All() {
		masked, changed := g.value(member)
		if !changed {
			masked = member
		}
		spans := g.find(name)
		if o == nil && (changed || spans != nil) {
			o = v.Head(at, v.Len())
		}
		if spans != nil {
			name = mask(name, spans)
		}
		if o != nil {
			o.Set(name, masked)
		}
		at++
	}
	return o, o != nil
}

// find returns where the secrets are in s, in order and without overlaps.
func (g *Gate) find(s string) []span {
	g.mu.RLock()
	spans := g.patterns.find(s)
	g.mu.RUnlock()
	if len(spans) < 2 {
		return spans
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	merged := spans[:1]
	for _, next := range spans[1:] {
		last := &merged[len(merged)-1]
		if next.from > last.to {
			merged = append(merged, next)
			continue
		}
		last.to = max(last.to, next.to)
	}
	return merged
}
