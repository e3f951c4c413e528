package paths

import (
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/internal/lang/dates"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A conversion reads what vendors send as a value of the declared type. Texts
// that stand for numbers, booleans and dates may have blanks around them. The zero conversion leaves values as they are.
type conversion struct {
	kind types.Kind
	// format is "date" or "datetime" for the types of that name.
	format string
	// notation is how the vendor writes it; nil is ISO.
	notation interface {
		Parse(text string) (iso string, err error)
	}
}

// conversions are the types that an output may declare.
var conversions = map[string]conversion{
	"text":     {kind: types.Text},
	"string":   {kind: types.Text},
	"integer":  {kind: types.Integer},
	"decimal":  {kind: types.Decimal},
	"number":   {kind: types.Decimal},
	"boolean":  {kind: types.Boolean},
	"date":     {kind: types.Text, format: "date"},
	"datetime": {kind: types.Text, format: "datetime"},
	"list":     {kind: types.List},
	"array":    {kind: types.List},
	"object":   {kind: types.Object},
}

// String names the type for messages.
func (c conversion) String() string {
	if c.format != "" {
		return c.format
	}
	return c.kind.String()
}

// takes reports whether data of the kind can be converted at all.
func (c conversion) takes(from types.Kind) bool {
	switch {
	case from == types.Unknown || from == types.Null || c.kind == types.Unknown:
		return true
	case c.kind == types.List || c.kind == types.Object:
		return from == c.kind
	case c.kind == types.Boolean:
		return from == types.Boolean || from == types.Text
	case c.kind == types.Text && c.format == "":
		return from != types.List && from != types.Object
	}
	return from == types.Text || from == types.Integer || from == types.Decimal
}

// convert returns the value, which is not null, as the type; ok is false when it does not fit.
func (c conversion) convert(v value.Value) (out value.Value, ok bool) {
	switch {
	case c.kind == types.Unknown:
		return v, true
	case c.format != "":
		return c.toDate(v)
	case c.kind == types.Boolean:
		return toBoolean(v)
	case c.kind == types.Integer:
		n, ok := toNumber(v)
		if !ok {
			return nil, false
		}
		return value.IsInteger(n)
	case c.kind == types.Decimal:
		return toNumber(v)
	case c.kind == types.Text:
		text, err := value.Text(v)
		return text, err == nil
	case c.kind == types.List:
		_, ok := value.Length(v)
		return v, ok
	}
	o, ok := v.(*value.Object)
	return o, ok
}

func toBoolean(v value.Value) (value.Value, bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	return nil, false
}

// toNumber reads numbers and texts that hold one. Leading zeros, which a JSON
// number cannot have, are taken away; all other digits stay as they came.
func toNumber(v value.Value) (value.Value, bool) {
	text, isText := v.(string)
	if !isText {
		return v, value.IsNumber(v)
	}
	text = strings.TrimSpace(text)
	digits, negative := strings.CutPrefix(text, "-")
	for len(digits) > 1 && digits[0] == '0' && '0' <= digits[1] && digits[1] <= '9' {
		digits = digits[1:]
	}
	if negative {
		digits = "-" + digits
	}
	n, err := value.ParseNumber(digits)
	return n, err == nil
}

// toDate reads a date or a time, of which a date is the part before the time
// of day; a number stands for its digits, as in 20260131.
func (c conversion) toDate(v value.Value) (value.Value, bool) {
	if _, isText := v.(string); !isText && !value.IsNumber(v) {
		return nil, false
	}
	text, err := value.Text(v)
	if err != nil {
		return nil, false
	}
	text = strings.TrimSpace(text)
	if c.notation != nil {
		if text, err = c.notation.Parse(text); err != nil {
			return nil, false
		}
	}
	if _, err := dates.ReadISO(text); err != nil {
		return nil, false
	}
	if c.format == "date" {
		return text[:len(time.DateOnly)], true
	}
	return rfc3339(text), true
}

// rfc3339 returns an ISO date or time as a time with a zone, UTC where it has none; its digits
// stay as they are.
func rfc3339(text string) string {
	const front = len("yyyy-MM-ddTHH:mm:ss")
	if len(text) == len(time.DateOnly) {
		return text + "T00:00:00Z"
	}
	at := front + strings.IndexAny(text[front:]+"Z", "Zz+-")
	zone := "Z"
	if z := text[at:]; len(z) > 1 {
		zone = z[:3] + ":" + z[len(z)-2:]
	}
	return text[:len(time.DateOnly)] + "T" + text[len(time.DateOnly)+1:at] + zone
}
