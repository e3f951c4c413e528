package expr

import (
	"fmt"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/diag"
)

// spot returns the place of a rune of the expression.
func (c *compiler) spot(rune int) spot { return spot{c.src, c.at + rune} }

// spotOf returns where faults of n are shown: at its operator, its last member or
// its first rune.
func (c *compiler) spotOf(n ast.Node) spot { return c.spot(place(n)) }

func place(n ast.Node) int {
	if cond, ok := n.(*ast.ConditionalNode); ok {
		return place(cond.Cond) // its own location is that of the token that follows
	}
	return n.Location().From
}

func (c *compiler) fault(at spot, code, message string) *diag.Diagnostic {
	c.failed = true
	d := at.fault(code, message)
	c.faults.Add(d)
	return d
}

func (c *compiler) mismatch(n ast.Node, format string, args ...any) *diag.Diagnostic {
	return c.fault(c.spotOf(n), "type-mismatch", fmt.Sprintf(format, args...))
}
