package schema

import (
	"slices"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// all is allOf and $ref: every one of the schemas must fit.
type all struct{ nodes []*node }

func (c *all) ok(v value.Value) bool {
	for _, n := range c.nodes {
		if !n.ok(v) {
			return false
		}
	}
	return true
}

func (c *all) explain(v value.Value, p *place, r *report) {
	for _, n := range c.nodes {
		n.explain(v, p, r)
	}
}

// say is not reached: what explain adds is spoken for by the schemas' own checks.
func (*all) say(finding, voice) (string, string) { panic("schema: allOf has no words of its own") }

func (c *all) visit(v value.Value, p *place, f func(*node, value.Value, *place)) {
	for _, n := range c.nodes {
		f(n, v, p)
	}
}

func (c *all) inPlace() []*node { return c.nodes }

// choice is anyOf, and oneOf where only one schema may fit.
type choice struct {
	all
	one bool
}

func (c *choice) ok(v value.Value) bool {
	fit := 0
	for _, n := range c.nodes {
		if n.ok(v) {
			if !c.one {
				return true
			}
			fit++
		}
	}
	return fit == 1
}

// explain tells what is wrong by the schema that was most likely meant: of
// those that want the value's type the one with the least to complain of.
func (c *choice) explain(v value.Value, p *place, r *report) {
	var best []finding
	var wanted kinds
	for _, n := range c.nodes {
		var inner report
		n.explain(v, p, &inner)
		if len(inner.findings) == 0 { // it fits, so more than one does
			best = nil
			wanted = 0
			break
		}
		first := inner.findings[0]
		if t, mistyped := first.check.(*typeCheck); mistyped && first.place == p {
			wanted |= t.want
			continue
		}
		if best == nil || weight(inner.findings, p) < weight(best, p) {
			best = inner.findings
		}
	}
	switch {
	case best != nil:
		r.findings = append(r.findings, best...)
	case wanted != 0:
		r.add(&typeCheck{want: wanted}, v, p)
	default:
		r.add(c, v, p)
	}
}

// weight is how much speaks against findings being about the schema that was
// meant: faults of the value itself, such as a missing member, more than those deeper inside.
func weight(findings []finding, p *place) int {
	sum := 0
	for _, f := range findings {
		if f.place == p || f.place != nil && f.place.parent == p && f.name != "" {
			sum += 100
		} else {
			sum++
		}
	}
	return sum
}

func (c *choice) say(finding, voice) (message, hint string) {
	if c.one {
		return "fits none, or more than one, of the forms of which it must have exactly one", ""
	}
	return "fits none of the forms that are allowed here", ""
}

// oneKey is a oneOf whose schemas only require one member each: exactly one of
// these members must be there.
type oneKey struct{ names []string }

func (c *oneKey) ok(v value.Value) bool {
	o, isObject := v.(*value.Object)
	if !isObject {
		return len(c.names) == 1
	}
	n := 0
	for _, name := range c.names {
		if _, ok := o.Get(name); ok {
			n++
		}
	}
	return n == 1
}

func (c *oneKey) explain(v value.Value, p *place, r *report) {
	o, isObject := v.(*value.Object)
	if !isObject {
		r.add(&typeCheck{want: object}, v, p)
		return
	}
	var present []string
	for name := range o.All() {
		if slices.Contains(c.names, name) {
			present = append(present, name)
		}
	}
	f := finding{check: c, value: v, place: p}
	if len(present) > 1 {
		f.name, f.other = present[1], present[0]
	}
	r.findings = append(r.findings, f)
}

func (c *oneKey) say(f finding, w voice) (message, hint string) {
	what := "member"
	if w.file {
		what = "key"
	}
	if f.name == "" {
		return "missing " + what + ": one of " + list(c.names, "or") + " is needed", ""
	}
	return w.quote(f.other) + " and " + w.quote(f.name) + " exclude each other: exactly one of " + list(c.names, "or") + " is needed", ""
}

// not is the keyword of that name.
type not struct{ all }

func (c *not) ok(v value.Value) bool { return !c.nodes[0].ok(v) }

func (c *not) explain(v value.Value, p *place, r *report) { r.add(c, v, p) }

func (c *not) say(f finding, w voice) (message, hint string) {
	if w.secret {
		return "this value is not allowed", ""
	}
	if inner := c.nodes[0].checks; len(inner) == 1 {
		if r, ok := inner[0].(*required); ok && len(r.names) == 2 {
			return w.quote(r.names[0]) + " and " + w.quote(r.names[1]) + " exclude each other", ""
		}
	}
	switch f.value.(type) {
	case value.List, *value.Rows, *value.Object:
		return "this " + (voice{}).kind(f.value) + " is not allowed", ""
	}
	return w.scalar(f.value) + " is not allowed", ""
}
