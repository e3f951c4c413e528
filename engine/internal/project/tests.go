package project

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/testfile"
)

// loadTest loads a test file, once, with the pipeline that it is about.
func (p *Project) loadTest(name string, doc *document) {
	if slices.ContainsFunc(p.tests, func(t *testfile.Test) bool { return t.Path == name }) {
		return
	}
	at := doc.node.Get("test")
	file := testfile.PipelineFile(name, doc.node)
	if _, err := fs.Stat(p.fsys, file); err != nil {
		p.faults.Add(at.Errorf("unknown-pipeline", "no pipeline %s", file).
			WithHint(catalog.DidYouMean(strings.TrimSuffix(path.Base(file), path.Ext(file)), p.pipelinesIn(path.Dir(file)))))
		return
	}
	if pl := p.Pipeline(file, at); pl != nil {
		p.tests = append(p.tests, testfile.Decode(doc.node, name, pl, &p.faults))
	}
}

// pipelinesIn returns the names of the files in a folder that may be pipelines.
func (p *Project) pipelinesIn(dir string) []string {
	var names []string
	entries, _ := fs.ReadDir(p.fsys, dir) // a folder that is not there has none
	for _, e := range entries {
		stem := strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
		if IsYAML(e.Name()) && !strings.HasSuffix(stem, testfile.Suffix) {
			names = append(names, stem)
		}
	}
	return names
}
