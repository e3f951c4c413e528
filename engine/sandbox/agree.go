package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
)

// A sandbox that looks for something else than the vendor file sends proves nothing: its rules are never met.

// agrees warns of requests of the vendor file that no operation of the sandbox answers, of operations that none
// of them asks for, and of what rules look for in requests that never have it.
func (d *Definition) agrees(v *catalog.Vendor) (faults diag.List) {
	all := d.sentBy(v)
	comes := map[string][]sent{} // by operation of the sandbox
	for i := range all {
		s := &all[i]
		if s.segments == nil {
			continue
		}
		answered := false
		for _, op := range d.operations {
			if s.comesTo(op) {
				answered = true
				comes[op.name] = append(comes[op.name], *s)
			}
		}
		if !answered {
			faults.Add(d.neverAnswered(s))
		}
	}
	for _, op := range d.operations {
		if len(comes[op.name]) > 0 {
			continue
		}
		for _, s := range all { // an address that an answer gave may lead anywhere
			if s.segments == nil && s.comesTo(op) {
				comes[op.name] = append(comes[op.name], s)
			}
		}
		if len(comes[op.name]) == 0 {
			faults.Add(d.neverAsked(op, all))
		}
	}
	return append(faults, d.neverSent(v, all, comes)...)
}

// basePath is the path of the address that the sandbox gives itself.
func (d *Definition) basePath() string {
	if d.connection == nil {
		return ""
	}
	for _, m := range d.connection.Members() {
		if parts := m.Value.Parts(); m.Name == "base_url" && len(parts) == 2 {
			return parts[1].Text
		}
	}
	return ""
}

func (s *sent) String() string {
	return s.method + " " + strings.ReplaceAll(strings.Join(s.segments, "/"), hole, "…")
}

func (d *Definition) neverAnswered(s *sent) *diag.Diagnostic {
	at := d.root.Key("operations")
	f := at.Warnf("never-answered", "no operation here answers %s (%s)", s.name, s)
	var like []string
	for _, op := range d.operations {
		like = append(like, op.method+" "+op.path.text)
	}
	f.Related = []diag.Place{{File: s.place.File, Pos: s.place.Pos, Note: "the vendor file sends it"}}
	return f.WithHint(catalog.DidYouMean(s.String(), like))
}

func (d *Definition) neverAsked(op *operation, all []sent) *diag.Diagnostic {
	n := d.root.Get("operations").Get(op.name)
	what := op.method + " " + op.path.text
	always := *op
	always.when = nil
	var like []string
	for _, s := range all {
		if s.comesTo(&always) {
			return n.Get("when").Warnf("never-asked", "the vendor file sends %s, and never so that this holds", what).
				WithHint("write the values that it sends")
		}
		if s.segments != nil && !slices.Contains(like, s.String()) {
			like = append(like, s.String())
		}
	}
	return n.Get("path").Warnf("never-asked", "the vendor file never sends %s", what).WithHint(catalog.DidYouMean(what, like))
}

// inConfig returns the path of an address in the config that the sandbox gives itself; ok is false where
// the config has no such address.
func (d *Definition) inConfig(name string) (path string, ok bool) {
	if d.connection == nil {
		return "", false
	}
	for _, c := range d.connection.Members() {
		for _, m := range c.Value.Members() {
			if parts := m.Value.Parts(); c.Name == "config" && "config."+m.Name == name && len(parts) == 2 && parts[0].Marker {
				return parts[1].Text, true
			}
		}
	}
	return "", false
}

// neverSent compiles the rules once more, with what is known of the requests that come to them, and warns of
// what is a mistake only now.
func (d *Definition) neverSent(v *catalog.Vendor, all []sent, comes map[string][]sent) (faults diag.List) {
	var found diag.List
	decode(d.root, &found, func(operation string) seen {
		if operation == "" {
			return joinSeen(all)
		}
		return joinSeen(comes[operation])
	})
	for _, f := range found {
		if f.Code != "unknown-member" && f.Code != "not-in-enum" {
			continue // requests that come here may be of any shape: a sandbox takes wrong ones
		}
		message := f.Message + fmt.Sprintf(": the vendor file of %s sends no such thing here", v.Name)
		faults.Add(&diag.Diagnostic{Severity: diag.Warning, File: f.File, Pos: f.Pos, Code: "never-sent", Message: message, Hint: f.Hint, Related: f.Related})
	}
	return faults
}
