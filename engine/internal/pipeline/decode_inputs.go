package pipeline

import (
	"path"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/table"
)

func decodeInputs(n *source.Node, file string, lib *schema.Library, faults *diag.List) *Inputs {
	in := &Inputs{
		Params:   catalog.DecodeParams(n, file, lib, faults),
		Files:    map[string]string{},
		Streamed: map[string]bool{},
	}
	if n == nil {
		return in
	}
	for _, pair := range n.Pairs {
		f := pair.Value.Get("file")
		if f == nil {
			continue
		}
		if q := in.Get(pair.Key.Text); q != nil && q.Type.Kind != types.List && q.Type.Kind != types.Unknown {
			faults.Add(pair.Value.Key("file").Errorf("wrong-type", "only a list can come from a file of rows, %s is %s", pair.Key.Text, q.Type))
		}
		if pair.Value.Get("default") != nil {
			faults.Add(pair.Value.Key("default").Errorf("two-defaults", "%s has a default and a file, and only one can stand for what is not given", pair.Key.Text))
		}
		if _, err := table.FormatOf(f.Text); err != nil {
			faults.Add(f.Errorf("wrong-value", "%v", err))
		}
		in.Files[pair.Key.Text] = path.Join(path.Dir(file), f.Text)
	}
	return in
}

func (d *decoder) connections(n *source.Node) {
	if n == nil {
		return
	}
	for _, pair := range n.Pairs {
		if CheckConnectionName(pair.Key, d.faults); pair.Key.Text == Store {
			continue
		}
		vendor := pair.Value.Get("vendor")
		v, known := d.link.Vendor(vendor.Text)
		if v == nil {
			if known != nil {
				d.faults.Add(vendor.Errorf("unknown-vendor", "no vendor %s: there is no specs/%s.yaml", vendor.Text, vendor.Text).
					WithHint(catalog.DidYouMean(vendor.Text, known)))
			}
		}
		c := Connection{
			Name:   pair.Key.Text,
			Vendor: v,
			Place:  diag.Place{File: pair.Key.File, Pos: pair.Key.Pos, Note: "declared here"},
		}
		d.vendors[c.Name] = c
		d.p.Connections = append(d.p.Connections, c)
	}
}
