package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A match is a form of a secret in a text: from inclusive, to exclusive.
type match struct {
	from, to int
	form     *form
	layer    *layer
	// at is where the form is in the layer, with the digits of base64 around it that hold a part of the secret.
	at int
}

// patterns finds all forms of all secrets in one pass over a text. Forms are
// looked up by their first four bytes, so that it does not matter how many there are
// and adding one costs next to nothing: rows may bring secrets of their own.
type patterns struct {
	byPrefix map[uint32][]*form
	// first has the bytes that prefixes begin with, and seen a bit for every prefix. Nearly all
	// positions of a text end there.
	first *[256]bool
	seen  *[1 << seenBits / 64]uint64
	// short are those that count where they stand alone only.
	short []*form
}

const (
	seenBits  = 16
	minPrefix = 4
)

func newPatterns() patterns {
	return patterns{byPrefix: map[uint32][]*form{}, first: new([256]bool), seen: new([1 << seenBits / 64]uint64)}
}

// has reports whether a form that is no short one begins anywhere in s.
func (p *patterns) has(s string) bool {
	for i := 0; i+minPrefix <= len(s); i++ {
		if !p.first[s[i]] {
			continue
		}
		prefix := prefixAt(s, i)
		if bit := bitOf(prefix); p.seen[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		for _, f := range p.byPrefix[prefix] {
			if strings.HasPrefix(s[i:], f.text) {
				return true
			}
		}
	}
	return false
}

// add makes f known.
func (p *patterns) add(f *form) {
	plain := f.base64 == nil && (len(f.steps) == 0 || f.steps[0] == stepTrim && len(f.steps) == 1)
	if len(f.text) < minPrefix || plain && len(f.text) < MinLength {
		p.short = append(p.short, f)
		return
	}
	p.addLong(f)
}

// addLong makes a form known that is found in the midst of words, too.
func (p *patterns) addLong(f *form) {
	prefix := prefixAt(f.text, 0)
	p.byPrefix[prefix] = append(p.byPrefix[prefix], f)
	p.first[f.text[0]] = true
	bit := bitOf(prefix)
	p.seen[bit/64] |= 1 << (bit % 64)
}

// find adds where forms are in a layer; they may overlap.
func (p *patterns) find(l *layer, found []match) []match {
	s := l.text
	found = p.findShort(l, found)
	if len(p.byPrefix) == 0 {
		return found
	}
	for i := 0; i+minPrefix <= len(s); i++ {
		if !p.first[s[i]] {
			continue
		}
		prefix := prefixAt(s, i)
		if bit := bitOf(prefix); p.seen[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		for _, f := range p.byPrefix[prefix] {
			end := i + len(f.text)
			if end > len(s) || s[i:end] != f.text {
				continue
			}
			m := match{form: f, layer: l, at: i}
			from := i
			if f.base64 != nil {
				from, end = i-base64Before(s, i, f.base64.before), end+base64After(s, end, f.base64.after)
			}
			m.from, m.to = l.span(from, end)
			found = append(found, m)
		}
	}
	return found
}

// findShort adds where short forms stand alone in a layer.
func (p *patterns) findShort(l *layer, found []match) []match {
	s := l.text
	for _, f := range p.short {
		for from := 0; ; {
			i := strings.Index(s[from:], f.text)
			if i < 0 {
				break
			}
			i, from = from+i, from+i+len(f.text)
			before, _ := utf8.DecodeLastRuneInString(s[:i])
			after, _ := utf8.DecodeRuneInString(s[from:])
			if !ofWord(before) && !ofWord(after) {
				m := match{form: f, layer: l, at: i}
				m.from, m.to = l.span(i, from)
				found = append(found, m)
			}
		}
	}
	return found
}

func ofWord(r rune) bool {
	return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

func prefixAt(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

// bitOf spreads the prefixes over seen, by Knuth's multiplicative hash.
func bitOf(prefix uint32) uint32 { return prefix * 2654435761 >> (32 - seenBits) }

// base64Before counts base64 digits before s[i], at most most.
func base64Before(s string, i, most int) int {
	n := 0
	for n < most && i-n > 0 && isBase64(s[i-n-1]) {
		n++
	}
	return n
}

// base64After counts base64 digits from s[i] on, at most most.
func base64After(s string, i, most int) int {
	n := 0
	for n < most && i+n < len(s) && isBase64(s[i+n]) {
		n++
	}
	return n
}

func isBase64(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c == '+' || c == '/' || c == '-' || c == '_'
}
