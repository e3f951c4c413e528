// Package table reads rows from files and writes rows to files: CSV, JSON and
// JSON Lines, and reads YAML. Reading streams, but for YAML, and survives bad rows; a
// written file is there whole or not at all.
//
// CSV has fewer shapes than JSON, so a few things do not come back as they went out: an
// empty text is read as "not given", and a line break \r\n inside a cell as \n.
// Cells are written as they are, also those that a spreadsheet would take for a formula:
// whoever opens a file of foreign data in one must import it as text.
package table

import (
	"fmt"
	"path"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
)

// Format is how rows lie in a file.
type Format string

// The formats.
const (
	CSV       Format = "csv"
	JSON      Format = "json"
	JSONLines Format = "jsonl"
	YAML      Format = "yaml" // to read only
)

// FormatOf returns the format that the extension of a file name stands for;
// letter case does not matter.
func FormatOf(name string) (Format, error) {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".csv":
		return CSV, nil
	case ".json":
		return JSON, nil
	case ".jsonl", ".ndjson":
		return JSONLines, nil
	case ".yaml", ".yml":
		return YAML, nil
	case "":
		return "", fmt.Errorf("%s has no extension: name it .csv, .json or .jsonl", name)
	default:
		return "", fmt.Errorf("%s: rows cannot be kept in %s files: use .csv, .json or .jsonl", name, ext)
	}
}

// fault is what is wrong with a file as a whole, in its line (0 for none).
func fault(name string, line int, code, hint, format string, args ...any) *diag.Diagnostic {
	d := &diag.Diagnostic{
		File:    &diag.File{Name: name},
		Code:    code,
		Message: fmt.Sprintf(format, args...),
		Hint:    hint,
	}
	if line > 0 {
		d.Pos = diag.Pos{Line: line, Col: 1}
	}
	return d
}

// unreadable is the fault of a file that failed to give its content.
func unreadable(name string, err error) *diag.Diagnostic {
	d := fault(name, 0, "unreadable-file", "", "cannot be read: %v", err)
	d.Err = err
	return d
}
