package types

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/internal/lang/dates"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Values of the type datetime are texts, in the digits in which they came. They are compared as
// the points in time that they name: 18:35:16Z, 18:35:16.000Z and 20:35:16+02:00 are one.

// IsTime reports whether texts of type t are compared as points in time.
func (t *Type) IsTime() bool {
	if t.Kind == Unknown {
		for _, one := range t.Either {
			if one.IsTime() {
				return true
			}
		}
	}
	return t.Kind == Text && (t.Format == "datetime" || t.Times)
}

// alwaysTime reports whether all texts of type t are datetimes, be it that they are written out.
func (t *Type) alwaysTime() bool {
	if t.Format == "datetime" {
		return true
	}
	notTime := func(v value.Value) bool {
		text, _ := v.(string)
		_, err := dates.ReadISO(text)
		return err != nil || len(text) == len(time.DateOnly)
	}
	return t.Enum != nil && !slices.ContainsFunc(t.Enum, notTime)
}

// holdsTimes reports whether values of type t are datetimes, or have some in them.
func (t *Type) holdsTimes() bool {
	switch t = OrAny(t); t.Kind {
	case List, Object:
		return t.searchTimes(make(map[*Type]bool))
	}
	return t.IsTime() || len(t.Either) > 0 && t.searchTimes(make(map[*Type]bool))
}

func (t *Type) searchTimes(seen map[*Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	if t.IsTime() || t.Elem.searchTimes(seen) || t.Extra.searchTimes(seen) {
		return true
	}
	for _, f := range t.Fields {
		if f.Type.searchTimes(seen) {
			return true
		}
	}
	for _, one := range t.Either {
		if one.searchTimes(seen) {
			return true
		}
	}
	return false
}

// Times says where values hold datetimes, by each of the types that they may have; nil for nowhere.
type Times []*timesIn

// timesIn says where values of one type hold datetimes; nil for nowhere.
type timesIn struct {
	self   bool // the value is one, if it is a text
	elem   *timesIn
	fields map[string]*timesIn
	extra  *timesIn // of members that are not among the fields
}

// TimesOf returns where values that have one of the types hold datetimes.
func TimesOf(types ...*Type) Times {
	var all Times
	for _, t := range types {
		if t.holdsTimes() {
			all = append(all, newTimesIn(OrAny(t), make(map[*Type]*timesIn)))
		}
	}
	return all
}

// Self reports whether a text is a datetime.
func (ts Times) Self() bool {
	return slices.ContainsFunc(ts, func(in *timesIn) bool { return in.self })
}

// Elems returns the times of the elements of lists.
func (ts Times) Elems() Times {
	var elems Times
	for _, in := range ts {
		if in.elem != nil {
			elems = append(elems, in.elem)
		}
	}
	return elems
}

// Of returns v with its datetimes in their canonical writing, so that value.Equal and value.Key
// hold for them. v is not changed.
func (ts Times) Of(v value.Value) value.Value {
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
	ts := &timesIn{self: t.IsTime()}
	done[t] = ts
	for _, one := range append([]*Type{t}, t.Either...) {
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
			ts.fields[f.Name] = newTimesIn(OrAny(f.Type), done)
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
			return dates.CanonicalTime(v)
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
func (t *Type) Canonical(v value.Value) value.Value { return TimesOf(t).Of(v) }

// SortKey returns a key that is ordered as orderTimes orders v.
func (ts Times) SortKey(v value.Value) value.Value {
	text, isText := v.(string)
	if ts == nil || !ts.Self() || !isText {
		return v
	}
	t, err := dates.ReadISO(text)
	if err != nil {
		return v
	}
	const shift = 2_000_000_000_000                                       // so that all have as many digits
	key := append([]byte{0xff}, strconv.FormatInt(t.Unix()+shift, 10)...) // no text begins with this byte
	if t.Second == 60 {
		key = strconv.AppendInt(key[:1], t.Unix()+shift-1, 10)
		key = append(key, ':') // behind all fractions
	}
	return string(append(key, strings.TrimRight(t.Fraction, "0")...))
}
