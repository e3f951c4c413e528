package schema

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/value"
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
// over-long repeats) gives nil: it is not checked, which Unchecked reports, rather than that a vendor's
// published schema could not be used. What is wrong in any dialect is an error.
func compilePattern(s string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(s)
	if err == nil {
		return re, nil
	}
	var fault *syntax.Error
	switch {
	case beyondRE2(err) != "":
		return nil, nil
	case errors.As(err, &fault):
		return nil, fmt.Errorf("%q is not a regular expression: %s in %q", s, fault.Code, fault.Expr)
	}
	return nil, err
}

// beyondRE2 says what a pattern has that other dialects know and RE2 does not; "" where it is wrong in all of them.
func beyondRE2(err error) string {
	var fault *syntax.Error
	if !errors.As(err, &fault) {
		return ""
	}
	part := fault.Expr
	switch fault.Code {
	case syntax.ErrInvalidPerlOp:
		for _, group := range []struct{ begin, name string }{
			{"(?=", "a look-ahead"}, {"(?!", "a negative look-ahead"}, {"(?<=", "a look-behind"}, {"(?<!", "a negative look-behind"}, {"(?>", "an atomic group"}} {
			if strings.HasPrefix(part, group.begin) {
				return group.begin + " is " + group.name
			}
		}
		return part + " is a group of another dialect"
	case syntax.ErrInvalidEscape:
		if len(part) == 2 && '1' <= part[1] && part[1] <= '9' {
			return part + " is a back-reference"
		}
		return part + " is an escape of another dialect"
	case syntax.ErrInvalidRepeatSize:
		return part + " repeats more than 1000 times"
	case syntax.ErrInvalidCharRange:
		return part + " is a range with another end than a character (write a - that is meant as \\-)"
	case syntax.ErrInvalidRepeatOp:
		return part + " is a possessive or double repetition"
	case syntax.ErrLarge:
		return "it is too large"
	}
	return ""
}

// Unchecked returns the patterns of a schema, and of those inside it, that cannot be compiled, so that nothing would
// check them. What is referred to is not looked at.
func Unchecked(s value.Value) []*CompileError {
	var found []*CompileError
	unchecked(s, "", &found)
	return found
}

// hasUnchecked reports whether the names of some members of an object cannot be told: nobody knows then which ones nothing speaks of.
func hasUnchecked(o *value.Object) bool {
	names, _ := o.At("patternProperties").(*value.Object)
	for name := range names.All() {
		if re, err := compilePattern(name); re == nil && err == nil {
			return true
		}
	}
	return false
}

func unchecked(s value.Value, at string, found *[]*CompileError) {
	o, _ := s.(*value.Object)
	for word, arg := range o.All() {
		here := at + "/" + escapePointer(word)
		switch word {
		case "pattern":
			text, _ := arg.(string)
			uncheckedPattern(text, here, found)
		case "items", "additionalProperties", "not", "propertyNames", "contains", "if", "then", "else", "unevaluatedItems", "unevaluatedProperties":
			unchecked(arg, here, found)
		case "properties", "patternProperties", "dependentSchemas", "$defs", "definitions":
			members, _ := arg.(*value.Object)
			for name, part := range members.All() {
				if word == "patternProperties" {
					uncheckedPattern(name, here+"/"+escapePointer(name), found)
				}
				unchecked(part, here+"/"+escapePointer(name), found)
			}
		}
		list, _ := arg.(value.List)
		for i, part := range list {
			if slices.Contains([]string{"allOf", "anyOf", "oneOf", "prefixItems", "items"}, word) {
				unchecked(part, here+"/"+strconv.Itoa(i), found)
			}
		}
	}
}

func uncheckedPattern(text, at string, found *[]*CompileError) {
	if _, err := regexp.Compile(text); err != nil {
		if why := beyondRE2(err); why != "" {
			*found = append(*found, &CompileError{Pointer: at, Message: fmt.Sprintf("the pattern %q cannot be checked: %s, which RE2 does not have", text, why)})
		}
	}
}
