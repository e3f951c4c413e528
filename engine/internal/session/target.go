package session

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
)

// A target is what runs: a pipeline, or one operation by itself.
type target struct {
	// name is the pipeline's path, or "vendor.operation".
	name     string
	pipeline *pipeline.Pipeline // nil for an operation
	// operation is called by connection; nil for a pipeline.
	operation   *catalog.Operation
	connection  string
	inputs      *pipeline.Inputs
	connections []pipeline.Connection
	// tables are those declared that what is kept in them must fit.
	tables []*catalog.Param
	// files are those that it was made from, path to digest.
	files map[string]string
}

// pipelineTarget finds the pipeline at a path.
func (w *World) pipelineTarget(path string) (*target, diag.List) {
	pl := w.Project.Find(path)
	if pl == nil {
		return nil, unknown("pipeline", path, w.Project.Paths())
	}
	return &target{
		name:        pl.Path,
		pipeline:    pl,
		inputs:      pl.Inputs,
		connections: pl.AllConnections(),
		tables:      pl.AllTables(),
		files:       w.Project.Reach(pl),
	}, nil
}

// operationTarget finds vendor.operation, and the connection to reach it by:
// the one named as the vendor is, or the only one to it.
func (w *World) operationTarget(name string) (*target, diag.List) {
	vendor, operation, _ := strings.Cut(name, ".")
	v := w.Project.LoadedVendor(vendor)
	if v == nil {
		return nil, unknown("vendor", vendor, w.Project.LoadedVendors())
	}
	op := v.Operation(operation)
	if op == nil {
		return nil, diag.List{{Code: "unknown-operation",
			Message: fmt.Sprintf("vendor %s has no operation %s", vendor, operation),
			Hint:    catalog.DidYouMean(operation, v.OperationNames())}}
	}
	t := &target{name: name, operation: op, connection: vendor, inputs: &pipeline.Inputs{Params: op.Inputs}, files: w.Project.ReachVendor(vendor)}
	if vendor == pipeline.Store {
		if op.Name == pipeline.StorePut { // what is there already is to be seen, and to be deleted, whatever it is
			t.tables = w.Project.Tables()
		}
		return t, nil
	}
	if _, ok := w.Connections[vendor]; !ok {
		others := w.connectionsTo(vendor)
		if len(others) > 1 {
			return nil, diag.List{{Code: "ambiguous-connection",
				Message: fmt.Sprintf("several connections are to vendor %s (%s), and none is named %s", vendor, strings.Join(others, ", "), vendor),
				Hint:    "give a call just the one that it shall use"}}
		}
		if len(others) == 1 {
			t.connection = others[0]
		}
	}
	t.connections = []pipeline.Connection{{Name: t.connection, Vendor: v}}
	return t, nil
}

// recordedTarget finds what a recorded run ran.
func (w *World) recordedTarget(name string) (*target, diag.List) {
	if w.Project.Find(name) == nil && !strings.Contains(name, "/") && w.Project.LoadedVendor(vendorOf(name)) != nil {
		return w.operationTarget(name)
	}
	return w.pipelineTarget(name)
}

func vendorOf(operation string) string {
	vendor, _, _ := strings.Cut(operation, ".")
	return vendor
}

func (w *World) connectionsTo(vendor string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(w.Connections)) {
		if w.Connections[name].Vendor == vendor {
			names = append(names, name)
		}
	}
	return names
}

func unknown(what, name string, known []string) diag.List {
	return diag.List{{
		Code:    "unknown-" + what,
		Message: fmt.Sprintf("no %s %s is loaded", what, name),
		Hint:    catalog.DidYouMean(name, known),
	}}
}
