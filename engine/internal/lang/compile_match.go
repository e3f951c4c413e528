package lang

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// matches compiles both forms of matches. A constant pattern is compiled once.
func (c *compiler) matches(n, text, pattern ast.Node) term {
	l := c.term(text)
	r := c.term(pattern)
	fits := c.want(l, kinds(Text), false, "matches")
	fits = c.want(r, kinds(Text), false, "matches") && fits
	var fixed *regexp.Regexp
	if p, ok := r.val.(string); ok && fits {
		var err error
		if fixed, err = regexp.Compile(p); err != nil {
			c.fault(c.spotOf(pattern), "bad-pattern", badPattern(err))
		}
	}
	return c.operate(n, BooleanType, l, r, func(f *frame, a, b value.Value) (value.Value, error) {
		x, ok := a.(string)
		p, ok2 := b.(string)
		if !ok || !ok2 {
			return nil, fmt.Errorf("matches needs texts, found %s and %s", kindOf(a), kindOf(b))
		}
		if err := f.spend(1 + patternCost(len(p), len(x))); err != nil {
			return nil, err
		}
		re := fixed
		if re == nil {
			var err error
			if err = f.spend(100 + 20*len(p)); err != nil {
				return nil, err
			}
			if re, err = regexp.Compile(p); err != nil {
				return nil, fmt.Errorf("%s", badPattern(err))
			}
		}
		return re.MatchString(x), nil
	})
}

// patternCost bounds a search: its time grows with the text and, at worst, with the pattern.
func patternCost(pattern, text int) int { return (1 + pattern/16) * (1 + text/2) }

func badPattern(err error) string {
	return "not a regular expression: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
}
