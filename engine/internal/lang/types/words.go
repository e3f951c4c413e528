package types

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Related points d at the place where t was declared, when that is known.
func Related(d *diag.Diagnostic, t *Type) {
	if t != nil && t.Declared.File != nil {
		p := t.Declared
		if p.Note == "" {
			p.Note = "declared here"
		}
		d.Related = append(d.Related, p)
	}
}

// Suggest sets the hint of d to the nearest of the names, or to all of them
// when none is near and they are few.
func Suggest(d *diag.Diagnostic, name string, among []string) {
	const few = 8
	if near := diag.Nearest(name, among); near != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", near)
	} else if len(among) > 0 && len(among) <= few {
		d.Hint = "known here: " + strings.Join(among, ", ")
	}
}

// KindOf returns the Kind of a value.
func KindOf(v value.Value) Kind {
	switch v.(type) {
	case nil:
		return Null
	case bool:
		return Boolean
	case int64:
		return Integer
	case value.Decimal:
		return Decimal
	case string:
		return Text
	case value.List, *value.Rows:
		return List
	case *value.Object:
		return Object
	}
	return Unknown
}

// Shown is a value inside a message: short, texts quoted, structures by kind.
func Shown(v value.Value) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(Excerpt(v))
	case nil, value.List, *value.Rows, *value.Object:
		return KindOf(v).String()
	}
	text, err := value.Text(v)
	if err != nil {
		return "omit"
	}
	return Excerpt(text)
}

// Excerpt shortens a text for a message.
func Excerpt(text string) string {
	const longest = 60
	if utf8.RuneCountInString(text) <= longest {
		return text
	}
	return text[:ByteAt(text, longest)] + "…"
}

func ListValues(values []value.Value) string {
	names := make([]string, len(values))
	for i, v := range values {
		if text, ok := v.(string); ok {
			names[i] = text
		} else {
			names[i] = Shown(v)
		}
	}
	return strings.Join(names, ", ")
}

// WarnOtherWord warns of a text, which stands at n, that is the word of another language for null, true or false.
func WarnOtherWord(n *source.Node, text string, faults *diag.List) {
	word := map[string]string{"nil": "null", "Nil": "null", "NaN": "null", "N/A": "null", "n/a": "null", "#N/A": "null"}[text]
	if word == "" {
		word = OtherLanguages[text]
	}
	if word != "" {
		faults.Add(n.Warnf("other-word", "%s is a text here, not %s", text, word).WithHint("write " + word + " where that is meant; an input that may be left out has optional: true"))
	}
}

// OtherLanguages are the words of other languages for ours.
var OtherLanguages = map[string]string{
	"True": "true", "False": "false", "TRUE": "true", "FALSE": "false",
	"None": "null", "Null": "null", "NULL": "null", "undefined": "null",
}

const Absent = " may be absent"

// ByteAt returns the byte offset of a rune.
func ByteAt(text string, rune int) int {
	for i := range text {
		if rune == 0 {
			return i
		}
		rune--
	}
	return len(text)
}
func CountErrors(l diag.List) (n int) {
	for _, d := range l {
		if d.Severity == diag.Error {
			n++
		}
	}
	return n
}
