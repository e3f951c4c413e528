package schema

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
)

// pattern is compilePattern, once for each text.
func (l *Library) pattern(s string) (*regexp.Regexp, error) {
	if re, ok := l.regexps.Load(s); ok {
		return re.(*regexp.Regexp), nil
	}
	re, err := compilePattern(s)
	if err == nil {
		l.regexps.Store(s, re)
	}
	return re, err
}

// compilePattern compiles a pattern of a schema. Patterns are RE2; one that
// uses what only backtracking engines have (look-around, back-references,
// over-long repeats) gives nil: it is not checked, rather than that a vendor's
// published schema could not be used. What is wrong in any dialect is an error.
func compilePattern(s string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(s)
	if err == nil {
		return re, nil
	}
	var fault *syntax.Error
	if errors.As(err, &fault) {
		switch fault.Code {
		case syntax.ErrInvalidPerlOp, syntax.ErrInvalidEscape, syntax.ErrInvalidRepeatSize,
			syntax.ErrInvalidCharRange, syntax.ErrInvalidRepeatOp, syntax.ErrLarge:
			return nil, nil
		}
		return nil, fmt.Errorf("%q is not a regular expression: %s in %q", s, fault.Code, fault.Expr)
	}
	return nil, err
}
