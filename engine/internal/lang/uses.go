package lang

import (
	"regexp"

	"github.com/seed627bd532/runner/engine/internal/source"
)

// Uses tells which members of name the expressions in these nodes read; whole where name is used
// otherwise, or a member's name is computed. It errs to the safe side: a text that only looks
// like a use counts as one. Nodes may be nil.
func Uses(name string, nodes ...*source.Node) (members map[string]bool, whole bool) {
	use := regexp.MustCompile(`(^|[^.\w])` + regexp.QuoteMeta(name) + `\b(?:\??\.([A-Za-z_]\w*)|\[['"]([^'"]*)['"]\])?`)
	members = map[string]bool{}
	var walk func(*source.Node)
	walk = func(n *source.Node) {
		if n == nil {
			return
		}
		for _, m := range use.FindAllStringSubmatch(n.Text, -1) {
			if member := m[2] + m[3]; member != "" {
				members[member] = true
			} else {
				whole = true
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
	for _, n := range nodes {
		walk(n)
	}
	return members, whole
}
