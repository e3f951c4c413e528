package testfile

import (
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// inputsOf returns the inputs of a case: its own, and those of all cases beside them.
func (d *decoder) inputsOf(c *source.Node) *value.Object {
	given, at := value.NewObject(8), map[string]*source.Node{}
	for _, n := range []*source.Node{d.inputs, c.Get("inputs")} {
		if n == nil {
			continue
		}
		for _, pair := range n.Pairs {
			name := pair.Key.Text
			if d.test.Pipeline.Inputs.Get(name) == nil {
				d.faults.Add(pair.Key.Errorf("unknown-input", "pipeline %s has no input %s", d.test.Pipeline.Name, name).
					WithHint(catalog.DidYouMean(name, d.test.Pipeline.Inputs.Names())))
				continue
			}
			v, ok := d.value(pair.Value)
			if !ok {
				given.Set(name, value.List{}) // reported
				continue
			}
			given.Set(name, v)
			at[name] = pair.Value
		}
	}
	d.checkInputs(c, given, at)
	return given
}

// checkInputs holds the inputs of a case, which stand at these nodes, against the pipeline's. An empty
// list stands for what was reported already, and for rows that are checked when they are taken.
func (d *decoder) checkInputs(c *source.Node, given *value.Object, at map[string]*source.Node) {
	want := d.test.Pipeline.Inputs
	probe := given.Clone()
	for _, q := range want.List {
		_, hasFile := want.Files[q.Name]
		if at[q.Name] == nil && (hasFile || d.misspelt(q.Name, c)) || want.Streamed[q.Name] && isList(given.At(q.Name)) {
			probe.Set(q.Name, value.List{})
		}
	}
	for name, n := range at {
		if q := want.Get(name); want.Streamed[name] && q.Type.Elem != nil {
			d.rows(q, n)
		}
	}
	_, bad := want.Bind(probe)
	for _, v := range bad {
		name, rest, _ := strings.Cut(strings.TrimPrefix(v.Pointer, "/"), "/")
		n := at[name]
		switch {
		case n != nil:
			if rest != "" {
				n, _ = n.Find("/" + rest)
			}
			d.faults.Add(n.Errorf("wrong-value", "input %s: %s", v.Path, v.Message))
		case want.Get(name) != nil && want.Get(name).Required() && !isList(probe.At(name)):
			d.missing[name] = append(d.missing[name], c)
		}
	}
}

// missingInputs reports the inputs that cases lack: what all of them lack is missing from those of the file.
func (d *decoder) missingInputs(cases int) {
	for _, name := range sortedKeys(d.missing) {
		lacking := d.missing[name]
		q := d.test.Pipeline.Inputs.Get(name)
		var places []*source.Node
		for _, c := range lacking {
			place := c.Get("inputs")
			if place == nil {
				place = c.Get("name")
			}
			places = append(places, place)
		}
		if d.inputs != nil && len(lacking) == cases {
			places = []*source.Node{d.node.Key("inputs")}
		}
		for _, place := range places {
			fault := place.Errorf("missing-input", "pipeline %s needs the input %s (%s)", d.test.Pipeline.Name, name, q.Type).
				WithHint("add it below the inputs of the case, or of the file")
			fault.Related = []diag.Place{q.Place}
			d.faults.Add(fault)
		}
	}
}

// rows reports members of rows that were meant to be others. A row that is wrong in another way
// is one that fails, which a case may be about.
func (d *decoder) rows(q *catalog.Param, list *source.Node) {
	var names []string
	for _, f := range q.Type.Elem.Fields {
		names = append(names, f.Name)
	}
	for _, row := range list.Items {
		for _, pair := range row.Pairs {
			if near := diag.Nearest(pair.Key.Text, names); near != "" && !slices.Contains(names, pair.Key.Text) {
				d.faults.Add(pair.Key.Errorf("unknown-member", "rows of %s have no member %s", q.Name, pair.Key.Text).WithHint("did you mean " + near + "?"))
			}
		}
	}
}

// misspelt reports whether an unknown input is there that was meant to be name: one fault is enough.
func (d *decoder) misspelt(name string, c *source.Node) bool {
	want := d.test.Pipeline.Inputs
	for _, n := range []*source.Node{d.inputs, c.Get("inputs")} {
		if n != nil && slices.ContainsFunc(n.Pairs, func(p source.Pair) bool {
			return want.Get(p.Key.Text) == nil && diag.Nearest(p.Key.Text, want.Names()) == name
		}) {
			return true
		}
	}
	return false
}

func isList(v value.Value) bool {
	_, ok := v.(value.List)
	return ok
}
