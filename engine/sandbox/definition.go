// Package sandbox plays vendors: from a sandbox file it makes a stateful
// http.Handler that answers as the vendor's documents say. It knows no vendor itself.
//
//	def, err := sandbox.Load(os.DirFS("."), "specs/acme.sandbox.yaml")
//	box := sandbox.New(def, sandbox.Options{})
//	server := httptest.NewServer(box)
//	box.AddFault(sandbox.Fault{Kind: sandbox.LoseAnswer, Operation: "create", Nth: 2})
//	…
//	box.Stats().Creates["create"] // how often each identity was made
//
// Faults are laid over any vendor from outside: requests and answers get lost,
// late or mangled, sessions end. See Fault.
package sandbox

import (
	"fmt"
	"io/fs"
	pathpkg "path"
	"slices"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Definition is a loaded and compiled sandbox file. It never changes, and
// any number of sandboxes can be made from it.
type Definition struct {
	vendor     string
	files      fs.FS              // where the vendor file lies beside this one
	connection *template.Template // over connectionScope; nil when there is nothing to say
	state      *value.Object      // the first one
	tokens     string             // the collection that an expiry empties; "" for none
	token      *expr.Expr         // over requestScope; nil when the vendor has none
	before     rules
	operations []*operation
	root       *source.Node
}

// An operation is one thing that the vendor can be asked for.
type operation struct {
	name     string
	place    diag.Place
	method   string
	path     path
	when     *expr.Expr // over requestScope; nil for always
	identity *expr.Expr // over requestScope; nil when nothing is counted
	rules    rules
}

// Load reads and compiles the sandbox file called name. The error is a
// diag.List with all that is wrong with the file, or what fsys said.
func Load(fsys fs.FS, name string) (*Definition, error) {
	d, faults, err := compile(fsys, name)
	if err == nil {
		err = faults.Err()
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Check returns all that is amiss in the sandbox file called name, warnings too, in
// order of place. The error is what fsys said when the file cannot be read.
func Check(fsys fs.FS, name string) (diag.List, error) {
	def, faults, err := compile(fsys, name)
	if def != nil {
		faults = append(faults, def.checkVendor(name, !faults.HasErrors())...)
		faults.Sort()
	}
	return faults, err
}

// compile reads the file; the Definition is of use only when there is no error among the faults.
func compile(fsys fs.FS, name string) (*Definition, diag.List, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, nil, fmt.Errorf("read sandbox: %w", err)
	}
	n, faults := source.Read(name, text)
	if n == nil || faults.HasErrors() {
		return nil, faults, nil
	}
	if shape := schema.CheckShape("sandbox", n); shape.HasErrors() {
		return nil, append(faults, shape...), nil
	}
	d := decode(n, &faults, func(string) seen { return anySeen() })
	d.files = fsys
	faults.Sort()
	return d, faults, nil
}

// Answering returns the names of the sandbox's operations that answer an operation, which is one of its own
// (create) or of the vendor file beside the sandbox file (create_company). It is empty where there is no such operation.
func (d *Definition) Answering(operation string) (names []string) {
	if slices.Contains(d.Operations(), operation) {
		return []string{operation}
	}
	v := d.vendorFile()
	if v == nil {
		return nil
	}
	all := d.sentBy(v)
	for _, op := range d.operations {
		if slices.ContainsFunc(all, func(s sent) bool { return s.name == operation && s.comesTo(op) }) {
			names = append(names, op.name)
		}
	}
	return names
}

// vendorFile returns the vendor that the file beside the sandbox's describes; nil where it has faults or does not exist.
func (d *Definition) vendorFile() *catalog.Vendor {
	file := pathpkg.Join(pathpkg.Dir(d.root.File.Name), d.vendor+".yaml")
	if _, err := fs.Stat(d.files, file); err != nil {
		return nil
	}
	p, _ := project.Load(d.files, file)
	return p.LoadedVendor(d.vendor)
}

// Vendor returns the name of the vendor that is played.
func (d *Definition) Vendor() string { return d.vendor }

// Operations returns the names of the operations, in the order of the file.
func (d *Definition) Operations() []string {
	names := make([]string, len(d.operations))
	for i, op := range d.operations {
		names[i] = op.name
	}
	return names
}

// A Connection says how a client reaches a sandbox and logs in to it.
type Connection struct {
	Vendor  string
	BaseURL string
	// Config holds what a connection of a real vendor would: user names, keys.
	Config map[string]any
}

// Connection returns the connection for a sandbox that listens at url: the one
// that its file describes, else url itself without any config.
func (d *Definition) Connection(url string) (Connection, error) {
	c := Connection{Vendor: d.vendor, BaseURL: url}
	if d.connection == nil {
		return c, nil
	}
	v, err := d.connection.Eval(expr.Vars{value.ObjectOf("url", url)})
	if err != nil {
		return Connection{}, fmt.Errorf("connection of sandbox %s: %w", d.vendor, err)
	}
	o, _ := v.(*value.Object)
	c.BaseURL, _ = o.At("base_url").(string)
	c.Config, _ = value.ToGo(o.At("config")).(map[string]any)
	return c, nil
}
