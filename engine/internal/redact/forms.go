package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// A form is one way to write a secret that no escape stands for: escapes are undone before forms are looked for.
type form struct {
	text   string
	secret *secret
	// steps name the encoders that make the text of the secret, the first first.
	steps []string
	// base64 is not nil for the digits that depend on nothing but the secret.
	base64 *base64Part
}

// A base64Part says how digits of base64 meet the secret that they hold.
type base64Part struct {
	url bool
	// first is how many digits of the group, in which the secret begins, stand before the text.
	// before and after are how many digits around the text hold a part of the secret, mixed with its neighbours.
	first, before, after int
	// lead is how many bytes of that group stand before the secret.
	lead int
}

// formsOf returns the forms of a secret, each once.
func formsOf(s *secret) []form {
	var forms []form
	have := map[string]bool{}
	add := func(f form) {
		if len(f.text) > 1 && !have[f.text] {
			have[f.text] = true
			f.secret = s
			forms = append(forms, f)
		}
	}
	add(form{text: s.text})
	// A value read from a file often ends in a line break that no request carries.
	var trimmed []string
	if text := strings.TrimSpace(s.text); text != s.text {
		trimmed = []string{stepTrim}
		add(form{text: text, steps: trimmed})
	}
	// The usual escapes are found without being undone, too: what stands before may be taken for the beginning of one.
	for _, steps := range [][]string{{stepJSON}, {stepJSONStd}, {stepQuery}, {stepPath}, {stepJSON, stepQuery}} {
		steps = append(trimmed[:len(trimmed):len(trimmed)], steps...)
		add(form{text: encoded(s.text, steps), steps: steps})
	}
	if len(s.text) < minPrefix {
		return forms // its digits are found everywhere
	}
	for _, steps := range [][]string{nil, {stepJSON}, {stepJSONStd}, {stepQuery}} {
		steps = append(trimmed[:len(trimmed):len(trimmed)], steps...)
		text := encoded(s.text, steps)
		for _, f := range base64Forms(text) {
			f.steps = steps
			add(f)
		}
		if len(text) >= minHex {
			add(form{text: hex.EncodeToString([]byte(text)), steps: append(steps, stepHex)})
			add(form{text: strings.ToUpper(hex.EncodeToString([]byte(text))), steps: append(steps[:len(steps):len(steps)], stepHexUpper)})
		}
	}
	return forms
}

// anchorOf returns the longest part of a secret that no escape is made of. Wherever a secret is escaped, it stands there once all
// escapes are undone.
func anchorOf(text string) string {
	longest := ""
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune("\\%+&;# \t\r\n", r) }) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

// minHex is how many bytes a secret has whose hexadecimal digits are told from others.
const minHex = 4

// base64Forms returns what of s is sure to be found in base64 of a text that
// holds s: for each of the three ways in which s can meet the groups of three bytes, the
// digits that depend on nothing but s. The digits at its edges are shared
// with the neighbours, and are masked along.
func base64Forms(s string) []form {
	var forms []form
	for lead := range 3 {
		padded := "\x00\x00"[:lead] + s
		part := base64Part{first: []int{0, 2, 3}[lead], before: []int{0, 1, 1}[lead], after: []int{0, 1, 1}[len(padded)%3], lead: lead}
		for _, isURL := range []bool{false, true} {
			p := part
			p.url = isURL
			digits := p.encoding(false).EncodeToString([]byte(padded))
			if text := digits[p.first : len(digits)-p.after]; len(text) >= minPrefix {
				forms = append(forms, form{text: text, base64: &p})
			}
		}
	}
	return forms
}

func (p *base64Part) encoding(padded bool) *base64.Encoding {
	e := base64.StdEncoding
	if p.url {
		e = base64.URLEncoding
	}
	if padded {
		return e
	}
	return e.WithPadding(base64.NoPadding)
}

// The steps that formsOf takes by itself, and that are no escapes.
const (
	stepTrim     = "trim"
	stepHex      = "hex"
	stepHexUpper = "HEX"
	stepJSON     = "json"
	stepJSONStd  = "json-std"
	stepQuery    = "query"
	stepPath     = "path"
)

// An encoder writes a text in a way that the escapes of its kind undo.
type encoder struct {
	name   string
	kind   *escape // nil for those that are no escapes
	encode func(string) string
}

// encoders are the writers in use. Those of one kind differ in what they escape, and in the case of digits.
var encoders = []encoder{
	{stepTrim, nil, strings.TrimSpace},
	{stepHex, nil, func(s string) string { return hex.EncodeToString([]byte(s)) }},
	{stepHexUpper, nil, func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }},

	{stepQuery, percent, url.QueryEscape},
	{"query-20", percent, query20},
	{stepPath, percent, url.PathEscape},
	{"query-slash", percent, func(s string) string { return strings.ReplaceAll(query20(s), "%2F", "/") }},
	{"query-lower", percent, func(s string) string { return lowerHex(url.QueryEscape(s)) }},
	{"query-20-lower", percent, func(s string) string { return lowerHex(query20(s)) }},
	{"path-lower", percent, func(s string) string { return lowerHex(url.PathEscape(s)) }},
	{"query-slash-lower", percent, func(s string) string { return lowerHex(strings.ReplaceAll(query20(s), "%2F", "/")) }},
	{"form", plus, url.QueryEscape},
	{"form-lower", plus, func(s string) string { return lowerHex(url.QueryEscape(s)) }},

	{stepJSON, backslash, jsonText},
	{stepJSONStd, backslash, jsonStd},
	{"json-slash", backslash, func(s string) string { return strings.ReplaceAll(jsonText(s), "/", `\/`) }},
	{"json-ascii", backslash, func(s string) string { return escapeUnits(jsonText(s), `\u%04x`, beyondASCII) }},
	{"json-ASCII", backslash, func(s string) string { return escapeUnits(jsonText(s), `\u%04X`, beyondASCII) }},
	{"json-ascii-slash", backslash, func(s string) string {
		return escapeUnits(strings.ReplaceAll(jsonText(s), "/", `\/`), `\u%04x`, beyondASCII)
	}},
	{"json-net", backslash, func(s string) string { return jsonNet(s, `\u%04X`) }},
	{"json-net-lower", backslash, func(s string) string { return jsonNet(s, `\u%04x`) }},
	{"json-all", backslash, func(s string) string { return escapeUnits(s, `\u%04x`, nil) }},
	{"json-ALL", backslash, func(s string) string { return escapeUnits(s, `\u%04X`, nil) }},

	{"html", entity, htmlText(`&#34;`, `&#39;`)},
	{"html-named", entity, htmlText(`&quot;`, `&apos;`)},
	{"html-mixed", entity, htmlText(`&quot;`, `&#39;`)},
	{"html-python", entity, htmlText(`&quot;`, `&#x27;`)},
	{"html-ascii", entity, func(s string) string { return escapeUnits(htmlText(`&quot;`, `&#39;`)(s), "&#%d;", beyondASCII) }},
	{"html-hex", entity, func(s string) string { return escapeUnits(s, "&#x%X;", notAlphanumeric) }},
	{"html-dec", entity, func(s string) string { return escapeUnits(s, "&#%d;", notAlphanumeric) }},
	{"html-all-hex", entity, func(s string) string { return escapeUnits(s, "&#x%X;", nil) }},
	{"html-all-dec", entity, func(s string) string { return escapeUnits(s, "&#%d;", nil) }},
}

func encoderOf(name string) func(string) string {
	for i := range encoders {
		if encoders[i].name == name {
			return encoders[i].encode
		}
	}
	return nil
}

// encoded takes known steps.
func encoded(s string, steps []string) string {
	for _, step := range steps {
		s = encoderOf(step)(s)
	}
	return s
}

func query20(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func unquote(s string) string { return s[1 : len(s)-1] }

func jsonText(s string) string { return unquote(string(value.AppendJSON(nil, s))) }

func jsonStd(s string) string {
	text, _ := json.Marshal(s) // a string can always be marshalled
	return unquote(string(text))
}

// jsonNet writes JSON as the writers of .NET do, which escape whatever means something in HTML.
func jsonNet(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"', r == '&', r == '\'', r == '+', r == '<', r == '>', r == '`', r > '~':
			b.WriteString(escapeUnits(string(r), format, nil))
		default:
			b.WriteString(jsonText(string(r)))
		}
	}
	return b.String()
}

func htmlText(quote, apostrophe string) func(string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, quote, "'", apostrophe).Replace
}

func beyondASCII(r rune) bool { return r > 0x7e }

func notAlphanumeric(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
}

// lowerHex turns %2F into %2f.
func lowerHex(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}
