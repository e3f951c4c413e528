package lang

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// Values of the type datetime are texts, in the digits in which they came. They are compared as
// the points in time that they name: 18:35:16Z, 18:35:16.000Z and 20:35:16+02:00 are one.

// An isoTime is an ISO date, or an ISO date and time, as it is written.
type isoTime struct {
	year, month, day, hour, minute, second int

	fraction string // the digits behind the point
	zone     int    // seconds east of Greenwich
}

// readISO reads an ISO date (yyyy-MM-dd), which begins at midnight UTC, or an ISO date and time
// with an optional fraction of a second and an optional zone (Z, +02:00, +0200); without a zone
// it counts as UTC, for many vendors leave it out. t and z may be small, as in RFC 3339, and
// the second before midnight UTC may be followed by a leap second, 60.
func readISO(text string) (t isoTime, err error) {
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
	t.year, t.month, t.day = number(0, 4), number(5, 2), number(8, 2)
	if len(text) >= front {
		if text[10]|0x20 != 't' || text[13] != ':' || text[16] != ':' {
			return t, errDateShape
		}
		t.hour, t.minute, t.second = number(11, 2), number(14, 2), number(17, 2)
		var zone string
		t.fraction, zone, ok = cutFraction(text[front:], ok)
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
	day := time.Date(t.year, time.Month(t.month), t.day, 0, 0, 0, 0, time.UTC)
	// time.Date moves what does not exist to the next month.
	if int(day.Month()) != t.month || day.Day() != t.day || t.hour > 23 || t.minute > 59 {
		return false
	}
	if t.second == 60 { // which only ends a day
		return t.unix()%(24*60*60) == 0
	}
	return t.second < 60
}

// unix returns the whole seconds since the beginning of 1970. A leap second is the one after it.
func (t isoTime) unix() int64 {
	return time.Date(t.year, time.Month(t.month), t.day, t.hour, t.minute, t.second, 0, time.UTC).Unix() - int64(t.zone)
}

// seconds returns the exact time since the beginning of 1970.
func (t isoTime) seconds() (value.Value, error) {
	fraction := strings.TrimRight(t.fraction, "0")
	if fraction == "" {
		return t.unix(), nil
	}
	part, err := value.ParseNumber("0." + fraction)
	if err != nil {
		return nil, err
	}
	return value.Add(t.unix(), part)
}

// number returns what a notation calls by the letter unit.
func (t isoTime) number(unit byte) int {
	switch unit {
	case 'y':
		return t.year
	case 'M':
		return t.month
	case 'd':
		return t.day
	case 'H':
		return t.hour
	case 'm':
		return t.minute
	}
	return t.second
}

// compare orders points in time. A leap second comes after the second 59, and before the next day.
func (t isoTime) compare(o isoTime) int {
	return cmp.Or(
		cmp.Compare(t.unix(), o.unix()),
		cmp.Compare(o.second/60, t.second/60),
		strings.Compare(strings.TrimRight(t.fraction, "0"), strings.TrimRight(o.fraction, "0")),
	)
}

// compareTimes orders texts that may be datetimes. Those that are none, such as "", come before all that are.
func compareTimes(a, b string) int {
	if a == b {
		return 0
	}
	x, errX := readISO(a)
	y, errY := readISO(b)
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

// canonicalTime writes a datetime in UTC, without zeros at the end of its fraction: the same text for
// the same point in time. Other texts stay as they are.
func canonicalTime(text string) string {
	t, err := readISO(text)
	if err != nil {
		return text
	}
	leap := t.second / 60
	at := time.Unix(t.unix()-int64(leap), 0).UTC()
	b := make([]byte, 0, len("2006-01-02T15:04:05.999999999Z"))
	b = at.AppendFormat(b, "2006-01-02T15:04:05")
	if leap > 0 {
		copy(b[len(b)-2:], "60")
	}
	if fraction := strings.TrimRight(t.fraction, "0"); fraction != "" {
		b = append(append(b, '.'), fraction...)
	}
	return string(append(b, 'Z'))
}

// isTime reports whether texts of type t are compared as points in time.
func (t *Type) isTime() bool {
	if t.Kind == Unknown {
		for _, one := range t.either {
			if one.isTime() {
				return true
			}
		}
	}
	return t.Kind == Text && (t.Format == "datetime" || t.times)
}

// alwaysTime reports whether all texts of type t are datetimes, be it that they are written out.
func (t *Type) alwaysTime() bool {
	if t.Format == "datetime" {
		return true
	}
	notTime := func(v value.Value) bool {
		text, _ := v.(string)
		_, err := readISO(text)
		return err != nil || len(text) == len(time.DateOnly)
	}
	return t.Enum != nil && !slices.ContainsFunc(t.Enum, notTime)
}

// holdsTimes reports whether values of type t are datetimes, or have some in them.
func (t *Type) holdsTimes() bool {
	switch t = orAny(t); t.Kind {
	case List, Object:
		return t.searchTimes(make(map[*Type]bool))
	}
	return t.isTime() || len(t.either) > 0 && t.searchTimes(make(map[*Type]bool))
}

func (t *Type) searchTimes(seen map[*Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	if t.isTime() || t.Elem.searchTimes(seen) || t.Extra.searchTimes(seen) {
		return true
	}
	for _, f := range t.Fields {
		if f.Type.searchTimes(seen) {
			return true
		}
	}
	for _, one := range t.either {
		if one.searchTimes(seen) {
			return true
		}
	}
	return false
}

// times says where values hold datetimes, by each of the types that they may have; nil for nowhere.
type times []*timesIn

// timesIn says where values of one type hold datetimes; nil for nowhere.
type timesIn struct {
	self   bool // the value is one, if it is a text
	elem   *timesIn
	fields map[string]*timesIn
	extra  *timesIn // of members that are not among the fields
}

// timesOf returns where values that have one of the types hold datetimes.
func timesOf(types ...*Type) times {
	var all times
	for _, t := range types {
		if t.holdsTimes() {
			all = append(all, newTimesIn(orAny(t), make(map[*Type]*timesIn)))
		}
	}
	return all
}

// self reports whether a text is a datetime.
func (ts times) self() bool {
	return slices.ContainsFunc(ts, func(in *timesIn) bool { return in.self })
}

// elems returns the times of the elements of lists.
func (ts times) elems() times {
	var elems times
	for _, in := range ts {
		if in.elem != nil {
			elems = append(elems, in.elem)
		}
	}
	return elems
}

// of returns v with its datetimes in their canonical writing, so that value.Equal and value.Key
// hold for them. v is not changed.
func (ts times) of(v value.Value) value.Value {
	for _, in := range ts {
		v = in.of(v)
	}
	return v
}

// newTimesIn looks into t; done has the types around it.
func newTimesIn(t *Type, done map[*Type]*timesIn) *timesIn {
	if !t.holdsTimes() {
		return nil
	}
	if ts, ok := done[t]; ok {
		return ts
	}
	ts := &timesIn{self: t.isTime()}
	done[t] = ts
	for _, one := range append([]*Type{t}, t.either...) {
		if one.Elem != nil {
			ts.elem = newTimesIn(one.Elem, done)
		}
		if one.Extra != nil {
			ts.extra = newTimesIn(one.Extra, done)
		}
		for _, f := range one.Fields {
			if ts.fields == nil {
				ts.fields = make(map[string]*timesIn)
			}
			ts.fields[f.Name] = newTimesIn(orAny(f.Type), done)
		}
	}
	return ts
}

func (ts *timesIn) of(v value.Value) value.Value {
	if ts == nil {
		return v
	}
	switch v := v.(type) {
	case string:
		if ts.self {
			return canonicalTime(v)
		}
	case value.List:
		if ts.elem != nil {
			all := make(value.List, len(v))
			for i, e := range v {
				all[i] = ts.elem.of(e)
			}
			return all
		}
	case *value.Rows:
		if ts.elem != nil {
			return v.Map(func(_ int, e value.Value) (value.Value, error) { return ts.elem.of(e), nil })
		}
	case *value.Object:
		if ts.fields == nil && ts.extra == nil {
			return v
		}
		all := value.NewObject(v.Len())
		for name, m := range v.All() {
			all.Set(name, ts.member(name).of(m))
		}
		return all
	}
	return v
}

func (ts *timesIn) member(name string) *timesIn {
	if m, ok := ts.fields[name]; ok {
		return m
	}
	return ts.extra
}

// Canonical returns v, of type t, with each datetime in it written in UTC and without zeros at the
// end of its fraction: the same text exactly where it is the same point in time. All else stays
// as it is, and v is not changed.
func (t *Type) Canonical(v value.Value) value.Value { return timesOf(t).of(v) }

// equal is value.Equal within the budget, of points in time where values are datetimes.
func (ts times) equal(f *frame, a, b value.Value) (bool, error) {
	if ts == nil {
		return equal(f, a, b)
	}
	x, isText := a.(string)
	if y, ok := b.(string); ok && isText && ts.self() {
		return compareTimes(x, y) == 0, f.spend(timeSteps)
	}
	for _, v := range []value.Value{a, b} {
		if err := f.spendDeep(v); err != nil {
			return false, err
		}
	}
	return equal(f, ts.of(a), ts.of(b))
}

// timeSteps is what reading datetimes costs above comparing texts.
const timeSteps = 2

// order is value.Compare, of points in time where values are datetimes.
func (ts times) order(f *frame, a, b value.Value) (int, error) {
	if ts != nil && ts.self() {
		x, isText := a.(string)
		if y, ok := b.(string); ok && isText {
			return compareTimes(x, y), f.spend(timeSteps)
		}
	}
	return value.Compare(a, b)
}

// sortKey returns a key that is ordered as order orders v.
func (ts times) sortKey(v value.Value) value.Value {
	text, isText := v.(string)
	if ts == nil || !ts.self() || !isText {
		return v
	}
	t, err := readISO(text)
	if err != nil {
		return v
	}
	const shift = 2_000_000_000_000                                       // so that all have as many digits
	key := append([]byte{0xff}, strconv.FormatInt(t.unix()+shift, 10)...) // no text begins with this byte
	if t.second == 60 {
		key = strconv.AppendInt(key[:1], t.unix()+shift-1, 10)
		key = append(key, ':') // behind all fractions
	}
	return string(append(key, strings.TrimRight(t.fraction, "0")...))
}
