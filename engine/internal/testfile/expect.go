package testfile

import (
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// The statuses that a case may expect.
const (
	succeeded = "succeeded"
	failed    = "failed"
	partial   = "partial"
)

// expect reads what must come of a case, and holds it against the pipeline.
func (d *decoder) expect(c *Case, n *source.Node) {
	at := n.Get("expect")
	e := &c.Expect
	*e = Expect{At: placeOf(n.Key("expect")), Status: succeeded}
	if failure := at.Get("error"); failure != nil {
		e.Status, e.At = failed, placeOf(at.Key("error"))
		e.Error = d.named(failure)
		d.failure(failure)
	}
	if status := at.Get("status"); status != nil {
		e.Status, e.At = status.Text, placeOf(status)
		if at.Get("error") != nil && (e.Status == succeeded || e.Status == partial) {
			d.faults.Add(status.Errorf("conflicting-keys", "a run that ends %s has no error", e.Status).WithHint("leave out one of the two"))
		}
	}
	e.Outputs = d.named(at.Get("outputs"))
	for _, o := range e.Outputs {
		d.output(o, at.Get("outputs").Key(o.Name))
	}
	if sent := at.Get("sent"); sent != nil {
		e.Sent = d.named(sent)
		for _, pair := range sent.Pairs {
			d.operation(pair.Key)
		}
	}
	if requests := at.Get("requests"); requests != nil {
		for _, pair := range requests.Pairs {
			d.operation(pair.Key)
			r := Requests{Operation: pair.Key.Text, Place: placeOf(pair.Key)}
			for _, item := range pair.Value.Items {
				r.List = append(r.List, d.request(item))
			}
			e.Requests = append(e.Requests, r)
		}
	}
	e.Tables = d.cells(at.Get("tables"))
}

// request reads what is wanted of a request. Queries and headers are texts, however they are written here.
func (d *decoder) request(n *source.Node) []Named {
	parts := d.named(n)
	for _, part := range parts {
		o, ok := part.Value.(*value.Object)
		if part.Name != "query" && part.Name != "headers" || !ok {
			continue
		}
		for name, v := range o.Clone().All() {
			if text, err := value.Text(v); err == nil && v != nil {
				o.Set(name, text)
			}
		}
	}
	return parts
}

// output holds an expected output against the type that the pipeline gives it.
func (d *decoder) output(o Named, key *source.Node) {
	names := outputNames(d.test.Pipeline)
	t, ok := d.test.Pipeline.OutputsType.Field(o.Name)
	if !ok || !slices.Contains(names, o.Name) {
		d.faults.Add(key.Errorf("unknown-output", "pipeline %s has no output %s", d.test.Pipeline.Name, o.Name).
			WithHint(catalog.DidYouMean(o.Name, names)))
		return
	}
	d.fits(o.Name, t, o.Value, o.node)
}

func outputNames(pl *pipeline.Pipeline) []string {
	var names []string
	for _, o := range pl.Outputs {
		names = append(names, o.Name)
	}
	return names
}

// fits reports a wanted value that no value of the type can agree with. Of objects only members that are named count.
func (d *decoder) fits(path string, t *types.Type, v value.Value, n *source.Node) {
	if t == nil || t.Kind == types.Unknown {
		return
	}
	switch v := v.(type) {
	case *value.Object:
		if t.Kind == types.Object {
			d.membersFit(path, t, v, n)
			return
		}
	case value.List:
		if t.Kind == types.List {
			for i, item := range v {
				d.fits(path, t.Elem, item, inside(n, i, ""))
			}
			return
		}
	}
	if why := t.AcceptsValue(v); why != "" {
		d.faults.Add(n.Errorf("wrong-type", "output %s: %s", path, why))
	}
}

func (d *decoder) membersFit(path string, t *types.Type, v *value.Object, n *source.Node) {
	for name, member := range v.All() {
		of, ok := t.Field(name)
		if !ok {
			var names []string
			for _, f := range t.Fields {
				names = append(names, f.Name)
			}
			at := n
			if key := n.Key(name); key != nil {
				at = key
			}
			d.faults.Add(at.Errorf("unknown-member", "output %s has no member %s", path, name).WithHint(catalog.DidYouMean(name, names)))
			continue
		}
		d.fits(path+"."+name, of, member, inside(n, 0, name))
	}
}

// failure holds what is expected of an error against the pipeline.
func (d *decoder) failure(n *source.Node) {
	if op := n.Get("operation"); op != nil {
		d.operation(op)
	}
	step := n.Get("step")
	if step == nil {
		return
	}
	known := map[string]bool{}
	for _, q := range d.test.Pipeline.AllPipelines() {
		if q.Broken {
			return // what is missing there is told there
		}
		for s := range pipeline.AllSteps(q.Steps) {
			known[s.ID] = true
		}
	}
	delete(known, "")
	for _, part := range splitKey(step.Text) {
		if !known[part] {
			d.faults.Add(step.Errorf("unknown-step", "the pipeline has no step %s", part).WithHint(catalog.DidYouMean(part, sortedKeys(known))))
			return
		}
	}
}

// splitKey returns the ids of the steps that a key such as each[PT1]/create names.
func splitKey(key string) []string {
	var ids []string
	for part := range strings.SplitSeq(key, "/") {
		id, _, _ := strings.Cut(part, "[")
		id, _, _ = strings.Cut(id, "#")
		ids = append(ids, id)
	}
	return ids
}

// inside returns the node of an element or member, n itself where it is not written out.
func inside(n *source.Node, index int, name string) *source.Node {
	switch {
	case n.Kind == source.List && index < len(n.Items):
		return n.Items[index]
	case n.Kind == source.Mapping && n.Get(name) != nil:
		return n.Get(name)
	}
	return n
}

func cut(operation string) (connection, name string) {
	connection, name, _ = strings.Cut(operation, ".")
	return connection, name
}
