package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
)

// Of a text that an expression only passes on, it matters in other languages (XML, JSON, SQL, the query of
// an address) through which function it went: a quote or an angle bracket in it would end what stands around it.

// A passed text is one whose characters nobody knows, with the functions that it went through.
type passed []string

// A passing finds the passed texts of an expression.
type passing struct {
	c      *compiler
	locals map[string][]passed // of the let variables
	elems  [][]passed          // of the lists that predicates run over, the innermost last
}

// Goes reports whether each text of unknown characters that the expression passes on went through one of the
// functions. Numbers, dates, and the values of an enumeration or of a narrow pattern have no such characters.
func (e *Expr) Goes(through ...string) bool {
	return !slices.ContainsFunc(e.passed, func(p passed) bool {
		return !slices.ContainsFunc(p, func(name string) bool { return slices.Contains(through, name) })
	})
}

// of returns the passed texts of n.
func (p *passing) of(n ast.Node) []passed {
	if t := p.c.done[n]; t.constant || t.typ != nil && isPlain(t.typ) {
		return nil
	}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if of, ok := p.locals[n.Value]; ok {
			return of
		}
		return []passed{nil}
	case *ast.PointerNode:
		return p.elems[len(p.elems)-1]
	case *ast.MemberNode:
		return p.of(n.Node)
	case *ast.ChainNode:
		return p.of(n.Node)
	case *ast.SliceNode:
		return p.of(n.Node)
	case *ast.BinaryNode:
		return p.all([]ast.Node{n.Left, n.Right})
	case *ast.ConditionalNode:
		return p.all([]ast.Node{n.Exp1, n.Exp2})
	case *ast.VariableDeclaratorNode:
		p.locals[n.Name] = p.of(n.Value)
		return p.of(n.Expr)
	case *ast.ArrayNode:
		return p.all(n.Nodes)
	case *ast.MapNode:
		return p.all(n.Pairs)
	case *ast.PairNode:
		return p.of(n.Value)
	case *ast.CallNode:
		name, _ := called(n)
		return through(name, p.all(n.Arguments))
	case *ast.BuiltinNode:
		return through(n.Name, p.builtin(n))
	}
	return nil
}

func (p *passing) all(nodes []ast.Node) (all []passed) {
	for _, n := range nodes {
		all = append(all, p.of(n)...)
	}
	return all
}

// builtin is of for a function with a predicate: map gives what the predicate does, the others elements of the list.
func (p *passing) builtin(n *ast.BuiltinNode) []passed {
	list := p.of(n.Arguments[0])
	body, ok := n.Arguments[len(n.Arguments)-1].(*ast.PredicateNode)
	if n.Name != "map" || !ok {
		return list
	}
	p.elems = append(p.elems, list)
	defer func() { p.elems = p.elems[:len(p.elems)-1] }()
	return p.of(body.Node)
}

// through adds a function to those that texts went through.
func through(name string, texts []passed) []passed {
	all := make([]passed, len(texts))
	for i, t := range texts {
		all[i] = append(slices.Clip(t), name)
	}
	return all
}

// isPlain reports whether texts of type t have no characters that mean something in other languages.
func isPlain(t *types.Type) bool {
	switch t.Kind {
	case types.Null, types.Boolean, types.Integer, types.Decimal:
		return true
	case types.Text:
		return t.Enum != nil || t.Format != "" || t.Narrow
	}
	return false
}
