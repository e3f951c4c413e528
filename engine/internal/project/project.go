// Package project loads, links and compiles the files of a project: what the
// engine, the sandbox and the authoring tools share.
package project

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/testfile"
)

// A Project is a set of files that were loaded together. It does not change
// after Load and is safe for concurrent use.
type Project struct {
	fsys      fs.FS
	lib       schema.Library
	docs      map[string]*document
	ahead     map[string]reading         // files that were read before they are asked for
	vendors   map[string]*catalog.Vendor // by name; nil while or when broken
	decoded   map[string]bool            // the vendor files that were
	pipelines map[string]*pipeline.Pipeline
	tests     []*testfile.Test // in the order in which they were loaded
	loading   []string         // pipelines that are being decoded, outermost first
	faults    diag.List
}

type document struct {
	node   *source.Node
	kind   string
	digest string
	refs   []string // the files that its schemas refer to
}

// Load loads the files at paths and all that they reach; no paths mean every
// vendor file and pipeline below specs/ and pipelines/. Folders stand for the YAML files below them. The
// list holds every fault found; with errors in it, the project is good for
// nothing but naming what it holds.
func Load(fsys fs.FS, paths ...string) (*Project, diag.List) {
	p := &Project{
		fsys:      fsys,
		docs:      map[string]*document{},
		vendors:   map[string]*catalog.Vendor{},
		decoded:   map[string]bool{},
		pipelines: map[string]*pipeline.Pipeline{},
	}
	whole := len(paths) == 0
	if whole {
		paths = []string{"specs", "pipelines"}
	}
	var files []string
	for _, name := range paths {
		files = append(files, p.filesAt(path.Clean(name), whole)...)
	}
	p.load(files)
	p.faults.Sort()
	return p, p.faults
}

// filesAt returns the file at name, or the YAML files below a folder.
func (p *Project) filesAt(name string, optional bool) (files []string) {
	info, err := fs.Stat(p.fsys, name)
	switch {
	case !fs.ValidPath(name):
		p.faults.Add(outside(name))
		return nil
	case err != nil && optional && errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil && errors.Is(err, fs.ErrNotExist) && name == vendorFile(pipeline.Store):
		return nil // built in
	case err != nil:
		p.faults.Add(unreadable(name, err))
		return nil
	case !info.IsDir():
		return []string{name}
	}
	walkErr := fs.WalkDir(p.fsys, name, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			p.faults.Add(unreadable(file, err))
		case !entry.IsDir() && IsYAML(file):
			files = append(files, file)
		}
		return nil
	})
	if walkErr != nil {
		p.faults.Add(unreadable(name, walkErr))
	}
	return files
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
	case "sandbox": // checked by those who know sandboxes, who go by the name
		if !strings.HasSuffix(name, ".sandbox.yaml") {
			called := doc.node.Get("sandbox")
			p.faults.Add(called.Errorf("wrong-name", "the sandbox of %s must be called %s.sandbox.yaml, this is %s", called.Text, called.Text, path.Base(name)))
		}
	case "test":
		p.loadTest(name, doc)
	}
}

// document reads a file once, checks its shape, and puts its schemas into the library, with those
// of the files that it refers to. nil when the file is broken.
func (p *Project) document(name string) *document {
	if doc, ok := p.docs[name]; ok {
		return doc
	}
	p.docs[name] = nil
	defer func() {
		if p.docs[name] == nil {
			p.lib.AddBroken(name)
		}
	}()
	read, ok := p.ahead[name]
	if !ok {
		read = readDocument(p.fsys, name)
	}
	p.faults = append(p.faults, read.faults...)
	if read.doc == nil {
		return nil
	}
	p.docs[name] = read.doc
	if read.doc.kind == "test" {
		return read.doc // it has no schemas, and its values may look like some
	}
	p.lib.AddSource(name, read.doc.node)
	p.referred(read.doc, name, read.doc.node)
	return read.doc
}

// referred loads the documents that a file's schemas refer to.
func (p *Project) referred(doc *document, name string, n *source.Node) {
	for _, item := range n.Items {
		p.referred(doc, name, item)
	}
	for _, pair := range n.Pairs {
		if pair.Key.Text == "$ref" && pair.Value.Kind == source.Scalar {
			p.reference(doc, name, pair.Value)
			continue
		}
		p.referred(doc, name, pair.Value)
	}
}

// reference loads the document that a $ref leads to. What the reference names
// in there is for the schema that holds it to find.
func (p *Project) reference(doc *document, name string, ref *source.Node) {
	file, part, _ := strings.Cut(ref.Text, "#")
	if part == "" && (file == "" || IsYAML(file)) {
		p.faults.Add(ref.Errorf("bad-schema", "a whole file is no schema").WithHint("name a part of it: #/schemas/NAME or FILE#/inputs"))
	}
	if !IsYAML(file) {
		return
	}
	target := path.Join(path.Dir(name), file)
	if _, err := fs.Stat(p.fsys, target); err != nil {
		p.lib.AddBroken(target)
		p.faults.Add(ref.Errorf("unknown-file", "no file %s", target).WithHint("a $ref is relative to the file that it stands in"))
		return
	}
	doc.refs = append(doc.refs, target)
	p.document(target)
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

// Paths returns the paths of the loaded pipelines, in order.
func (p *Project) Paths() []string {
	var paths []string
	for _, q := range p.Pipelines() {
		paths = append(paths, q.Path)
	}
	return paths
}

// Tests returns the loaded tests, by path, in order.
func (p *Project) Tests() []*testfile.Test {
	all := slices.Clone(p.tests)
	slices.SortFunc(all, func(a, b *testfile.Test) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// Find returns the loaded pipeline at a path, or nil.
func (p *Project) Find(file string) *pipeline.Pipeline { return p.pipelines[path.Clean(file)] }

// LoadedVendor returns the loaded vendor called name, or nil.
func (p *Project) LoadedVendor(name string) *catalog.Vendor {
	if name == pipeline.Store {
		return pipeline.StoreVendor()
	}
	return p.vendors[name]
}

// Tables returns the tables that the loaded pipelines declare. What several declare is there as often.
func (p *Project) Tables() []*catalog.Param {
	var all []*catalog.Param
	for _, pl := range p.Pipelines() {
		all = append(all, pl.Tables.List...)
	}
	return all
}

// LoadedVendors returns the names of the loaded vendors, in order.
func (p *Project) LoadedVendors() []string {
	var names []string
	for name, v := range p.vendors {
		if v != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// FS returns the file system that the project was loaded from.
func (p *Project) FS() fs.FS { return p.fsys }
