package pipeline

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/table"
)

func (d *decoder) outputs(n *source.Node) {
	if n == nil {
		return
	}
	for _, pair := range n.Pairs {
		o := Output{Name: pair.Key.Text, Place: diag.Place{File: pair.Key.File, Pos: pair.Key.Pos, Note: "declared here"}}
		v := pair.Value
		if f := v.Get("file"); f != nil {
			o.File = f.Text
			d.outputFile(f)
			for _, other := range v.Pairs {
				if other.Key.Text != "file" && other.Key.Text != "value" {
					d.faults.Add(other.Key.Errorf("unknown-key", "unknown key %q beside file", other.Key.Text).WithHint("allowed here: value, file"))
				}
			}
			v = v.Get("value")
		}
		o.Value = template.Compile(v, d.scope, d.faults)
		t := types.AnyType
		if o.Value != nil {
			t = o.Value.Type()
			d.checkOutput(&o, v, t)
		}
		copied := *t
		copied.Declared = o.Place
		d.p.OutputsType.Fields = append(d.p.OutputsType.Fields, types.Field{Name: o.Name, Type: &copied})
		d.p.Outputs = append(d.p.Outputs, o)
	}
}

// outputFile checks the name of an output's file.
func (d *decoder) outputFile(f *source.Node) {
	if _, err := table.FormatOf(f.Text); err != nil {
		d.faults.Add(f.Errorf("wrong-value", "%v", err))
	}
	if !filepath.IsLocal(f.Text) {
		d.faults.Add(f.Errorf("wrong-value", "%s leads out of the folder that outputs are written to", f.Text))
	}
	name := path.Clean(f.Text)
	same := strings.ToLower(name) // there are file systems that know no case
	if first, ok := d.files[same]; ok {
		twice := f.Errorf("duplicate-file", "another output is written to %s already", name)
		twice.Related = []diag.Place{first}
		d.faults.Add(twice)
		return
	}
	d.files[same] = diag.Place{File: f.File, Pos: f.Pos, Note: "first here"}
}

func (d *decoder) checkOutput(o *Output, v *source.Node, t *types.Type) {
	if t.HasSecret() {
		d.faults.Add(v.Errorf("secret-leak", "the output %s would show a secret", o.Name))
	}
	if o.File == "" {
		return
	}
	if t.Kind != types.List && t.Kind != types.Unknown {
		d.faults.Add(v.Errorf("wrong-type", "a file holds a list of rows, %s is %s", o.Name, t))
		return
	}
	if t.Nullable {
		d.faults.Add(v.Errorf("may-be-null", "a file holds a list of rows, but %s may be null%s", o.Name, because(t)).WithHint("write ?? [] behind it"))
	}
	if t.Elem != nil {
		for _, f := range t.Elem.Fields {
			o.Columns = append(o.Columns, f.Name)
		}
	}
	// What is broken above may be why nothing is known.
	unfinished := (d.broken || diag.List((*d.faults)[d.before:]).HasErrors()) && (t.Kind == types.Unknown || t.Elem == nil || t.Elem.Kind == types.Unknown)
	if format, err := table.FormatOf(o.File); err == nil && format == table.CSV && len(o.Columns) == 0 && !unfinished {
		d.faults.Add(v.Errorf("unknown-columns", "the columns of %s are not known: %s is %s", o.File, o.Name, t).
			WithHint(fmt.Sprintf("give %s objects with known members, or write a .jsonl file", o.Name)))
	}
}
