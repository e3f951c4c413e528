package redact

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// formsOf returns the ways in which a secret may be written, each once.
func formsOf(secret string) []form {
	var forms []form
	have := map[string]bool{}
	add := func(f form) {
		if len(f.text) > 1 && !have[f.text] {
			have[f.text] = true
			forms = append(forms, f)
		}
	}
	// A value read from a file often ends in a line break that no request carries.
	for _, s := range []string{secret, strings.TrimSpace(secret)} {
		add(form{text: s})
		for _, text := range escaped(s) {
			add(form{text: text})
		}
		for _, text := range percentEncoded(s) {
			add(form{text: text})
		}
		// JSON text that stands in a form.
		for _, text := range percentEncoded(unquote(string(value.AppendJSON(nil, s)))) {
			add(form{text: text})
		}
		for _, text := range htmlEscaped(s) {
			add(form{text: text})
		}
		if len(s) < MinLength {
			continue // its digits in base64 are found everywhere
		}
		for _, f := range base64Forms(s) {
			add(f)
		}
	}
	return forms
}

// escaped returns s as it stands between the quotes of a JSON text: as this engine, as
// encoding/json, as writers that escape slashes or all but ASCII, and as Go's
// %q write it; and as JSON inside JSON.
func escaped(s string) []string {
	plain := unquote(string(value.AppendJSON(nil, s)))
	stdlib, _ := json.Marshal(s) // a string can always be marshalled
	ascii := escapeNonASCII(plain, "%04x")
	return []string{
		plain,
		unquote(string(stdlib)),
		strings.ReplaceAll(plain, "/", `\/`),
		ascii,
		escapeNonASCII(plain, "%04X"),
		strings.ReplaceAll(ascii, "/", `\/`),
		unquote(strconv.Quote(s)),
		unquote(strconv.QuoteToASCII(s)),
		unquote(string(value.AppendJSON(nil, plain))),
	}
}

func unquote(s string) string { return s[1 : len(s)-1] }

// escapeNonASCII writes \u escapes, in UTF-16 as JSON wants them.
func escapeNonASCII(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u`+format, unit)
		}
	}
	return b.String()
}

// htmlEscaped returns s as it stands in a web page or in XML, with quotes by name
// and by number, and as writers that escape all but ASCII write it.
func htmlEscaped(s string) []string {
	plain := html.EscapeString(s)
	named := strings.NewReplacer("&#34;", "&quot;", "&#39;", "&apos;").Replace(plain)
	mixed := strings.ReplaceAll(plain, "&#34;", "&quot;")
	forms := []string{plain, named, mixed}
	for _, f := range forms {
		var b strings.Builder
		for _, r := range f {
			if r < utf8.RuneSelf {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, "&#%d;", r)
			}
		}
		forms = append(forms, b.String())
	}
	return forms
}

// percentEncoded returns s as it stands in queries, forms and paths, with hex
// digits of both cases.
func percentEncoded(s string) []string {
	query := url.QueryEscape(s)
	forms := []string{query, strings.ReplaceAll(query, "+", "%20"), url.PathEscape(s)}
	for _, f := range forms {
		forms = append(forms, lowerHex(f))
	}
	return forms
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

// base64Forms returns what of s is sure to be found in base64 of a text that
// holds s: for each of the three ways in which s can meet the groups of three bytes, the
// digits that depend on nothing but s. The digits at its edges are shared
// with the neighbours, and are masked along.
func base64Forms(s string) []form {
	var forms []form
	for shift := range 3 {
		padded := "\x00\x00"[:shift] + s
		first := []int{0, 2, 3}[shift]
		before := []int{0, 1, 1}[shift]
		after := []int{0, 1, 1}[len(padded)%3]
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			digits := encoding.EncodeToString([]byte(padded))
			forms = append(forms, form{text: digits[first : len(digits)-after], before: before, after: after})
		}
	}
	return forms
}
