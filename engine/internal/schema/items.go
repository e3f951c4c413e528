package schema

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// items is prefixItems and items.
type items struct {
	first []*node // one each for the first items
	rest  *node   // for all others; nil for anything
}

func (c *items) of(i int) *node {
	if i < len(c.first) {
		return c.first[i]
	}
	return c.rest
}

func (c *items) ok(v value.Value) bool {
	l, _ := v.(value.List)
	for i, item := range l {
		if n := c.of(i); n != nil && !n.ok(item) {
			return false
		}
	}
	return true
}

func (c *items) explain(v value.Value, p *place, r *report) {
	c.visit(v, p, func(n *node, v value.Value, p *place) { n.explain(v, p, r) })
}

// say is not reached: what explain adds is spoken for by the items' own checks.
func (*items) say(finding, voice) (string, string) { panic("schema: items have no words of their own") }

func (c *items) visit(v value.Value, p *place, f func(*node, value.Value, *place)) {
	l, _ := v.(value.List)
	for i, item := range l {
		if n := c.of(i); n != nil {
			f(n, item, p.element(i))
		}
	}
}

func (*items) inPlace() []*node { return nil }

// unique is uniqueItems.
type unique struct{}

func (unique) ok(v value.Value) bool {
	l, _ := v.(value.List)
	_, _, found := twins(l)
	return !found
}

func (c unique) explain(v value.Value, p *place, r *report) { r.add(c, v, p) }

func (unique) say(f finding, w voice) (message, hint string) {
	first, second, _ := twins(f.value.(value.List))
	if w.file {
		return fmt.Sprintf("items %d and %d are the same", first+1, second+1), ""
	}
	return fmt.Sprintf("items [%d] and [%d] are the same", first, second), ""
}

// twins returns the first pair of equal items.
func twins(l value.List) (first, second int, found bool) {
	if len(l) < 2 {
		return 0, 0, false
	}
	seen := make(map[string]int, len(l))
	for i, item := range l {
		key := value.Key(item)
		if j, ok := seen[key]; ok {
			return j, i, true
		}
		seen[key] = i
	}
	return 0, 0, false
}
