package catalog

import (
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// Unused warns of params that nothing in nodes reads; what names one, root what they are read as.
func Unused(what, root string, declared *source.Node, faults *diag.List, nodes ...*source.Node) {
	if declared == nil {
		return
	}
	used, whole := lang.Uses(root, nodes...)
	if whole {
		return
	}
	for _, pair := range declared.Pairs {
		if !used[pair.Key.Text] {
			faults.Add(pair.Key.Warnf("unused", "nothing uses the %s %s", what, pair.Key.Text).
				WithHint("write " + root + "." + pair.Key.Text + " where it belongs, or take it out"))
		}
	}
}

// unused warns of config and inputs that nothing reads.
func (d *decoder) unused() {
	var all []*source.Node
	for _, pair := range d.root.Pairs {
		if pair.Key.Text != "config" {
			all = append(all, pair.Value)
		}
	}
	Unused("config", "config", d.root.Get("config"), d.faults, all...)
	for _, op := range d.root.Get("operations").Pairs {
		var parts []*source.Node
		for _, pair := range op.Value.Pairs {
			if pair.Key.Text != "inputs" {
				parts = append(parts, pair.Value)
			}
		}
		Unused("input", "inputs", op.Value.Get("inputs"), d.faults, parts...)
	}
}
