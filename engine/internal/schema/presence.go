package schema

import (
	"strconv"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// required is the keyword of that name.
type required struct{ names []string }

func (c *required) ok(v value.Value) bool {
	o, ok := v.(*value.Object)
	if !ok {
		return true
	}
	for _, name := range c.names {
		if _, ok := o.Get(name); !ok {
			return false
		}
	}
	return true
}

func (c *required) explain(v value.Value, p *place, r *report) {
	for _, name := range c.names {
		if _, ok := v.(*value.Object).Get(name); !ok {
			r.findings = append(r.findings, finding{check: c, value: v, place: p, name: name})
		}
	}
}

func (c *required) say(f finding, w voice) (message, hint string) {
	if w.file {
		return "missing key " + w.quote(f.name), ""
	}
	return "missing member " + w.quote(f.name), ""
}

// dependent is dependentRequired: where one member is, others must be.
type dependent struct {
	names []string
	needs [][]string // by index of names
}

func (c *dependent) ok(v value.Value) bool {
	o, ok := v.(*value.Object)
	if !ok {
		return true
	}
	for i, name := range c.names {
		if _, ok := o.Get(name); !ok {
			continue
		}
		for _, need := range c.needs[i] {
			if _, ok := o.Get(need); !ok {
				return false
			}
		}
	}
	return true
}

func (c *dependent) explain(v value.Value, p *place, r *report) {
	o := v.(*value.Object)
	for i, name := range c.names {
		if _, ok := o.Get(name); !ok {
			continue
		}
		for _, need := range c.needs[i] {
			if _, ok := o.Get(need); !ok {
				r.findings = append(r.findings, finding{check: c, value: v, place: p, name: need, other: name})
			}
		}
	}
}

func (c *dependent) say(f finding, w voice) (message, hint string) {
	what := "member"
	if w.file {
		what = "key"
	}
	return "missing " + what + " " + w.quote(f.name) + ", which " + w.quote(f.other) + " needs beside it", ""
}

// names is propertyNames: a schema for the names of members.
type names struct{ node *node }

func (c *names) ok(v value.Value) bool {
	o, ok := v.(*value.Object)
	if !ok {
		return true
	}
	for name := range o.All() {
		if !c.node.ok(name) {
			return false
		}
	}
	return true
}

func (c *names) explain(v value.Value, p *place, r *report) {
	i := 0
	for name := range v.(*value.Object).All() {
		if !c.node.ok(name) {
			r.findings = append(r.findings, finding{check: c, value: name, place: p.member(name, i), name: name})
		}
		i++
	}
}

func (c *names) say(f finding, w voice) (message, hint string) {
	var inner report
	c.node.explain(f.name, nil, &inner)
	first := inner.findings[0]
	message, hint = first.check.say(first, w)
	if w.file {
		return message, hint
	}
	return "the name of member " + w.quote(f.name) + " is not allowed: " + message, ""
}

func (*names) visit(value.Value, *place, func(*node, value.Value, *place)) {}

func (*names) inPlace() []*node { return nil }

// size is minProperties, maxProperties, minItems and maxItems.
type size struct {
	limit  int
	min    bool
	ofList bool
}

func (c *size) ok(v value.Value) bool {
	n := 0
	switch v := v.(type) {
	case *value.Object:
		if c.ofList {
			return true
		}
		n = v.Len()
	case value.List, *value.Rows:
		if !c.ofList {
			return true
		}
		n, _ = value.Length(v)
	default:
		return true
	}
	if c.min {
		return n >= c.limit
	}
	return n <= c.limit
}

func (c *size) explain(v value.Value, p *place, r *report) { r.add(c, v, p) }

func (c *size) say(f finding, w voice) (message, hint string) {
	what, n := "member", 0
	switch v := f.value.(type) {
	case *value.Object:
		n = v.Len()
		if w.file {
			what = "entry"
		}
	case value.List, *value.Rows:
		what = "item"
		n, _ = value.Length(v)
	}
	if c.min && n == 0 {
		return "must not be empty", ""
	}
	bound := "at most "
	if c.min {
		bound = "at least "
	}
	want := count(c.limit, what)
	if what == "entry" && c.limit != 1 {
		want = strconv.Itoa(c.limit) + " entries"
	}
	return "expected " + bound + want + ", found " + strconv.Itoa(n), ""
}
