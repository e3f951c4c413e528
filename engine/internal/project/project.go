// Package project loads, links and compiles the files of a project: what the
// engine, the sandbox and the authoring tools share.
package project

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Project is a set of files that were loaded together. It does not change
// after Load and is safe for concurrent use.
type Project struct {
	fsys      fs.FS
	lib       schema.Library
	docs      map[string]*document
	vendors   map[string]*catalog.Vendor // by name; nil while or when broken
	pipelines map[string]*pipeline.Pipeline
	loading   []string // pipelines that are being decoded, outermost first
	faults    diag.List
}

type document struct {
	node *source.Node
	kind string
}

// Kinds are the first keys that tell the kinds of files apart.
var Kinds = []string{"vendor", "pipeline", "connections", "sandbox"}

// Load loads the files at paths and all that they reach; no paths mean every
// vendor file and pipeline below specs/ and pipelines/. Folders stand for the YAML files below them. The
// list holds every fault found; with errors in it, the project is good for
// nothing but naming what it holds.
func Load(fsys fs.FS, paths ...string) (*Project, diag.List) {
	p := &Project{
		fsys:      fsys,
		docs:      map[string]*document{},
		vendors:   map[string]*catalog.Vendor{},
		pipelines: map[string]*pipeline.Pipeline{},
	}
	whole := len(paths) == 0
	if whole {
		paths = []string{"specs", "pipelines"}
	}
	for _, name := range paths {
		p.loadPath(path.Clean(name), whole)
	}
	p.faults.Sort()
	return p, p.faults
}

// loadPath loads a file, or the YAML files below a folder.
func (p *Project) loadPath(name string, optional bool) {
	info, err := fs.Stat(p.fsys, name)
	switch {
	case err != nil && optional && errors.Is(err, fs.ErrNotExist):
		return
	case err != nil:
		p.faults.Add(unreadable(name, err))
		return
	case !info.IsDir():
		p.loadFile(name)
		return
	}
	walkErr := fs.WalkDir(p.fsys, name, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			p.faults.Add(unreadable(file, err))
		case !entry.IsDir() && IsYAML(file):
			p.loadFile(file)
		}
		return nil
	})
	if walkErr != nil {
		p.faults.Add(unreadable(name, walkErr))
	}
}

// IsYAML reports whether a file name ends as YAML files do.
func IsYAML(name string) bool {
	ext := path.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

func (p *Project) loadFile(name string) {
	doc := p.document(name)
	if doc == nil {
		return
	}
	switch doc.kind {
	case "vendor":
		p.decodeVendor(name, doc)
	case "pipeline":
		p.Pipeline(name, nil)
	case "connections":
		p.checkConnections(doc.node)
	}
}

// document reads a file once, checks its shape, and puts its schemas into the library, with those
// of the files that it refers to. nil when the file is broken.
func (p *Project) document(name string) *document {
	if doc, ok := p.docs[name]; ok {
		return doc
	}
	p.docs[name] = nil
	text, err := fs.ReadFile(p.fsys, name)
	if err != nil {
		p.faults.Add(unreadable(name, err))
		return nil
	}
	node, kind, faults := ReadFile(name, text)
	p.faults = append(p.faults, faults...)
	if node == nil {
		return nil
	}
	if literal, ok := node.Literal().(*value.Object); ok {
		p.lib.Add(name, literal)
	}
	doc := &document{node: node, kind: kind}
	p.docs[name] = doc
	p.referred(name, node)
	return doc
}

// referred loads the documents that a file's schemas refer to.
func (p *Project) referred(name string, n *source.Node) {
	for _, item := range n.Items {
		p.referred(name, item)
	}
	for _, pair := range n.Pairs {
		file, _, ok := strings.Cut(pair.Value.Text, "#")
		if pair.Key.Text == "$ref" && ok && file != "" {
			target := path.Join(path.Dir(name), file)
			if _, err := fs.Stat(p.fsys, target); err != nil {
				p.faults.Add(pair.Value.Errorf("unknown-file", "no file %s", target).WithHint("a $ref is relative to the file that it stands in"))
				continue
			}
			p.document(target)
			continue
		}
		p.referred(name, pair.Value)
	}
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
	faults = append(faults, schema.CheckShape(kind, node)...)
	misshapen := slices.ContainsFunc(faults, func(d *diag.Diagnostic) bool {
		return d.Severity == diag.Error && d.Code != "unknown-key"
	})
	if misshapen {
		return nil, kind, faults
	}
	return node, kind, faults
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
	for _, pair := range n.Pairs {
		if slices.Contains(Kinds, pair.Key.Text) {
			return "", pair.Key.Errorf("unknown-kind", "%s must be the first key of the file, it tells what the file is", pair.Key.Text)
		}
	}
	if near := diag.Nearest(first.Text, Kinds); near != "" {
		hint = "did you mean " + near + "?"
	}
	return "", first.Errorf("unknown-kind", "%s is no kind of file", first.Text).WithHint(hint)
}

func unreadable(name string, err error) *diag.Diagnostic {
	d := &diag.Diagnostic{File: &diag.File{Name: name}, Code: "unreadable-file", Message: err.Error(), Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		d.Message = "no such file"
		d.Hint = "paths are relative to the project's root, the folder that has specs/"
	}
	return d
}

// Vendor implements pipeline.Linker: the vendor X is specs/X.yaml.
func (p *Project) Vendor(name string) (*catalog.Vendor, []string) {
	if v, ok := p.vendors[name]; ok {
		return v, nil
	}
	file := "specs/" + name + ".yaml"
	if _, err := fs.Stat(p.fsys, file); err != nil {
		return nil, p.vendorNames()
	}
	if doc := p.document(file); doc != nil {
		p.decodeVendor(file, doc)
	}
	return p.vendors[name], nil
}

// vendorNames lists the vendors that there are; never nil.
func (p *Project) vendorNames() []string {
	names := []string{}
	files, _ := fs.Glob(p.fsys, "specs/*.yaml")
	for _, file := range files {
		if !strings.HasSuffix(file, ".sandbox.yaml") {
			names = append(names, strings.TrimSuffix(path.Base(file), ".yaml"))
		}
	}
	return names
}

func (p *Project) decodeVendor(file string, doc *document) {
	if doc.kind != "vendor" {
		p.faults.Add(doc.node.Errorf("unknown-kind", "expected a vendor file, this one is a %s", doc.kind))
		return
	}
	name := doc.node.Get("vendor").Text
	if _, ok := p.vendors[name]; ok {
		return
	}
	if want := "specs/" + name + ".yaml"; file != want {
		p.faults.Add(doc.node.Get("vendor").Errorf("wrong-name", "the vendor %s must stand in %s, this is %s", name, want, file))
	}
	p.vendors[name] = nil
	p.vendors[name] = catalog.Decode(doc.node, file, &p.lib, &p.faults)
}

// Pipeline implements pipeline.Linker; from is nil for a pipeline that nobody calls.
func (p *Project) Pipeline(file string, from *source.Node) *pipeline.Pipeline {
	if done, ok := p.pipelines[file]; ok {
		return done
	}
	if i := slices.Index(p.loading, file); i >= 0 {
		circle := strings.Join(append(slices.Clone(p.loading[i:]), file), " → ")
		p.faults.Add(from.Errorf("circular-call", "pipelines call each other in a circle: %s", circle))
		return nil
	}
	if from != nil {
		if _, err := fs.Stat(p.fsys, file); err != nil {
			p.faults.Add(from.Errorf("unknown-pipeline", "no pipeline %s", file).WithHint("the path is relative to the file that it stands in"))
			return nil
		}
	}
	doc := p.document(file)
	if doc == nil {
		return nil
	}
	if doc.kind != "pipeline" {
		d := &diag.Diagnostic{File: doc.node.File, Code: "unknown-kind", Message: fmt.Sprintf("expected a pipeline, this is a %s file", doc.kind)}
		if from != nil {
			d = from.Errorf("unknown-kind", "%s is no pipeline, it is a %s file", file, doc.kind)
		}
		p.faults.Add(d)
		return nil
	}
	p.loading = append(p.loading, file)
	decoded := pipeline.Decode(doc.node, file, &p.lib, p, &p.faults)
	p.loading = p.loading[:len(p.loading)-1]
	p.pipelines[file] = decoded
	return decoded
}

// Pipelines returns the loaded pipelines, by path, in order.
func (p *Project) Pipelines() []*pipeline.Pipeline {
	all := make([]*pipeline.Pipeline, 0, len(p.pipelines))
	for _, q := range p.pipelines {
		if q != nil {
			all = append(all, q)
		}
	}
	slices.SortFunc(all, func(a, b *pipeline.Pipeline) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// Find returns the loaded pipeline at path, or nil.
func (p *Project) Find(path string) *pipeline.Pipeline { return p.pipelines[path] }

// LoadedVendor returns the loaded vendor called name, or nil.
func (p *Project) LoadedVendor(name string) *catalog.Vendor { return p.vendors[name] }

// FS returns the file system that the project was loaded from.
func (p *Project) FS() fs.FS { return p.fsys }
