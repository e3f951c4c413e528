package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/state"
	"github.com/seed627bd532/runner/engine/state/files"
	"github.com/seed627bd532/runner/engine/state/postgres"
	"github.com/seed627bd532/runner/engine/state/sqlite"
)

// envFlags say which environment a command works in: where the vendors are, and
// where it is remembered what was done there.
type envFlags struct {
	connections string
	state       string
}

func (f *envFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.connections, "connections", "", "connections file (default: connections.yaml if it exists)")
	flags.StringVar(&f.state, "state", "", "state that records runs: a file, or postgres://… (default: .runner/NAME.db beside the connections file)")
}

const (
	defaultConnections = "connections.yaml"
	stateFolder        = ".runner"
)

// connectionsFile returns the connections file: the named one, or connections.yaml in
// the working directory or the project's root; "" for none.
func (f *envFlags) connectionsFile(root string) string {
	if f.connections != "" {
		return f.connections
	}
	for _, candidate := range []string{defaultConnections, filepath.Join(root, defaultConnections)} {
		if _, err := os.Stat(candidate); err == nil {
			return candidate
		}
	}
	return ""
}

// statePlace returns where the state is: --state, or a file that is named after
// the connections file and lies in a folder beside it.
func (f *envFlags) statePlace(root string) (string, error) {
	if f.state != "" {
		if scheme, _, isURL := strings.Cut(f.state, "://"); isURL && !isPostgres(f.state) {
			return "", usage("--state: there is no state of the kind %s", scheme).WithHint("give a path, or postgres://…")
		}
		return f.state, nil
	}
	connections := f.connectionsFile(root)
	if connections == "" {
		connections = filepath.Join(root, defaultConnections)
	}
	name := strings.TrimSuffix(filepath.Base(connections), filepath.Ext(connections))
	return filepath.Join(filepath.Dir(connections), stateFolder, name+".db"), nil
}

func isPostgres(place string) bool {
	return strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://")
}

// shownPlace is a place without its password.
func shownPlace(place string) string {
	u, err := url.Parse(place)
	if !isPostgres(place) || err != nil || u.User == nil {
		return place
	}
	u.User = url.User(u.User.Username())
	return u.String()
}

// A memory is a state that is open.
type memory struct {
	state.Store
	// shared says that runs of several machines have it in common.
	shared bool
}

// openState opens the state at a place; a file is made where there is none.
func (c *cli) openState(ctx context.Context, place string) (*memory, error) {
	m := &memory{shared: isPostgres(place)}
	var err error
	if m.shared {
		m.Store, err = postgres.Open(ctx, place)
	} else if err = ownFolder(place); err == nil {
		m.Store, err = sqlite.Open(place)
	}
	if err != nil {
		return nil, &diag.Diagnostic{Code: "state", Message: "the state cannot be opened: " + err.Error(),
			Hint: "nothing was sent, since it could not be recorded; --state names another state", Err: err}
	}
	return m, nil
}

// existingState opens the state of a command that only looks at it, or goes on
// with what is there.
func (c *cli) existingState(ctx context.Context, root string, f *envFlags) (*memory, error) {
	place, err := f.statePlace(root)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(place); !isPostgres(place) && errors.Is(err, fs.ErrNotExist) && sqlite.Lost(place) == nil {
		if f.state != "" {
			return nil, usage("--state: there is no %s", place)
		}
		return &memory{Store: state.NewMemory()}, nil // nothing was remembered yet
	}
	return c.openState(ctx, place)
}

// ownFolder makes the folder of a state's file. One that is called .runner keeps itself
// out of version control.
func ownFolder(place string) error {
	dir := filepath.Dir(place)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if filepath.Base(dir) != stateFolder {
		return nil
	}
	ignore := filepath.Join(dir, ".gitignore")
	if _, err := os.Stat(ignore); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return os.WriteFile(ignore, []byte("*\n"), 0o600)
}

// remember gives the options what outlives a run. Tokens are kept for this user on
// this machine, or beside the runs where several machines share these. Identities are locked on this
// machine in any case, so that runs with other states wait.
func (c *cli) remember(o *engine.Options, m *memory) {
	if tokens, ok := m.Store.(state.Tokens); ok && m.shared {
		o.Tokens, o.Locks = tokens, m
	}
	dir, err := files.Dir(c.env)
	switch {
	case err != nil && m.shared:
		fmt.Fprintf(c.stderr, "warning: nothing is known of processes of this machine that have another state: %v\n", err)
	case err != nil:
		fmt.Fprintf(c.stderr, "warning: tokens are not kept, and nothing is known of other processes: %v\n", err)
	case m.shared:
		o.Machine = files.New(dir)
	default:
		own := files.New(dir)
		o.Tokens, o.Locks = own, own
	}
}

// goOn is the command that goes on with a run of the project at root.
func (c *cli) goOn(id, root string, f *runFlags) string {
	return c.command(root, f, "resume", id)
}

// command is one about a run of the project at root, with the flags that belong to its environment.
func (c *cli) command(root string, f *runFlags, verbs ...string) string {
	words := []string{"runner"}
	add := func(flag, given string) {
		if given != "" {
			words = append(words, flag, diag.ShellWord(given))
		}
	}
	if found, err := c.projectRoot(""); c.project != "" {
		add("--project", c.project)
	} else if err == nil && found != root {
		add("--project", root)
	}
	words = append(words, verbs...)
	if f.sandbox && verbs[0] == "resume" {
		words = append(words, "--sandbox")
	}
	add("--connections", f.connections)
	add("--state", shownPlace(f.state))
	return strings.Join(words, " ")
}
