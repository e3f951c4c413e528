package expr

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/parser/lexer"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
)

// parse returns the tree of the expression, or nil after reporting why there is none.
//
// Only the parser's own functions with predicates reach us as BuiltinNodes; all
// others are switched off and come as calls. The keywords if and else are
// switched off too: there is one way to write a condition.
func (c *compiler) parse() (root ast.Node) {
	defer func() {
		if r := recover(); r != nil {
			c.fault(c.spot(0), "expr-syntax", fmt.Sprintf("cannot read the expression: %v", r))
			root = nil
		}
	}()
	config := &conf.Config{MaxNodes: 5_000, Disabled: parserFunctions, DisableIfOperator: true}
	tree, err := parser.ParseWithConfig(wordFunctions(c.text), config)
	if err != nil {
		c.syntaxFault(err)
		return nil
	}
	return tree.Node
}

var parserFunctions = func() map[string]bool {
	off := make(map[string]bool, len(builtin.Builtins))
	for _, f := range builtin.Builtins {
		off[f.Name] = true
	}
	return off
}()

// wordMark replaces the first letter of a word operator that is used as a
// function, which the parser does not know: contains(a, b) is read as $ontains(a, b).
const wordMark = "$"

// wordOperators are operators that are functions as well.
var wordOperators = map[string]string{
	"$ontains":   "contains",
	"$tartsWith": "startsWith",
	"$ndsWith":   "endsWith",
	"$atches":    "matches",
}

// wordFunctions marks the word operators that are called as functions: those that
// stand where an operand is expected. No rune changes its place.
func wordFunctions(text string) string {
	called := false
	for _, word := range wordOperators {
		called = called || strings.Contains(text, word)
	}
	if !called {
		return text
	}
	tokens, err := lexer.Lex(file.NewSource(text))
	if err != nil {
		return text // the parser will say what is wrong
	}
	marked := []byte(text)
	for i, t := range tokens {
		if _, ok := wordOperators[wordMark+t.Value[min(1, len(t.Value)):]]; !ok || t.Kind != lexer.Operator {
			continue
		}
		if i+1 < len(tokens) && tokens[i+1].Is(lexer.Bracket, "(") && wantsOperand(tokens[:i]) {
			marked[types.ByteAt(text, t.From)] = wordMark[0]
		}
	}
	return string(marked)
}

// wantsOperand reports whether an operand, not an operator, comes after these tokens.
func wantsOperand(before []lexer.Token) bool {
	if len(before) == 0 {
		return true
	}
	last := before[len(before)-1]
	switch {
	case last.Is(lexer.Bracket, "(", "[", "{"):
		return true
	case last.Is(lexer.Operator, "not"): // "not contains(…)", or "a not contains (…)"
		return wantsOperand(before[:len(before)-1])
	case last.Is(lexer.Operator, "."), last.Is(lexer.Operator, "?."), last.Is(lexer.Operator, "#"):
		return false
	}
	return last.Kind == lexer.Operator
}
