package session

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Connection is a vendor's place and config, as Go values or as an entry of a connections file.
type Connection struct {
	Vendor  string
	BaseURL string
	Config  map[string]any
	// Site is where the state remembers the vendor to be; "" means BaseURL.
	Site string
	// Entry, when not nil, is evaluated in Env in place of BaseURL and Config.
	Entry *project.Connection
	Env   project.Environment
}

// Connect resolves the connections that a run needs, and reads the
// environment for those alone.
func Connect(needed []pipeline.Connection, given map[string]Connection) (map[string]*call.Connection, diag.List) {
	all := make(map[string]*call.Connection, len(needed))
	var faults diag.List
	for _, n := range needed {
		c, ok := given[n.Name]
		switch {
		case n.Name == pipeline.Store:
			faults.Add(neededFault(n, "reserved-name", "no connection can be called "+pipeline.Store+": that is the vendor which is built in", "name it otherwise"))
		case !ok:
			faults.Add(neededFault(n, "missing-connection", fmt.Sprintf("no connection %s is given", n.Name),
				missingHint(n, slices.Sorted(maps.Keys(given)))))
		case c.Vendor != n.Vendor.Name:
			faults.Add(neededFault(n, "wrong-vendor", fmt.Sprintf("connection %s must be to the vendor %s, the one given is to %s", n.Name, n.Vendor.Name, c.Vendor), ""))
		default:
			resolved, bad := c.resolve(n.Name, n.Vendor)
			faults = append(faults, bad...)
			all[n.Name] = resolved
		}
	}
	return all, faults
}

func missingHint(n pipeline.Connection, given []string) string {
	hint := fmt.Sprintf("add %s: {vendor: %s, base_url: https://…} to the connections file (connections.yaml, or --connections FILE), or try it out with --sandbox",
		n.Name, n.Vendor.Name)
	if near := diag.Nearest(n.Name, given); near != "" {
		hint += "; there is a connection " + near
	} else if len(given) > 0 {
		hint += "; there are: " + strings.Join(given, ", ")
	}
	return hint
}

func neededFault(n pipeline.Connection, code, message, hint string) *diag.Diagnostic {
	return &diag.Diagnostic{File: n.Place.File, Pos: n.Place.Pos, Code: code, Message: message, Hint: hint}
}

func (c Connection) resolve(name string, v *catalog.Vendor) (*call.Connection, diag.List) {
	base, config, at, faults := c.values(name, v)
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
		member, _, _ := strings.Cut(strings.TrimPrefix(b.Pointer, "/"), "/")
		faults.Add(connectionFault(name, at(member), "config "+b.Path+": "+b.Message))
	}
	if !faults.HasErrors() {
		for member, given := range config.All() {
			for _, f := range v.CheckSecret(member, given, at(member)) {
				if f.Message = "connection " + name + ": " + f.Message; f.Severity != diag.Warning || c.Site == "" { // a sandbox has no secrets
					faults.Add(f)
				}
			}
		}
	}
	return &call.Connection{Name: name, Vendor: v, BaseURL: baseURL, Config: bound}, faults
}

// values returns base URL and config, and where each config value stands.
func (c Connection) values(name string, v *catalog.Vendor) (base string, config *value.Object, at func(string) diag.Place, faults diag.List) {
	if c.Entry != nil {
		base, config, faults = c.Entry.Evaluate(v, c.Env)
		return base, config, c.Entry.At, faults
	}
	at = func(string) diag.Place { return diag.Place{} }
	given, err := value.FromGo(c.Config)
	if err != nil {
		faults.Add(connectionFault(name, diag.Place{}, fmt.Sprintf("config: %v", err)))
	}
	config, _ = given.(*value.Object)
	return c.BaseURL, config, at, faults
}

func connectionFault(name string, at diag.Place, message string) *diag.Diagnostic {
	return &diag.Diagnostic{File: at.File, Pos: at.Pos, Code: "bad-connection", Message: "connection " + name + ": " + message}
}
