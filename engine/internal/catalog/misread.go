package catalog

import (
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// A member of answers is one that conditions read.
type member struct {
	conditions int // that read it
	at         *source.Node
}

// misread warns of a member that one condition over answers reads, and that is nearly called as one that others
// read in its place: of answers that are no success nothing else says what they have.
func (d *decoder) misread() {
	read := map[string]map[string]*member{} // by what they are members of
	add := func(cond *source.Node) {
		here := map[string]bool{}
		expr.ReadsOf(cond).Each("body", func(path []string) {
			of := ""
			for _, name := range path {
				if read[of] == nil {
					read[of] = map[string]*member{}
				}
				if m := read[of][name]; m == nil {
					read[of][name] = &member{1, cond}
				} else if !here[of+"."+name] {
					m.conditions++
				}
				here[of+"."+name] = true
				of += "." + name
			}
		})
	}
	conditions(d.envelope, add)
	for _, pair := range d.root.Get("operations").Pairs {
		conditions(pair.Value.Get("response"), add)
	}
	for _, members := range read {
		var often []string
		for name, m := range members {
			if m.conditions > 1 {
				often = append(often, name)
			}
		}
		for name, m := range members {
			if near := diag.Nearest(name, often); m.conditions == 1 && isSlip(name, near) {
				d.faults.Add(m.at.Warnf("unknown-member", "this alone reads a member %q of answers, where other conditions read %q", name, near).
					WithHint("write " + near + " if it is the same"))
			}
		}
	}
}

// conditions calls found for each condition over answers of an envelope or response; n may be nil.
func conditions(n *source.Node, found func(*source.Node)) {
	if n == nil {
		return
	}
	if ok := n.Get("ok"); ok != nil {
		found(ok)
	}
	if rules := n.Get("outcomes"); rules != nil {
		for _, rule := range rules.Items {
			found(rule.Get("if"))
		}
	}
}

// isSlip reports whether a name is likely to be meant as near, and not as another of the kind: error and errors,
// Code and code, code and mode are names of their own.
func isSlip(name, near string) bool {
	return near != "" && !strings.EqualFold(name, near) && !isPlural(name, near) && !isPlural(near, name) && name[0] == near[0] &&
		(utf8.RuneCountInString(name) > 3 || strings.HasPrefix(near, name))
}

func isPlural(many, one string) bool { return many == one+"s" && !strings.HasSuffix(one, "s") }
