package project

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// Vendor implements pipeline.Linker: the vendor X is specs/X.yaml.
func (p *Project) Vendor(name string) (*catalog.Vendor, []string) {
	if v, ok := p.vendors[name]; ok {
		return v, nil
	}
	file := vendorFile(name)
	if _, err := fs.Stat(p.fsys, file); err != nil {
		return nil, p.vendorNames()
	}
	if doc := p.document(file); doc != nil {
		p.decodeVendor(file, doc)
	}
	return p.vendors[name], nil
}

func vendorFile(name string) string { return "specs/" + name + ".yaml" }

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
	name, fresh := p.newVendor(file, doc)
	if !fresh {
		return
	}
	_, taken := p.vendors[name] // by the file that has its name, if there is one
	if !taken {
		p.vendors[name] = nil
	}
	if v := catalog.Decode(doc.node, file, &p.lib, &p.faults); !taken || file == vendorFile(name) {
		p.vendors[name] = v
	}
}

// newVendor checks the name of a vendor file. fresh tells whether it is still to be decoded.
func (p *Project) newVendor(file string, doc *document) (name string, fresh bool) {
	if doc.kind != "vendor" {
		p.faults.Add(doc.node.Errorf("unknown-kind", "expected a vendor file, this one is a %s", doc.kind))
		return "", false
	}
	name = doc.node.Get("vendor").Text
	if p.decoded[file] {
		return name, false
	}
	p.decoded[file] = true
	if name == pipeline.Store {
		p.faults.Add(doc.node.Get("vendor").Errorf("reserved-name", "the vendor %s is built in", name).WithHint("name this one otherwise"))
	}
	if want := vendorFile(name); file != want {
		p.faults.Add(doc.node.Get("vendor").Errorf("wrong-name", "the vendor %s must stand in %s, this is %s", name, want, file))
	}
	return name, true
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
