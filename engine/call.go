package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/interp"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Call makes one call of a vendor's operation, as patiently and safely as a
// pipeline's step would. name is "vendor.operation"; the connection is the one
// named as the vendor, or the only one to it. Secret outputs are left out of the Result. Request.Pipeline, OutDir and Rows
// are not used.
func (p *Program) Call(ctx context.Context, name string, r Request) (*Result, error) {
	conn, op, faults := p.operation(name)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	given, unread, faults := readInputs(op.Inputs, r)
	bound, bad := op.Inputs.Bind(given)
	faults = append(faults, inputFaults(bad, unread)...)
	connections, more := p.connect([]pipeline.Connection{conn})
	faults = append(faults, more...)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	s := p.session(name, connections)
	hideSecrets(s.gate, op.Inputs, bound)
	ctx, cancel := deadline(ctx, r.Timeout)
	defer cancel()
	return s.run(ctx, func(rt flow.Runtime) (*value.Object, flow.Tally, error) {
		outputs, err := interp.Call(rt, s.id, conn.Name, op, bound)
		open := value.NewObject(outputs.Len())
		for _, m := range op.Response.Outputs {
			if !m.Secret {
				open.Set(m.Name, outputs.At(m.Name))
			}
		}
		return open, flow.Tally{}, err
	})
}

// operation finds vendor.operation, and the connection to reach it by.
func (p *Program) operation(name string) (pipeline.Connection, *catalog.Operation, diag.List) {
	var faults diag.List
	vendorName, operation, _ := strings.Cut(name, ".")
	v := p.project.LoadedVendor(vendorName)
	if v == nil {
		faults.Add(&diag.Diagnostic{Code: "unknown-vendor", Message: fmt.Sprintf("no vendor %s is loaded", vendorName),
			Hint: "vendors are the files specs/VENDOR.yaml"})
		return pipeline.Connection{}, nil, faults
	}
	conn := pipeline.Connection{Name: vendorName, Vendor: v}
	if _, ok := p.options.Connections[vendorName]; !ok {
		for _, other := range sortedKeys(p.options.Connections) {
			if p.options.Connections[other].Vendor == vendorName {
				conn.Name = other
				break
			}
		}
	}
	op := v.Operation(operation)
	if op == nil {
		var names []string
		for _, o := range v.Operations {
			names = append(names, o.Name)
		}
		faults.Add(&diag.Diagnostic{Code: "unknown-operation", Message: fmt.Sprintf("vendor %s has no operation %s", vendorName, operation),
			Hint: catalog.DidYouMean(operation, names)})
	}
	return conn, op, faults
}
