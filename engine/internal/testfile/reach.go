package testfile

import (
	"maps"
	"slices"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// callsOf returns the operations that a run of pl may call, by CONNECTION.OPERATION: those of its
// steps and of the pipelines that it calls, their undo, look-ups and logins. It is nil for a token endpoint.
func callsOf(pl *pipeline.Pipeline) map[string]*catalog.Operation {
	all := map[string]*catalog.Operation{}
	add := func(c *pipeline.Call) {
		if c == nil || c.Operation == nil || c.Connection == pipeline.Store {
			return
		}
		all[c.Name()] = c.Operation
		if r := c.Operation.Reconcile; r != nil && r.Call != nil {
			all[c.Connection+"."+r.Call.Name] = r.Call
		}
	}
	for _, q := range pl.AllPipelines() {
		for s := range pipeline.AllSteps(q.Steps) {
			if c, ok := s.Action.(*pipeline.Call); ok {
				add(c)
			}
			add(s.Undo)
		}
	}
	for _, c := range pl.AllConnections() {
		if c.Vendor == nil || c.Vendor.Auth.Token == nil {
			continue
		}
		switch token := c.Vendor.Auth.Token; {
		case token.Call != nil:
			all[c.Name+"."+token.Call.Name] = token.Call
		case token.OAuth2 != nil:
			all[c.Name+"."+call.TokenEndpoint] = nil
		}
	}
	return all
}

// operation checks what stands for an operation, at key, and returns it; nil for a token
// endpoint, and when ok is false.
func (d *decoder) operation(key *source.Node) (op *catalog.Operation, ok bool) {
	name := key.Text
	if op, ok = d.called[name]; ok {
		return op, true
	}
	connection, operation := cut(name)
	var vendor *catalog.Vendor
	var connections []string
	for _, c := range d.test.Pipeline.AllConnections() {
		connections = append(connections, c.Name)
		if c.Name == connection {
			vendor = c.Vendor
		}
	}
	var fault *diag.Diagnostic
	switch {
	case connection == pipeline.Store:
		fault = key.Errorf("never-called", "%s is built in, and needs no answers", name).WithHint("say under tables what the tables hold")
	case !slices.Contains(connections, connection):
		fault = key.Errorf("unknown-connection", "the pipeline has no connection %s", connection).WithHint(catalog.DidYouMean(connection, connections))
	case vendor == nil: // reported where it is declared
		return nil, false
	case vendor.Operation(operation) == nil:
		fault = key.Errorf("unknown-operation", "vendor %s has no operation %s", vendor.Name, operation).WithHint(catalog.DidYouMean(operation, vendor.OperationNames()))
		fault.Pos = key.At(len([]rune(connection)) + 1)
	default:
		fault = key.Errorf("never-called", "the pipeline never calls %s", name).WithHint(catalog.DidYouMean(name, sortedKeys(d.called)))
	}
	d.faults.Add(fault)
	return nil, false
}

// tablesOf returns what the pipelines of a run declare of each table.
func tablesOf(pl *pipeline.Pipeline) map[string][]*catalog.Param {
	all := map[string][]*catalog.Param{}
	for _, q := range pl.AllTables() {
		all[q.Name] = append(all[q.Name], q)
	}
	return all
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
