package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
)

// operation finds vendor.operation, and the connection to reach it by.
func (p *Program) operation(name string) (pipeline.Connection, *catalog.Operation, diag.List) {
	vendor, operation, _ := strings.Cut(name, ".")
	v := p.project.LoadedVendor(vendor)
	if v == nil {
		return pipeline.Connection{}, nil, unknown("vendor", vendor, p.project.LoadedVendors())
	}
	op := v.Operation(operation)
	if op == nil {
		return pipeline.Connection{}, nil, diag.List{{Code: "unknown-operation",
			Message: fmt.Sprintf("vendor %s has no operation %s", vendor, operation),
			Hint:    catalog.DidYouMean(operation, v.OperationNames())}}
	}
	conn := pipeline.Connection{Name: vendor, Vendor: v}
	if _, ok := p.options.Connections[vendor]; ok {
		return conn, op, nil
	}
	var others []string
	for _, other := range slices.Sorted(maps.Keys(p.options.Connections)) {
		if p.options.Connections[other].Vendor == vendor {
			others = append(others, other)
		}
	}
	if len(others) > 1 {
		return conn, op, diag.List{{Code: "ambiguous-connection",
			Message: fmt.Sprintf("several connections are to vendor %s (%s), and none is named %s", vendor, strings.Join(others, ", "), vendor),
			Hint:    "give a call just the one that it shall use"}}
	}
	if len(others) == 1 {
		conn.Name = others[0]
	}
	return conn, op, nil
}

func unknown(what, name string, known []string) diag.List {
	return diag.List{{
		Code:    "unknown-" + what,
		Message: fmt.Sprintf("no %s %s is loaded", what, name),
		Hint:    catalog.DidYouMean(name, known),
	}}
}
