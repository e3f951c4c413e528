package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/interp"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/table"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Given are inputs as a caller gave them, by name. A name may be in one of the maps only.
type Given struct {
	// Values are Go values, a File, or a sequence: func(yield func(T) bool) or func(yield func(T, error) bool).
	Values map[string]any
	// Texts are read by the types of the inputs.
	Texts map[string]string
}

// A File is an input's file, relative to the working directory.
type File string

// ReadInputs reads a file that is one mapping of input names to values: as JSON where its name ends with
// .json, else as YAML. The error is a diag.List.
func ReadInputs(name string, text []byte) (map[string]any, error) {
	if isJSON(name) {
		v, fault := table.DecodeJSON(name, text)
		o, ok := v.(*value.Object)
		switch {
		case fault != nil:
			return nil, diag.List{fault}
		case !ok:
			return nil, diag.List{{File: &diag.File{Name: name}, Pos: diag.Pos{Line: 1, Col: 1}, Code: "wrong-type",
				Message: fmt.Sprintf("expected an object of input names and values, found %s", value.KindOf(v))}}
		}
		inputs, _ := value.ToGo(o).(map[string]any)
		return inputs, nil
	}
	n, faults := source.Read(name, text)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	o, ok := n.Literal().(*value.Object)
	if !ok {
		return nil, diag.List{n.Errorf("wrong-type", "expected a mapping of input names to values")}
	}
	inputs, _ := value.ToGo(o).(map[string]any)
	return inputs, nil
}

// Inputs are a run's inputs, bound and checked, except for the rows of
// streamed ones, which are checked as they are taken.
type Inputs struct {
	Values *value.Object
	Rows   map[string]interp.Source
	// recorded says how each input was given, as a start records it.
	recorded *value.Object
	open     []io.Closer
}

// Close closes the files that rows are read from.
func (in *Inputs) Close() {
	for _, c := range in.open {
		c.Close()
	}
}

// BindInputs reads the given inputs and binds them to those that are wanted.
// Default files are files of the project. The Inputs must be closed, also when there
// are faults. The end of ctx ends a read of rows that waits for the other end of a pipe.
func BindInputs(ctx context.Context, want *pipeline.Inputs, given Given, files fs.FS) (*Inputs, diag.List) {
	b := &binder{ctx: ctx, want: want, in: &Inputs{Rows: map[string]interp.Source{}, recorded: value.NewObject(len(want.List))}}
	values := value.NewObject(len(want.List))
	for _, name := range given.names() {
		b.set(values, name, given)
	}
	for _, q := range want.List {
		file, hasDefault := want.Files[q.Name]
		if _, ok := values.Get(q.Name); hasDefault && !ok && !slices.Contains(b.unread, q.Name) {
			open := func() (fs.File, error) { return files.Open(file) }
			b.setRows(values, q, b.open(q, file, open))
			b.record(q, "file", file, "digest", digestOf(open), "default", true)
		}
	}
	bound, bad := want.Bind(values)
	for _, v := range bad {
		if !b.reported(v.Path) {
			b.faults.Add(inputFault(fmt.Sprintf("input %s: %s", v.Path, v.Message), nil))
		}
	}
	b.in.Values = bound
	b.faults.Sort()
	return b.in, b.faults
}

func (g Given) names() []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(g.Values)), maps.Keys(g.Texts))
	slices.Sort(names)
	return slices.Compact(names)
}

type binder struct {
	ctx    context.Context // of the run that reads
	want   *pipeline.Inputs
	in     *Inputs
	faults diag.List
	// unread are the paths of inputs, or of their rows, that are known to be wrong already.
	unread []string
}

// set reads one given input into values.
func (b *binder) set(values *value.Object, name string, given Given) {
	q := b.want.Get(name)
	v, isValue := given.Values[name]
	text, isText := given.Texts[name]
	switch {
	case q == nil:
		values.Set(name, nil) // binding says that there is no such input
	case isValue && isText:
		b.bad(name, errors.New("it is given as a value and as text"))
	case isText:
		b.recordValue(q, b.setValue(values, q, func() (value.Value, error) { return types.ParseText(q.Type, text) }))
	default:
		b.setGiven(values, q, v)
	}
}

func (b *binder) setGiven(values *value.Object, q *catalog.Param, given any) {
	switch given := given.(type) {
	case File:
		name := string(given)
		open := func() (fs.File, error) { return os.Open(name) }
		b.recordFile(q, name, open)
		if q.Type.Kind == types.List {
			b.setRows(values, q, b.open(q, name, open))
			return
		}
		b.setValue(values, q, func() (value.Value, error) { return readFile(q, name) })
	default:
		if rows := sequence(given); rows != nil {
			b.record(q, "rows", true)
			b.setRows(values, q, rowsOf(rows))
			return
		}
		b.recordValue(q, b.setValue(values, q, func() (value.Value, error) { return value.FromGo(given) }))
	}
}

// sequence returns the elements of a func(yield func(T) bool) or a func(yield func(T, error) bool), be it that
// they are called iter.Seq and iter.Seq2; nil for all else.
func sequence(given any) iter.Seq2[any, error] {
	switch rows := given.(type) { // most are these, and reflection is slower
	case iter.Seq[any]:
		return withoutErrors(rows)
	case iter.Seq2[any, error]:
		return rows
	}
	v := reflect.ValueOf(given)
	if v.Kind() != reflect.Func {
		return nil
	}
	t := v.Type()
	switch {
	case v.IsNil():
		return nil
	case t.CanSeq():
		return withoutErrors(func(yield func(any) bool) {
			v.Seq()(func(elem reflect.Value) bool { return yield(elem.Interface()) })
		})
	case t.CanSeq2() && t.In(0).In(1) == reflect.TypeFor[error]():
		return func(yield func(any, error) bool) {
			v.Seq2()(func(elem, err reflect.Value) bool {
				failed, _ := err.Interface().(error)
				return yield(elem.Interface(), failed)
			})
		}
	}
	return nil
}

func withoutErrors(rows iter.Seq[any]) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		rows(func(v any) bool { return yield(v, nil) })
	}
}

// record notes how an input was given; of a secret one, only that it was.
func (b *binder) record(q *catalog.Param, pairs ...any) {
	if q.Secret || q.Type.HasSecret() {
		pairs = []any{"secret", true}
	}
	b.in.recorded.Set(q.Name, value.ObjectOf(pairs...))
}

// recordValue notes a value; null is as good as not given.
func (b *binder) recordValue(q *catalog.Param, v value.Value) {
	if v != nil {
		b.record(q, "value", v)
	}
}

// recordFile notes a file. What can be read only once, such as a pipe, is not
// read for that.
func (b *binder) recordFile(q *catalog.Param, name string, open func() (fs.File, error)) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		b.record(q, "rows", true)
		return
	}
	b.record(q, "file", name, "digest", digestOf(open))
}

// digestOf returns the digest of a file, "" when it cannot be read: whoever
// reads it says so.
func digestOf(open func() (fs.File, error)) string {
	f, err := open()
	if err != nil {
		return ""
	}
	defer f.Close()
	digest, err := project.Digest(f)
	if err != nil {
		return ""
	}
	return digest
}

// setValue sets what read returns, and returns it; nil when it cannot be read. A list that is streamed becomes rows, so that
// one bad row fails alone however the list was given.
func (b *binder) setValue(values *value.Object, q *catalog.Param, read func() (value.Value, error)) value.Value {
	v, err := read()
	if err != nil && q.Type.HasSecret() {
		err = fmt.Errorf("expected %s", q.Type) // the error may quote what was given
	}
	if err != nil {
		b.bad(q.Name, err)
		return nil
	}
	list, isList := v.(value.List)
	if !isList || !b.want.Streamed[q.Name] {
		values.Set(q.Name, v)
		return v
	}
	b.setRows(values, q, func(yield func(value.Value, error) bool) error {
		for _, row := range list {
			if !yield(row, nil) {
				break
			}
		}
		return nil
	})
	return v
}

// setRows sets a list that comes as rows; nil rows were reported. Those of a
// streamed input wait for the run, an empty list stands for them.
func (b *binder) setRows(values *value.Object, q *catalog.Param, rows interp.Source) {
	switch {
	case rows == nil:
		b.unread = append(b.unread, q.Name)
	case b.want.Streamed[q.Name]:
		b.in.Rows[q.Name] = rows
		values.Set(q.Name, value.List{})
	default:
		values.Set(q.Name, b.collect(q.Name, rows))
	}
}

// collect reads all rows, for an input that is used as a whole.
func (b *binder) collect(name string, rows interp.Source) value.List {
	list := value.List{}
	broken := rows(func(v value.Value, err error) bool {
		if err != nil {
			b.bad(fmt.Sprintf("%s[%d]", name, len(list)), err)
		}
		list = append(list, v)
		return true
	})
	if broken != nil {
		b.bad(name, broken)
	}
	return list
}

// open opens a file of rows. It returns nil after it has reported why it cannot.
func (b *binder) open(q *catalog.Param, name string, open func() (fs.File, error)) interp.Source {
	f, err := open()
	if err != nil {
		b.faults.Add(fileFault(q.Name, name, err))
		return nil
	}
	b.in.open = append(b.in.open, f)
	if pipe, ok := f.(interface{ SetReadDeadline(time.Time) error }); ok {
		stop := context.AfterFunc(b.ctx, func() { _ = pipe.SetReadDeadline(time.Unix(1, 0)) }) // other files have none, and no wait
		b.in.open = append(b.in.open, stopper(stop))
	}
	rows, warnings, err := fileRows(name, f, q.Type.Elem)
	if err != nil {
		b.faults.Add(fileFault(q.Name, name, err))
		return nil
	}
	b.faults = append(b.faults, warnings...)
	return rows
}

// A stopper is closed by calling it.
type stopper func() bool

func (s stopper) Close() error {
	s()
	return nil
}

// bad reports an input, or one of its rows, that cannot be read. A place that err has is kept.
func (b *binder) bad(path string, err error) {
	b.unread = append(b.unread, path)
	var placed *diag.Diagnostic
	if errors.As(err, &placed) && placed.File != nil {
		b.faults.Add(placed)
		return
	}
	b.faults.Add(inputFault(fmt.Sprintf("input %s: %v", path, err), err))
}

// reported tells whether path is, or lies in, what could not be read.
func (b *binder) reported(path string) bool {
	return slices.ContainsFunc(b.unread, func(unread string) bool {
		rest, ok := strings.CutPrefix(path, unread)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// readFile reads the file of an input that is no list: one JSON value, an object in
// YAML, or the text itself.
func readFile(q *catalog.Param, name string) (value.Value, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var v value.Value
	switch ext := strings.ToLower(filepath.Ext(name)); {
	case isJSON(name):
		v, fault := table.DecodeJSON(name, text)
		if fault != nil {
			return nil, fault
		}
		return v, nil
	case q.Type.Kind == types.Object && (ext == ".yaml" || ext == ".yml"):
		n, faults := source.Read(name, text)
		if err := faults.Err(); err != nil {
			return nil, err
		}
		v = n.Literal()
	default:
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
		v, err = types.ParseText(q.Type, strings.TrimRight(string(text), "\r\n"))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

func isJSON(name string) bool { return strings.EqualFold(filepath.Ext(name), ".json") }

func inputFault(message string, err error) *diag.Diagnostic {
	return &diag.Diagnostic{Code: "bad-input", Message: message, Err: err}
}
