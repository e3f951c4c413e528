package schema

import "github.com/seed627bd532/runner/engine/internal/value"

// A node is a compiled schema or a part of one. Nodes form a graph: a recursive
// schema leads back to itself. After compilation they never change.
type node struct {
	checks   []check // the check of "type" first
	nullable bool    // null fits, whatever the checks say
	secret   bool    // values are kept out of messages
}

// A check is one keyword of a schema, or a group of keywords that work together.
type check interface {
	// ok reports whether v fits. It allocates nothing on the usual paths.
	ok(v value.Value) bool
	// explain adds to r what is wrong with v, which stands at p. It is called
	// when ok said no, and must add something then.
	explain(v value.Value, p *place, r *report)
	// say puts a finding that explain added into words.
	say(f finding, w voice) (message, hint string)
}

// A nest is a check that has schemas of its own.
type nest interface {
	// visit calls f for every schema that v, or a part of v, is held against.
	visit(v value.Value, p *place, f func(n *node, v value.Value, p *place))
	// inPlace returns the schemas that are held against v itself.
	inPlace() []*node
}

func (n *node) ok(v value.Value) bool {
	if v == nil && n.nullable {
		return true
	}
	for _, c := range n.checks {
		if !c.ok(v) {
			return false
		}
	}
	return true
}

// explain adds every fault of v. A value of the wrong type has no other faults.
func (n *node) explain(v value.Value, p *place, r *report) {
	if v == nil && n.nullable {
		return
	}
	for _, c := range n.checks {
		if c.ok(v) {
			continue
		}
		c.explain(v, p, r)
		if _, wrongType := c.(*typeCheck); wrongType {
			return
		}
	}
}

// markSecrets adds the places of all secret values in v.
func (n *node) markSecrets(v value.Value, p *place, add func(*place)) {
	if n.secret {
		add(p)
	}
	for _, c := range n.checks {
		if c, ok := c.(nest); ok {
			c.visit(v, p, func(n *node, v value.Value, p *place) { n.markSecrets(v, p, add) })
		}
	}
}

// never is the schema false.
type never struct{}

func (never) ok(value.Value) bool { return false }

func (c never) explain(v value.Value, p *place, r *report) { r.add(c, v, p) }

func (never) say(finding, voice) (string, string) { return "no value is allowed here", "" }
