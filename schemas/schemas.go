// Package schemas holds the grammar of our files as JSON Schema (draft
// 2020-12): vendor, pipeline, connections, test and sandbox files, and the data
// schemas inside of them. Editors complete and check with the same documents
// that the engine does.
package schemas

import (
	"embed"
	"io/fs"
)

//go:embed *.schema.json
var files embed.FS

// Files returns the grammar, one file per kind: KIND.schema.json. They refer
// to each other by file name.
func Files() fs.FS { return files }
