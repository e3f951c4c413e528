package expr

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// What is always the same: conditions that come out one way whatever the values
// are say something other than what was meant.

func (c *compiler) same(n ast.Node, hint, format string, args ...any) {
	c.fault(c.spotOf(n), "always-same", fmt.Sprintf(format, args...)).Hint = hint
}

// sameSides reports an operator that has the same on both sides.
func (c *compiler) sameSides(n *ast.BinaryNode) {
	if c.pure(n.Left) && n.Left.String() == n.Right.String() {
		c.same(n, "one of the two is meant to be another", "%s has %s on both sides", n.Operator, types.Excerpt(n.Left.String()))
	}
}

// pure reports whether n reads something, and gives the same each time that it is asked.
func (c *compiler) pure(n ast.Node) bool {
	reads := false
	changes := ast.Find(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FloatNode:
			return true // it is not as exact as what is written
		case *ast.IdentifierNode:
			_, isFunc := functions[n.Value]
			reads = reads || !isFunc && n.Value != "null" && n.Value != "omit"
			return slices.ContainsFunc(c.scope.funcs, func(f Func) bool { return f.Name == n.Value })
		case *ast.PointerNode:
			reads = true
		}
		return false
	})
	return reads && changes == nil
}

// sameLength reports a comparison of a length with a number that no length can be, or all are.
func (c *compiler) sameLength(n *ast.BinaryNode) {
	name, _ := called(n.Left)
	k, ok := c.done[n.Right].val.(int64)
	if name != "len" && name != "count" || !ok {
		return
	}
	always := map[string]bool{">=": k <= 0, ">": k < 0, "!=": k < 0}
	never := map[string]bool{"<": k <= 0, "<=": k < 0, "==": k < 0}
	switch {
	case always[n.Operator]:
		c.same(n, "", "this is always true: %s is never below 0", name)
	case never[n.Operator]:
		c.same(n, "", "this is never true: %s is never below 0", name)
	}
}

// sameRange reports a comparison of what has bounds with a number beyond them.
func (c *compiler) sameRange(n *ast.BinaryNode, l, r term) {
	if k, ok := r.val.(int64); ok && r.constant && l.typ.Most > 0 && (k < l.typ.Least-1 || k > l.typ.Most+1) {
		c.same(n.Right, "", "this is always the same: %s is from %d to %d", l.name(), l.typ.Least, l.typ.Most)
	}
}

// called returns the function that n calls and its first argument; "" where it calls none.
func called(n ast.Node) (name string, first ast.Node) {
	switch n := n.(type) {
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok && len(n.Arguments) > 0 {
			return callee.Value, n.Arguments[0]
		}
	case *ast.BuiltinNode:
		if len(n.Arguments) > 0 {
			return n.Name, n.Arguments[0]
		}
	}
	return "", nil
}

// A writing is how the result of a function is always written.
type writing struct {
	name string
	of   func(string) string
}

// writings are those of n, the outermost first, and inner is what they are of. Of lower and
// upper the outermost counts.
func writings(n ast.Node) (all []writing, inner ast.Node) {
	cased := false
	for {
		name, first := called(n)
		switch {
		case name == "lower" && !cased:
			all, cased = append(all, writing{name, strings.ToLower}), true
		case name == "upper" && !cased:
			all, cased = append(all, writing{name, strings.ToUpper}), true
		case name == "trim":
			all = append(all, writing{name, strings.TrimSpace})
		case name != "lower" && name != "upper":
			return all, n
		}
		n = first
	}
}

// neverWritten reports a text, at k, that n cannot be equal to, or have in it: lower(x) has no capitals.
func (c *compiler) neverWritten(n, k ast.Node, op string) {
	text, ok := c.done[k].val.(string)
	if !ok {
		return
	}
	written, _ := writings(n)
	for _, w := range written {
		part := op == "contains" || op == "startsWith" || op == "endsWith"
		if fits := w.of(text); fits != text && !(w.name == "trim" && part) {
			c.same(k, fmt.Sprintf("write '%s'", strings.ReplaceAll(fits, "'", `\'`)), "%s is never in what %s gives", types.Shown(text), w.name)
			return
		}
	}
}

// neverMatched is neverWritten for a pattern: its letters are looked at, its classes are not.
func (c *compiler) neverMatched(n, pattern ast.Node) {
	text, ok := c.done[pattern].val.(string)
	if !ok {
		return
	}
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return
	}
	written, _ := writings(n)
	for _, w := range written {
		if w.name == "trim" {
			continue
		}
		if found := letters(re, w.of); found != "" {
			c.same(pattern, fmt.Sprintf("write %s, or (?i) at the beginning of the pattern", w.of(found)), "%q is never in what %s gives", found, w.name)
			return
		}
	}
}

// letters returns a literal of the pattern that of would write otherwise.
func letters(re *syntax.Regexp, of func(string) string) string {
	if re.Op == syntax.OpLiteral && re.Flags&syntax.FoldCase == 0 {
		if text := string(re.Rune); of(text) != text {
			return text
		}
	}
	for _, part := range re.Sub {
		if found := letters(part, of); found != "" {
			return found
		}
	}
	return ""
}

// mostTests bounds how many tests of one and-chain are held against each other.
const mostTests = 32

// sameTests reports two tests of one thing that exclude each other where both must hold,
// or one of which always holds where one is enough.
func (c *compiler) sameTests(n *ast.BinaryNode, isAnd bool) {
	left, right := c.tests(n.Left, isAnd), c.tests(n.Right, isAnd)
	if len(left)+len(right) > mostTests {
		return
	}
	for _, l := range left {
		for _, r := range right {
			if l.of != r.of {
				continue
			}
			if isAnd && l.excludes(r) {
				c.same(r.node, "", "this is never true beside the test of %s before it", types.Excerpt(l.of))
				return
			}
			if !isAnd && l.negated().excludes(r.negated()) {
				c.same(r.node, "write and where both are meant to hold", "this or the test of %s before it is always true", types.Excerpt(l.of))
				return
			}
		}
	}
}

// A test compares a thing with constants.
type test struct {
	node   ast.Node
	of     string
	op     string // == != < <= > >= in, and "not in"
	values []value.Value
}

// tests are the comparisons that n joins by and (or by or).
func (c *compiler) tests(n ast.Node, isAnd bool) []test {
	b, ok := n.(*ast.BinaryNode)
	if !ok {
		return nil
	}
	switch b.Operator {
	case "and", "&&", "or", "||":
		if isAnd != (b.Operator == "and" || b.Operator == "&&") {
			return nil
		}
		all := c.tests(b.Left, isAnd)
		if len(all) > mostTests {
			return all
		}
		return append(all, c.tests(b.Right, isAnd)...)
	case "==", "!=", "<", "<=", ">", ">=", "in":
	default:
		return nil
	}
	t := test{node: b, op: b.Operator}
	if list, ok := b.Right.(*ast.ArrayNode); ok && t.op == "in" {
		for _, e := range list.Nodes {
			if k := c.done[e]; !k.constant {
				return nil
			} else {
				t.values = append(t.values, k.val)
			}
		}
	} else if k := c.done[b.Right]; k.constant && k.val != nil && t.op != "in" {
		t.values = []value.Value{k.val}
	} else {
		return nil
	}
	if !c.pure(b.Left) {
		return nil
	}
	t.of = b.Left.String()
	if ts := types.TimesOf(c.done[b.Left].typ); ts != nil {
		for i, k := range t.values {
			t.values[i] = ts.SortKey(k)
		}
	}
	return []test{t}
}

var opposite = map[string]string{"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "not in", "not in": "in"}

func (t test) negated() test {
	t.op = opposite[t.op]
	return t
}

// holds reports whether v passes the test; what cannot be compared does, to the safe side.
func (t test) holds(v value.Value) bool {
	among := slices.ContainsFunc(t.values, func(k value.Value) bool { return value.Equal(v, k) })
	switch t.op {
	case "==", "in":
		return among
	case "!=", "not in":
		return !among
	}
	d, err := value.Compare(v, t.values[0])
	if err != nil {
		return true
	}
	return map[string]bool{"<": d < 0, "<=": d <= 0, ">": d > 0, ">=": d >= 0}[t.op]
}

// excludes reports whether nothing passes both tests.
func (t test) excludes(o test) bool {
	switch {
	case t.op == "==" || t.op == "in":
		return !slices.ContainsFunc(t.values, o.holds)
	case o.op == "==" || o.op == "in":
		return !slices.ContainsFunc(o.values, t.holds)
	case t.op[0] == '<' && o.op[0] == '>', t.op[0] == '>' && o.op[0] == '<':
		// Neither bound is within the other.
		return !t.holds(o.values[0]) && !o.holds(t.values[0])
	}
	return false
}

// divisor reports a division by nothing.
func (c *compiler) divisor(n *ast.BinaryNode, r term) {
	if n.Operator != "/" && n.Operator != "%" || !r.constant || !value.IsNumber(r.val) {
		return
	}
	if value.Equal(r.val, int64(0)) {
		c.fault(c.spotOf(n.Right), "bad-arguments", "nothing can be divided by 0")
	}
}

// warn is fault for what may be meant.
func (c *compiler) warn(at spot, code, message string) *diag.Diagnostic {
	d := at.fault(code, message)
	d.Severity = diag.Warning
	c.faults.Add(d)
	return d
}
