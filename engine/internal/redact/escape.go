package redact

import (
	"fmt"
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// An escape is a way to write characters as several others.
type escape struct {
	// sign is the byte that every escape of the kind begins with.
	sign byte
	// decode returns what the escape at the beginning of s stands for, and how long it is; 0 for none.
	decode func(s string) (text string, n int)
	// blanks says that a + stands for a blank, beside the escapes.
	blanks bool
}

// The escapes that are undone: those of JSON and of Go, of URLs, of forms, and of HTML and XML.
var (
	backslash = &escape{sign: '\\', decode: decodeBackslash}
	percent   = &escape{sign: '%', decode: decodePercent}
	plus      = &escape{sign: '%', decode: decodePercent, blanks: true}
	entity    = &escape{sign: '&', decode: decodeEntity}
)

// maxLayers is how many escapes in escapes are undone: JSON in JSON in the query of a URL, in what is kept as JSON.
const maxLayers = 4

// A layer is a text as it is read once some escapes are undone.
type layer struct {
	text string
	// at says where each byte of text begins in the text as it was, and where that ends; nil where it is the same text.
	at []int32
	// escapes were undone, the outermost first.
	escapes []*escape
}

// span returns where a part of the layer is in the text as it was.
func (l *layer) span(from, to int) (int, int) {
	if l.at == nil {
		return from, to
	}
	return int(l.at[from]), int(l.at[to])
}

// layers calls visit with s, and with s as it is read once escapes are undone, each text once.
func layers(s string, blanks bool, visit func(*layer)) {
	first := &layer{text: s}
	visit(first)
	open := []*layer{first}
	seen := map[string]bool(nil)
	for depth := 0; depth < maxLayers && len(open) > 0; depth++ {
		var next []*layer
		for _, l := range open {
			for _, e := range []*escape{backslash, percent, plus, entity} {
				if e.blanks && !blanks {
					continue
				}
				inner := l.without(e)
				if inner == nil || seen[inner.text] {
					continue
				}
				if seen == nil {
					seen = map[string]bool{}
				}
				seen[inner.text] = true
				visit(inner)
				next = append(next, inner)
			}
		}
		open = next
	}
}

// without returns the layer below l in which escapes of this kind are undone; nil where there is none.
func (l *layer) without(e *escape) *layer {
	s := l.text
	i := e.next(s, 0)
	if i < 0 {
		return nil
	}
	var text []byte
	var at []int32
	done, changed := 0, false
	keep := func(to int) {
		for ; done < to; done++ {
			text, at = append(text, s[done]), append(at, l.position(done))
		}
	}
	for ; i >= 0; i = e.next(s, max(i, done)) {
		decoded, n := " ", 1
		if s[i] == e.sign {
			decoded, n = e.decode(s[i:])
		}
		if n == 0 {
			i++
			continue
		}
		if !changed {
			text, at, changed = make([]byte, 0, len(s)), make([]int32, 0, len(s)+1), true
		}
		keep(i)
		for j := range len(decoded) {
			text, at = append(text, decoded[j]), append(at, l.position(i))
		}
		done = i + n
	}
	if !changed {
		return nil
	}
	keep(len(s))
	at = append(at, l.position(len(s)))
	return &layer{text: string(text), at: at, escapes: append(l.escapes[:len(l.escapes):len(l.escapes)], e)}
}

// isSign reports whether escapes begin with c.
func isSign(c byte) bool { return c == '\\' || c == '%' || c == '&' }

func decoderOf(sign byte) func(string) (string, int) {
	switch sign {
	case '\\':
		return decodeBackslash
	case '&':
		return decodeEntity
	}
	return decodePercent
}

// unescaped returns s with all escapes undone at once, one layer of them; "" where it has none. It tells quickly whether
// it is worth while to look at each layer.
func unescaped(s string) string {
	if strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '&') < 0 {
		return ""
	}
	var text []byte
	done := 0
	for i := 0; i < len(s); {
		if !isSign(s[i]) {
			i++
			continue
		}
		decoded, n := decoderOf(s[i])(s[i:])
		if n == 0 {
			i++
			continue
		}
		if text == nil {
			text = make([]byte, 0, len(s))
		}
		text = append(append(text, s[done:i]...), decoded...)
		i += n
		done = i
	}
	if text == nil {
		return ""
	}
	return string(append(text, s[done:]...))
}

func (l *layer) position(i int) int32 {
	if l.at == nil {
		return int32(i)
	}
	return l.at[i]
}

// next returns where the next escape may begin, from on; -1 for nowhere.
func (e *escape) next(s string, from int) int {
	if from > len(s) {
		return -1
	}
	i := strings.IndexByte(s[from:], e.sign)
	if e.blanks {
		if j := strings.IndexByte(s[from:], '+'); j >= 0 && (i < 0 || j < i) {
			i = j
		}
	}
	if i < 0 {
		return -1
	}
	return from + i
}

// bytesAsText has each byte at its place.
var bytesAsText = func() string {
	var all [256]byte
	for i := range all {
		all[i] = byte(i)
	}
	return string(all[:])
}()

func decodePercent(s string) (string, int) {
	if len(s) < 3 {
		return "", 0
	}
	high, low := digit(s[1]), digit(s[2])
	if high < 0 || low < 0 {
		return "", 0
	}
	b := high<<4 | low
	return bytesAsText[b : b+1], 3
}

// digit returns the value of a hexadecimal digit; -1 for what is none.
func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// plainEscapes are those of one character.
const plainEscapes = "\"\"\\\\//''``b\bf\fn\nr\rt\ta\av\v"

func decodeBackslash(s string) (string, int) {
	if len(s) < 2 {
		return "", 0
	}
	switch c := s[1]; c {
	case 'x':
		return hexBytes(s, 2)
	case 'U':
		return hexRune(s, 8)
	case 'u':
		text, n := hexRune(s, 4)
		if n > 0 || len(s) < 6 {
			return text, n
		}
		high, err := strconv.ParseUint(s[2:6], 16, 16)
		if err != nil || !strings.HasPrefix(s[6:], `\u`) || len(s) < 12 {
			return "", 0
		}
		low, err := strconv.ParseUint(s[8:12], 16, 16)
		if r := utf16.DecodeRune(rune(high), rune(low)); err == nil && r != utf8.RuneError {
			return string(r), 12
		}
		return "", 0
	default:
		for i := 0; i+1 < len(plainEscapes); i += 2 {
			if plainEscapes[i] == c {
				return plainEscapes[i+1 : i+2], 2
			}
		}
	}
	return "", 0
}

// hexBytes reads the byte of \x2B.
func hexBytes(s string, digits int) (string, int) {
	if len(s) < 2+digits {
		return "", 0
	}
	b, err := strconv.ParseUint(s[2:2+digits], 16, 8)
	if err != nil {
		return "", 0
	}
	return bytesAsText[b : b+1], 2 + digits
}

// hexRune reads the character of \u002B or \U0000002B; 0 for half of a pair.
func hexRune(s string, digits int) (string, int) {
	if len(s) < 2+digits {
		return "", 0
	}
	r, err := strconv.ParseUint(s[2:2+digits], 16, 32)
	if err != nil || r > utf8.MaxRune || utf16.IsSurrogate(rune(r)) {
		return "", 0
	}
	return string(rune(r)), 2 + digits
}

// maxEntity is how long an entity may be: the longest name of HTML has 33 characters with its signs.
const maxEntity = 34

func decodeEntity(s string) (string, int) {
	end := strings.IndexByte(s[:min(len(s), maxEntity)], ';')
	switch {
	case end < 0:
		return "", 0
	case s[:end] == "&amp":
		return "&", 5
	case s[:end] == "&quot":
		return `"`, 6
	}
	text := html.UnescapeString(s[:end+1])
	if text == s[:end+1] || strings.HasSuffix(text, ";") && len(text) > 1 {
		return "", 0 // no entity, or one without its semicolon in something longer
	}
	return text, end + 1
}

// escapeUnits writes the characters that which chooses, or all, in this format: of \u the units of UTF-16, as JSON wants them.
func escapeUnits(s, format string, which func(rune) bool) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case which != nil && !which(r):
			b.WriteRune(r)
		case format[0] == '\\':
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, format, unit)
			}
		default:
			fmt.Fprintf(&b, format, r)
		}
	}
	return b.String()
}
