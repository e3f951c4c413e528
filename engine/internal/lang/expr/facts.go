package expr

import (
	"slices"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Fact is what is known of a member where some condition holds: that it is one of some
// values, or none of them.
type Fact struct {
	// Path is a name of the scope, and the names of the members below it.
	Path []string
	// Among are the values that the member can have; those that it cannot have where Not is set.
	Among []value.Value
	Not   bool
}

// NotNull returns the fact that the member at path is not null.
func NotNull(path ...string) Fact { return Fact{Path: path, Among: []value.Value{nil}, Not: true} }

// Is returns the fact that the member at path has the value v.
func Is(v value.Value, path ...string) Fact { return Fact{Path: path, Among: []value.Value{v}} }

// Of returns the path of a member of what path leads to.
func Of(path []string, name string) []string { return append(slices.Clip(path), name) }

// Given returns what is known of an object at path of type t, beyond its type: which members are not
// null; they all are where t is nil, which has the members of declared.
func Given(t, declared *types.Type, path []string) []Fact {
	var facts []Fact
	for _, f := range declared.Fields {
		if t == nil {
			facts = append(facts, Is(nil, Of(path, f.Name)...))
			continue
		}
		m, ok := t.Field(f.Name)
		switch {
		case !ok || m.Kind == types.Null:
			facts = append(facts, Is(nil, Of(path, f.Name)...))
		case m.Kind != types.Unknown && !m.Nullable:
			facts = append(facts, NotNull(Of(path, f.Name)...))
		}
	}
	return facts
}

func (f Fact) notNull() bool { return types.EnumHas(f.Among, nil) == f.Not }

// Excludes reports whether f and g cannot both hold.
func (f Fact) Excludes(g Fact) bool {
	if f.Not {
		f, g = g, f
	}
	if f.Not || !slices.Equal(f.Path, g.Path) {
		return false
	}
	return !slices.ContainsFunc(f.Among, func(v value.Value) bool { return types.EnumHas(g.Among, v) != g.Not })
}

func (f Fact) equal(g Fact) bool {
	return f.Not == g.Not && slices.Equal(f.Path, g.Path) && slices.EqualFunc(f.Among, g.Among, value.Equal)
}

func knows(facts []Fact, f Fact) bool { return slices.ContainsFunc(facts, f.equal) }

// Common returns the facts that are among both: what is known where either holds.
func Common(a, b []Fact) []Fact {
	var both []Fact
	for _, f := range a {
		switch {
		case knows(b, f):
			both = append(both, f)
		case f.notNull() && slices.ContainsFunc(b, func(g Fact) bool { return g.notNull() && slices.Equal(f.Path, g.Path) }):
			both = append(both, NotNull(f.Path...))
		}
	}
	return both
}

// A Case is one of the ways in which some members come to be, as the facts that hold then.
type Case []Fact

// A Rule says that one of its Cases holds, so that what is known of one member tells of others.
type Rule struct {
	// Of is a name of the scope, and names below it: the facts of the cases that Cases can be told apart by are about it.
	Of []string
	// Cases returns all that there are.
	Cases func() []Case
}

// left returns what the cases have in common that the facts leave.
func (r *Rule) left(facts []Fact) []Fact {
	var common []Fact
	first := true
	for _, one := range r.Cases() {
		if slices.ContainsFunc(one, func(f Fact) bool { return slices.ContainsFunc(facts, f.Excludes) }) {
			continue
		}
		if first {
			common = one
		} else {
			common = Common(common, one)
		}
		first = false
	}
	return common
}

func (r *Rule) isAbout(f Fact) bool {
	return len(f.Path) >= len(r.Of) && slices.Equal(f.Path[:len(r.Of)], r.Of)
}

// closed returns facts with all that the rules of s tell besides.
func (s *Scope) closed(facts []Fact) []Fact {
	all := append(s.facts[:len(s.facts):len(s.facts)], facts...)
	for seen := len(s.facts); seen < len(all); {
		fresh := all[seen:]
		seen = len(all)
		for i := range s.rules {
			r := &s.rules[i]
			if !slices.ContainsFunc(fresh, r.isAbout) {
				continue
			}
			for _, f := range r.left(all) {
				if !knows(all, f) {
					all = append(all, f)
				}
			}
		}
	}
	return all[len(s.facts):]
}

// Ruled returns s with further rules.
func (s *Scope) Ruled(rules ...Rule) *Scope {
	ruled := *s
	ruled.rules = append(s.rules[:len(s.rules):len(s.rules)], rules...)
	return &ruled
}

// Knowing returns s where these facts hold, and what its rules tell besides: types are not
// null where that is known.
func (s *Scope) Knowing(facts ...Fact) *Scope {
	facts = s.closed(facts)
	if len(facts) == 0 {
		return s
	}
	known := *s
	known.facts = append(s.facts[:len(s.facts):len(s.facts)], facts...)
	known.Names = slices.Clone(s.Names)
	for i := range known.Names {
		n := &known.Names[i]
		n.Type = refined(n.Type, n.Name, facts)
	}
	return &known
}

// Where returns s where e, which was compiled in it, gives truth; s itself where e is nil.
func (s *Scope) Where(e *Expr, truth bool) *Scope {
	if e == nil {
		return s
	}
	return s.Knowing(e.facts(truth)...)
}

// Facts returns what is known in s beyond outer, which s was made from.
func (s *Scope) Facts(outer *Scope) []Fact { return s.facts[len(outer.facts):] }

// refined returns t, the type of the name root, by the facts about it.
func refined(t *types.Type, root string, facts []Fact) *types.Type {
	for _, f := range facts {
		if f.Path[0] == root && f.notNull() {
			t = types.OrAny(t).Refine(f.Path[1:])
		}
	}
	return t
}
