package redact

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// A reference stands in a text that is kept, in place of a secret:
//
//	https://h/orders/1?api_key=•••{config:shop.key|query}
//
// It has the name of the secret and, in order, what writes the secret as it stood there. •••{?} stands for a
// secret without a name, and •••{#} at the beginning of a text says that the text is a number. A text that only looks
// like the beginning of a reference is kept as •••{}. In keys, a secret without a name is •••{?D}, where D are digits of its digest,
// so that two keys stay two.
const (
	refLead    = Mask + "{"
	refEnd     = "}"
	refUnknown = "?"
	refNumber  = "#"
	// refBase64 and its like have the texts beside the secret, which are in the same digits: b64:before:after.
	refBase64 = "b64"
	// refCase has the places of digits of escapes that are in the other case: case:LENGTH:PLACE.PLACE.
	refCase = "case"
)

// Name returns the name of a secret by where it comes from, such as config, and the way that leads to it there.
func Name(source string, path ...string) string {
	parts := make([]string, len(path))
	for i, part := range path {
		parts[i] = url.QueryEscape(part)
	}
	return source + ":" + strings.Join(parts, ".")
}

// Refer returns v with references in place of the secrets in its texts, names of members and numbers. unnamed says
// that it had one without a name, which nobody can resolve. v is not changed.
func (g *Gate) Refer(v value.Value) (referred value.Value, unnamed bool) { return g.refer(v, 0) }

// ReferLong is Refer of secrets of at least SafeLength alone: for what others read, who know other secrets. A
// short one may stand there by chance.
func (g *Gate) ReferLong(v value.Value) (referred value.Value, unnamed bool) {
	return g.refer(v, SafeLength)
}

// Key returns the key under which something is kept whose name is s, with secrets of at least so many bytes referred to. Different names have different keys.
func (g *Gate) Key(s string, least int) string {
	s, _ = g.referText(s, least, func(secret string) string {
		sum := sha256.Sum256([]byte(secret))
		return refUnknown + hex.EncodeToString(sum[:8])
	})
	return s
}

func (g *Gate) refer(v value.Value, least int) (referred value.Value, unnamed bool) {
	w := rewriter{text: func(s string) string {
		s, bad := g.referText(s, least, nil)
		unnamed = unnamed || bad
		return s
	}}
	w.number = func(text string) (value.Value, bool) {
		if len(text) < minNumber {
			return nil, false
		}
		if referred := w.text(text); referred != text {
			return refLead + refNumber + refEnd + referred, true
		}
		return nil, false
	}
	return w.value(v), unnamed
}

// MayRefer reports whether Refer or Resolve would change a JSON text, or anything in it. It errs on the side of true.
func (g *Gate) MayRefer(text string) bool {
	return strings.Contains(text, Mask) || len(g.matches(text)) > 0
}

// HasReferences reports whether a text that is kept may hold references.
func HasReferences(text string) bool { return strings.Contains(text, refLead) }

// Resolve returns v with secrets in place of the references that Refer has put there, as they are called now.
// Secrets without a name become the mask. missing are the names under which the gate knows nothing.
func (g *Gate) Resolve(v value.Value) (resolved value.Value, missing []string) {
	lookup := func(name string) (string, bool) {
		g.mu.RLock()
		defer g.mu.RUnlock()
		text, ok := g.names[name]
		if !ok {
			missing = append(missing, name)
		}
		return text, ok
	}
	w := rewriter{text: func(s string) string { return resolve(s, lookup) }}
	return w.value(v), missing
}

// Unrefer returns v with the mask in place of each reference.
func Unrefer(v value.Value) value.Value {
	nothing := func(string) (string, bool) { return "", false }
	w := rewriter{text: func(s string) string { return resolve(s, nothing) }}
	return w.value(v)
}

// A rewriter makes a value of another with other texts.
type rewriter struct {
	text   func(string) string
	number func(string) (value.Value, bool) // nil leaves numbers as they are
}

func (w *rewriter) value(v value.Value) value.Value {
	var digits string
	switch v := v.(type) {
	case string:
		return numberAgain(w.text(v), v, w.number == nil)
	case int64:
		digits = strconv.FormatInt(v, 10)
	case value.Decimal:
		digits = string(v)
	case value.List:
		list := make(value.List, len(v))
		for i, elem := range v {
			list[i] = w.value(elem)
		}
		return list
	case *value.Object:
		if v == nil {
			return v
		}
		o := value.NewObject(v.Len())
		for name, member := range v.All() {
			o.Set(w.text(name), w.value(member))
		}
		return o
	}
	if digits != "" && w.number != nil {
		if text, ok := w.number(digits); ok {
			return text
		}
	}
	return v
}

// numberAgain returns the number that was referred to as text; otherwise the text.
func numberAgain(text, kept string, resolves bool) value.Value {
	if !resolves || !strings.HasPrefix(kept, refLead+refNumber+refEnd) {
		return text
	}
	if v, err := value.Decode([]byte(text)); err == nil {
		switch v.(type) {
		case int64, value.Decimal:
			return v
		}
	}
	return text
}

// referText returns s with references in place of its secrets of at least so many bytes. unknown makes the reference to a
// secret without a name, or in a form that cannot be written again, of the text that it has there; nil for the usual one.
func (g *Gate) referText(s string, least int, unknown func(string) string) (referred string, unnamed bool) {
	matches := slices.DeleteFunc(g.matches(s), func(m match) bool { return len(m.form.secret.text) < least })
	if len(matches) == 0 {
		return strings.ReplaceAll(s, refLead, refLead+refEnd), false
	}
	slices.SortStableFunc(matches, firstOf)
	var b strings.Builder
	at := 0
	refer := func(parts ...string) { b.WriteString(refLead + strings.Join(parts, "|") + refEnd) }
	for _, m := range matches {
		if m.to <= at {
			continue
		}
		if m.from >= at {
			b.WriteString(strings.ReplaceAll(s[at:m.from], refLead, refLead+refEnd))
			at = m.from
			if name := m.form.secret.name; name != "" {
				to, steps, exact := g.written(s, m)
				if exact || unknown == nil {
					refer(append([]string{name}, steps...)...)
					at = to
					continue
				}
			}
		}
		// It has no name, or is the rest of one that overlaps with another.
		if unknown == nil {
			refer(refUnknown)
		} else {
			refer(unknown(s[at:m.to]))
		}
		at, unnamed = m.to, true
	}
	b.WriteString(strings.ReplaceAll(s[at:], refLead, refLead+refEnd))
	return b.String(), unnamed
}

// firstOf orders matches: of those that overlap the first counts, of those that begin together the longest, and one with a name.
func firstOf(a, b match) int {
	switch {
	case a.from != b.from:
		return a.from - b.from
	case a.to != b.to:
		return b.to - a.to
	case (a.form.secret.name == "") != (b.form.secret.name == ""):
		return len(b.form.secret.name) - len(a.form.secret.name)
	}
	return len(a.layer.escapes) - len(b.layer.escapes)
}

// written returns what steps write the secret as it stands in s, and where that ends. Where no writer that is known
// writes it exactly so, the steps write what means the same.
func (g *Gate) written(s string, m match) (to int, steps []string, isExact bool) {
	steps = slices.Clone(m.form.steps)
	inner := m.layer.text[m.at : m.at+len(m.form.text)]
	to = m.to
	if m.form.base64 != nil {
		digits, step := g.base64Step(m)
		inner, steps = digits, append(steps, step)
		from, _ := m.layer.span(m.at-base64Before(m.layer.text, m.at, m.form.base64.before), len(m.layer.text))
		_, to = m.layer.span(0, min(len(m.layer.text), m.digitsFrom()+len(digits)))
		m.from = from
	}
	escapes := slices.Clone(m.layer.escapes)
	slices.Reverse(escapes) // the innermost is written first
	exact := writers(inner, s[m.from:to], escapes, false)
	if exact == nil {
		exact = writers(inner, s[m.from:to], escapes, true)
	}
	isExact = exact != nil
	if !isExact {
		for _, e := range escapes {
			exact = append(exact, encoders[slices.IndexFunc(encoders, func(w encoder) bool { return w.kind == e })].name)
		}
	}
	return to, append(steps, exact...), isExact
}

// writers returns encoders of these kinds that make written of text, one after the other; nil where there are none.
// With folds, the case of digits may differ.
func writers(text, written string, kinds []*escape, folds bool) []string {
	if len(kinds) == 0 {
		if text == written {
			return []string{}
		}
		if step, ok := caseStep(text, written); folds && ok {
			return []string{step}
		}
		return nil
	}
	for _, w := range encoders {
		if w.kind == kinds[0] {
			if rest := writers(w.encode(text), written, kinds[1:], folds); rest != nil {
				return append([]string{w.name}, rest...)
			}
		}
	}
	return nil
}

// caseStep returns the step that makes written of text, where they differ in nothing but the case of digits of escapes.
func caseStep(text, written string) (step string, ok bool) {
	if len(text) != len(written) || !strings.EqualFold(text, written) {
		return "", false
	}
	var flips []string
	for i := range len(text) {
		if text[i] != written[i] {
			flips = append(flips, strconv.Itoa(i))
		}
	}
	step = refCase + ":" + strconv.Itoa(len(text)) + ":" + strings.Join(flips, ".")
	return step, writeCase(text, step) == written
}

// writeCase does what caseStep says. Only digits of escapes are changed: what comes of another text means the same, too.
func writeCase(text, step string) string {
	parts := strings.Split(step, ":")
	if len(parts) != 3 || parts[1] != strconv.Itoa(len(text)) {
		return text
	}
	b := []byte(text)
	for i := 0; i < len(text); {
		n := 0
		if isSign(text[i]) {
			_, n = decoderOf(text[i])(text[i:])
		}
		for j := i + 1; j < i+n; j++ {
			if isLetter := digit(b[j]) > 9; (isLetter || b[j]|0x20 == 'x') && (text[i] != '\\' || j > i+1) && slices.Contains(strings.Split(parts[2], "."), strconv.Itoa(j)) {
				b[j] ^= 0x20
			}
		}
		i += max(n, 1)
	}
	return string(b)
}

// digitsFrom returns where the digits that hold the secret begin in the layer.
func (m match) digitsFrom() int {
	return m.at - base64Before(m.layer.text, m.at, m.form.base64.before)
}

// base64Step returns the digits from those that hold the beginning of the secret to the last, and the step that writes them: it names what stands before and
// after the secret in there.
func (g *Gate) base64Step(m match) (digits, step string) {
	part, s := m.form.base64, m.layer.text
	secret := encoded(m.form.secret.text, m.form.steps)
	group := m.at - part.first
	from := m.digitsFrom()
	lost := from - group // digits of the group that belong to what stands before
	end := m.at + len(m.form.text)
	for end < len(s) && isBase64(s[end]) {
		end++
	}
	padded := end
	for padded < len(s) && s[padded] == '=' && padded < end+2 {
		padded++
	}
	if group < 0 {
		return s[from:end], refBase64
	}
	name := refBase64
	if part.url {
		name += "u"
	}
	decoded, err := part.encoding(false).DecodeString(s[group:end])
	if err != nil || len(decoded) < part.lead+len(secret) {
		return s[from:end], name
	}
	whole := s[group:padded]
	switch {
	case part.encoding(true).EncodeToString(decoded) == whole && (end-group)%4 != 0:
		name += "="
	case part.encoding(false).EncodeToString(decoded) != s[group:end]:
		return s[from:end], name
	default:
		padded = end
	}
	after, _ := g.referText(string(decoded[part.lead+len(secret):]), 0, nil)
	before := string(decoded[:part.lead])
	return s[from:padded], strings.Join([]string{name, strconv.Itoa(lost), url.QueryEscape(before), url.QueryEscape(after)}, ":")
}

// resolve returns s with secrets in place of its references; those that lookup does not know become the mask.
func resolve(s string, lookup func(string) (string, bool)) string {
	var b strings.Builder
	for {
		i := strings.Index(s, refLead)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		end := strings.Index(s[i:], refEnd)
		if end < 0 { // nothing that Refer has written
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		content := s[i+len(refLead) : i+end]
		s = s[i+end+len(refEnd):]
		switch {
		case content == "":
			b.WriteString(refLead)
		case content == refNumber:
		case strings.HasPrefix(content, refUnknown):
			b.WriteString(Mask)
		default:
			b.WriteString(resolveOne(content, lookup))
		}
	}
}

func resolveOne(content string, lookup func(string) (string, bool)) string {
	parts := strings.Split(content, "|")
	text, ok := lookup(parts[0])
	if !ok {
		return Mask
	}
	for _, step := range parts[1:] {
		if strings.HasPrefix(step, refBase64) {
			text = writeBase64(text, step, lookup)
		} else if strings.HasPrefix(step, refCase) {
			text = writeCase(text, step)
		} else if encode := encoderOf(step); encode != nil {
			text = encode(text)
		}
	}
	return text
}

// writeBase64 does what base64Step says.
func writeBase64(text, step string, lookup func(string) (string, bool)) string {
	parts := strings.Split(step, ":")
	part := &base64Part{url: strings.Contains(parts[0], "u")}
	encoding := part.encoding(strings.HasSuffix(parts[0], "="))
	if len(parts) != 4 {
		return encoding.EncodeToString([]byte(text))
	}
	lost, _ := strconv.Atoi(parts[1])
	before, _ := url.QueryUnescape(parts[2])
	after, _ := url.QueryUnescape(parts[3])
	digits := encoding.EncodeToString([]byte(before + text + resolve(after, lookup)))
	return digits[min(lost, len(digits)):]
}
