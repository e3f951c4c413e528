package expr

import (
	"slices"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Scope lists the names that an expression may use, with their types. A Scope never changes.
type Scope struct {
	Names []Name
	funcs []Func
	// facts are what is known of the names; their types say it already.
	facts []Fact
	rules []Rule
	reads *Reads // what its expressions read; nil where nobody asks
}

// A Name is one variable of a Scope.
type Name struct {
	Name string
	Type *types.Type
}

// A Func is a function that only some scopes offer (next, env, file), beside the
// closed list that all have.
type Func struct {
	Name   string
	Params []*types.Type
	// Optional is how many of the last parameters may be left out.
	Optional int
	Result   *types.Type
	// Call computes the result. vars are the variables of the expression that calls.
	Call func(vars Vars, args []value.Value) (value.Value, error)
}

// Vars are the values of a scope's names, in the scope's order. They may be
// shorter than the scope; names beyond are null.
type Vars []value.Value

// NewScope returns a scope of these names.
func NewScope(names ...Name) *Scope { return &Scope{Names: names} }

// With returns a scope that has further names after those of s; a later name
// hides an earlier one. Vars of s, extended, are Vars of the new scope.
func (s *Scope) With(names ...Name) *Scope {
	more := *s
	more.Names = append(s.Names[:len(s.Names):len(s.Names)], names...)
	return &more
}

// WithFuncs returns a scope that offers further functions.
func (s *Scope) WithFuncs(funcs ...Func) *Scope {
	more := *s
	more.funcs = append(s.funcs[:len(s.funcs):len(s.funcs)], funcs...)
	return &more
}

// Retyped returns s with another type of the name, which it has.
func (s *Scope) Retyped(name string, t *types.Type) *Scope {
	other := *s
	other.Names = slices.Clone(s.Names)
	other.Names[s.Index(name)].Type = t
	return &other
}

// Type returns the type of the name, which s has.
func (s *Scope) Type(name string) *types.Type { return s.Names[s.Index(name)].Type }

// Len returns the number of names, the length of full Vars.
func (s *Scope) Len() int { return len(s.Names) }

// Index returns the place of name in Vars, or -1.
func (s *Scope) Index(name string) int {
	for i := len(s.Names) - 1; i >= 0; i-- {
		if s.Names[i].Name == name {
			return i
		}
	}
	return -1
}

// Callable reports whether expressions of the scope have a function called name.
func (s *Scope) Callable(name string) bool {
	_, ok := functions[name]
	return ok || name == "now" && s.Index(nowName) >= 0 || slices.ContainsFunc(s.funcs, func(f Func) bool { return f.Name == name })
}
