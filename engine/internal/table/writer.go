package table

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Writer writes one file of rows. Until Commit the file is not there, or is
// what it was before. A Writer must end with Commit or Abort; it serves one goroutine.
type Writer struct {
	root *os.Root
	// name is the file to be, temporary the one that is written.
	name, temporary string

	file *os.File
	out  *bufio.Writer
	rows encoder
	n    int
	err  error // what went wrong first
	done bool
}

// An encoder writes rows in one format.
type encoder interface {
	// write writes the n-th row, from 0.
	write(n int, row value.Value) error
	// end writes what follows n rows.
	end(n int) error
}

// Create starts a file of rows called name, a path below root with forward
// slashes whose extension gives the format. Folders on the way are made. A name that
// leads out of root, also through a symbolic link, is an error.
//
// columns are those of a CSV file, in order; if it is nil they are the members of
// the first row. The other formats have no use for them.
func Create(root *os.Root, name string, columns []string) (*Writer, error) {
	format, err := formatToWrite(name)
	if err != nil {
		return nil, err
	}
	w, err := create(root, name)
	if err != nil {
		return nil, err
	}
	switch format {
	case CSV:
		w.rows = newCSVEncoder(w.out, columns)
	case JSON:
		w.rows = arrayEncoder{w.out}
	case JSONLines:
		w.rows = lineEncoder{w.out}
	}
	return w, nil
}

// formatToWrite is FormatOf without what is only read.
func formatToWrite(name string) (Format, error) {
	format, err := FormatOf(name)
	if format == YAML {
		return "", fmt.Errorf("%s: YAML files are read, not written: use .csv, .json or .jsonl", name)
	}
	return format, err
}

func create(root *os.Root, name string) (*Writer, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, fmt.Errorf("cannot write %s: the path must stay below %s", name, root.Name())
	}
	name = path.Clean(name)
	folder, base := path.Split(name)
	if folder != "" {
		if err := root.MkdirAll(path.Clean(folder), 0o755); err != nil {
			return nil, fmt.Errorf("cannot write %s: %w", name, err)
		}
	}
	if info, err := root.Lstat(name); err == nil && info.IsDir() {
		return nil, fmt.Errorf("cannot write %s: it is a folder", name)
	}
	temporary := folder + "." + base + "." + strings.ToLower(rand.Text()[:10]) + ".tmp"
	file, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot write %s: %w", name, err)
	}
	return &Writer{root: root, name: name, temporary: temporary, file: file, out: bufio.NewWriterSize(file, 64<<10)}, nil
}

// Write adds a row. In a CSV file it is an object whose members are among the
// columns; those it lacks are empty cells. After an error all further calls return it.
func (w *Writer) Write(row value.Value) error {
	switch {
	case w.err != nil:
		return w.err
	case w.done:
		return fmt.Errorf("cannot write row %d of %s: the file is finished", w.n+1, w.name)
	}
	if err := w.rows.write(w.n, row); err != nil {
		w.err = fmt.Errorf("cannot write row %d of %s: %w", w.n+1, w.name, err)
		return w.err
	}
	w.n++
	return nil
}

// Rows returns how many rows were written.
func (w *Writer) Rows() int { return w.n }

// Commit puts the file in its place, safe against a crash right after. When
// anything went wrong, now or before, nothing is changed and the error is returned.
func (w *Writer) Commit() error {
	if w.done {
		return w.err
	}
	if w.err == nil {
		w.err = w.finish()
	}
	if w.err != nil {
		w.Abort()
		return w.err
	}
	w.done = true
	return nil
}

// Abort gives up the file. It may follow Commit, and does nothing then.
func (w *Writer) Abort() {
	if w.done {
		return
	}
	w.done = true
	if w.err == nil {
		w.err = fmt.Errorf("cannot write %s: it was given up", w.name)
	}
	w.file.Close() // may be closed already; there is nothing to save
	w.root.Remove(w.temporary)
}

func (w *Writer) finish() error {
	for _, step := range []func() error{
		func() error { return w.rows.end(w.n) },
		w.out.Flush,
		w.file.Sync,
		w.file.Close,
		func() error { return w.root.Rename(w.temporary, w.name) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("cannot write %s: %w", w.name, err)
		}
	}
	w.syncFolder()
	return nil
}

// syncFolder makes the new name last. Not every system can do that, and the
// file is whole either way.
func (w *Writer) syncFolder() {
	folder, err := w.root.Open(path.Dir(w.name))
	if err != nil {
		return
	}
	folder.Sync()
	folder.Close()
}

// WriteFile writes v as the file called name, as Create, Write and Commit do, and returns the number of
// rows. A list is its rows, and Rows are written one by one; anything else fits
// into JSON files only, and counts as one.
func WriteFile(root *os.Root, name string, v value.Value, columns []string) (rows int, err error) {
	list, isList := value.Elements(v)
	format, err := formatToWrite(name)
	switch {
	case err != nil:
		return 0, err
	case !isList && format != JSON:
		return 0, fmt.Errorf("cannot write %s: it holds rows, but the value is no list (kind %s): use a .json file", name, value.KindOf(v))
	}
	w, err := Create(root, name, columns)
	if err != nil {
		return 0, err
	}
	defer w.Abort()
	if !isList {
		w.rows = wholeEncoder{w.out}
		list, _ = value.Elements(value.List{v})
	}
	for row, err := range list {
		if err != nil {
			return 0, fmt.Errorf("cannot write row %d of %s: %w", w.Rows()+1, name, err)
		}
		if err := w.Write(row); err != nil {
			return 0, err
		}
	}
	return w.Rows(), w.Commit()
}
