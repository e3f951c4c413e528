package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A form is one way to write a secret.
type form struct {
	text string
	// before and after say how many base64 digits around the text also
	// hold a part of the secret, mixed with its neighbours.
	before, after int
}

// span is a part of a text, from inclusive, to exclusive.
type span struct{ from, to int }

// patterns finds all forms of all secrets in one pass over a text. Forms are
// looked up by their first four bytes, so that it does not matter how many there are
// and adding one costs next to nothing: rows may bring secrets of their own.
type patterns struct {
	byPrefix map[uint32][]form
	// first has the bytes that prefixes begin with, and seen a bit for every prefix. Nearly all
	// positions of a text end there.
	first *[256]bool
	seen  *[1 << seenBits / 64]uint64
	// short are those that have fewer bytes. They count where they stand alone.
	short []string
}

const seenBits = 16

func newPatterns() patterns {
	return patterns{byPrefix: map[uint32][]form{}, first: new([256]bool), seen: new([1 << seenBits / 64]uint64)}
}

// add makes f known.
func (p *patterns) add(f form) {
	if len(f.text) < MinLength {
		p.short = append(p.short, f.text)
		return
	}
	prefix := prefixAt(f.text, 0)
	p.byPrefix[prefix] = append(p.byPrefix[prefix], f)
	p.first[f.text[0]] = true
	bit := bitOf(prefix)
	p.seen[bit/64] |= 1 << (bit % 64)
}

// find returns where forms are in s; spans may overlap. It is nil when there are none.
func (p *patterns) find(s string) []span {
	spans := p.findShort(s)
	if len(p.byPrefix) == 0 {
		return spans
	}
	for i := 0; i+MinLength <= len(s); i++ {
		if !p.first[s[i]] {
			continue
		}
		prefix := prefixAt(s, i)
		if bit := bitOf(prefix); p.seen[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		for _, f := range p.byPrefix[prefix] {
			if end := i + len(f.text); end <= len(s) && s[i:end] == f.text {
				spans = append(spans, span{i - base64Before(s, i, f.before), end + base64After(s, end, f.after)})
			}
		}
	}
	return spans
}

// findShort returns where short forms stand alone in s.
func (p *patterns) findShort(s string) []span {
	var spans []span
	for _, text := range p.short {
		for from := 0; ; {
			i := strings.Index(s[from:], text)
			if i < 0 {
				break
			}
			i, from = from+i, from+i+len(text)
			before, _ := utf8.DecodeLastRuneInString(s[:i])
			after, _ := utf8.DecodeRuneInString(s[from:])
			if !ofWord(before) && !ofWord(after) {
				spans = append(spans, span{i, from})
			}
		}
	}
	return spans
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
