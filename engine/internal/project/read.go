package project

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// Kinds are the first keys that tell the kinds of files apart.
var Kinds = []string{"vendor", "pipeline", "connections", "test", "sandbox"}

// IsYAML reports whether a file name ends as YAML files do.
func IsYAML(name string) bool {
	ext := path.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

// ReadFile reads one file, tells its kind and checks its shape. The node is nil
// when its meaning cannot be looked at; unknown keys do not stand in the way of that.
func ReadFile(name string, text []byte) (*source.Node, string, diag.List) {
	node, faults := source.Read(name, text)
	if faults.HasErrors() {
		return nil, "", faults
	}
	kind, fault := kindOf(node)
	if fault != nil {
		return nil, "", append(faults, fault)
	}
	shape := schema.CheckShape(kind, node)
	faults = append(withHints(faults, shape), shape...)
	if shape.HasErrors() {
		// A key that nobody knows may be there in place of one that is needed.
		node = withoutKeys(node, shape)
		if rest := schema.CheckShape(kind, node); rest.HasErrors() {
			return nil, kind, faults
		}
	}
	return node, kind, faults
}

// withHints gives the faults of the shape the hints of what was warned of at the same places, and
// returns the other warnings: one fault is enough for one value.
func withHints(warnings, shape diag.List) (others diag.List) {
	for _, w := range warnings {
		i := slices.IndexFunc(shape, func(f *diag.Diagnostic) bool { return w.Code == "yes-no" && f.Pos == w.Pos && f.Hint == "" })
		if i < 0 {
			others = append(others, w)
			continue
		}
		shape[i].Hint = w.Message + ": " + w.Hint
	}
	return others
}

// withoutKeys returns a copy of n without the keys at which unknown-key faults stand.
func withoutKeys(n *source.Node, faults diag.List) *source.Node {
	unknown := map[diag.Pos]bool{}
	for _, d := range faults {
		if d.Code == "unknown-key" {
			unknown[d.Pos] = true
		}
	}
	var copied func(*source.Node) *source.Node
	copied = func(n *source.Node) *source.Node {
		c := *n
		c.Items, c.Pairs = nil, nil
		for _, item := range n.Items {
			c.Items = append(c.Items, copied(item))
		}
		for _, pair := range n.Pairs {
			if !unknown[pair.Key.Pos] {
				c.Pairs = append(c.Pairs, source.Pair{Key: pair.Key, Value: copied(pair.Value)})
			}
		}
		return &c
	}
	return copied(n)
}

func kindOf(n *source.Node) (string, *diag.Diagnostic) {
	hint := "begin the file with one of the keys " + strings.Join(Kinds, ", ")
	if n.Kind != source.Mapping || len(n.Pairs) == 0 {
		return "", n.Errorf("unknown-kind", "this file says nothing that could be loaded").WithHint(hint)
	}
	first := n.Pairs[0].Key
	if slices.Contains(Kinds, first.Text) {
		return first.Text, nil
	}
	near := diag.Nearest(first.Text, Kinds)
	if near != "" {
		return "", first.Errorf("unknown-kind", "%s is no kind of file", first.Text).WithHint("did you mean " + near + "?")
	}
	for _, pair := range n.Pairs {
		if slices.Contains(Kinds, pair.Key.Text) {
			return "", pair.Key.Errorf("unknown-kind", "%s must be the first key of the file, it tells what the file is", pair.Key.Text)
		}
	}
	return "", first.Errorf("unknown-kind", "%s is no kind of file", first.Text).WithHint(hint)
}

func outside(name string) *diag.Diagnostic {
	return &diag.Diagnostic{
		File:    &diag.File{Name: name},
		Code:    "unreadable-file",
		Message: "the path does not lead into the project",
		Hint:    "paths are relative to the project's root, the folder that has specs/",
	}
}

func unreadable(name string, err error) *diag.Diagnostic {
	d := &diag.Diagnostic{File: &diag.File{Name: name}, Code: "unreadable-file", Message: err.Error(), Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		d.Message = "no such file"
		d.Hint = "paths are relative to the project's root, the folder that has specs/"
	}
	return d
}
