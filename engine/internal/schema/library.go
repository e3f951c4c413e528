package schema

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Library holds schema documents that refer to each other by file name. The
// zero value is empty. It is built first and read afterwards, then safely from many goroutines.
type Library struct {
	docs    map[string]*value.Object
	sources map[string]*source.Node
	broken  map[string]bool
	regexps sync.Map // pattern → *regexp.Regexp: the same ones come with every reference to a schema
}

// ErrBroken is the error of references to broken documents.
var ErrBroken = errors.New("the file that is referred to is broken")

// AddBroken makes a document known whose faults were reported, so that
// references to it are ErrBroken.
func (l *Library) AddBroken(name string) {
	if l.broken == nil {
		l.broken = make(map[string]bool)
	}
	l.broken[path.Clean(name)] = true
}

// Add puts a document into the library. name is the file's path in the project.
// "inputs" and "config" at the top of doc, maps of name → schema, stand for
// the object schema of those names (see ObjectSchema) where a reference leads
// to them; a reference to one name below them finds that name's schema. The
// document is not changed.
func (l *Library) Add(name string, doc *value.Object) {
	if l.docs == nil {
		l.docs = make(map[string]*value.Object)
	}
	l.docs[path.Clean(name)] = doc
}

// AddSource puts a file into the library, as Add does; what is no mapping
// holds no schemas.
func (l *Library) AddSource(name string, n *source.Node) {
	literal, ok := n.Literal().(*value.Object)
	if !ok {
		return
	}
	l.Add(name, literal)
	if l.sources == nil {
		l.sources = make(map[string]*source.Node)
	}
	l.sources[path.Clean(name)] = n
}

// At returns what a pointer leads to in a file that AddSource was given, or as
// near as can be; nil when there is no such file.
func (l *Library) At(name, pointer string) *source.Node {
	n, _ := l.sources[path.Clean(name)].Find(pointer)
	return n
}

// Resolve finds the schema that ref, written in document base, leads to:
// "#/schemas/X" in base itself, "FILE#/inputs" in the file relative to base.
// It implements types.Resolver.
func (l *Library) Resolve(base, ref string) (value.Value, string, error) {
	t, err := locate(base, ref)
	if err != nil {
		return nil, "", err
	}
	s, err := l.find(t)
	return s, t.base, err
}

// A target is what a reference leads to: a document and a pointer in it.
type target struct{ base, pointer string }

func (t target) String() string { return t.base + "#" + t.pointer }

// locate reads a reference that stands in document base.
func locate(base, ref string) (target, error) {
	file, fragment, _ := strings.Cut(ref, "#")
	if u, err := url.Parse(file); err != nil || u.Scheme != "" || u.Host != "" || path.IsAbs(file) {
		return target{}, fmt.Errorf("%q leads out of the project: put the schema into one of its files", ref)
	}
	pointer, err := url.PathUnescape(fragment)
	if err != nil || pointer != "" && pointer[0] != '/' {
		return target{}, fmt.Errorf("%q is not a reference: write it as #/schemas/NAME or FILE#/schemas/NAME", ref)
	}
	if file == "" {
		return target{path.Clean(base), pointer}, nil
	}
	return target{path.Join(path.Dir(base), file), pointer}, nil
}

func (l *Library) find(t target) (value.Value, error) {
	doc, ok := l.docs[t.base]
	if !ok && l.broken[t.base] {
		return nil, ErrBroken
	}
	if !ok {
		near := didYouMean(t.base, slices.Sorted(maps.Keys(l.docs)))
		return nil, fmt.Errorf("there is no file %q to refer to%s", t.base, after("; ", near))
	}
	if t.pointer == "" {
		return doc, nil
	}
	if t.pointer == "/inputs" || t.pointer == "/config" {
		if params, ok := doc.At(t.pointer[1:]).(*value.Object); ok {
			return ObjectSchema(params), nil
		}
	}
	var v value.Value = doc
	seen := ""
	for _, name := range strings.Split(t.pointer, "/")[1:] {
		name = unescapePointer(name)
		next, candidates, ok := step(v, name)
		if !ok {
			where := t.base
			if seen != "" {
				where += "#" + seen
			}
			return nil, fmt.Errorf("%s has no %q%s", where, name, after("; ", didYouMean(name, candidates)))
		}
		v = next
		seen += "/" + escapePointer(name)
	}
	switch v.(type) {
	case *value.Object, bool:
		return v, nil
	}
	return nil, fmt.Errorf("%s is %s, not a schema", t, voice{file: true}.kind(v))
}

// step returns a member or item of v, and the names there are.
func step(v value.Value, name string) (next value.Value, names []string, ok bool) {
	switch v := v.(type) {
	case *value.Object:
		next, ok = v.Get(name)
		return next, v.Keys(), ok
	case value.List:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(v) {
			return v[i], nil, true
		}
	}
	return nil, nil, false
}

func after(separator, s string) string {
	if s == "" {
		return ""
	}
	return separator + s
}

func escapePointer(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

func unescapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
}

// ObjectSchema returns the object schema of a map name → schema: properties,
// required (those neither optional nor with a default, be it a file's name),
// additionalProperties false.
func ObjectSchema(params *value.Object) *value.Object {
	needed := value.List{}
	for name, s := range params.All() {
		o, _ := s.(*value.Object)
		_, hasDefault := o.Get("default")
		_, hasFile := o.Get("file")
		if o.At("optional") != true && !hasDefault && !hasFile {
			needed = append(needed, name)
		}
	}
	return value.ObjectOf(
		"type", "object",
		"properties", params,
		"required", needed,
		"additionalProperties", false,
	)
}
