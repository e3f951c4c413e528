package schema

import (
	"regexp"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// members is properties, patternProperties and additionalProperties, which
// only together say what a member must be.
type members struct {
	names    []string
	byName   map[string]*node
	patterns []namedBy
	rest     *node // for members that neither name nor pattern covers; nil for anything
	closed   bool  // there must be none of those
}

type namedBy struct {
	re   *regexp.Regexp
	node *node
}

func (c *members) ok(v value.Value) bool {
	o, isObject := v.(*value.Object)
	if !isObject {
		return true
	}
	if c.rest == nil && !c.closed && len(c.patterns) == 0 {
		for name, m := range o.All() {
			if n, ok := c.byName[name]; ok && !n.ok(m) {
				return false
			}
		}
		return true
	}
	for name, m := range o.All() {
		if !c.fits(name, m) {
			return false
		}
	}
	return true
}

func (c *members) fits(name string, v value.Value) bool {
	n, covered := c.byName[name]
	if covered && !n.ok(v) {
		return false
	}
	for _, p := range c.patterns {
		if p.re.MatchString(name) {
			covered = true
			if !p.node.ok(v) {
				return false
			}
		}
	}
	switch {
	case covered:
		return true
	case c.closed:
		return false
	}
	return c.rest == nil || c.rest.ok(v)
}

func (c *members) explain(v value.Value, p *place, r *report) {
	i := 0
	for name, m := range v.(*value.Object).All() {
		at := p.member(name, i)
		covered := c.each(name, func(n *node) { n.explain(m, at, r) })
		if !covered && c.closed {
			r.findings = append(r.findings, finding{check: c, value: m, place: at, name: name})
		}
		i++
	}
}

// each calls f for the schemas that a member is held against.
func (c *members) each(name string, f func(*node)) (covered bool) {
	if n, ok := c.byName[name]; ok {
		covered = true
		f(n)
	}
	for _, p := range c.patterns {
		if p.re.MatchString(name) {
			covered = true
			f(p.node)
		}
	}
	if !covered && c.rest != nil {
		covered = true
		f(c.rest)
	}
	return covered
}

func (c *members) say(f finding, w voice) (message, hint string) {
	near := didYouMean(f.name, c.names)
	if !w.file {
		message = "unknown member " + w.quote(f.name)
		if near != "" {
			message += "; " + near
		}
		return message, ""
	}
	hint = "allowed here: " + strings.Join(c.names, ", ")
	switch {
	case len(c.names) == 0:
		hint = "no key is allowed here"
	case near != "" && len(c.names) > manyNames:
		hint = near
	case near != "":
		hint = near + " (" + hint + ")"
	}
	return "unknown key " + w.quote(f.name), hint
}

// manyNames is from where a good guess is worth more than the list of all names.
const manyNames = 16

func (c *members) visit(v value.Value, p *place, f func(*node, value.Value, *place)) {
	o, ok := v.(*value.Object)
	if !ok {
		return
	}
	i := 0
	for name, m := range o.All() {
		at := p.member(name, i)
		c.each(name, func(n *node) { f(n, m, at) })
		i++
	}
}

func (*members) inPlace() []*node { return nil }
