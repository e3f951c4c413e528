package sandbox

import (
	"slices"

	"github.com/seed627bd532/runner/engine/internal/lang/marker"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// recordOf returns the type of the records of a list of the state: of their values nothing is known, of
// their members the names, as long as all that comes into the list is written out as a mapping.
func recordOf(file, list *source.Node, name string) *types.Type {
	r := &records{list: name, names: []string{}}
	for _, item := range list.Items {
		r.add(item)
	}
	rules := []*source.Node{file.Get("before")}
	for _, pair := range file.Get("operations").Pairs {
		rules = append(rules, pair.Value.Get("rules"))
	}
	for _, some := range rules {
		r.inserted(some)
	}
	if r.open || len(r.names) == 0 {
		return types.AnyType
	}
	return types.MembersOf(r.names...)
}

// records collects the names of the members that the records of a list may have.
type records struct {
	list  string
	names []string
	open  bool // there may be others
}

// add takes the members of a record.
func (r *records) add(n *source.Node) {
	if n == nil || n.Kind != source.Mapping {
		r.open = true
		return
	}
	for _, pair := range n.Pairs {
		if marker.In(pair.Key) || pair.Key.Text == "$each" {
			r.open = true
		}
		if !slices.Contains(r.names, pair.Key.Text) {
			r.names = append(r.names, pair.Key.Text)
		}
	}
}

// inserted takes what rules, which may be nil, put into the list.
func (r *records) inserted(rules *source.Node) {
	if rules == nil {
		return
	}
	for _, rule := range rules.Items {
		if c := rule.Get("insert"); c != nil && c.Get("into").Text == r.list {
			v := c.Get("value")
			if name, ok := marker.JustName(v); ok {
				r.let(rules, name)
			} else {
				r.add(v)
			}
		}
		if c := rule.Get("update"); c != nil && c.Get("in").Text == r.list {
			r.add(c.Get("set"))
		}
	}
}

// let takes what the rules call name, in each of the places where they do.
func (r *records) let(rules *source.Node, name string) {
	found := false
	for _, rule := range rules.Items {
		if lets := rule.Get("let"); lets != nil && lets.Get(name) != nil {
			r.add(lets.Get(name))
			found = true
		}
	}
	r.open = r.open || !found
}
