package schema

import (
	"github.com/seed627bd532/runner/engine/internal/value"
)

// kinds is a set of the types that a value may have.
type kinds uint16

const (
	null kinds = 1 << iota
	boolean
	text
	integer
	number // integers included
	array
	object
	date     // our word: a text that holds a date
	datetime // our word: a text that holds a date and a time
	decimal  // our word for number
)

// typeNames are the words of "type", in the order in which messages name them.
var typeNames = []struct {
	word       string
	kind       kinds
	data, file string
}{
	{"string", text, "text", "text"},
	{"integer", integer, "integer", "a whole number"},
	{"number", number, "number", "a number"},
	{"decimal", decimal, "decimal", "a number"},
	{"boolean", boolean, "boolean", "true or false"},
	{"date", date, "date (yyyy-MM-dd)", "a date (yyyy-MM-dd)"},
	{"datetime", datetime, "date and time (as 2006-01-02T15:04:05Z)", "a date and time (as 2006-01-02T15:04:05Z)"},
	{"array", array, "list", "a list"},
	{"object", object, "object", "a mapping"},
	{"null", null, "null", "null"},
}

func typeWords() []string {
	words := make([]string, len(typeNames))
	for i, t := range typeNames {
		words[i] = t.word
	}
	return words
}

func kindOf(word string) kinds {
	for _, t := range typeNames {
		if t.word == word {
			return t.kind
		}
	}
	return 0
}

// typeCheck is the keyword "type".
type typeCheck struct{ want kinds }

func (c *typeCheck) ok(v value.Value) bool {
	switch s := v.(type) {
	case nil:
		return c.want&null != 0
	case bool:
		return c.want&boolean != 0
	case int64:
		return c.want&(integer|number|decimal) != 0
	case value.Decimal:
		if c.want&(number|decimal) != 0 {
			return true
		}
		if c.want&integer == 0 {
			return false
		}
		_, whole := value.IsInteger(v)
		return whole
	case string:
		switch {
		case c.want&text != 0:
			return true
		case c.want&date != 0 && isDate(s):
			return true
		}
		return c.want&datetime != 0 && isDateTime(v)
	case value.List, *value.Rows:
		return c.want&array != 0
	case *value.Object:
		return c.want&object != 0
	}
	return false
}

func (c *typeCheck) explain(v value.Value, p *place, r *report) { r.add(c, v, p) }

func (c *typeCheck) say(f finding, w voice) (message, hint string) {
	var words []string
	for _, t := range typeNames {
		switch {
		case c.want&t.kind == 0:
		case w.file:
			words = append(words, t.file)
		default:
			words = append(words, t.data)
		}
	}
	message = "expected " + list(words, "or") + ", found " + w.found(f.value)
	if w.file {
		hint = c.mend(f.value)
	}
	return message, hint
}

// mend guesses what the writer of a file wanted.
func (c *typeCheck) mend(v value.Value) string {
	switch v := v.(type) {
	case nil:
		return "write a value, or remove the key"
	case int64, value.Decimal, bool:
		if c.want == text {
			s, _ := value.Text(v)
			return `in quotes it is text: "` + s + `"`
		}
	case string:
		if n, err := value.ParseNumber(v); err == nil && c.ok(n) {
			return "without quotes it is a number: " + v
		}
		if _, isType := kindsOf[v]; isType && c.want == object {
			return "write {type: " + v + "}"
		}
		if (v == "true" || v == "false") && c.want&boolean != 0 {
			return "without quotes it is a boolean: " + v
		}
	}
	return ""
}
