package pipeline

import "github.com/seed627bd532/runner/engine/internal/lang/expr"

// findStreamed marks the inputs whose only use is one foreach.
func (in *Inputs) findStreamed(reads *expr.Reads, p *Pipeline) {
	uses := map[string]int{}
	whole := false
	reads.Each("inputs", func(path []string) {
		if len(path) == 0 {
			whole = true
		} else {
			uses[path[0]]++
		}
	})
	for _, s := range p.Steps {
		if s.Foreach == nil || s.Foreach.Input == nil {
			continue
		}
		name := s.Foreach.Input.Name
		in.Streamed[name] = !whole && uses[name] == 1 && s.Foreach.Input.Rowwise()
	}
}
