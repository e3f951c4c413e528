package pipeline

import (
	"fmt"
	"path"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
)

func decodeCall(d *decoder, s *Step, n, v *source.Node, scope *expr.Scope) Action {
	c, w := &Call{}, n.Get("with")
	if w != nil {
		c.With = template.Compile(w, scope, d.faults)
	}
	if !d.target(c, v) {
		return nil
	}
	c.name = c.Name()
	if c.Connection == Store {
		d.tableOf(c, w)
	}
	if w != nil && c.With == nil {
		return c // what is wrong with it is reported
	}
	catalog.CheckWith(c.Name(), c.Params(), c.With, diag.Place{File: v.File, Pos: v.Pos}, d.faults)
	d.batchSizes(n, c)
	return c
}

// batchSizes finds batches that are passed on as they are, and may be larger
// than what is called takes.
func (d *decoder) batchSizes(n *source.Node, c *Call) {
	w := n.Get("with")
	if w == nil {
		return
	}
	for _, pair := range w.Pairs {
		q := c.Params().Get(pair.Key.Text)
		if q == nil || q.MaxItems == 0 {
			continue
		}
		for _, r := range d.rows {
			if r.batch > q.MaxItems && isJust(pair.Value.Text, r.name) {
				fault := pair.Value.Errorf("batch-too-large", "%s takes at most %d %s at once, and a batch may be of %d", c.Name(), q.MaxItems, q.Name, r.batch)
				fault.Related = []diag.Place{q.Place}
				d.faults.Add(fault.WithHint(fmt.Sprintf("write batch: %d", q.MaxItems)))
			}
		}
	}
}

// isJust reports whether text is one marker that holds nothing but name.
func isJust(text, name string) bool {
	inner, ok := strings.CutPrefix(strings.TrimSpace(text), "${{")
	inner, closed := strings.CutSuffix(inner, "}}")
	return ok && closed && strings.TrimSpace(inner) == name
}

// target finds what a call names: ./other.yaml, or connection.operation.
func (d *decoder) target(c *Call, v *source.Node) bool {
	if strings.HasPrefix(v.Text, "./") || strings.HasPrefix(v.Text, "../") {
		c.Pipeline = d.link.Pipeline(path.Join(path.Dir(d.p.Path), v.Text), v)
		if c.Pipeline == nil {
			return false
		}
		d.sameVendors(c.Pipeline, v)
		d.sameTables(c.Pipeline, v)
		return true
	}
	name, operation, _ := strings.Cut(v.Text, ".")
	if name == Store {
		return d.storeOperation(c, v, operation)
	}
	var names []string
	for _, conn := range d.p.Connections {
		names = append(names, conn.Name)
		if conn.Name != name {
			continue
		}
		if conn.Vendor == nil {
			return false // reported already
		}
		c.Connection = name
		if c.Operation = conn.Vendor.Operation(operation); c.Operation == nil {
			d.unknownOperation(v, len([]rune(name))+1, conn.Vendor, operation)
			return false
		}
		return true
	}
	if diag.Nearest(name, []string{Store}) != "" && diag.Nearest(name, names) == "" {
		names = []string{Store}
	}
	hint := catalog.DidYouMean(name, names)
	if len(names) == 0 {
		hint = "declare it: connections: {" + name + ": {vendor: " + name + "}}"
	}
	d.faults.Add(v.Errorf("unknown-connection", "no connection %s in this pipeline", name).WithHint(hint))
	return false
}

func (d *decoder) storeOperation(c *Call, v *source.Node, name string) bool {
	if d.store == nil {
		d.store = storeVendor()
	}
	c.Connection = Store
	if c.Operation = d.store.Operation(name); c.Operation == nil {
		d.unknownOperation(v, len(Store)+1, d.store, name)
		return false
	}
	return true
}

// sameVendors reports connections of a called pipeline that have the name of
// another one to another vendor: a run has one connection of each name.
func (d *decoder) sameVendors(called *Pipeline, v *source.Node) {
	for _, c := range called.AllConnections() {
		own, ok := d.vendors[c.Name]
		switch {
		case !ok:
			d.vendors[c.Name] = c
		case own.Vendor != nil && c.Vendor != nil && own.Vendor != c.Vendor:
			fault := v.Errorf("connection-conflict", "connection %s is to %s here and to %s in %s", c.Name, own.Vendor.Name, c.Vendor.Name, called.Path).
				WithHint("name one of the two otherwise")
			fault.Related = []diag.Place{own.Place, c.Place}
			d.faults.Add(fault)
		}
	}
}

func (d *decoder) unknownOperation(v *source.Node, at int, vendor *catalog.Vendor, name string) {
	fault := v.Errorf("unknown-operation", "vendor %s has no operation %s", vendor.Name, name).
		WithHint(catalog.DidYouMean(name, vendor.OperationNames()))
	fault.Pos = v.At(at)
	d.faults.Add(fault)
}

func decodeSet(d *decoder, s *Step, n, v *source.Node, scope *expr.Scope) Action {
	if s.ID == "" {
		d.faults.Add(n.Key("set").Errorf("missing-id", "values that are set without an id can never be read").
			WithHint("add id: and read them as steps.ID.outputs.NAME"))
	}
	t := template.Compile(v, scope, d.faults)
	if t == nil {
		return nil
	}
	return &Set{Values: t}
}

func decodeFail(d *decoder, _ *Step, _, v *source.Node, scope *expr.Scope) Action {
	t := template.Compile(v, scope, d.faults)
	if t == nil {
		return nil
	}
	if k := t.Type(); k != nil && (k.Kind != types.Text && k.Kind != types.Unknown || k.Nullable) {
		d.faults.Add(v.Errorf("wrong-type", "the message of fail must be text, found %s", k))
	}
	if t.Type().HasSecret() {
		d.faults.Add(v.Errorf("secret-leak", "a secret would stand in the message"))
	}
	d.ending.never = true
	return &Fail{Message: t}
}

type decodeKind func(d *decoder, s *Step, n, v *source.Node, scope *expr.Scope) Action

// kinds are the step kinds: each decodes the value of its key. A step has exactly one of them.
func kinds() map[string]decodeKind {
	return map[string]decodeKind{
		"call":   decodeCall,
		"set":    decodeSet,
		"fail":   decodeFail,
		"steps":  decodeGroup,
		"switch": decodeSwitch,
	}
}
