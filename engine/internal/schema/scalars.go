package schema

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// enum is the keywords "enum" and "const": the only possible values.
type enum struct{ values value.List }

func (c *enum) ok(v value.Value) bool {
	for _, e := range c.values {
		if same(e, v) {
			return true
		}
	}
	return false
}

// same is value.Equal, without a detour for scalars.
func same(a, b value.Value) bool {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return ok && a == b
	case int64:
		if b, ok := b.(int64); ok {
			return a == b
		}
	}
	return value.Equal(a, b)
}

func (c *enum) explain(v value.Value, p *place, r *report) { r.add(c, v, p) }

func (c *enum) say(f finding, w voice) (message, hint string) {
	words := make([]string, len(c.values))
	for i, v := range c.values {
		if s, ok := v.(string); ok && w.file {
			words[i] = s
		} else {
			words[i] = w.literal(v)
		}
	}
	if !w.file {
		return w.instead("expected "+list(words, "or"), f.value), ""
	}
	if s, ok := f.value.(string); ok {
		hint = didYouMean(s, words)
	}
	if len(words) == 1 {
		return "expected " + words[0] + ", found " + w.found(f.value), hint
	}
	return w.scalar(f.value) + " is not one of " + strings.Join(words, ", "), hint
}

func didYouMean(name string, candidates []string) string {
	if near := diag.Nearest(name, candidates); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// bound is one of minimum, maximum and their exclusive kin.
type bound struct {
	limit     value.Value
	above     bool // values must lie above the limit
	exclusive bool
}

func (c *bound) ok(v value.Value) bool {
	order := 0
	switch n := v.(type) {
	case int64:
		if limit, ok := c.limit.(int64); ok {
			switch {
			case n < limit:
				order = -1
			case n > limit:
				order = 1
			}
			break
		}
		order, _ = value.Compare(v, c.limit)
	case value.Decimal:
		order, _ = value.Compare(v, c.limit)
	default:
		return true
	}
	switch {
	case order == 0:
		return !c.exclusive
	case c.above:
		return order > 0
	}
	return order < 0
}

func (c *bound) explain(v value.Value, p *place, r *report) { r.add(c, v, p) }

func (c *bound) say(f finding, w voice) (message, hint string) {
	words := "at most "
	switch {
	case c.above && c.exclusive:
		words = "more than "
	case c.above:
		words = "at least "
	case c.exclusive:
		words = "less than "
	}
	return w.instead("expected "+words+w.scalar(c.limit), f.value), ""
}

// multipleOf is the keyword of that name.
type multipleOf struct{ of value.Value }

func (c *multipleOf) ok(v value.Value) bool {
	if !value.IsNumber(v) {
		return true
	}
	rest, err := value.Mod(v, c.of)
	return err == nil && value.Equal(rest, int64(0))
}

func (c *multipleOf) explain(v value.Value, p *place, r *report) { r.add(c, v, p) }

func (c *multipleOf) say(f finding, w voice) (message, hint string) {
	return w.instead("expected a multiple of "+w.scalar(c.of), f.value), ""
}

// length is minLength and maxLength, in characters.
type length struct {
	limit int
	min   bool
}

func (c *length) ok(v value.Value) bool {
	s, ok := v.(string)
	if !ok {
		return true
	}
	if c.min {
		return utf8.RuneCountInString(s) >= c.limit
	}
	return len(s) <= c.limit || utf8.RuneCountInString(s) <= c.limit
}

func (c *length) explain(v value.Value, p *place, r *report) { r.add(c, v, p) }

func (c *length) say(f finding, w voice) (message, hint string) {
	n := utf8.RuneCountInString(f.value.(string))
	switch {
	case c.min && n == 0:
		return "must not be empty", ""
	case w.secret && c.min:
		return "expected at least " + count(c.limit, "character"), ""
	case w.secret:
		return "expected at most " + count(c.limit, "character"), ""
	case c.min:
		return "expected at least " + count(c.limit, "character") + ", found " + strconv.Itoa(n), ""
	}
	return "expected at most " + count(c.limit, "character") + ", found " + strconv.Itoa(n), ""
}

// pattern is the keyword of that name.
type pattern struct {
	re   *regexp.Regexp
	text string
	// why explains the pattern to people (patternErrorMessage); may be empty.
	why string
}

func (c *pattern) ok(v value.Value) bool {
	s, ok := v.(string)
	return !ok || c.re.MatchString(s)
}

func (c *pattern) explain(v value.Value, p *place, r *report) { r.add(c, v, p) }

func (c *pattern) say(f finding, w voice) (message, hint string) {
	subject := "the text"
	if s, ok := f.value.(string); ok && !w.secret {
		subject = w.quote(s)
	}
	if c.why != "" {
		return subject + " does not fit: " + c.why, ""
	}
	return subject + " does not match the pattern " + c.text, ""
}

// format is the keyword of that name, for the formats that jsonschema knows.
type format struct{ name string }

// formatWords name the usual formats for people.
var formatWords = map[string]string{
	"date":      "a date (yyyy-MM-dd)",
	"date-time": "a date and time (as 2006-01-02T15:04:05Z)",
	"email":     "an e-mail address",
	"uri":       "an absolute URL",
	"uuid":      "a UUID",
}

func (c *format) ok(v value.Value) bool {
	s, ok := v.(string)
	switch {
	case !ok:
		return true
	case c.name == "date":
		return isDate(s)
	case c.name == "date-time":
		return isDateTime(v)
	}
	return jsonschema.Formats[c.name](v)
}

func (c *format) explain(v value.Value, p *place, r *report) { r.add(c, v, p) }

func (c *format) say(f finding, w voice) (message, hint string) {
	words := formatWords[c.name]
	if words == "" {
		words = "the format " + c.name
	}
	return w.instead("expected "+words, f.value), ""
}

func isDate(s string) bool {
	if len(s) != len(time.DateOnly) {
		return false
	}
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// isDateTime takes the text as a value, so that nothing is allocated.
func isDateTime(v value.Value) bool { return jsonschema.Formats["date-time"](v) }
