package dates

import (
	"cmp"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// An isoTime is an ISO date, or an ISO date and time, as it is written.
type isoTime struct {
	Year, Month, Day, hour, minute, Second int

	Fraction string // the digits behind the point
	zone     int    // seconds east of Greenwich
}

// ReadISO reads an ISO date (yyyy-MM-dd), which begins at midnight UTC, or an ISO date and time
// with an optional fraction of a second and an optional zone (Z, +02:00, +0200); without a zone
// it counts as UTC, for many vendors leave it out. t and z may be small, as in RFC 3339, and
// the second before midnight UTC may be followed by a leap second, 60.
func ReadISO(text string) (t isoTime, err error) {
	const front = len("yyyy-MM-ddTHH:mm:ss")
	ok := true
	number := func(at, width int) int {
		n, isNumber := digits(text[at:], width)
		ok = ok && isNumber
		return n
	}
	if len(text) != len("yyyy-MM-dd") && len(text) < front || text[4] != '-' || text[7] != '-' {
		return t, errDateShape
	}
	t.Year, t.Month, t.Day = number(0, 4), number(5, 2), number(8, 2)
	if len(text) >= front {
		if text[10]|0x20 != 't' || text[13] != ':' || text[16] != ':' {
			return t, errDateShape
		}
		t.hour, t.minute, t.Second = number(11, 2), number(14, 2), number(17, 2)
		var zone string
		t.Fraction, zone, ok = cutFraction(text[front:], ok)
		if ok {
			t.zone, ok = zoneOf(zone)
		}
	}
	switch {
	case !ok:
		return t, errDateShape
	case !t.exists():
		return t, errNoSuchDate
	}
	return t, nil
}

// cutFraction takes the fraction off what follows the seconds; ok stays false where it is.
func cutFraction(rest string, ok bool) (fraction, zone string, isOK bool) {
	after, found := strings.CutPrefix(rest, ".")
	if !found {
		return "", rest, ok
	}
	zone = strings.TrimLeft(after, "0123456789")
	fraction = after[:len(after)-len(zone)]
	return fraction, zone, ok && fraction != ""
}

// zoneOf reads a zone as the seconds that it is east of Greenwich.
func zoneOf(text string) (seconds int, ok bool) {
	if text == "" || text == "Z" || text == "z" {
		return 0, true
	}
	short := len(text) == len("+0200")
	if text[0] != '+' && text[0] != '-' || !short && (len(text) != len("+02:00") || text[3] != ':') {
		return 0, false
	}
	hours, isHours := digits(text[1:], 2)
	minutes, isMinutes := digits(text[len(text)-2:], 2)
	if !isHours || !isMinutes || hours > 23 || minutes > 59 {
		return 0, false
	}
	seconds = (60*hours + minutes) * 60
	if text[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

func (t isoTime) exists() bool {
	day := time.Date(t.Year, time.Month(t.Month), t.Day, 0, 0, 0, 0, time.UTC)
	// time.Date moves what does not exist to the next month.
	if int(day.Month()) != t.Month || day.Day() != t.Day || t.hour > 23 || t.minute > 59 {
		return false
	}
	if t.Second == 60 { // which only ends a day
		return t.Unix()%(24*60*60) == 0
	}
	return t.Second < 60
}

// Unix returns the whole seconds since the beginning of 1970. A leap second is the one after it.
func (t isoTime) Unix() int64 {
	return time.Date(t.Year, time.Month(t.Month), t.Day, t.hour, t.minute, t.Second, 0, time.UTC).Unix() - int64(t.zone)
}

// Seconds returns the exact time since the beginning of 1970.
func (t isoTime) Seconds() (value.Value, error) {
	fraction := strings.TrimRight(t.Fraction, "0")
	if fraction == "" {
		return t.Unix(), nil
	}
	part, err := value.ParseNumber("0." + fraction)
	if err != nil {
		return nil, err
	}
	return value.Add(t.Unix(), part)
}

// number returns what a notation calls by the letter unit.
func (t isoTime) number(unit byte) int {
	switch unit {
	case 'y':
		return t.Year
	case 'M':
		return t.Month
	case 'd':
		return t.Day
	case 'H':
		return t.hour
	case 'm':
		return t.minute
	}
	return t.Second
}

// compare orders points in time. A leap second comes after the second 59, and before the next day.
func (t isoTime) compare(o isoTime) int {
	return cmp.Or(
		cmp.Compare(t.Unix(), o.Unix()),
		cmp.Compare(o.Second/60, t.Second/60),
		strings.Compare(strings.TrimRight(t.Fraction, "0"), strings.TrimRight(o.Fraction, "0")),
	)
}

// CompareTimes orders texts that may be datetimes. Those that are none, such as "", come before all that are.
func CompareTimes(a, b string) int {
	if a == b {
		return 0
	}
	x, errX := ReadISO(a)
	y, errY := ReadISO(b)
	switch {
	case errX == nil && errY == nil:
		return x.compare(y)
	case errX == nil:
		return 1
	case errY == nil:
		return -1
	}
	return strings.Compare(a, b)
}

// CanonicalTime writes a datetime in UTC, without zeros at the end of its fraction: the same text for
// the same point in time. Other texts stay as they are.
func CanonicalTime(text string) string {
	t, err := ReadISO(text)
	if err != nil {
		return text
	}
	leap := t.Second / 60
	at := time.Unix(t.Unix()-int64(leap), 0).UTC()
	b := make([]byte, 0, len("2006-01-02T15:04:05.999999999Z"))
	b = at.AppendFormat(b, "2006-01-02T15:04:05")
	if leap > 0 {
		copy(b[len(b)-2:], "60")
	}
	if fraction := strings.TrimRight(t.Fraction, "0"); fraction != "" {
		b = append(append(b, '.'), fraction...)
	}
	return string(append(b, 'Z'))
}
