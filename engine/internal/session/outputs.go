package session

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/interp"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/table"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// CanWrite finds out before anything is sent whether the files of a run's
// outputs can be written below dir. With dir "" none will be.
func CanWrite(dir string, pl *pipeline.Pipeline) diag.List {
	var faults diag.List
	for _, o := range pl.Outputs {
		if o.File == "" || dir == "" {
			continue
		}
		if err := tryFile(dir, o.File); err != nil {
			faults.Add(&diag.Diagnostic{File: o.Place.File, Pos: o.Place.Pos, Code: "output-file", Err: err,
				Message: "the file of output " + o.Name + " cannot be written: " + err.Error(),
				Hint:    "--out-dir names the folder below which files are written"})
		}
	}
	return faults
}

func tryFile(dir, name string) error {
	root, err := openRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	w, err := table.Create(root, name, nil)
	if err != nil {
		return err
	}
	w.Abort()
	return nil
}

func openRoot(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	return os.OpenRoot(dir)
}

// WriteFiles writes the outputs that have a file, each whole or not at all,
// and puts {file, rows} in their places. The error is an *interp.Failure; the
// outputs that it is about keep their rows.
func WriteFiles(dir string, pl *pipeline.Pipeline, outputs *value.Object) error {
	root, err := openRoot(dir)
	if err != nil {
		return notWritten(err)
	}
	defer root.Close()
	var failed []error
	for _, o := range pl.Outputs {
		if o.File == "" {
			continue
		}
		rows, err := table.WriteFile(root, o.File, outputs.At(o.Name), o.Columns)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		outputs.Set(o.Name, value.ObjectOf("file", filepath.ToSlash(filepath.Join(dir, o.File)), "rows", int64(rows)))
	}
	return notWritten(errors.Join(failed...))
}

func notWritten(err error) error {
	if err == nil {
		return nil
	}
	return &interp.Failure{
		Code:    "output-file",
		Message: "all steps are done, but the results could not be written: " + err.Error(),
		Hint:    "the result holds the rows that are in no file (--output json prints it)",
		Err:     err,
	}
}
