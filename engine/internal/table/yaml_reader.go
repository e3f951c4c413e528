package table

import (
	"fmt"
	"io"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// maxYAML bounds a YAML file, which comes into memory as a whole, with the
// places of all that is in it.
const maxYAML = 16 << 20

// openYAML reads a YAML file, which must be a list of rows. Plain scalars are
// numbers by JSON's grammar, with their digits as written, and dates are texts. A row
// that stands there by an alias has the line of its anchor.
func openYAML(name string, in io.Reader) (*Reader, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxYAML+1))
	switch {
	case err != nil:
		return nil, unreadable(name, err)
	case len(text) > maxYAML:
		return nil, fault(name, 0, "too-large", "JSON, JSON Lines and CSV files may have any size",
			"a YAML file of rows may have %d MiB at most", maxYAML>>20)
	}
	root, faults := source.Read(name, text)
	switch {
	case len(faults) == 1 && faults[0].Code == "empty-file":
		return nil, fault(name, 0, "empty-file", "", "the file is empty: it must be a list of rows")
	case root == nil:
		return nil, onlyErrors(faults)
	case root.Kind != source.List:
		return nil, root.Errorf("wrong-format", "the file must be a list of rows, each after a dash")
	}
	r := &Reader{warnings: warningsOf(faults)}
	r.rows = func(yield func(Row, error) bool) {
		for i, item := range root.Items {
			if !yield(Row{Index: i, Line: item.Pos.Line, Value: item.Literal()}, nil) {
				return
			}
		}
	}
	return r, nil
}

// onlyErrors returns the fault itself where there is one.
func onlyErrors(faults diag.List) error {
	var list diag.List
	for _, d := range faults {
		if d.Severity == diag.Error {
			list.Add(d)
		}
	}
	if len(list) == 1 {
		return list[0]
	}
	return list.Err()
}

func warningsOf(faults diag.List) []string {
	var warnings []string
	for _, d := range faults {
		warnings = append(warnings, fmt.Sprintf("%s:%d: %s", d.File.Name, d.Pos.Line, d.Message))
	}
	return warnings
}
