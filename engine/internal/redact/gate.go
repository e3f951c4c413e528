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
const MinLength = 6

// SafeLength is how many bytes a secret must have so that no text can be expected to hold it by chance.
const SafeLength = 8

// minNumber is how many digits a number must have to be taken for a secret: shorter ones are counts, more often.
const minNumber = 4

// Gate masks the secrets it knows. It is safe for concurrent use.
type Gate struct {
	mu       sync.RWMutex
	patterns patterns
	known    map[string]*secret
	names    map[string]string // the values of those that have a name
	blanks   bool              // a secret has a blank, which forms write as +
	// anchors are parts of the secrets; without one of them in a text, no escape hides a secret there.
	// Where a secret has none, all texts with escapes are looked through.
	anchors    patterns
	unanchored bool
}

// A secret is a value that nobody may see.
type secret struct{ name, text string }

// NewGate returns a gate that knows no secret.
func NewGate() *Gate {
	return &Gate{patterns: newPatterns(), anchors: newPatterns(), known: map[string]*secret{}, names: map[string]string{}}
}

// Add makes a secret known, for good. It is masked as it is, in hexadecimal digits and in base64, also as a
// part of something longer such as Basic credentials; each of them also where JSON, URLs, forms, HTML or XML escape it,
// up to four times over.
// Add returns false for a value too short to be masked.
func (g *Gate) Add(secret string) bool { return g.AddNamed("", secret) }

// AddNamed is Add of a secret that Refer can refer to by name: whoever resolves the reference later has a value
// under the same name, perhaps another. "" stands for no name.
func (g *Gate) AddNamed(name, text string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if name != "" {
		g.names[name] = text
	}
	if len(text) < 2 {
		return false
	}
	if s := g.known[text]; s != nil {
		if s.name == "" {
			s.name = name
		}
		return true
	}
	s := &secret{name, text}
	g.known[text] = s
	g.blanks = g.blanks || strings.Contains(text, " ")
	for _, form := range formsOf(s) {
		g.patterns.add(&form)
		if form.base64 != nil {
			g.anchor(form.text)
		}
	}
	g.unanchored = !g.anchor(text) || g.unanchored
	return true
}

// anchor makes it known that escapes may hide text; false where no part of it tells.
func (g *Gate) anchor(text string) bool {
	anchor := anchorOf(text)
	if len(anchor) < minPrefix {
		return false
	}
	g.anchors.addLong(&form{text: anchor})
	return true
}

// Holds reports whether s holds a secret.
func (g *Gate) Holds(s string) bool { return len(g.matches(s)) > 0 }

// Text returns s with every secret replaced by the mask; overlapping and
// adjoining secrets become one. Without a secret in it, it is s itself.
func (g *Gate) Text(s string) string {
	spans := g.find(s)
	if spans == nil {
		return s
	}
	return mask(s, spans)
}

// span is a part of a text, from inclusive, to exclusive.
type span struct{ from, to int }

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
	if len(text) < minNumber {
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
	matches := g.matches(s)
	if len(matches) == 0 {
		return nil
	}
	slices.SortFunc(matches, func(a, b match) int { return a.from - b.from })
	var merged []span
	for _, m := range matches {
		if n := len(merged); n > 0 && m.from <= merged[n-1].to {
			merged[n-1].to = max(merged[n-1].to, m.to)
			continue
		}
		merged = append(merged, span{m.from, m.to})
	}
	return merged
}

// matches returns where forms of secrets are in s, however they are escaped.
func (g *Gate) matches(s string) (found []match) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	switch {
	case len(g.known) == 0:
	case g.mayHide(s):
		layers(s, g.blanks, func(l *layer) { found = g.patterns.find(l, found) })
	default:
		found = g.patterns.find(&layer{text: s}, nil)
	}
	return found
}

// mayHide reports whether escapes may hide a secret in s.
func (g *Gate) mayHide(s string) bool {
	for range maxLayers {
		plain := unescaped(s)
		if plain == "" {
			return g.blanks && strings.IndexByte(s, '+') >= 0 && (g.unanchored || g.anchors.has(s))
		}
		if g.unanchored || g.anchors.has(s) || g.anchors.has(plain) {
			return true
		}
		s = plain
	}
	return false
}
