package session

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/interp"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/table"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// rowsOf makes a source of Go values, each with an error of its own.
func rowsOf(given iter.Seq2[any, error]) interp.Source {
	return func(yield func(value.Value, error) bool) error {
		for row, rowErr := range given {
			v, err := value.FromGo(row)
			if rowErr == nil {
				rowErr = err
			}
			if !yield(v, rowErr) {
				break
			}
		}
		return nil
	}
}

// fileRows makes a source of the rows of a file, which are of type elem.
func fileRows(name string, f io.Reader, elem *types.Type) (interp.Source, diag.List, error) {
	reader, err := table.Open(name, f, elem, requiredMembers(elem))
	if err != nil {
		return nil, nil, err
	}
	var warnings diag.List
	for _, text := range reader.Warnings() {
		warnings.Add(&diag.Diagnostic{File: &diag.File{Name: name}, Severity: diag.Warning, Code: "input-file", Message: text})
	}
	return func(yield func(value.Value, error) bool) error {
		for row, err := range reader.Rows() {
			if err != nil {
				return err
			}
			if !yield(row.Value, row.Err) {
				break
			}
		}
		return nil
	}, warnings, nil
}

// requiredMembers are the members without which no row is complete: those that are neither optional nor have a default.
func requiredMembers(t *types.Type) []string {
	var names []string
	if t != nil {
		for _, f := range t.Fields {
			if !f.Optional && !f.HasDefault {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

func fileFault(input, name string, err error) *diag.Diagnostic {
	var placed *diag.Diagnostic
	if errors.As(err, &placed) {
		return placed
	}
	var failed *fs.PathError
	reason := err
	if errors.As(err, &failed) {
		reason = failed.Err // the name stands before it already
	}
	return &diag.Diagnostic{
		File:    &diag.File{Name: name},
		Code:    "input-file",
		Message: fmt.Sprintf("cannot read the input %s: %v", input, reason),
		Hint:    fmt.Sprintf("give it as --input %s=@FILE", input),
		Err:     err,
	}
}
