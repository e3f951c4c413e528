package template

import (
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A list is a YAML list with markers somewhere below it. Elements that are
// Omit are left out.
type list struct {
	items  []*Template
	chunks []chunk // without names
}

// newList returns the form of a YAML list: a literal where it has no marker.
func newList(items []*Template) form {
	l := &list{items: items}
	whole := value.List{}
	for _, item := range items {
		if v, ok := item.Literal(); ok {
			whole = append(whole, v)
		}
		l.addChunk(item)
	}
	if len(whole) == len(items) {
		return newLiteral(whole)
	}
	return l
}

func (l *list) addChunk(item *Template) {
	fixed, ok := item.form.(*literal)
	last := len(l.chunks) - 1
	switch {
	case !ok:
		l.chunks = append(l.chunks, chunk{value: item})
	case last >= 0 && l.chunks[last].value == nil:
		l.chunks[last].json = append(append(l.chunks[last].json, ','), fixed.json...)
	default:
		l.chunks = append(l.chunks, chunk{json: append([]byte(nil), fixed.json...)})
	}
}

func (l *list) eval(vars expr.Vars) (value.Value, error) {
	out := make(value.List, 0, len(l.items))
	for _, item := range l.items {
		v, err := item.form.eval(vars)
		if err != nil {
			return nil, err
		}
		if v != types.Omit {
			out = append(out, v)
		}
	}
	return out, nil
}

func (l *list) appendJSON(dst []byte, vars expr.Vars) ([]byte, bool, error) {
	w := listWriter{dst: append(dst, '[')}
	for _, c := range l.chunks {
		if err := w.add(c, vars); err != nil {
			return w.dst, false, err
		}
	}
	return append(w.dst, ']'), true, nil
}

// A listWriter puts commas between elements, of which some may be left out.
type listWriter struct {
	dst      []byte
	notFirst bool
}

func (w *listWriter) add(c chunk, vars expr.Vars) error {
	before := len(w.dst)
	if w.notFirst {
		w.dst = append(w.dst, ',')
	}
	w.dst = append(w.dst, c.json...)
	if c.value != nil {
		var ok bool
		var err error
		if w.dst, ok, err = c.value.form.appendJSON(w.dst, vars); err != nil {
			return err
		} else if !ok {
			w.dst = w.dst[:before]
			return nil
		}
	}
	w.notFirst = true
	return nil
}
