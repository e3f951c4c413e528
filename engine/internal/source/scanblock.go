package source

import (
	"bytes"
	"strings"
)

// block traces a literal or folded scalar from its indicator on, and returns
// its end. The rules of folding are those of YAML 1.1, which yaml.v3 follows.
func (t *tracer) block(p int) int {
	folded := t.src[p] == '>'
	chomp := byte(0)
	for p++; p < len(t.src) && strings.IndexByte("+-0123456789", t.src[p]) >= 0; p++ {
		if c := t.src[p]; c == '+' || c == '-' {
			chomp = c
		}
	}
	for p < len(t.src) && breakSize(t.src[p:]) == 0 {
		p++
	}
	p += breakSize(t.src[p:])

	indent := t.indent(p)
	t.body = body{start: p, indent: indent}
	ending := -1        // the break that ended the line before, not yet emitted
	endedBlank := false // whether that line began with white space
	empty, p, more := t.blockGap(p, indent)
	for more && !t.bad {
		startsBlank := isBlank(t.src[p])
		switch {
		case ending < 0:
		case !folded || endedBlank || startsBlank:
			t.emit('\n', ending, false)
		case len(empty) == 0:
			t.emit(' ', ending, false)
		}
		t.breaks(empty)
		endedBlank = startsBlank
		for p < len(t.src) && breakSize(t.src[p:]) == 0 && !t.bad {
			p = t.copy(p)
		}
		t.body.end = p
		ending = -1
		if n := breakSize(t.src[p:]); n > 0 {
			ending = p
			p += n
		}
		empty, p, more = t.blockGap(p, indent)
	}
	if chomp != '-' && ending >= 0 {
		t.breaks([]int{ending})
	}
	if chomp == '+' {
		t.breaks(empty)
		if len(empty) > 0 {
			t.body.end = empty[len(empty)-1]
		}
	}
	return p
}

// indent returns by how much the scalar whose first line is at p is indented:
// the white space of the first line that is not empty, without what the decoded text
// kept of it. That saves to know the indentation of the parent.
func (t *tracer) indent(p int) int {
	kept := strings.TrimLeft(t.want, "\n")
	if kept == "" {
		return len(t.src)
	}
	spaces := func() int { return len(t.src[p:]) - len(bytes.TrimLeft(t.src[p:], " ")) }
	for range len(t.want) - len(kept) {
		p += spaces()
		p += breakSize(t.src[p:])
	}
	return spaces() - (len(kept) - len(strings.TrimLeft(kept, " ")))
}

// blockGap passes over empty lines. It returns their breaks and the place after
// them; more says whether another line of the scalar begins there.
func (t *tracer) blockGap(p, indent int) (empty []int, at int, more bool) {
	for {
		q := p
		for q < len(t.src) && t.src[q] == ' ' && q-p < indent {
			q++
		}
		n := breakSize(t.src[q:])
		if n == 0 {
			more = q-p == indent && q < len(t.src)
			if !more {
				q = p
			}
			return empty, q, more
		}
		empty = append(empty, q)
		p = q + n
	}
}

func (t *tracer) breaks(offsets []int) {
	for _, off := range offsets {
		t.emit('\n', off, false)
	}
}
