package pipeline

import (
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// findLeads marks the steps of a list on which a create may depend. It errs to the safe side: a text
// that only looks like a use counts as one.
func findLeads(steps []*Step, nodes []*source.Node) {
	if !creates(steps, map[*Pipeline]bool{}) {
		return
	}
	for i, s := range steps {
		if s.ID == "" {
			continue // nothing can use it
		}
		depend := map[string]bool{s.ID: true}
		stops := false // whether the run goes on depends on it
		for j := i + 1; j < len(steps) && !s.Leads; j++ {
			used, whole := lang.Uses("steps", values(nodes[j])...)
			for id := range used {
				whole = whole || depend[id]
			}
			if !whole && !stops {
				continue
			}
			depend[steps[j].ID] = true
			s.Leads = creates(steps[j:j+1], map[*Pipeline]bool{})
			_, fails := steps[j].Action.(*Fail)
			stops = stops || fails
		}
	}
}

// values returns what a step says, without the key "steps" itself, which is no use of any.
func values(step *source.Node) []*source.Node {
	var all []*source.Node
	for _, pair := range step.Pairs {
		switch pair.Key.Text {
		case "steps", "switch": // a list of steps, and one of branches with steps
			for _, item := range pair.Value.Items {
				all = append(all, values(item)...)
			}
		default:
			all = append(all, pair.Value)
		}
	}
	return all
}
