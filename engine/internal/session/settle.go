package session

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/local"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// settle writes down what a person found out about the creates that a run left
// open: all of it, or nothing where something is wrong.
func (w *World) settle(ctx context.Context, id string, j *job) error {
	if len(j.order.Settle) == 0 {
		return nil
	}
	kept := w.guard(j)
	entries, err := kept.Entries(ctx, id)
	if err != nil {
		return stateFault("the run cannot be read", err)
	}
	open := local.Unsettled(entries)
	keys := slices.Sorted(maps.Keys(j.order.Settle))
	outputs := make(map[string]*value.Object, len(keys))
	var faults diag.List
	for _, key := range keys {
		if !isOpen(open, key) {
			faults.Add(notOpen(id, key, open))
			continue
		}
		var bad string
		if outputs[key], bad = settledOutputs(j.target.called(key), j.order.Settle[key]); bad != "" {
			faults.Add(&diag.Diagnostic{Code: "bad-settlement", Message: fmt.Sprintf("%s cannot be settled so: %s", key, bad)})
		}
	}
	if err := faults.Err(); err != nil {
		return err
	}
	for _, key := range keys {
		if err := local.Settle(ctx, kept, id, key, j.order.Settle[key].Done, outputs[key]); err != nil {
			return stateFault("what was settled cannot be recorded", err)
		}
	}
	return nil
}

// isOpen reports whether key is that of an open create, or of a batch with open rows.
func isOpen(open []string, key string) bool {
	return slices.ContainsFunc(open, func(k string) bool { return k == key || strings.HasPrefix(k, key+"/rows[") })
}

func notOpen(id, key string, open []string) *diag.Diagnostic {
	d := &diag.Diagnostic{Code: "nothing-to-settle", Message: fmt.Sprintf("%s is nothing that run %s left open", key, id)}
	near := diag.Nearest(key, open)
	switch {
	case len(open) == 0:
		d.Hint = "of all that the run sent it is known what became of it"
	case near != "":
		d.Hint = "did you mean " + near + "?"
	default:
		d.Hint = "open are " + strings.Join(open, ", ")
	}
	return d
}

// settledOutputs turns what a person gave into the outputs of op, or says what is
// wrong with it. op is nil where the files do not tell any more what was called.
func settledOutputs(op *catalog.Operation, s Settlement) (outputs *value.Object, bad string) {
	if !s.Done {
		return nil, ""
	}
	given, err := value.FromGo(s.Outputs)
	if err != nil {
		return nil, err.Error()
	}
	o, _ := given.(*value.Object)
	if op == nil || op.Batch != nil {
		return o, ""
	}
	var names []string
	for _, m := range op.Response.Outputs {
		names = append(names, m.Name)
	}
	for name := range o.All() {
		if !slices.Contains(names, name) {
			return nil, fmt.Sprintf("%s has no output %s; %s", op.Name, name, catalog.DidYouMean(name, names))
		}
	}
	outputs = value.NewObject(len(names))
	var missing []string
	for _, m := range op.Response.Outputs {
		t := m.Type()
		v, ok := o.Get(m.Name)
		switch {
		case t.HasSecret() && ok:
			return nil, "the output " + m.Name + " is secret, and must not be recorded"
		case t.HasSecret():
			continue
		case !ok && t != nil && t.Kind != types.Unknown && !t.Nullable:
			missing = append(missing, fmt.Sprintf("the output %s (%s)", m.Name, t))
			continue
		}
		if ok {
			if why := t.AcceptsValue(v); why != "" {
				return nil, "the output " + m.Name + ": " + why
			}
		}
		outputs.Set(m.Name, v)
	}
	switch len(missing) {
	case 0:
		return outputs, ""
	case 1:
		return nil, missing[0] + " is missing"
	}
	return nil, strings.Join(missing, " and ") + " are missing"
}

// called returns the operation that the call under key calls; nil where there is none.
func (t *target) called(key string) *catalog.Operation {
	if t.pipeline == nil {
		return t.operation
	}
	return calledBelow(t.pipeline.Steps, strings.Split(key, "/"))
}

// calledBelow follows the parts of a key, which are ids of steps with row keys
// in brackets, to a call.
func calledBelow(steps []*pipeline.Step, parts []string) *catalog.Operation {
	id, _, _ := strings.Cut(parts[0], "[")
	for _, s := range steps {
		rest := parts
		switch {
		case s.ID == "":
		case s.ID == id:
			rest = parts[1:]
		default:
			continue
		}
		if op := calledBy(s, rest); op != nil {
			return op
		}
	}
	return nil
}

func calledBy(s *pipeline.Step, rest []string) *catalog.Operation {
	a, isCall := s.Action.(*pipeline.Call)
	switch {
	case isCall && a.Operation != nil:
		return a.Operation
	case len(rest) == 0:
		return nil
	case isCall:
		return calledBelow(a.Pipeline.Steps, rest)
	}
	switch a := s.Action.(type) {
	case *pipeline.Group:
		return calledBelow(a.Steps, rest)
	case *pipeline.Switch:
		for _, b := range a.Branches {
			if op := calledBelow(b.Steps, rest); op != nil {
				return op
			}
		}
	}
	return nil
}
