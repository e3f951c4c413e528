package expr

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// matches compiles both forms of matches. A constant pattern is compiled once.
func (c *compiler) matches(n, text, pattern ast.Node) term {
	l := c.term(text)
	r := c.term(pattern)
	fits := c.want(l, kinds(types.Text), false, "matches")
	fits = c.want(r, kinds(types.Text), false, "matches") && fits
	var fixed *regexp.Regexp
	fixedSize := 0
	if p, ok := r.val.(string); ok && fits {
		var err error
		fixedSize = patternSize(p)
		if fixed, err = regexp.Compile(p); err != nil {
			c.fault(c.spotOf(pattern), "bad-pattern", badPattern(err))
		}
		c.neverMatched(text, pattern)
	}
	return c.operate(n, types.BooleanType, l, r, func(f *frame, a, b value.Value) (value.Value, error) {
		x, ok := a.(string)
		p, ok2 := b.(string)
		if !ok || !ok2 {
			return nil, fmt.Errorf("matches needs texts, found %s and %s", types.KindOf(a), types.KindOf(b))
		}
		re, size := fixed, fixedSize
		if re == nil {
			// The size is known before the pattern is expanded to it.
			err := f.spend(100 + 20*len(p))
			if err != nil {
				return nil, err
			}
			size = patternSize(p)
			if err = f.spend(20 * size); err != nil {
				return nil, err
			}
			if re, err = regexp.Compile(p); err != nil {
				return nil, fmt.Errorf("%s", badPattern(err))
			}
		}
		if err := f.spend(searchCost(size, len(x))); err != nil {
			return nil, err
		}
		return re.MatchString(x), nil
	})
}

// searchCost bounds a search: its time grows with the text and, at worst, with
// the pattern. Short ones, as they are looked for in the rows of a file, are far from the worst.
func searchCost(size, text int) int {
	if size <= 64 && text <= 256 {
		return 2 + size*text/60
	}
	return 2 + size*text/10
}

// patternSize tells how large a pattern gets once its repetitions are written
// out; 0 for what is no pattern.
func patternSize(pattern string) int {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0
	}
	return treeSize(re)
}

func treeSize(re *syntax.Regexp) int {
	size := max(1, len(re.Rune)) // of a class, two for each range
	for _, part := range re.Sub {
		size += treeSize(part)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Max, re.Min+1)
	}
	return size
}

func badPattern(err error) string {
	return "not a regular expression: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
}
