package testfile

import (
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// config makes the config of all connections: what the file gives, else what can be made up.
func (d *decoder) config(n *source.Node) {
	var names []string
	for _, c := range d.test.Pipeline.AllConnections() {
		names = append(names, c.Name)
		if c.Vendor != nil {
			d.test.Config[c.Name] = d.configOf(c.Vendor, n.Get(c.Name).Get("config"))
		}
	}
	if n == nil {
		return
	}
	for _, pair := range n.Pairs {
		if !slices.Contains(names, pair.Key.Text) {
			d.faults.Add(pair.Key.Errorf("unknown-connection", "the pipeline has no connection %s", pair.Key.Text).
				WithHint(catalog.DidYouMean(pair.Key.Text, names)))
		}
	}
}

func (d *decoder) configOf(v *catalog.Vendor, n *source.Node) *value.Object {
	given := value.NewObject(len(v.Config.List))
	if n != nil {
		for _, pair := range n.Pairs {
			if v.Config.Get(pair.Key.Text) == nil {
				d.faults.Add(pair.Key.Errorf("unknown-input", "vendor %s has no config %s", v.Name, pair.Key.Text).
					WithHint(catalog.DidYouMean(pair.Key.Text, v.Config.Names())))
				continue
			}
			made, _ := d.value(pair.Value)
			given.Set(pair.Key.Text, made)
		}
	}
	for _, q := range v.Config.List {
		if n.Get(q.Name) == nil && q.Required() {
			given.Set(q.Name, madeUp(q))
		}
	}
	bound, bad := v.Config.Bind(given)
	for _, b := range bad {
		name, _, _ := strings.Cut(strings.TrimPrefix(b.Pointer, "/"), "/")
		if at, ok := n.Find(b.Pointer); ok || n.Get(name) != nil {
			d.faults.Add(at.Errorf("wrong-value", "config %s: %s", b.Path, b.Message))
		} else {
			d.unmade(v, b.Path)
		}
	}
	return bound
}

// unmade reports config for which nothing can be made up.
func (d *decoder) unmade(v *catalog.Vendor, name string) {
	for _, c := range d.test.Pipeline.AllConnections() {
		if c.Vendor == v {
			d.faults.Add(d.node.Get("test").Errorf("missing-input", "nothing can be made up for config %s of connection %s", name, c.Name).
				WithHint("give it under connections, as in connections: {" + c.Name + ": {config: {" + name + ": …}}}"))
			return
		}
	}
}

// madeUp returns a value for config that must be given: the first word of a list, or what its type
// wants. The URL of a name that ends in url leads nowhere.
func madeUp(q *catalog.Param) value.Value {
	if len(q.Type.Enum) > 0 {
		return q.Type.Enum[0]
	}
	switch q.Type.Kind {
	case types.Boolean:
		return false
	case types.Integer, types.Decimal:
		return int64(1)
	case types.List:
		return value.List{}
	case types.Object:
		return value.NewObject(0)
	}
	switch {
	case q.Type.Format == "date":
		return "2026-01-01"
	case q.Type.Format == "datetime":
		return "2026-01-01T00:00:00Z"
	case strings.HasSuffix(q.Name, "url"):
		return "https://" + strings.ReplaceAll(q.Name, "_", "-") + ".test"
	}
	return "test-" + q.Name
}
