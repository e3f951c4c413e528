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
	if rows, ok := v.(*value.Rows); ok {
		return c.rowsFit(rows)
	}
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
	if rows, ok := v.(*value.Rows); ok {
		c.visitRows(rows, p, f)
		return
	}
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
	_, _, found := twins(v)
	return !found
}

func (c unique) explain(v value.Value, p *place, r *report) { r.add(c, v, p) }

func (unique) say(f finding, w voice) (message, hint string) {
	first, second, _ := twins(f.value)
	if w.file {
		return fmt.Sprintf("items %d and %d are the same", first+1, second+1), ""
	}
	return fmt.Sprintf("items [%d] and [%d] are the same", first, second), ""
}

// twins returns the first pair of equal items, if v is a list.
func twins(v value.Value) (first, second int, found bool) {
	n, _ := value.Length(v)
	if n < 2 {
		return 0, 0, false
	}
	seen := make(map[string]int, n)
	i := 0
	for item := range elements(v) {
		key := value.Key(item)
		if j, ok := seen[key]; ok {
			return j, i, true
		}
		seen[key] = i
		i++
	}
	return 0, 0, false
}
