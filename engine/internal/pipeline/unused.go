package pipeline

import (
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/marker"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// unused warns of what n declares and nothing uses.
func (d *decoder) unused(n *source.Node) {
	if d.broken || diag.List((*d.faults)[d.before:]).HasErrors() {
		return // what is misspelt above is what would use it
	}
	catalog.Unused("input", "inputs", n.Get("inputs"), &d.reads, d.faults)
	d.unusedConnections(n.Get("connections"))
	d.unusedValues(n.Get("steps"))
}

// unusedConnections warns of connections that neither n nor a pipeline that it calls uses.
func (d *decoder) unusedConnections(n *source.Node) {
	if n == nil {
		return
	}
	used := map[string]bool{}
	for s := range AllSteps(d.p.Steps) {
		for _, call := range []*Call{s.Undo, asCall(s.Action)} {
			if call == nil {
				continue
			}
			used[call.Connection] = true
			if call.Pipeline != nil {
				for _, c := range call.Pipeline.AllConnections() {
					used[c.Name] = true
				}
			}
		}
	}
	for _, pair := range n.Pairs {
		if !used[pair.Key.Text] {
			d.faults.Add(pair.Key.Warnf("unused", "nothing uses the connection %s", pair.Key.Text).WithHint("take it out"))
		}
	}
}

func asCall(a Action) *Call {
	c, _ := a.(*Call)
	return c
}

// unusedValues warns of values that steps set and nothing reads.
func (d *decoder) unusedValues(steps *source.Node) {
	used := map[string]bool{} // "", ID, ID.outputs, ID.outputs.NAME: as they stand
	d.reads.Each("steps", func(path []string) {
		used[strings.Join(path[:min(len(path), 3)], ".")] = true
		if len(path) > 0 {
			used["of "+path[0]] = true
		}
	})
	if !used[""] {
		d.unusedSets(steps, used)
	}
}

func (d *decoder) unusedSets(list *source.Node, used map[string]bool) {
	if list == nil {
		return
	}
	for _, step := range list.Items {
		id, set := step.Get("id"), step.Get("set")
		if id != nil && set != nil && set.Kind == source.Mapping && step.Get("foreach") == nil {
			d.unusedSet(id, set, used)
		}
		d.unusedSets(step.Get("steps"), used)
		d.unusedSets(step.Get("switch"), used)
	}
}

func (d *decoder) unusedSet(id, set *source.Node, used map[string]bool) {
	if !used["of "+id.Text] {
		d.faults.Add(id.Warnf("unused", "nothing reads what the step %s sets", id.Text).WithHint("take it out, or read it as steps." + id.Text + ".outputs.NAME"))
		return
	}
	if used[id.Text] || used[id.Text+".outputs"] {
		return
	}
	for _, pair := range set.Pairs {
		if !marker.In(pair.Key) && !used[id.Text+".outputs."+pair.Key.Text] {
			d.faults.Add(pair.Key.Warnf("unused", "nothing reads %s of the step %s", pair.Key.Text, id.Text).
				WithHint("take it out, or read it as steps." + id.Text + ".outputs." + pair.Key.Text))
		}
	}
}
