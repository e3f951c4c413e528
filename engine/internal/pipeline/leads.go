package pipeline

import "github.com/seed627bd532/runner/engine/internal/lang/expr"

// findLeads marks the steps of a list on which a create may depend. reads are what each of them reads.
func findLeads(steps []*Step, reads []expr.Reads) {
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
			uses := false
			reads[j].Each("steps", func(path []string) { uses = uses || len(path) == 0 || depend[path[0]] })
			if !uses && !stops {
				continue
			}
			depend[steps[j].ID] = true
			s.Leads = creates(steps[j:j+1], map[*Pipeline]bool{})
			_, fails := steps[j].Action.(*Fail)
			stops = stops || fails
		}
	}
}
