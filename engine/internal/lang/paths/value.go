package paths

import (
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// IsWalk reports whether Find can follow the path: members and indexes, one
// after another, or @this.
func (p *Path) IsWalk() bool {
	if p.whole {
		return false
	}
	for _, s := range p.steps {
		if s.each {
			return false
		}
	}
	return true
}

// Find is Get for a value instead of its text. It panics unless IsWalk. What is
// found may be, or hold, Rows; the error is that of reading one of them back.
func (p *Path) Find(v value.Value) (part value.Value, found bool, err error) {
	if !p.IsWalk() {
		panic("lang: the path " + p.text + " is no walk")
	}
	for _, s := range p.steps {
		switch of := v.(type) {
		case *value.Object:
			v, found = of.Get(s.name)
		case value.List:
			if found = 0 <= s.index && s.index < len(of); found {
				v = of[s.index]
			}
		case *value.Rows:
			if found = 0 <= s.index && s.index < of.Len(); found {
				v, err = of.At(s.index)
			}
		default:
			found = false
		}
		if !found || err != nil {
			return nil, found, err
		}
	}
	return v, true, nil
}

// Counts returns the path of the list whose elements the path counts; ok is
// false when it is another path than a walk with # at its end.
func (p *Path) Counts() (list *Path, ok bool) {
	last := len(p.steps) - 1
	if p.whole || last < 0 || !p.steps[last].each {
		return nil, false
	}
	list = &Path{text: p.text, place: p.place, steps: p.steps[:last], typ: types.AnyType}
	return list, list.IsWalk()
}

// Touches reports whether what the path finds may depend on what stands at,
// or in, the member that names lead to.
func (p *Path) Touches(names []string) bool {
	for i, s := range p.steps {
		if i == len(names) {
			return true
		}
		if s.each || s.name != names[i] {
			return false
		}
	}
	return true
}
