package schema

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// A voice is how faults are told: about data, in the words of JSON, or about
// our own files, in the words of people who write YAML.
type voice struct {
	file   bool
	secret bool // values must not be shown
}

// shown is the most runes of a text that a message repeats.
const shown = 60

// quote shows a text, shortened.
func (w voice) quote(s string) string {
	return `"` + textEscapes.Replace(shorten(s)) + `"`
}

func shorten(s string) string {
	if utf8.RuneCountInString(s) > shown {
		return string([]rune(s)[:shown]) + "…"
	}
	return s
}

var textEscapes = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, `"`, `\"`, "\x00", `\0`, "\x1b", `\e`)

// scalar shows a value as it is written, and lists and objects by their kind.
func (w voice) scalar(v value.Value) string {
	switch v := v.(type) {
	case string:
		return w.quote(v)
	case nil:
		return "null"
	case value.List, *value.Rows, *value.Object:
		return w.kind(v)
	}
	text, err := value.Text(v)
	if err != nil || len(text) > shown {
		return w.kind(v)
	}
	return text
}

// literal shows a value of a schema: lists and objects as JSON.
func (w voice) literal(v value.Value) string {
	switch v.(type) {
	case value.List, *value.Rows, *value.Object:
		return shorten(string(value.AppendJSON(nil, v)))
	}
	return w.scalar(v)
}

// kind names the kind of a value, with its article in files.
func (w voice) kind(v value.Value) string {
	switch v.(type) {
	case nil:
		if w.file {
			return "nothing"
		}
		return "null"
	case string:
		return "text"
	case bool:
		return "boolean"
	case value.List, *value.Rows:
		if w.file {
			return "a list"
		}
		return "list"
	case *value.Object:
		if w.file {
			return "a mapping"
		}
		return "object"
	}
	if _, whole := value.IsInteger(v); whole && !w.file {
		return "integer"
	}
	return "number"
}

// found describes a value that was not expected: text "x".
func (w voice) found(v value.Value) string {
	switch v.(type) {
	case nil, value.List, *value.Rows, *value.Object:
		return w.kind(v)
	}
	if w.secret {
		return w.kind(v)
	}
	if _, ok := v.(bool); ok && w.file {
		return w.scalar(v)
	}
	return w.kind(v) + " " + w.scalar(v)
}

// instead appends what was found to what was expected, unless that is secret.
func (w voice) instead(expected string, v value.Value) string {
	if w.secret {
		return expected
	}
	return expected + ", found " + w.scalar(v)
}

// list joins words: a, b or c.
func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	end := len(words) - 1
	return strings.Join(words[:end], ", ") + " " + last + " " + words[end]
}

// count says how many there are of something.
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
