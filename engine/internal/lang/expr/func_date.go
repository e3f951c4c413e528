package expr

import (
	"fmt"
	"time"

	"github.com/seed627bd532/runner/engine/internal/lang/dates"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

var (
	dateParam   = param{name: "date", takes: kinds(types.Text)}
	formatParam = param{name: "format", takes: kinds(types.Text), check: checkDateFormat}
)

// dateFunctions compute with ISO dates (yyyy-MM-dd) and ISO times, as texts.
var dateFunctions = []function{
	{
		name: "date", doc: "the ISO date of an ISO time, or of a text in a notation such as dd.MM.yyyy",
		params: []param{textParam, {name: "format", takes: kinds(types.Text), optional: true, check: checkDateFormat}},
		result: func(args []*types.Type) *types.Type {
			if len(args) == 1 {
				return &types.Type{Kind: types.Text, Format: "date"}
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
		params: []param{dateParam, formatParam}, result: always(types.TextType),
		call: func(f *frame, args []value.Value) (value.Value, error) {
			if err := f.spendText(len(args[0].(string)) + 16*len(args[1].(string))); err != nil {
				return nil, err
			}
			text, err := dates.FormatDate(args[0].(string), args[1].(string))
			if err != nil {
				return nil, fmt.Errorf("cannot write %s as %s: %w", types.Shown(args[0]), types.Shown(args[1]), err)
			}
			return text, nil
		},
	}, {
		name: "addDays", doc: "the ISO date or time that many days later, earlier when negative",
		params: []param{dateParam, {name: "days", takes: kinds(types.Integer)}},
		result: func(args []*types.Type) *types.Type {
			if t := types.OrAny(args[0]); t.Kind == types.Text {
				return &types.Type{Kind: types.Text, Format: t.Format, Times: t.Times}
			}
			return types.TextType
		},
		call: func(f *frame, args []value.Value) (value.Value, error) {
			return addDays(args[0].(string), args[1])
		},
	}, {
		name: "fromUnix", doc: "the ISO time that many seconds after the beginning of 1970",
		params: []param{{name: "seconds", takes: number}},
		result: always(&types.Type{Kind: types.Text, Format: "datetime"}),
		call: func(_ *frame, args []value.Value) (value.Value, error) {
			return fromUnix(args[0])
		},
	}, {
		name: "toUnix", doc: "the exact seconds from the beginning of 1970 to an ISO date or time, with their fraction",
		params: []param{dateParam}, result: always(types.DecimalType),
		call: func(f *frame, args []value.Value) (value.Value, error) {
			text := args[0].(string)
			if err := f.spendText(len(text)); err != nil {
				return nil, err
			}
			t, err := dates.ReadISO(text)
			if err != nil {
				return nil, fmt.Errorf("cannot read %s as a date: %w", types.Shown(text), err)
			}
			return t.Seconds()
		},
	},
}

// typeOfNotation is the type of what date reads in a notation of type t: one that is written out tells dates from times.
func typeOfNotation(t *types.Type) *types.Type {
	if len(t.Enum) == 1 {
		if f, err := dates.ParseFormat(t.Enum[0].(string)); err == nil && f.HasTime() {
			return &types.Type{Kind: types.Text, Format: "datetime"}
		}
		return &types.Type{Kind: types.Text, Format: "date"}
	}
	return &types.Type{Kind: types.Text, Times: true}
}

func fromUnix(seconds value.Value) (value.Value, error) {
	exact, ok := dates.Exactly(seconds)
	if !ok {
		return nil, dates.ErrNoSuchYear
	}
	return dates.IsoSinceEpoch(exact)
}

func checkDateFormat(v value.Value) error {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	f, err := dates.ParseFormat(text)
	if err == nil && f.Has('m') && !f.Has('H') {
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
		if _, err := dates.ReadISO(text); err != nil {
			return nil, fmt.Errorf("cannot read %s as a date: %w", types.Shown(text), err)
		}
		return text[:len(time.DateOnly)], nil
	}
	iso, err := dates.ParseDate(text, format)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s as a date in the form %s: %w", types.Shown(text), types.Shown(format), err)
	}
	return iso, nil
}

func addDays(text string, by value.Value) (value.Value, error) {
	const farthest = 10_000 * 366
	days, ok := by.(int64)
	if !ok || days < -farthest || days > farthest {
		return nil, dates.ErrNoSuchYear
	}
	from, err := dates.ReadISO(text)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s as a date: %w", types.Shown(text), err)
	}
	t := time.Date(from.Year, time.Month(from.Month), from.Day+int(days), 0, 0, 0, 0, time.UTC)
	if t.Year() < 0 || t.Year() > 9999 {
		return nil, dates.ErrNoSuchYear
	}
	// The time of day and its zone stay as they were written.
	return t.Format(time.DateOnly) + text[len(time.DateOnly):], nil
}
