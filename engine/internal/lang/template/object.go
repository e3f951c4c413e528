package template

import (
	"slices"
	"strconv"

	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// An object is a mapping with markers somewhere below it.
type object struct {
	members []Member
	// chunks are the members, ready to be written.
	chunks []chunk
	// names are those that need no evaluation, where others do.
	names []string
}

// A chunk of an object is a run of members without markers, or one member
// with: its name and colon, or the template of its name, and its value.
type chunk struct {
	json  []byte
	name  *Template
	value *Template
}

// newObject returns the form of a mapping: a literal where it has no marker.
func newObject(members []Member) form {
	o := &object{members: members}
	if v, ok := literalObject(members); ok {
		return newLiteral(v)
	}
	dynamic := slices.ContainsFunc(members, func(m Member) bool { return m.Key != nil })
	for _, m := range members {
		if dynamic && m.Key == nil {
			o.names = append(o.names, m.Name)
		}
		o.addChunk(m)
	}
	return o
}

func literalObject(members []Member) (*value.Object, bool) {
	v := value.NewObject(len(members))
	for _, m := range members {
		part, ok := m.Value.Literal()
		if !ok || m.Key != nil {
			return nil, false
		}
		v.Set(m.Name, part)
	}
	return v, true
}

func (o *object) addChunk(m Member) {
	if m.Key != nil {
		o.chunks = append(o.chunks, chunk{name: m.Key, value: m.Value})
		return
	}
	name := append(value.AppendJSON(nil, m.Name), ':')
	l, ok := m.Value.form.(*literal)
	if !ok {
		o.chunks = append(o.chunks, chunk{json: name, value: m.Value})
		return
	}
	whole := append(name, l.json...)
	if last := len(o.chunks) - 1; last >= 0 && o.chunks[last].value == nil {
		o.chunks[last].json = append(append(o.chunks[last].json, ','), whole...)
		return
	}
	o.chunks = append(o.chunks, chunk{json: whole})
}

func (o *object) eval(vars expr.Vars) (value.Value, error) {
	out := value.NewObject(len(o.members))
	for _, m := range o.members {
		name := m.Name
		if m.Key != nil {
			var err error
			if name, err = o.name(m.Key, vars, out.Keys()); err != nil {
				return nil, err
			}
		}
		v, err := m.Value.form.eval(vars)
		if err != nil {
			return nil, err
		}
		if v != types.Omit {
			out.Add(name, v) // names differ: those of a file do, and name sees to the others
		}
	}
	if out.Len() == 0 {
		return types.Omit, nil
	}
	return out, nil
}

func (o *object) appendJSON(dst []byte, vars expr.Vars) ([]byte, bool, error) {
	var written []string
	dst = append(dst, '{')
	empty := true
	for _, c := range o.chunks {
		before := len(dst)
		if !empty {
			dst = append(dst, ',')
		}
		var name string
		if c.name != nil {
			var err error
			if name, err = o.name(c.name, vars, written); err != nil {
				return dst, false, err
			}
			dst = append(value.AppendJSON(dst, name), ':')
		}
		dst = append(dst, c.json...)
		if c.value != nil {
			var ok bool
			var err error
			if dst, ok, err = c.value.form.appendJSON(dst, vars); err != nil {
				return dst, false, err
			} else if !ok {
				dst = dst[:before]
				continue
			}
		}
		if c.name != nil {
			written = append(written, name)
		}
		empty = false
	}
	if empty {
		return dst, false, nil
	}
	return append(dst, '}'), true, nil
}

// name evaluates a member's name, which no other member may have: neither one
// whose name is fixed nor one of those already written.
func (o *object) name(key *Template, vars expr.Vars, written []string) (string, error) {
	v, err := key.form.eval(vars)
	if err != nil {
		return "", err
	}
	name, ok := v.(string)
	if !ok {
		return "", diagAt(key.place, "bad-name", "a member's name must be text, found "+types.Shown(v))
	}
	if slices.Contains(o.names, name) || slices.Contains(written, name) {
		return "", diagAt(key.place, "duplicate-key", "the object has two members called "+strconv.Quote(name))
	}
	return name, nil
}
