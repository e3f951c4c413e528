// Package dates reads and writes dates and points in time as texts, every digit of them.
package dates

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A dateFormat is a notation such as dd.MM.yyyy, taken apart. The letters are
// yyyy MM dd HH mm ss; T and Z stand for themselves, other letters only
// between single quotes; every other character stands for itself.
type dateFormat []datePart

// A datePart is a run of digits (unit is one of y M d H m s) or, where unit is
// 0, a text that stands for itself.
type datePart struct {
	unit  byte
	width int
	text  string
}

// dateUnits are the runs of letters that stand for digits.
var dateUnits = [...]string{"yyyy", "MM", "dd", "HH", "mm", "ss"}

// ParseDate reads text in the notation format and returns it as an ISO date, or
// as an ISO date and time in UTC where the format has a time of day.
func ParseDate(text, format string) (iso string, err error) {
	f, err := ParseFormat(format)
	if err != nil {
		return "", err
	}
	return f.Parse(text)
}

// FormatDate writes an ISO date, or an ISO date and time, in the notation
// format. A time of day is written as it stands, not moved to another zone; a date alone
// has the time 00:00:00.
func FormatDate(iso, format string) (string, error) {
	f, err := ParseFormat(format)
	if err != nil {
		return "", err
	}
	t, err := ReadISO(iso)
	if err != nil {
		return "", err
	}
	return f.format(t), nil
}

// parseDateFormat takes a notation apart; the error names the letters that it
// cannot have.
func ParseFormat(format string) (dateFormat, error) {
	if format == "" {
		return nil, errors.New("the date format is empty")
	}
	var f dateFormat
	for rest := format; rest != ""; {
		part, n, err := nextDatePart(rest)
		if err != nil {
			return nil, fmt.Errorf("date format %q: %w", format, err)
		}
		f, rest = append(f, part), rest[n:]
	}
	return f, nil
}

func nextDatePart(rest string) (part datePart, n int, err error) {
	c := rest[0]
	switch {
	case c == '\'':
		end := strings.IndexByte(rest[1:], '\'')
		if end < 0 {
			return part, 0, errors.New("the quote is not closed")
		}
		return datePart{text: rest[1 : 1+end]}, end + 2, nil
	case c == 'T' || c == 'Z' || !isASCIILetter(c):
		return datePart{text: rest[:1]}, 1, nil
	}
	for _, unit := range dateUnits {
		if strings.HasPrefix(rest, unit) {
			return datePart{unit: c, width: len(unit)}, len(unit), nil
		}
	}
	for n < len(rest) && rest[n] == c {
		n++
	}
	return part, 0, fmt.Errorf("%q is not one of %s", rest[:n], strings.Join(dateUnits[:], ", "))
}

func isASCIILetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// Has reports whether the notation has digits for the unit.
func (f dateFormat) Has(unit byte) bool {
	for _, p := range f {
		if p.unit == unit {
			return true
		}
	}
	return false
}

// IsDate reports whether the notation says a whole date.
func (f dateFormat) IsDate() bool { return f.Has('y') && f.Has('M') && f.Has('d') }

// HasTime reports whether the notation says a time of day.
func (f dateFormat) HasTime() bool { return f.Has('H') }

// Parse reads text, every digit of it, and returns the ISO form.
func (f dateFormat) Parse(text string) (iso string, err error) {
	if !f.IsDate() {
		return "", fmt.Errorf("the date format needs yyyy, MM and dd to read a date")
	}
	var y, mo, d, h, mi, s int
	rest := text
	for _, p := range f {
		if p.unit == 0 {
			after, ok := strings.CutPrefix(rest, p.text)
			if !ok {
				return "", errDateShape
			}
			rest = after
			continue
		}
		n, ok := digits(rest, p.width)
		if !ok {
			return "", errDateShape
		}
		rest = rest[p.width:]
		switch p.unit {
		case 'y':
			y = n
		case 'M':
			mo = n
		case 'd':
			d = n
		case 'H':
			h = n
		case 'm':
			mi = n
		case 's':
			s = n
		}
	}
	if rest != "" {
		return "", errDateShape
	}
	t := time.Date(y, time.Month(mo), d, h, mi, s, 0, time.UTC)
	// time.Date moves what does not exist to the next day or month.
	if t.Year() != y || int(t.Month()) != mo || t.Day() != d || t.Hour() != h || t.Minute() != mi || t.Second() != s {
		return "", errNoSuchDate
	}
	if f.HasTime() {
		return t.Format("2006-01-02T15:04:05Z"), nil
	}
	return t.Format("2006-01-02"), nil
}

var (
	errDateShape  = errors.New("the text does not have the form of the date format")
	errNoSuchDate = errors.New("there is no such date")
)

// digits reads exactly n digits at the start of s.
func digits(s string, n int) (number int, ok bool) {
	if len(s) < n {
		return 0, false
	}
	for i := range n {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		number = 10*number + int(s[i]-'0')
	}
	return number, true
}

func (f dateFormat) format(t isoTime) string {
	var b strings.Builder
	for _, p := range f {
		if p.unit == 0 {
			b.WriteString(p.text)
			continue
		}
		fmt.Fprintf(&b, "%0*d", p.width, t.number(p.unit))
	}
	return b.String()
}
