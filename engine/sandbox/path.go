package sandbox

import (
	"strings"

	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A path is the path of an operation. A segment {name} stands for any one that
// is not empty; its text is request.params.name.
type path struct {
	text     string
	segments []string
}

func newPath(text string) path { return path{text, strings.Split(text, "/")} }

// match returns the parameters of a request to a path that p stands for.
func (p path) match(requested string) (params *value.Object, ok bool) {
	segments := strings.Split(requested, "/")
	if len(segments) != len(p.segments) {
		return nil, false
	}
	params = value.NewObject(0)
	for i, s := range p.segments {
		switch name := parameter(s); {
		case name == "" && s != segments[i], name != "" && segments[i] == "":
			return nil, false
		case name != "":
			params.Set(name, segments[i])
		}
	}
	return params, true
}

// parameter returns the name of a segment that is a parameter, "" for others.
func parameter(segment string) string {
	if len(segment) > 2 && segment[0] == '{' && segment[len(segment)-1] == '}' {
		return segment[1 : len(segment)-1]
	}
	return ""
}

// takes reports whether every request to other is one to p as well.
func takes(p, other path) bool {
	_, ok := p.match(other.text)
	return ok
}

// params is the type of the path's parameters.
func (p path) params() *types.Type {
	t := types.ObjectOf()
	for _, s := range p.segments {
		if name := parameter(s); name != "" {
			t.Fields = append(t.Fields, types.Field{Name: name, Type: types.TextType})
		}
	}
	return t
}
