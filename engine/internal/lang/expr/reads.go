package expr

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// Reads collects what the expressions of a scope read, by asking the expressions: the name, and behind it the members
// whose names are constant. The zero value is empty. It serves one goroutine.
type Reads struct{ paths [][]string }

// Recording returns a scope, and with it all that are made of it, whose expressions add what they read to r.
func (s *Scope) Recording(r *Reads) *Scope {
	recording := *s
	recording.reads = r
	return &recording
}

// ReadsOf returns what the expression of a scalar reads; nothing where it is none.
func ReadsOf(n *source.Node) *Reads {
	r := &Reads{}
	if n != nil && n.Kind == source.Scalar {
		text, at := bare(n)
		c := &compiler{src: n, text: strings.TrimSpace(text), at: at, faults: &diag.List{}}
		if root := c.parse(); root != nil {
			r.record(root)
		}
	}
	return r
}

// Each calls found for each place where name is read, with the members that are read of it there.
func (r *Reads) Each(name string, found func(path []string)) {
	for _, path := range r.paths {
		if path[0] == name {
			found(path[1:])
		}
	}
}

// Reads reports whether a member of name is read, or name as a whole.
func (r *Reads) Reads(name, member string) bool {
	return slices.ContainsFunc(r.paths, func(path []string) bool { return path[0] == name && (len(path) == 1 || path[1] == member) })
}

// Len is how many places r has, for Since.
func (r *Reads) Len() int { return len(r.paths) }

// Since returns what was added to r when it had n places.
func (r *Reads) Since(n int) Reads { return Reads{r.paths[n:len(r.paths):len(r.paths)]} }

// Add adds what other has.
func (r *Reads) Add(other *Reads) { r.paths = append(r.paths, other.paths...) }

// record adds what an expression reads.
func (r *Reads) record(root ast.Node) {
	v := pathVisitor{}
	ast.Walk(&root, v)
	for _, path := range v {
		r.paths = append(r.paths, path)
	}
}

// A pathVisitor has the paths that begin at a name, by their last node.
type pathVisitor map[ast.Node][]string

// Visit comes to a node after those below it.
func (v pathVisitor) Visit(at *ast.Node) {
	switch n := (*at).(type) {
	case *ast.IdentifierNode:
		v[n] = []string{n.Value}
	case *ast.ChainNode:
		v.extend(n, n.Node)
	case *ast.MemberNode:
		if name, ok := n.Property.(*ast.StringNode); ok {
			v.extend(n, n.Node, name.Value)
		}
	}
}

func (v pathVisitor) extend(n, below ast.Node, member ...string) {
	if path, ok := v[below]; ok {
		delete(v, below)
		v[n] = append(slices.Clip(path), member...)
	}
}
