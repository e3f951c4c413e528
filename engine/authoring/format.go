package authoring

import "github.com/seed627bd532/runner/engine/internal/source"

// Format returns a YAML file in the one layout of this project: two spaces for
// each level, lists indented below their key, single spaces between words, at most one empty
// line in a row. Comments, empty lines, the order of keys and the style of each
// value stay; a file that is laid out so already comes back as it is.
//
// The result always means what text does: this is checked before it is returned.
// name is for messages. The error is a diag.List: what is wrong with a file
// that cannot be read as YAML. Whether it says anything sensible is not looked at.
func Format(name string, text []byte) ([]byte, error) {
	out, faults := source.Format(name, text)
	if out == nil {
		return nil, faults
	}
	return out, nil
}
