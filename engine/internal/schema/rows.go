package schema

import (
	"iter"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// mostBadRows bounds the items of value.Rows that a report tells of: there may
// be more bad ones than fit into memory.
const mostBadRows = 1000

// elements yields the items of a list. What cannot be read back is a panic,
// of which Validate makes a violation.
func elements(v value.Value) iter.Seq[value.Value] {
	return func(yield func(value.Value) bool) {
		items, ok := value.Elements(v)
		if !ok {
			return
		}
		for item, err := range items {
			if err != nil {
				panic(err)
			}
			if !yield(item) {
				return
			}
		}
	}
}

// rowsFit is ok for a list that is read item by item.
func (c *items) rowsFit(rows *value.Rows) bool {
	if c.rest == nil && len(c.first) == 0 {
		return true
	}
	i := 0
	for item := range elements(rows) {
		if n := c.of(i); n != nil && !n.ok(item) {
			return false
		}
		i++
	}
	return true
}

// visitRows visits the items that do not fit, of which alone there is anything
// to tell.
func (c *items) visitRows(rows *value.Rows, p *place, f func(*node, value.Value, *place)) {
	i, bad := 0, 0
	for item := range elements(rows) {
		if n := c.of(i); n != nil && !n.ok(item) {
			f(n, item, p.element(i))
			bad++
		}
		if i++; bad == mostBadRows {
			return
		}
	}
}
