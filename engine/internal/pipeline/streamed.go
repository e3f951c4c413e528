package pipeline

import (
	"regexp"

	"github.com/seed627bd532/runner/engine/internal/source"
)

// inputUse finds the uses of inputs in an expression; the group is the input's
// name, empty where all inputs are meant or the name is computed.
var inputUse = regexp.MustCompile(`\binputs\b(?:\??\.([A-Za-z_][A-Za-z0-9_]*))?`)

// findStreamed marks the inputs whose only use is one foreach. It errs to the
// safe side: a text that merely looks like a use counts as one.
func (in *Inputs) findStreamed(doc *source.Node, p *Pipeline) {
	uses := map[string]int{}
	all := 0
	var walk func(*source.Node)
	walk = func(n *source.Node) {
		if n == nil {
			return
		}
		for _, m := range inputUse.FindAllStringSubmatch(n.Text, -1) {
			if m[1] == "" {
				all++
			} else {
				uses[m[1]]++
			}
		}
		for _, item := range n.Items {
			walk(item)
		}
		for _, pair := range n.Pairs {
			walk(pair.Key)
			walk(pair.Value)
		}
	}
	walk(doc.Get("steps"))
	walk(doc.Get("outputs"))
	for _, s := range p.Steps {
		if s.Foreach == nil || s.Foreach.Input == nil {
			continue
		}
		name := s.Foreach.Input.Name
		in.Streamed[name] = all == 0 && uses[name] == 1 && s.Foreach.Input.Rowwise()
	}
}
