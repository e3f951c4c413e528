package pipeline

import (
	"fmt"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// Store is the vendor that is built in, and the connection that leads to it without being
// declared: the tables of the state.
const Store = "store"

// The operations of Store. An input is called as an output is where it is the same thing.
const (
	StoreGet    = "get"
	StorePut    = "put"
	StoreDelete = "delete"
	StoreList   = "list"
	StoreRun    = "run"

	StoreTable = "table"
	StoreKey   = "key"
	StoreValue = "value"
	StoreRows  = "rows"
	StoreEnded = "status"
)

// storeOperations are what a vendor file would say of Store, if there were one.
const storeOperations = `
get:
  effect: read
  inputs:
    table: {type: string, minLength: 1}
    key: {type: string, minLength: 1}
put:
  effect: idempotent
  inputs:
    table: {type: string, minLength: 1}
    key: {type: string, minLength: 1}
    value: {}
delete:
  effect: idempotent
  inputs:
    table: {type: string, minLength: 1}
    key: {type: string, minLength: 1}
list:
  effect: read
  inputs:
    table: {type: string, minLength: 1}
run:
  effect: read
  inputs:
    run: {type: string, minLength: 1}
`

// storeVendor returns Store with tables that may hold anything.
func storeVendor() *catalog.Vendor {
	v := &catalog.Vendor{Name: Store, Title: "Tables of the state", Config: &catalog.Params{Type: types.ObjectOf()}}
	var faults diag.List // none, as every use of Store shows
	n, _ := source.Read(Store, []byte(storeOperations))
	for _, pair := range n.Pairs {
		op := &catalog.Operation{
			Vendor: v,
			Name:   pair.Key.Text,
			Effect: flow.Effect(pair.Value.Get("effect").Text),
			NoAuth: true,
			Inputs: catalog.DecodeParams(pair.Value.Get("inputs"), Store, &schema.Library{}, &faults),
		}
		op.Inputs.WrittenDown = true
		for _, in := range op.Inputs.List {
			t := *in.Type
			t.Declared, in.Place, in.Type = diag.Place{}, diag.Place{}, &t // nobody could look there
		}
		setStoreOutputs(op, types.AnyType)
		v.Operations = append(v.Operations, op)
	}
	return v
}

// CheckConnectionName reports a connection that has the name of Store.
func CheckConnectionName(name *source.Node, faults *diag.List) {
	if name.Text == Store {
		faults.Add(name.Errorf("reserved-name", "no connection can be called %s: that is the vendor which is built in", Store).
			WithHint("name it otherwise"))
	}
}

// setStoreOutputs says what an operation gives of a table that holds such values.
func setStoreOutputs(op *catalog.Operation, of *types.Type) {
	op.Response.OutputsType = storeOutputs(op.Name, of)
	switch op.Name {
	case StoreGet:
		op.Response.SetEmpty("there may be nothing under that key")
	case StoreRun:
		op.Response.SetEmpty("there may be no such run")
	}
}

// storeOutputs is the type of what an operation gives of a table that holds such values, where there is something.
func storeOutputs(operation string, of *types.Type) *types.Type {
	switch operation {
	case StoreGet:
		return types.ObjectOf(types.Field{Name: StoreValue, Type: of})
	case StoreList:
		row := types.ObjectOf(types.Field{Name: StoreKey, Type: types.TextType}, types.Field{Name: StoreValue, Type: of})
		return types.ObjectOf(types.Field{Name: StoreRows, Type: types.ListOf(row)})
	case StoreRun:
		return types.ObjectOf(types.Field{Name: StoreEnded, Type: types.TextType})
	}
	return types.ObjectOf()
}

// ofTable returns an operation of Store for a table that is declared.
func ofTable(op *catalog.Operation, table *catalog.Param) *catalog.Operation {
	typed, inputs := *op, *op.Inputs
	inputs.List, inputs.Type = nil, types.ObjectOf()
	for _, in := range op.Inputs.List {
		if in.Name == StoreValue {
			value := *in
			value.Type, value.Place = table.Type, table.Place
			in = &value
		}
		inputs.List = append(inputs.List, in)
		inputs.Type.Fields = append(inputs.Type.Fields, types.Field{Name: in.Name, Type: in.Type})
	}
	typed.Inputs = &inputs
	setStoreOutputs(&typed, table.Type)
	return &typed
}

// tables decodes the tables that the pipeline declares; n may be nil.
func (d *decoder) tables(n *source.Node, lib *schema.Library) {
	d.p.Tables = catalog.DecodeParams(n, d.p.Path, lib, d.faults)
	for _, t := range d.p.Tables.List {
		d.known[t.Name] = t
		if t.Type.HasSecret() {
			d.faults.Add(n.Key(t.Name).Errorf("secret-in-table", "table %s would hold a secret, and all that it holds is written down as it is", t.Name).
				WithHint("secrets belong into the connections file"))
		}
	}
}

// tableOf types a call of Store by the table that it names as it stands; with may be nil. A table
// whose name is computed, or that is not declared, may hold anything.
func (d *decoder) tableOf(c *Call, with *source.Node) {
	name := with.Get(StoreTable)
	if name == nil || name.Kind != source.Scalar || strings.Contains(name.Text, "${{") {
		return
	}
	if IsReserved(name.Text) {
		d.faults.Add(name.Errorf("reserved-table", "%s", ReservedTable(name.Text)))
		return
	}
	table := d.p.Tables.Get(name.Text)
	if table != nil {
		c.Operation = ofTable(c.Operation, table)
		return
	}
	if near := diag.Nearest(name.Text, d.p.Tables.Names()); near != "" {
		d.faults.Add(name.Errorf("unknown-table", "no table %s is declared", name.Text).
			WithHint(fmt.Sprintf("did you mean %s? Otherwise declare it, too", near)))
	}
}

// IsReserved reports whether a table is the runner's own.
func IsReserved(table string) bool { return strings.HasPrefix(table, ".") }

// ReservedTable says that a table is.
func ReservedTable(table string) string {
	return fmt.Sprintf("the table %s is the runner's own, as are all whose names begin with a dot", table)
}

// sameTables reports tables of a called pipeline that hold something else than here.
func (d *decoder) sameTables(called *Pipeline, v *source.Node) {
	for _, t := range called.AllTables() {
		own, ok := d.known[t.Name]
		switch {
		case !ok:
			d.known[t.Name] = t
		case own.Type.Accepts(t.Type) != "" && t.Type.Accepts(own.Type) != "":
			fault := v.Errorf("table-conflict", "table %s holds %s here and %s in %s", t.Name, own.Type, t.Type, called.Path).
				WithHint("name one of the two otherwise, or declare them alike")
			fault.Related = []diag.Place{own.Place, t.Place}
			d.faults.Add(fault)
		}
	}
}

// AllTables returns the tables that p and every pipeline it calls declare, in the
// order they are met. What several declare is there as often: a value must fit all.
func (p *Pipeline) AllTables() []*catalog.Param {
	var all []*catalog.Param
	for _, q := range p.AllPipelines() {
		all = append(all, q.Tables.List...)
	}
	return all
}
