package project

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/marker"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Environment is what a connections file may read of the world.
type Environment struct {
	// Env looks up an environment variable.
	Env func(name string) (string, bool)
	// ReadFile reads a secret's file.
	ReadFile func(name string) ([]byte, error)
}

// A Connection is one entry of a connections file, not yet evaluated: only
// those that a run uses need their variables set.
type Connection struct {
	Name   string
	Vendor string
	node   *source.Node
}

// ReadConnections reads a connections file; entries are in file order.
func ReadConnections(name string, text []byte) ([]Connection, diag.List) {
	n, kind, faults := ReadFile(name, text)
	if n == nil {
		return nil, faults
	}
	if kind != "connections" {
		faults.Add(n.Errorf("unknown-kind", "expected a connections file, this is a %s file", kind))
		return nil, faults
	}
	checkNames(n, &faults)
	return connectionsOf(n), faults
}

func checkNames(n *source.Node, faults *diag.List) {
	for _, pair := range n.Get("connections").Pairs {
		pipeline.CheckConnectionName(pair.Key, faults)
	}
}

func connectionsOf(n *source.Node) []Connection {
	var all []Connection
	for _, pair := range n.Get("connections").Pairs {
		all = append(all, Connection{
			Name:   pair.Key.Text,
			Vendor: pair.Value.Get("vendor").Text,
			node:   pair.Value,
		})
	}
	return all
}

// checkConnections holds the entries of a connections file against their vendors.
func (p *Project) checkConnections(n *source.Node) {
	checkNames(n, &p.faults)
	for _, c := range connectionsOf(n) {
		v, others := p.Vendor(c.Vendor)
		if v != nil {
			p.faults = append(p.faults, c.Check(v)...)
		} else if others != nil {
			p.faults.Add(c.node.Get("vendor").Errorf("unknown-vendor", "no vendor %s", c.Vendor).
				WithHint(catalog.DidYouMean(c.Vendor, others)))
		}
	}
}

// Check holds the entry against the vendor without reading the environment:
// that its expressions compile, and that it names the vendor's config.
func (c Connection) Check(v *catalog.Vendor) diag.List {
	var faults diag.List
	shellVariables(c.node, &faults)
	base := c.node.Get("base_url")
	template.Compile(base, environmentScope(c.node, Environment{}), &faults)
	if !strings.Contains(base.Text, "${{") {
		if _, err := ParseBaseURL(base.Text); err != nil {
			faults.Add(base.Errorf("bad-url", "%v", err))
		}
	}
	if config := c.config(environmentScope(c.node, Environment{}), &faults); config != nil || c.node.Get("config") == nil {
		at := diag.Place{File: c.node.File, Pos: c.node.Pos}
		faults = append(faults, v.CheckConfig(config, at, "config")...)
	}
	return faults
}

func (c Connection) config(scope *expr.Scope, faults *diag.List) *template.Template {
	n := c.node.Get("config")
	if n == nil {
		return nil
	}
	return template.Compile(n, scope, faults)
}

// shellVariables reports variables as shells and other tools write them, which would be sent as they stand.
func shellVariables(n *source.Node, faults *diag.List) {
	eachScalar(n, func(s *source.Node) {
		text := marker.PlainText(s)
		if command.MatchString(text) {
			faults.Add(s.Errorf("no-marker", "%s is no marker: this would be sent as it stands", text).
				WithHint("write ${{ file('/path') }} for what a file holds, or ${{ env.NAME }} for a variable, or quote the characters themselves: ${{ '…' }}"))
			return
		}
		m := variable.FindStringSubmatch(text)
		if m == nil {
			return
		}
		at, found := variable.FindStringIndex(text)[0], strings.TrimSpace(m[0])
		faults.Add(s.ErrorAt(utf8.RuneCountInString(text[:at]), "no-marker", "%s is no marker of a variable: this would be sent as it stands", found).
			WithHint("write ${{ env." + m[1] + m[2] + m[3] + m[4] + " }}, or ${{ '" + found + "' }} for the characters themselves"))
	})
}

// Evaluate reads the environment and returns the entry's values, unless Check has errors; config is not bound yet.
func (c Connection) Evaluate(v *catalog.Vendor, env Environment) (baseURL string, config *value.Object, faults diag.List) {
	for _, f := range c.Check(v) {
		if f.Severity != diag.Warning {
			faults.Add(f)
		}
	}
	unset(c.node, env, v, &faults)
	if faults.HasErrors() {
		return "", nil, faults
	}
	scope := environmentScope(c.node, env)
	vars := expr.Vars{environmentOf(c.node, env)}
	base := template.Compile(c.node.Get("base_url"), scope, &faults)
	template := c.config(scope, &faults)
	if faults.HasErrors() {
		return "", nil, faults
	}
	url, err := base.Eval(vars)
	if err != nil {
		faults.Add(asFault(c.node.Get("base_url"), err))
	} else if text, ok := url.(string); ok {
		baseURL = text
		if _, err := ParseBaseURL(text); err != nil {
			faults.Add(c.node.Get("base_url").Errorf("bad-url", "%v", err))
		}
	} else {
		faults.Add(c.node.Get("base_url").Errorf("wrong-type", "base_url must be text"))
	}
	config = value.NewObject(0)
	if template != nil {
		v, err := template.Eval(vars)
		if err != nil {
			faults.Add(asFault(c.node.Get("config"), err))
		} else if o, ok := v.(*value.Object); ok {
			config = o
		}
	}
	return baseURL, config, faults
}

// At returns the place of a config entry, or of the connection when it has none of that name.
func (c Connection) At(configName string) diag.Place {
	n := c.node
	if config := c.node.Get("config"); config != nil {
		n = config
		if entry := config.Get(configName); entry != nil {
			n = entry
		}
	}
	return diag.Place{File: n.File, Pos: n.Pos}
}

func asFault(n *source.Node, err error) *diag.Diagnostic {
	if d, ok := err.(*diag.Diagnostic); ok {
		return d
	}
	return n.Errorf("eval-error", "%v", err)
}

// environmentScope is what the expressions of n may read. Variables are never
// absent, for unset ones are refused before, unless ?? stands beside them.
func environmentScope(n *source.Node, env Environment) *expr.Scope {
	variables := &types.Type{Kind: types.Object, Extra: types.TextType}
	eachScalar(n, func(s *source.Node) {
		if !marker.In(s) {
			return // plain text
		}
		for _, m := range envUse.FindAllStringSubmatch(s.Text, -1) {
			known := slices.ContainsFunc(variables.Fields, func(f types.Field) bool { return f.Name == m[1] })
			if !known {
				variables.Fields = append(variables.Fields, types.Field{Name: m[1], Type: types.TextType, Optional: strings.Contains(s.Text, "??")})
			}
		}
	})
	return expr.NewScope(expr.Name{Name: "env", Type: variables}).WithFuncs(expr.Func{
		Name:   "file",
		Params: []*types.Type{types.TextType},
		Result: types.TextType,
		Call: func(_ expr.Vars, args []value.Value) (value.Value, error) {
			name, _ := args[0].(string)
			if env.ReadFile == nil {
				return nil, fmt.Errorf("files cannot be read here")
			}
			text, err := env.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("cannot read the secret: %w", err)
			}
			return strings.TrimRight(string(text), "\r\n"), nil
		},
	})
}

// variable is one of the environment as shells and other tools write it: all of a text, or in braces inside of one;
// or as expressions write it, without a marker. A password may hold a $ and letters.
var variable = regexp.MustCompile(`^(?:\$|\$env:|%|<)([A-Z_][A-Z0-9_]*)[%>]?$|` +
	`(?:\$\{|\$\(|%\{|#\{|@\{|<%=|(?:^|[^$])\{\{)\s*\.?(?:[Ee][Nn][Vv][.:])?([A-Z_][A-Z0-9_]*)\s*(?::?[-?=+][^}]*\}|\}|\)|%>)|` +
	`^\$?\{([A-Za-z_]\w*)\}$|\benv\.([A-Z_][A-Z0-9_]*)`)

// command is all of a text that a shell replaces by what a command with arguments prints.
var command = regexp.MustCompile("^(?:\\$\\(|`)[a-z][\\w./-]* [^`]*(?:\\)|`)$")

var envUse = regexp.MustCompile(`\benv(?:\.|\?\.|\[['"])([A-Za-z_][A-Za-z0-9_]*)`)

// unset reports the variables that an entry reads and nobody has set, also those that are set to nothing, as CI does with a secret that it
// does not have, where something is needed: for the base URL, and for config that is secret or must be given. One that ?? stands
// beside may be missing.
func unset(n *source.Node, env Environment, v *catalog.Vendor, faults *diag.List) {
	unsetIn(n.Get("base_url"), env, true, faults)
	config := n.Get("config")
	if config == nil {
		return
	}
	for _, pair := range config.Pairs {
		q := v.Config.Get(pair.Key.Text)
		unsetIn(pair.Value, env, q == nil || q.Secret || q.Type.HasSecret() || q.Required(), faults)
	}
}

func unsetIn(n *source.Node, env Environment, needed bool, faults *diag.List) {
	eachScalar(n, func(s *source.Node) {
		if strings.Contains(s.Text, "??") {
			return
		}
		for _, at := range envUse.FindAllStringSubmatchIndex(s.Text, -1) {
			name := s.Text[at[2]:at[3]]
			text, ok := env.Env(name)
			if ok && (!needed || strings.TrimSpace(text) != "") {
				continue
			}
			how := "is not set"
			if ok {
				how = "is set to nothing"
			}
			d := s.Errorf("env-not-set", "the environment variable %s %s", name, how).
				WithHint("set it, or give the connection another value")
			d.Pos = s.At(len([]rune(s.Text[:at[2]])))
			faults.Add(d)
		}
	})
}

// environmentOf holds just the variables that n mentions.
func environmentOf(n *source.Node, env Environment) *value.Object {
	vars := value.NewObject(4)
	eachScalar(n, func(s *source.Node) {
		for _, m := range envUse.FindAllStringSubmatch(s.Text, -1) {
			if v, ok := env.Env(m[1]); ok {
				vars.Set(m[1], v)
			}
		}
	})
	return vars
}

func eachScalar(n *source.Node, f func(*source.Node)) {
	if n.Kind == source.Scalar {
		f(n)
	}
	for _, item := range n.Items {
		eachScalar(item, f)
	}
	for _, pair := range n.Pairs {
		eachScalar(pair.Value, f)
	}
}

// ParseBaseURL reads a connection's base URL: http or https, a host, neither
// user nor query nor fragment.
func ParseBaseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil && strings.Contains(text, "://"):
		return nil, fmt.Errorf("base_url cannot be read as a URL")
	case err != nil || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("base_url must begin with https:// or http://")
	case u.Host == "":
		return nil, fmt.Errorf("base_url names no host")
	case u.User != nil:
		return nil, fmt.Errorf("base_url must not hold a user or password: these belong below config")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("base_url must have neither ? nor #")
	}
	return u, nil
}
