package session

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// start is what a run was started with, as the state records it: a JSON object with a
// member for each input, and one for the places on the disk:
//
//	{"vat_id": {"value": "PT1"}, "companies": {"file": "companies.csv", "digest": "sha256:…"},
//	 "password": {"secret": true}, ".": {"dir": "/home/me", "out_dir": "."}}
//
// A default file is {"file", "digest", "default": true}; rows that came from a
// program or a pipe are {"rows": true}, and have to be given again, as secrets have.
type start struct {
	inputs *value.Object
	// dir is the working directory that relative paths were meant for.
	dir string
	// outDir is as it was given; nil for none.
	outDir *string
}

const places = "." // no input can be called so

func (s start) encode() []byte {
	o := s.inputs.Clone()
	where := value.ObjectOf("dir", s.dir)
	if s.outDir != nil {
		where.Set("out_dir", *s.outDir)
	}
	o.Set(places, where)
	return value.AppendJSON(nil, o)
}

func decodeStart(r state.Run) (start, error) {
	v, err := value.Decode(r.Inputs)
	o, ok := v.(*value.Object)
	if err != nil || !ok {
		return start{}, fmt.Errorf("the record of the inputs of run %s is broken", r.ID)
	}
	s := start{inputs: value.NewObject(o.Len())}
	for name, in := range o.All() {
		recorded, ok := in.(*value.Object)
		switch {
		case !ok:
			return start{}, fmt.Errorf("the record of input %s of run %s is broken", name, r.ID)
		case name != places:
			s.inputs.Set(name, recorded)
			continue
		}
		s.dir, _ = recorded.At("dir").(string)
		if dir, ok := recorded.At("out_dir").(string); ok {
			s.outDir = &dir
		}
	}
	return s, nil
}

// startOf returns what a run of t was started with. Where that refers to secrets, they are those of the connections, and of inputs that
// are given again.
func (w *World) startOf(r state.Run, t *target, again Given) (start, error) {
	if !redact.HasReferences(string(r.Inputs)) {
		return decodeStart(r)
	}
	connections, faults := Connect(t.connections, w.Connections)
	if err := faults.Err(); err != nil {
		return start{}, err
	}
	g := &guard{gate: w.gateOf(connections)}
	for name, text := range again.Texts {
		g.gate.AddNamed(call.InputName(name), text)
	}
	for name, v := range again.Values {
		if text, ok := v.(string); ok {
			g.gate.AddNamed(call.InputName(name), text)
		}
	}
	var err error
	if r.Inputs, err = g.resolve(r.Inputs); err != nil {
		return start{}, err
	}
	return decodeStart(r)
}

// newStart records what binding the inputs has found.
func newStart(in *Inputs, outDir *string) start {
	dir, _ := os.Getwd() // without one, paths are as they are
	return start{inputs: in.recorded, dir: dir, outDir: outDir}
}

// path returns a path of the start as it leads there from the present working directory.
func (s start) path(name string) string {
	here, err := os.Getwd()
	if filepath.IsAbs(name) || err == nil && here == s.dir {
		return name
	}
	return filepath.Join(s.dir, name)
}

// given returns the inputs to take the run up with: those recorded, and for
// the others, or in their place, those of again. missing are inputs that have to be given again, with the reason.
func (s start) given(again Given) (all Given, missing diag.List) {
	all = Given{Values: maps.Clone(again.Values), Texts: again.Texts}
	if all.Values == nil {
		all.Values = map[string]any{}
	}
	for name, in := range s.inputs.All() {
		_, isValue := again.Values[name]
		_, isText := again.Texts[name]
		in := in.(*value.Object)
		switch {
		case isValue || isText || in.At("default") == true:
		case in.At("secret") == true:
			missing.Add(&diag.Diagnostic{Code: "input-not-recorded", Message: fmt.Sprintf("input %s is secret, so that it was not recorded", name),
				Hint: fmt.Sprintf("give it again: --input %s=…", name)})
		case in.At("rows") == true:
			missing.Add(&diag.Diagnostic{Code: "input-not-recorded", Message: fmt.Sprintf("input %s came from no file, so that it was not recorded", name),
				Hint: fmt.Sprintf("give it again, as the same rows: --input %s=@FILE", name)})
		case in.At("file") != nil:
			file, _ := in.At("file").(string)
			all.Values[name] = File(s.path(file))
		default:
			all.Values[name] = in.At("value")
		}
	}
	return all, missing
}

// differences says which inputs other has otherwise than s.
func (s start) differences(other start) []string {
	var found []string
	for name, in := range s.inputs.All() {
		if again, ok := other.inputs.Get(name); !ok {
			found = append(found, "input "+name+" is not given")
		} else if text := difference(in.(*value.Object), again.(*value.Object)); text != "" {
			found = append(found, "input "+name+" "+text)
		}
	}
	for name := range other.inputs.All() {
		if _, ok := s.inputs.Get(name); !ok {
			found = append(found, "input "+name+" was not given")
		}
	}
	return found
}

func difference(a, b *value.Object) string {
	was, is := a.At("digest"), b.At("digest")
	switch {
	case was != nil && is != nil && was != is:
		return fmt.Sprintf("has changed: the file %v", b.At("file"))
	case was != nil && is != nil:
		return "" // wherever it lies now
	case !value.Equal(a, b):
		return "is another"
	}
	return ""
}

// changedFiles says which files differ between two sets of digests.
func changedFiles(was, is map[string]string) []string {
	var found []string
	names := slices.AppendSeq(slices.Collect(maps.Keys(was)), maps.Keys(is))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		before, had := was[name]
		now, has := is[name]
		switch {
		case !had:
			found = append(found, name+" was added")
		case !has:
			found = append(found, name+" was removed")
		case before != now:
			found = append(found, name+" was changed")
		}
	}
	return found
}

// encodeOutcome writes what a run came to. The texts in it are masked.
func encodeOutcome(outputs []byte, failure *event.Failure, tally flow.Tally) []byte {
	o := value.NewObject(4)
	v, err := value.Decode(outputs)
	if err != nil {
		v = value.NewObject(0)
	}
	o.Set("outputs", v)
	if failure == nil {
		o.Set("error", nil)
	} else {
		o.Set("error", value.ObjectOf("code", failure.Code, "step", failure.Step, "operation", failure.Operation,
			"outcome", failure.Outcome, "message", failure.Message, "hint", failure.Hint))
	}
	o.Set("failed", int64(tally.Failed))
	o.Set("ambiguous", int64(tally.Ambiguous))
	return value.AppendJSON(nil, o)
}

// recordedCode returns the code of the failure that ended a run; "" for none.
func recordedCode(r state.Run) string {
	v, _ := value.Decode(r.Outcome)
	o, _ := v.(*value.Object)
	failure, _ := o.At("error").(*value.Object)
	code, _ := failure.At("code").(string)
	return code
}

// recordedOutputs returns the outputs of a run that is done.
func recordedOutputs(r state.Run) (*value.Object, error) {
	v, err := value.Decode(r.Outcome)
	o, _ := v.(*value.Object)
	outputs, ok := redact.Unrefer(o.At("outputs")).(*value.Object)
	if err != nil || !ok {
		return nil, fmt.Errorf("the record of what run %s came to is broken", r.ID)
	}
	return outputs, nil
}
