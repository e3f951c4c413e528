package engine

import (
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/session"
)

// A Connection is a vendor at one place, with the credentials for it.
type Connection struct {
	// Vendor is the name of a vendor file.
	Vendor string
	// BaseURL is the vendor's root, http or https. It and Config are empty for
	// connections that ReadConnections returned.
	BaseURL string
	// Config is what the vendor file asks for under config.
	Config map[string]any
	// Site is what the state remembers in place of BaseURL, for a sandbox whose
	// address differs from time to time; usually "".
	Site string

	entry *project.Connection // from a file: evaluated when a run needs it
	env   project.Environment
}

// Environment is what a connections file may read of the world. Nil functions
// mean an empty world.
type Environment struct {
	// Env looks up an environment variable, as os.LookupEnv does.
	Env func(name string) (string, bool)
	// ReadFile reads a file that holds a secret, as os.ReadFile does.
	ReadFile func(name string) ([]byte, error)
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
	for i := range entries {
		e := &entries[i]
		all[e.Name] = Connection{Vendor: e.Vendor, entry: e, env: project.Environment(env)}
	}
	return all, nil
}

func (o Options) connections() map[string]session.Connection {
	all := make(map[string]session.Connection, len(o.Connections))
	for name, c := range o.Connections {
		all[name] = session.Connection{Vendor: c.Vendor, BaseURL: c.BaseURL, Config: c.Config, Site: c.Site, Entry: c.entry, Env: c.env}
	}
	return all
}
