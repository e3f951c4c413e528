package engine

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/interp"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/table"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// ReadInputs reads a YAML or JSON file that is one mapping of input names to
// values; name is for messages. Numbers keep their digits. The error is a diag.List.
func ReadInputs(name string, text []byte) (map[string]any, error) {
	n, faults := source.Read(name, text)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	o, ok := n.Literal().(*value.Object)
	if !ok {
		faults.Add(n.Errorf("wrong-type", "expected a mapping of input names to values"))
		return nil, faults
	}
	all := make(map[string]any, o.Len())
	for k, v := range o.All() {
		all[k] = v
	}
	return all, nil
}

// boundInputs are a run's inputs, checked.
type boundInputs struct {
	values *value.Object
	rows   map[string]interp.Source
	open   []io.Closer
}

func (b *boundInputs) close() {
	for _, c := range b.open {
		c.Close()
	}
}

// bind reads the inputs of a run and checks all but the rows of streamed ones,
// which are checked as they are taken.
func (p *Program) bind(pl *pipeline.Pipeline, r Request) (*boundInputs, diag.List) {
	b := &boundInputs{rows: map[string]interp.Source{}}
	var faults diag.List
	plain := Request{Inputs: map[string]any{}, InputTexts: r.InputTexts}
	lists := map[string]value.List{}
	for name, given := range p.withDefaultFiles(pl, r) {
		param := pl.Inputs.Get(name)
		streamed := pl.Inputs.Streamed[name]
		rows, ok := b.source(param, given, streamed, p.project.FS(), &faults)
		switch {
		case !ok:
			plain.Inputs[name] = given
		case rows == nil: // reported
			lists[name] = nil
		case streamed:
			b.rows[name] = rows
			lists[name] = nil
		default:
			lists[name] = collect(name, rows, &faults)
		}
	}
	values, unread, bad := readInputs(pl.Inputs.Params, plain)
	faults = append(faults, bad...)
	for name, list := range lists {
		values.Set(name, orEmptyList(list))
	}
	bound, violations := pl.Inputs.Bind(values)
	b.values = bound
	faults = append(faults, inputFaults(violations, unread)...)
	faults.Sort()
	return b, faults
}

func orEmptyList(l value.List) value.List {
	if l == nil {
		return value.List{}
	}
	return l
}

// projectFile is a default file of an input, a path of the project.
type projectFile string

// withDefaultFiles adds the default files of inputs that are not given.
func (p *Program) withDefaultFiles(pl *pipeline.Pipeline, r Request) map[string]any {
	all := make(map[string]any, len(r.Inputs))
	for name, v := range r.Inputs {
		all[name] = v
	}
	for name, file := range pl.Inputs.Files {
		_, given := all[name]
		if _, asText := r.InputTexts[name]; !given && !asText {
			all[name] = projectFile(file)
		}
	}
	return all
}

// source turns an input into a source of rows; ok is false for one that is no
// list of rows. A nil source was reported.
func (b *boundInputs) source(param *catalog.Param, given any, streamed bool, fsys fs.FS, faults *diag.List) (rows interp.Source, ok bool) {
	switch given := given.(type) {
	case projectFile:
		f, err := fsys.Open(string(given))
		return b.fileRows(param, string(given), f, err, faults), true
	case File:
		if param == nil || param.Type.Kind != lang.List {
			return nil, false
		}
		f, err := os.Open(string(given))
		return b.fileRows(param, string(given), f, err, faults), true
	case iter.Seq[any]:
		return seqRows(func(yield func(any, error) bool) {
			given(func(v any) bool { return yield(v, nil) })
		}), true
	case iter.Seq2[any, error]:
		return seqRows(given), true
	}
	if !streamed {
		return nil, false
	}
	v, err := value.FromGo(given)
	list, isList := v.(value.List)
	if err != nil || !isList {
		return nil, false
	}
	return func(yield func(value.Value, error) bool) error {
		for _, v := range list {
			if !yield(v, nil) {
				break
			}
		}
		return nil
	}, true
}

func seqRows(rows iter.Seq2[any, error]) interp.Source {
	return func(yield func(value.Value, error) bool) error {
		for given, rowErr := range rows {
			v, err := value.FromGo(given)
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

func (b *boundInputs) fileRows(param *catalog.Param, name string, f fs.File, err error, faults *diag.List) interp.Source {
	if err != nil {
		faults.Add(fileFault(param.Name, name, err))
		return nil
	}
	b.open = append(b.open, f)
	var required []string
	if param.Type.Elem != nil {
		for _, field := range param.Type.Elem.Fields {
			if !field.Optional {
				required = append(required, field.Name)
			}
		}
	}
	reader, err := table.Open(name, f, param.Type.Elem, required)
	if err != nil {
		faults.Add(fileFault(param.Name, name, err))
		return nil
	}
	for _, warning := range reader.Warnings() {
		faults.Add(&diag.Diagnostic{File: &diag.File{Name: name}, Severity: diag.Warning, Code: "input-file", Message: warning})
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
	}
}

func fileFault(input, name string, err error) *diag.Diagnostic {
	if d, ok := err.(*diag.Diagnostic); ok {
		return d
	}
	return &diag.Diagnostic{
		File:    &diag.File{Name: name},
		Code:    "input-file",
		Message: fmt.Sprintf("cannot read the input %s: %v", input, err),
		Hint:    fmt.Sprintf("give it as --input %s=@FILE", input),
		Err:     err,
	}
}

// collect reads all rows, for an input that the pipeline uses as a whole.
func collect(name string, rows interp.Source, faults *diag.List) value.List {
	list := value.List{}
	broken := rows(func(v value.Value, err error) bool {
		if err != nil {
			faults.Add(&diag.Diagnostic{Code: "bad-input", Message: fmt.Sprintf("input %s: row %d: %v", name, len(list)+1, err), Err: err})
		}
		list = append(list, v)
		return true
	})
	if broken != nil {
		faults.Add(&diag.Diagnostic{Code: "bad-input", Message: fmt.Sprintf("input %s: %v", name, broken), Err: broken})
	}
	return list
}

// readInputs turns given inputs into values; what they are is not checked yet.
// unread are the names of those that are given but could not be read.
func readInputs(params *catalog.Params, r Request) (values *value.Object, unread []string, faults diag.List) {
	values = value.NewObject(len(r.Inputs) + len(r.InputTexts))
	bad := func(name string, err error) {
		unread = append(unread, name)
		faults.Add(&diag.Diagnostic{Code: "bad-input", Message: fmt.Sprintf("input %s: %v", name, err), Err: err})
	}
	for _, name := range sortedKeys(r.Inputs) {
		if _, twice := r.InputTexts[name]; twice {
			bad(name, fmt.Errorf("it is given as a value and as text"))
			continue
		}
		v, err := readInput(params.Get(name), r.Inputs[name])
		if err != nil {
			bad(name, err)
			continue
		}
		values.Set(name, v)
	}
	for _, name := range sortedKeys(r.InputTexts) {
		v, err := lang.ParseText(typeOf(params.Get(name)), r.InputTexts[name])
		if err != nil {
			bad(name, hide(params.Get(name), err))
			continue
		}
		values.Set(name, v)
	}
	return values, unread, faults
}

func typeOf(param *catalog.Param) *lang.Type {
	if param == nil {
		return lang.AnyType
	}
	return param.Type
}

// hide keeps the text of a secret input out of the message.
func hide(param *catalog.Param, err error) error {
	if param == nil || !param.Secret {
		return err
	}
	return fmt.Errorf("expected %s", param.Type)
}

// readInput turns one Go value, or the content of a file, into a value.
func readInput(param *catalog.Param, given any) (value.Value, error) {
	file, ok := given.(File)
	if !ok {
		return value.FromGo(given)
	}
	text, err := os.ReadFile(string(file))
	if err != nil {
		return nil, err
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if strings.EqualFold(filepath.Ext(string(file)), ".json") {
		v, err := value.Decode(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		return v, nil
	}
	v, err := lang.ParseText(typeOf(param), strings.TrimRight(string(text), "\r\n"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, hide(param, err))
	}
	return v, nil
}

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// inputFaults names what is wrong with the inputs of a run; of those in unread
// that is known already.
func inputFaults(bad []schema.Violation, unread []string) diag.List {
	var faults diag.List
	for _, v := range bad {
		if slices.Contains(unread, v.Path) {
			continue
		}
		faults.Add(&diag.Diagnostic{
			Code:    "bad-input",
			Message: fmt.Sprintf("input %s: %s", v.Path, v.Message),
		})
	}
	return faults
}
