package schema

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/schemas"
)

// CheckShape holds a file against the grammar of its kind ("vendor",
// "pipeline", "connections", "sandbox"): unknown keys with a suggestion,
// missing keys at the mapping that lacks them, wrong types, wrong words. All
// faults at once, each at its place. The codes are unknown-key, missing-key,
// wrong-type, wrong-value, wrong-name and conflicting-keys. It panics when
// there is no such kind, and is safe for concurrent use.
func CheckShape(kind string, n *source.Node) diag.List {
	grammar, ok := grammars()[kind]
	if !ok {
		panic("schema: no grammar for " + kind)
	}
	var faults diag.List
	if r, _ := grammar.explain(n.Literal()); r != nil {
		for _, f := range r.findings {
			if !r.misspelt(f) {
				faults.Add(f.diagnostic(n))
			}
		}
	}
	if kind == "pipeline" {
		checkCollect(n, &faults)
	}
	faults.Sort()
	return faults
}

// misspelt reports whether the key that f misses is there under a misspelt
// name, which another finding tells already.
func (r *report) misspelt(f finding) bool {
	var missing []string
	switch c := f.check.(type) {
	case *required, *dependent:
		missing = []string{f.name}
	case *oneKey:
		if f.name != "" {
			return false
		}
		missing = c.names
	default:
		return false
	}
	return slices.ContainsFunc(r.findings, func(other finding) bool {
		c, unknown := other.check.(*members)
		return unknown && other.place.parent.pointer() == f.place.pointer() &&
			slices.Contains(missing, diag.Nearest(other.name, c.names))
	})
}

// checkCollect finds on_error: collect on steps that have nothing to collect,
// a rule that the grammar could only state in a way that nobody understands.
func checkCollect(n *source.Node, faults *diag.List) {
	if n.Kind != source.Mapping || n.Get("steps") == nil {
		return
	}
	for _, step := range n.Get("steps").Items {
		policy := step.Get("on_error")
		if policy == nil || policy.Text != "collect" || step.Get("foreach") != nil {
			continue
		}
		d := policy.Errorf("wrong-value", "a step without foreach has no rows to collect")
		d.Hint = "write continue to go on after a fault"
		faults.Add(d)
	}
}

// diagnostic puts a finding in the file whose root is n into words, at its place.
func (f finding) diagnostic(n *source.Node) *diag.Diagnostic {
	message, hint := f.check.say(f, voice{file: true})
	at, _ := n.Find(f.place.pointer())
	code := "wrong-value"
	switch f.check.(type) {
	case *typeCheck:
		code = "wrong-type"
	case *members:
		code, at = "unknown-key", f.key(n)
	case *names:
		code, at = "wrong-name", f.key(n)
	case *required, *dependent:
		code = "missing-key"
	case *oneKey:
		code = "missing-key"
		if f.name != "" {
			code, at = "conflicting-keys", at.Key(f.name)
		}
	}
	d := at.Errorf(code, "%s", message)
	d.Hint = hint
	return d
}

// key returns the node of the key that f is about.
func (f finding) key(n *source.Node) *source.Node {
	mapping, _ := n.Find(f.place.parent.pointer())
	return mapping.Key(f.name)
}

// grammars are the compiled files of schemas/, by kind. They are a part of the
// program, so that a fault in them is ours.
var grammars = sync.OnceValue(func() map[string]*Schema {
	files := schemas.Files()
	names, err := fs.Glob(files, "*.schema.json")
	if err != nil {
		panic(fmt.Sprintf("schema: %v", err))
	}
	var lib Library
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			panic(fmt.Sprintf("schema: %v", err))
		}
		doc, err := value.Decode(text)
		if err != nil {
			panic(fmt.Sprintf("schema: %s: %v", name, err))
		}
		lib.Add(name, doc.(*value.Object))
	}
	out := make(map[string]*Schema)
	for _, name := range slices.Sorted(slices.Values(names)) {
		s, err := lib.Compile(lib.docs[name], name)
		if err != nil {
			panic(fmt.Sprintf("schema: %s: %v", name, err))
		}
		if s.foreign != nil {
			panic("schema: " + name + " uses a keyword that has no words of its own")
		}
		out[strings.TrimSuffix(name, ".schema.json")] = s
	}
	return out
})
