package engine

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Environment is what a connections file may read of the world. Nil functions
// mean an empty world.
type Environment struct {
	// Env looks up an environment variable, as os.LookupEnv does.
	Env func(name string) (string, bool)
	// ReadFile reads a file that holds a secret, as os.ReadFile does.
	ReadFile func(name string) ([]byte, error)
}

type lateConnection struct {
	entry project.Connection
	env   project.Environment
}

// ReadConnections reads a connections file; name is for messages. Variables
// and files are read when a run needs the connection, so that only those in use
// must be set. The error is a diag.List.
func ReadConnections(name string, text []byte, env Environment) (map[string]Connection, error) {
	if env.Env == nil {
		env.Env = func(string) (string, bool) { return "", false }
	}
	entries, faults := project.ReadConnections(name, text)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	all := make(map[string]Connection, len(entries))
	for _, e := range entries {
		all[e.Name] = Connection{Vendor: e.Vendor, late: &lateConnection{e, project.Environment(env)}}
	}
	return all, nil
}

// connect resolves the connections that a run needs.
func (p *Program) connect(needed []pipeline.Connection) (map[string]*call.Connection, diag.List) {
	all := make(map[string]*call.Connection, len(needed))
	var faults diag.List
	for _, n := range needed {
		c, bad := p.connection(n)
		faults = append(faults, bad...)
		all[n.Name] = c
	}
	return all, faults
}

func (p *Program) connection(n pipeline.Connection) (*call.Connection, diag.List) {
	given, ok := p.options.Connections[n.Name]
	if !ok {
		d := &diag.Diagnostic{File: n.Place.File, Pos: n.Place.Pos, Code: "missing-connection",
			Message: fmt.Sprintf("no connection %s is given", n.Name),
			Hint:    "add it to the connections file (--connections FILE), or try it out with --sandbox"}
		return nil, diag.List{d}
	}
	if given.Vendor != n.Vendor.Name {
		d := &diag.Diagnostic{File: n.Place.File, Pos: n.Place.Pos, Code: "wrong-vendor",
			Message: fmt.Sprintf("the pipeline wants connection %s to be a %s, it is a %s", n.Name, n.Vendor.Name, given.Vendor)}
		return nil, diag.List{d}
	}
	return given.resolve(n.Name, n.Vendor)
}

func (c Connection) resolve(name string, v *catalog.Vendor) (*call.Connection, diag.List) {
	var faults diag.List
	at := func(string) diag.Place { return diag.Place{} }
	base, config := c.BaseURL, (*value.Object)(nil)
	if c.late != nil {
		base, config, faults = c.late.entry.Evaluate(c.late.env)
		at = c.late.entry.At
	} else if given, err := value.FromGo(c.Config); err != nil {
		faults.Add(connectionFault(name, diag.Place{}, fmt.Sprintf("config: %v", err)))
	} else {
		config, _ = given.(*value.Object)
	}
	if faults.HasErrors() {
		return nil, faults
	}
	baseURL, err := project.ParseBaseURL(base)
	if err != nil {
		faults.Add(connectionFault(name, at("base_url"), err.Error()))
		baseURL = &url.URL{}
	}
	bound, bad := v.Config.Bind(config)
	for _, b := range bad {
		root, _, _ := strings.Cut(strings.TrimPrefix(b.Pointer, "/"), "/")
		faults.Add(connectionFault(name, at(root), "config "+b.Path+": "+b.Message))
	}
	return &call.Connection{Name: name, Vendor: v, BaseURL: baseURL, Config: bound}, faults
}

func connectionFault(name string, at diag.Place, message string) *diag.Diagnostic {
	return &diag.Diagnostic{File: at.File, Pos: at.Pos, Code: "bad-connection", Message: "connection " + name + ": " + message}
}
