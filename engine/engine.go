package engine

import (
	"io/fs"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/clock"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/session"
	"github.com/seed627bd532/runner/engine/internal/transport"
)

// A Program is a loaded, linked and compiled project. It never changes; runs
// may go on side by side. The limits of vendors hold over all of its runs.
type Program struct {
	project  *project.Project
	options  Options
	warnings diag.List // of the files; every run tells them
	traffic  *transport.Traffic
}

// Load reads the files of a project (see Options.Paths), links and compiles
// them. Its error is a diag.List of all that is wrong. Warnings do not keep a
// program from running: each run tells them as events, and Check returns them.
func Load(fsys fs.FS, o Options) (*Program, error) {
	p, faults := project.Load(fsys, o.Paths...)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return (&Program{project: p, warnings: faults, traffic: transport.NewTraffic(clock.System{})}).With(o), nil
}

// With returns a Program of the same files that uses the world by other
// options. Paths are not looked at. The limits of vendors hold over the runs of both.
func (p *Program) With(o Options) *Program {
	if o.Client == nil {
		o.Client = transport.Default() // one for all runs: they share connections
	}
	if o.State == nil {
		o.State = session.NewPassing(p.project)
	}
	if o.Machine == nil {
		o.Machine = o.Locks
	}
	if o.Locks == nil {
		o.Locks = o.State
	}
	return &Program{project: p.project, options: o, warnings: p.warnings, traffic: p.traffic}
}

// Check returns all that is amiss in the files, warnings too, in order of
// place. Nothing is sent and no environment is read.
func Check(fsys fs.FS, o Options) diag.List {
	_, faults := project.Load(fsys, o.Paths...)
	return faults
}

// A PipelineInfo describes a pipeline of a Program.
type PipelineInfo struct {
	Path, Name string
	// Inputs and Outputs are names in declaration order; Required those inputs
	// that must be given.
	Inputs, Required, Outputs []string
	// Connections maps the connection names that a run needs to their vendors.
	Connections map[string]string
}

// Pipelines describes the loaded pipelines, in order of their paths.
func (p *Program) Pipelines() []PipelineInfo {
	var all []PipelineInfo
	for _, q := range p.project.Pipelines() {
		info := PipelineInfo{Path: q.Path, Name: q.Name, Inputs: q.Inputs.Names(), Connections: map[string]string{}}
		for _, in := range q.Inputs.List {
			if _, hasFile := q.Inputs.Files[in.Name]; in.Required() && !hasFile {
				info.Required = append(info.Required, in.Name)
			}
		}
		for _, out := range q.Outputs {
			info.Outputs = append(info.Outputs, out.Name)
		}
		for _, c := range q.AllConnections() {
			info.Connections[c.Name] = c.Vendor.Name
		}
		all = append(all, info)
	}
	return all
}

// ReadInputs reads a file that is one mapping of input names to
// values; name is for messages. Numbers keep their digits. The error is a diag.List.
func ReadInputs(name string, text []byte) (map[string]any, error) {
	return session.ReadInputs(name, text)
}
