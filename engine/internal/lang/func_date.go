package lang

import (
	"fmt"
	"time"

	"github.com/seed627bd532/runner/engine/internal/value"
)

var (
	dateParam   = param{name: "date", takes: kinds(Text)}
	formatParam = param{name: "format", takes: kinds(Text), check: checkDateFormat}
)

// dateFunctions compute with ISO dates (yyyy-MM-dd) and ISO times, as texts.
var dateFunctions = []function{
	{
		name: "date", doc: "the ISO date of an ISO time, or of a text in a notation such as dd.MM.yyyy",
		params: []param{textParam, {name: "format", takes: kinds(Text), optional: true, check: checkDateFormat}},
		result: func(args []*Type) *Type {
			if len(args) == 1 {
				return &Type{Kind: Text, Format: "date"}
			}
			return typeOfNotation(args[1])
		},
		call: func(f *frame, args []value.Value) (value.Value, error) {
			if len(args) == 1 {
				args = append(args, "")
			}
			return readDate(f, args[0].(string), args[1].(string))
		},
	}, {
		name: "formatDate", doc: "an ISO date or time in a notation such as dd.MM.yyyy HH:mm:ss",
		params: []param{dateParam, formatParam}, result: always(TextType),
		call: func(f *frame, args []value.Value) (value.Value, error) {
			if err := f.spendText(len(args[0].(string)) + 16*len(args[1].(string))); err != nil {
				return nil, err
			}
			text, err := formatDate(args[0].(string), args[1].(string))
			if err != nil {
				return nil, fmt.Errorf("cannot write %s as %s: %w", shown(args[0]), shown(args[1]), err)
			}
			return text, nil
		},
	}, {
		name: "addDays", doc: "the ISO date or time that many days later, earlier when negative",
		params: []param{dateParam, {name: "days", takes: kinds(Integer)}},
		result: func(args []*Type) *Type {
			if t := orAny(args[0]); t.Kind == Text {
				return &Type{Kind: Text, Format: t.Format, times: t.times}
			}
			return TextType
		},
		call: func(f *frame, args []value.Value) (value.Value, error) {
			return addDays(args[0].(string), args[1])
		},
	}, {
		name: "fromUnix", doc: "the ISO time that many seconds after the beginning of 1970",
		params: []param{{name: "seconds", takes: number}},
		result: always(&Type{Kind: Text, Format: "datetime"}),
		call: func(_ *frame, args []value.Value) (value.Value, error) {
			return fromUnix(args[0])
		},
	}, {
		name: "toUnix", doc: "the exact seconds from the beginning of 1970 to an ISO date or time, with their fraction",
		params: []param{dateParam}, result: always(DecimalType),
		call: func(f *frame, args []value.Value) (value.Value, error) {
			text := args[0].(string)
			if err := f.spendText(len(text)); err != nil {
				return nil, err
			}
			t, err := readISO(text)
			if err != nil {
				return nil, fmt.Errorf("cannot read %s as a date: %w", shown(text), err)
			}
			return t.seconds()
		},
	},
}

// typeOfNotation is the type of what date reads in a notation of type t: one that is written out tells dates from times.
func typeOfNotation(t *Type) *Type {
	if len(t.Enum) == 1 {
		if f, err := parseDateFormat(t.Enum[0].(string)); err == nil && f.hasTime() {
			return &Type{Kind: Text, Format: "datetime"}
		}
		return &Type{Kind: Text, Format: "date"}
	}
	return &Type{Kind: Text, times: true}
}

func fromUnix(seconds value.Value) (value.Value, error) {
	exact, ok := exactly(seconds)
	if !ok {
		return nil, errNoSuchYear
	}
	return isoSinceEpoch(exact)
}

func checkDateFormat(v value.Value) error {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	f, err := parseDateFormat(text)
	if err == nil && f.has('m') && !f.has('H') {
		return fmt.Errorf("%q has minutes (mm) and no hour: MM is the month", text)
	}
	return err
}

// readDate gives a date for notations without a time of day, else a time; without a notation, a date.
func readDate(f *frame, text, format string) (value.Value, error) {
	if err := f.spendText(len(text) + 16*len(format)); err != nil {
		return nil, err
	}
	if format == "" {
		if _, err := readISO(text); err != nil {
			return nil, fmt.Errorf("cannot read %s as a date: %w", shown(text), err)
		}
		return text[:len(time.DateOnly)], nil
	}
	iso, err := parseDate(text, format)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s as a date in the form %s: %w", shown(text), shown(format), err)
	}
	return iso, nil
}

func addDays(text string, by value.Value) (value.Value, error) {
	const farthest = 10_000 * 366
	days, ok := by.(int64)
	if !ok || days < -farthest || days > farthest {
		return nil, errNoSuchYear
	}
	from, err := readISO(text)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s as a date: %w", shown(text), err)
	}
	t := time.Date(from.year, time.Month(from.month), from.day+int(days), 0, 0, 0, 0, time.UTC)
	if t.Year() < 0 || t.Year() > 9999 {
		return nil, errNoSuchYear
	}
	// The time of day and its zone stay as they were written.
	return t.Format(time.DateOnly) + text[len(time.DateOnly):], nil
}
