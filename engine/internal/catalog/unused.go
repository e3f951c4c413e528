package catalog

import (
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// Unused warns of params that nothing reads; what names one, root what they are read as.
func Unused(what, root string, declared *source.Node, reads *expr.Reads, faults *diag.List) {
	if declared == nil {
		return
	}
	for _, pair := range declared.Pairs {
		if !reads.Reads(root, pair.Key.Text) {
			faults.Add(pair.Key.Warnf("unused", "nothing uses the %s %s", what, pair.Key.Text).
				WithHint("write " + root + "." + pair.Key.Text + " where it belongs, or take it out"))
		}
	}
}

// unused warns of config and inputs that nothing reads.
func (d *decoder) unused() {
	var all expr.Reads
	for i, op := range d.root.Get("operations").Pairs {
		all.Add(d.operations[i])
		Unused("input", "inputs", op.Value.Get("inputs"), d.operations[i], d.faults)
	}
	all.Add(d.reads) // those of auth
	Unused("config", "config", d.root.Get("config"), &all, d.faults)
}
