package schema

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// A place leads to a value inside the data that is checked. The nil place is
// the data itself.
type place struct {
	parent *place
	name   string // of the member; empty for items
	index  int    // of the item, or of the member in its object
	item   bool
}

func (p *place) member(name string, index int) *place {
	return &place{parent: p, name: name, index: index}
}

func (p *place) element(index int) *place {
	return &place{parent: p, index: index, item: true}
}

// steps returns the places from the outermost to p.
func (p *place) steps() []*place {
	var all []*place
	for ; p != nil; p = p.parent {
		all = append(all, p)
	}
	slices.Reverse(all)
	return all
}

// path returns the place as people write it: Charges[2].Costs.
func (p *place) path() string {
	var b strings.Builder
	for _, s := range p.steps() {
		switch {
		case s.item:
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case !isWord(s.name):
			b.WriteString("[" + strconv.Quote(s.name) + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.name)
		}
	}
	return b.String()
}

// pointer returns the place as an RFC 6901 pointer.
func (p *place) pointer() string {
	var b strings.Builder
	for _, s := range p.steps() {
		b.WriteByte('/')
		if s.item {
			b.WriteString(strconv.Itoa(s.index))
		} else {
			b.WriteString(escapePointer(s.name))
		}
	}
	return b.String()
}

func comparePlaces(a, b *place) int {
	return slices.CompareFunc(a.steps(), b.steps(), func(a, b *place) int { return cmp.Compare(a.index, b.index) })
}

func isWord(s string) bool {
	for i, r := range s {
		letter := r == '_' || r == '$' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r > 127
		if !letter && (i == 0 || r != '-' && (r < '0' || r > '9')) {
			return false
		}
	}
	return s != ""
}

// A finding is one fault of the data, before it is put into words.
type finding struct {
	check check
	value value.Value
	place *place
	name  string // the member that is missing, unknown or misnamed
	other string // a second member that matters
}

// A report collects findings.
type report struct{ findings []finding }

func (r *report) add(c check, v value.Value, p *place) {
	r.findings = append(r.findings, finding{check: c, value: v, place: p})
}

// settle brings the findings into the order of the document: what is wrong
// with a value comes before what is wrong inside of it. A value of the wrong
// type has no other faults.
func (r *report) settle() {
	mistyped := make(map[string]bool)
	for _, f := range r.findings {
		if f.mistyped() {
			mistyped[f.place.pointer()] = true
		}
	}
	if len(mistyped) > 0 {
		r.findings = slices.DeleteFunc(r.findings, func(f finding) bool {
			p := f.place
			if f.mistyped() && p != nil {
				p = p.parent
			} else if f.mistyped() {
				return false
			}
			return within(p, mistyped)
		})
	}
	slices.SortStableFunc(r.findings, func(a, b finding) int { return comparePlaces(a.place, b.place) })
}

func (f finding) mistyped() bool {
	_, ok := f.check.(*typeCheck)
	return ok
}

// within reports whether p, or a place around it, is among the pointers.
func within(p *place, pointers map[string]bool) bool {
	for ; p != nil; p = p.parent {
		if pointers[p.pointer()] {
			return true
		}
	}
	return pointers[""]
}
