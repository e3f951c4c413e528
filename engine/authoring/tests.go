package authoring

import (
	"io/fs"
	"path"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/testfile"
)

// A Test is a case of a test file.
type Test struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Name string `json:"name"`
}

// testsOf returns the cases of the test files beside a pipeline that are about it. Those
// that cannot be read are left out: runner check tells why.
func testsOf(fsys fs.FS, pipeline string) []Test {
	var all []Test
	entries, _ := fs.ReadDir(fsys, path.Dir(pipeline)) // by name; the pipeline was read from there
	for _, e := range entries {
		file := path.Join(path.Dir(pipeline), e.Name())
		if !project.IsYAML(file) || !strings.HasSuffix(strings.TrimSuffix(file, path.Ext(file)), testfile.Suffix) {
			continue
		}
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			continue
		}
		n, kind, _ := project.ReadFile(file, text)
		if n == nil || kind != "test" || testfile.PipelineFile(file, n) != pipeline {
			continue
		}
		for _, c := range n.Get("cases").Items {
			name := c.Get("name")
			all = append(all, Test{File: file, Line: name.Pos.Line, Name: name.Text})
		}
	}
	return all
}
