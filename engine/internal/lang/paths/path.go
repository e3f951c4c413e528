// Package paths compiles gjson paths, and mappings made of them, against the type of the data that they read.
// It alone imports gjson.
package paths

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Path is a compiled gjson path. It never changes and is safe for concurrent
// use.
//
// A path of members, indexes, # and @this is walked step by step, because a
// whole path handed to gjson looks for its first brace even inside of a text, and goes on
// to the next member of the same name where the first leads nowhere. All else is
// gjson's own: queries, wildcards, multipaths and the modifiers of pathModifiers.
type Path struct {
	text  string
	place diag.Place
	steps []step
	// whole paths are handed to gjson as they are written.
	whole bool
	typ   *types.Type
	// elem is the type of the elements of what the path finds, as far as the names of their members are
	// known; Unknown for others.
	elem *types.Type
}

// A step of a path leads from a value to one of its parts.
type step struct {
	// name is the member's name; index is its number, or -1.
	name  string
	index int
	// key is the name or number in gjson's notation.
	key string
	// each is the step #: the number of elements, or the rest of the path for
	// each of them.
	each bool
	at   int // rune of the path's text
}

// Compile compiles a gjson path over data of type over (Unknown when
// nothing is known): misspelt members are faults. Dots inside a key are written "\.".
// It returns nil when there was a fault.
func Compile(n *source.Node, over *types.Type, faults *diag.List) *Path {
	c := pathCompiler{n: n, faults: faults}
	before := len(*faults)
	p := &Path{place: diag.Place{File: n.File, Pos: n.Pos}}
	if !c.checkScalar() {
		return nil
	}
	p.text = n.Text
	c.refuseOtherPaths(n.Text, types.OrAny(over))
	if len(*faults) > before {
		return nil
	}
	p.steps, p.whole = c.parse(n.Text)
	if len(*faults) == before {
		p.typ = c.typeOf(p, types.OrAny(over))
	}
	if len(*faults) > before {
		return nil
	}
	return p
}

// Type returns what the path finds; Unknown behind modifiers other than @this, wildcards and brackets.
// It is nullable where the path may lead nowhere.
func (p *Path) Type() *types.Type { return p.typ }

// Text returns the path as written.
func (p *Path) Text() string { return p.text }

// Get finds the value in a JSON text that ValidJSON has approved; found is false when the path leads nowhere.
// The value shares no memory with body. The error is that of a number beyond
// the limits of value.ParseNumber.
func (p *Path) Get(body []byte) (v value.Value, found bool, err error) {
	raw, found := p.Raw(body)
	if !found {
		return nil, false, nil
	}
	// Only the raw text has the digits: gjson's own numbers are float64.
	v, err = value.Decode(raw)
	if err != nil {
		return nil, true, fmt.Errorf("path %q: %w", p.text, err)
	}
	return v, true, nil
}

// Raw is Get without decoding: the JSON text found, which may share memory with
// body and must not be changed.
func (p *Path) Raw(body []byte) (raw []byte, found bool) {
	// The string lives no longer than body does, and nobody writes to either.
	text := strings.Trim(unsafe.String(unsafe.SliceData(body), len(body)), " \t\r\n")
	var part string
	if p.whole {
		part, found = getWhole(text, p.text)
	} else {
		part, found = walk(text, p.steps)
	}
	if !found {
		return nil, false
	}
	return unsafe.Slice(unsafe.StringData(part), len(part)), true
}

// walk follows the steps from the JSON text raw.
func walk(raw string, steps []step) (part string, found bool) {
	for i, s := range steps {
		switch {
		case raw == "":
			return "", false
		case raw[0] == '{' && !s.each:
		case raw[0] == '[' && s.each:
			return walkEach(raw, steps[i+1:])
		case raw[0] == '[' && s.index >= 0:
		default:
			return "", false
		}
		r := gjson.Get(raw, s.key)
		if !r.Exists() {
			return "", false
		}
		raw = r.Raw
	}
	return raw, raw != ""
}

// walkEach is the step #. Elements that the rest of the path does not find
// anything in are left out.
func walkEach(list string, rest []step) (part string, found bool) {
	count := 0
	out := []byte{'['}
	gjson.Parse(list).ForEach(func(_, elem gjson.Result) bool {
		count++
		if len(rest) == 0 {
			return true
		}
		if part, found := walk(elem.Raw, rest); found {
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = append(out, part...)
		}
		return true
	})
	if len(rest) == 0 {
		return strconv.Itoa(count), true
	}
	return string(append(out, ']')), true
}

// Elements returns how many elements the list in a JSON text has that the path leads to or, where it
// takes parts or some of the elements (#), that it takes them from. ok is false where there is no list.
func (p *Path) Elements(body []byte) (n int, ok bool) {
	list := *p
	if p.whole {
		if i := elementsAt(p.text); i == 0 {
			list.whole, list.steps = false, nil
		} else if i > 0 {
			list.text = p.text[:i-1]
		}
	} else if i := slices.IndexFunc(p.steps, func(s step) bool { return s.each }); i >= 0 {
		list.steps = p.steps[:i]
	}
	raw, found := list.Raw(body)
	if !found || raw[0] != '[' {
		return 0, false
	}
	gjson.ParseBytes(raw).ForEach(func(_, _ gjson.Result) bool {
		n++
		return true
	})
	return n, true
}

// elementsAt returns where the first part of a path of gjson's begins that is of elements, # or #(…);
// -1 where there is none, or it stands inside of a list of paths.
func elementsAt(path string) int {
	i := strings.IndexAny(path, "#[{@")
	if i < 0 || path[i] != '#' || i > 0 && path[i-1] != '.' && path[i-1] != '|' {
		return -1
	}
	return i
}

// getWhole leaves the path to gjson. It would look for braces inside of a
// root that is a text, and what a modifier makes need not be JSON.
func getWhole(body, path string) (part string, found bool) {
	if body == "" || body[0] != '{' && body[0] != '[' && path[0] != '@' {
		return "", false
	}
	r := gjson.Get(body, path)
	if !r.Exists() || !gjson.Valid(r.Raw) {
		return "", false
	}
	return strings.Trim(r.Raw, " \t\r\n"), true
}

// ValidJSON reports whether body is one well-formed JSON text.
func ValidJSON(body []byte) bool { return gjson.ValidBytes(body) }
