package schema

import (
	"strconv"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// first reports whether word is the first of a group of keywords that the
// schema has: the group is compiled there, once.
func (k keywords) first(word string, group ...string) bool {
	for name := range k.object.All() {
		for _, w := range group {
			if name == w {
				return name == word
			}
		}
	}
	return false
}

func (k keywords) members(word string) (check, error) {
	if !k.first(word, "properties", "patternProperties", "additionalProperties") {
		return nil, nil
	}
	c := &members{byName: make(map[string]*node)}
	open := false // there may be members that nothing here can tell
	err := k.eachMember("properties", func(name string, n *node, _ string) error {
		c.names = append(c.names, name)
		c.byName[name] = n
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = k.eachMember("patternProperties", func(name string, n *node, at string) error {
		re, err := k.lib.pattern(name)
		if err != nil {
			return faultAt(at, "%s", err)
		}
		if re != nil {
			c.patterns = append(c.patterns, namedBy{re, n})
		}
		open = open || re == nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	switch rest, ok := k.object.Get("additionalProperties"); {
	case !ok || rest == true || open:
	case rest == false:
		c.closed = true
	default:
		c.rest, err = k.schema(rest, k.base, k.at+"/additionalProperties")
	}
	return c, err
}

// eachMember compiles a map name → schema.
func (k keywords) eachMember(word string, f func(name string, n *node, at string) error) error {
	arg, ok := k.object.Get(word)
	if !ok {
		return nil
	}
	o, ok := arg.(*value.Object)
	if !ok {
		return faultAt(k.at+"/"+word, "expected a mapping of name to schema, found %s", voice{file: true}.found(arg))
	}
	for name, s := range o.All() {
		at := k.at + "/" + word + "/" + escapePointer(name)
		n, err := k.schema(s, k.base, at)
		if err != nil {
			return err
		}
		if err := f(name, n, at); err != nil {
			return err
		}
	}
	return nil
}

// items reads items as a list the way older drafts mean it: as prefixItems.
func (k keywords) items(word string) (check, error) {
	if !k.first(word, "prefixItems", "items") {
		return nil, nil
	}
	c := new(items)
	rest, hasRest := k.object.Get("items")
	if prefix, ok := k.object.Get("prefixItems"); ok {
		nodes, err := k.list(prefix, k.at+"/prefixItems")
		if err != nil {
			return nil, err
		}
		c.first = nodes
	} else if tuple, ok := rest.(value.List); ok {
		nodes, err := k.list(tuple, k.at+"/items")
		return &items{first: nodes}, err
	}
	if !hasRest {
		return c, nil
	}
	var err error
	c.rest, err = k.schema(rest, k.base, k.at+"/items")
	return c, err
}

func (k keywords) list(arg value.Value, at string) ([]*node, error) {
	l, ok := arg.(value.List)
	if !ok || len(l) == 0 {
		return nil, faultAt(at, "expected a list of schemas")
	}
	nodes := make([]*node, len(l))
	for i, s := range l {
		n, err := k.schema(s, k.base, at+"/"+strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		nodes[i] = n
	}
	return nodes, nil
}

func (k keywords) combination(word string, arg value.Value, at string) (check, error) {
	nodes, err := k.list(arg, at)
	if err != nil {
		return nil, err
	}
	if word == "allOf" {
		return &all{nodes}, nil
	}
	if names := soleKeys(nodes); word == "oneOf" && names != nil {
		return &oneKey{names}, nil
	}
	return &choice{all{nodes}, word == "oneOf"}, nil
}

// soleKeys returns the members that schemas require, when each of them requires
// one and says nothing else.
func soleKeys(nodes []*node) []string {
	var names []string
	for _, n := range nodes {
		if len(n.checks) != 1 {
			return nil
		}
		r, ok := n.checks[0].(*required)
		if !ok || len(r.names) != 1 {
			return nil
		}
		names = append(names, r.names[0])
	}
	return names
}
