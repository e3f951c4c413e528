package authoring

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// An Explanation says what a vendor, an operation or a pipeline is for those who
// want to use it. Its JSON form has the same names in the same order; what does not apply is left out.
type Explanation struct {
	// Kind is "vendor", "operation" or "pipeline".
	Kind string `json:"kind"`
	// Name is the vendor's, VENDOR.OPERATION, or the pipeline's path.
	Name string `json:"name"`
	// File and Line are where it is declared; "" and 0 for the built-in vendor store.
	File        string `json:"file,omitempty"`
	Line        int    `json:"line,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`

	// Effect is what a call does: "read", "idempotent" or "create". Only operations have one.
	Effect string `json:"effect,omitempty"`
	// Request is the method and path of an operation.
	Request string `json:"request,omitempty"`
	// Paging names the way in which an operation's listing comes page by page.
	Paging string `json:"paging,omitempty"`
	// Rows is the input that lists the rows of a batch operation.
	Rows string `json:"rows,omitempty"`
	// Identity is the expression for what must not be created twice.
	Identity string `json:"identity,omitempty"`
	// Auth says how a vendor's calls prove who is calling.
	Auth string `json:"auth,omitempty"`
	// Timeout is how long an answer of an operation is waited for, such as "30s".
	Timeout string `json:"timeout,omitempty"`
	// Limits are those of a vendor, or an operation's own beside them.
	Limits string `json:"limits,omitempty"`

	// Connections are those that a run of a pipeline needs.
	Connections []Connection `json:"connections,omitempty"`
	// Config is what connections to a vendor must supply.
	Config []Value `json:"config,omitempty"`
	// Inputs and Outputs are those of operations and pipelines.
	Inputs  []Value `json:"inputs,omitempty"`
	Outputs []Value `json:"outputs,omitempty"`
	// Outcomes are the rules by which an answer is read, in their order.
	Outcomes []Outcome `json:"outcomes,omitempty"`
	// Consequences are what the runner does after each outcome that is no success.
	Consequences []Consequence `json:"consequences,omitempty"`
	// Operations are a vendor's, in file order.
	Operations []Operation `json:"operations,omitempty"`
	// Calls are what a pipeline's own steps call, in file order.
	Calls []Call `json:"calls,omitempty"`
	// Tests are the cases of the test files beside a pipeline that are about it.
	Tests []Test `json:"tests,omitempty"`
	// Example is how it is used: YAML for vendors and operations, a command line for pipelines.
	Example string `json:"example"`
}

// A Connection is a vendor under the name that a pipeline has for it.
type Connection struct {
	Name   string `json:"name"`
	Vendor string `json:"vendor"`
}

// A Value is an input, an output, or a member of one.
type Value struct {
	Name string `json:"name"`
	// Type is as messages have it, such as "list of text" or "integer or null".
	Type string `json:"type"`
	// Required is false of outputs, and of what may be left out or be absent.
	Required bool `json:"required,omitempty"`
	// Default is the JSON of what counts when nothing is given; nil for none.
	Default json.RawMessage `json:"default,omitempty"`
	// Secret values are never shown, logged or stored.
	Secret bool `json:"secret,omitempty"`
	// File is where a list is read from when nothing is given, or where an output is written.
	File string `json:"file,omitempty"`
	// Enum lists the JSON of the only possible values, where they are known.
	Enum        []json.RawMessage `json:"enum,omitempty"`
	Description string            `json:"description,omitempty"`
	// Members are those of an object, or of the objects in a list. A type inside of itself has none.
	Members []Value `json:"members,omitempty"`
}

// An Outcome is a rule for what an answer means.
type Outcome struct {
	Outcome string `json:"outcome"`
	When    string `json:"when"`
	// Declared says that the vendor file has the rule; the others hold for all vendors.
	Declared bool `json:"declared"`
}

// A Consequence is what the runner does after an outcome.
type Consequence struct {
	Outcomes []string `json:"outcomes"`
	Then     string   `json:"then"`
}

// An Operation is a line about an operation in an explanation of its vendor.
type Operation struct {
	Name    string   `json:"name"`
	Effect  string   `json:"effect"`
	Request string   `json:"request"`
	Inputs  []string `json:"inputs"`
	Title   string   `json:"title,omitempty"`
}

// A Call is a line about a call in an explanation of a pipeline.
type Call struct {
	Step string `json:"step"`
	// Call is CONNECTION.OPERATION, or the path of a pipeline.
	Call string `json:"call"`
	// Effect is "" for a call of a pipeline.
	Effect string `json:"effect,omitempty"`
	// Repeated says what the call is made for more than once; "" for a single call.
	Repeated string `json:"repeated,omitempty"`
}

// Explain says what name is: a VENDOR, a VENDOR.OPERATION, or the path of a
// pipeline in the project fsys. The built-in vendor store needs no project. The error is a diag.List: nothing is called so,
// or what is wrong with its files.
func Explain(fsys fs.FS, name string) (*Explanation, error) {
	if isPath(name) {
		p, err := loadPipeline(fsys, name)
		if err != nil {
			return nil, err
		}
		e := explainPipeline(p)
		e.Tests = testsOf(fsys, p.Path)
		return e, nil
	}
	vendor, operation, dotted := strings.Cut(name, ".")
	v, root := pipeline.StoreVendor(), (*source.Node)(nil)
	if vendor != pipeline.Store {
		var err error
		if v, err = loadVendor(fsys, vendor); err != nil {
			return nil, err
		}
		root = reread(v.File)
	}
	if !dotted {
		return explainVendor(v, root), nil
	}
	op := v.Operation(operation)
	if op == nil {
		return nil, diag.List{{Code: "unknown-operation", Message: fmt.Sprintf("vendor %s has no operation %s", vendor, operation),
			Hint: catalog.DidYouMean(operation, v.OperationNames())}}
	}
	return explainOperation(op, root.Get("operations").Get(op.Name)), nil
}

// isPath tells the path of a pipeline from the names of vendors and operations.
func isPath(name string) bool { return strings.Contains(name, "/") || project.IsYAML(name) }

func loadVendor(fsys fs.FS, name string) (*catalog.Vendor, error) {
	file := "specs/" + name + ".yaml"
	if _, err := fs.Stat(fsys, file); err != nil {
		return nil, diag.List{{Code: "unknown-vendor", Message: fmt.Sprintf("no vendor %s: there is no %s", name, file),
			Hint: catalog.DidYouMean(name, vendorNames(fsys)) + " (a pipeline is named by its path)"}}
	}
	p, faults := project.Load(fsys, file)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	if v := p.LoadedVendor(name); v != nil {
		return v, nil
	}
	return nil, diag.List{{File: &diag.File{Name: file}, Code: "unknown-vendor", Message: "this file describes no vendor " + name}}
}

func vendorNames(fsys fs.FS) []string {
	files, _ := fs.Glob(fsys, "specs/*.yaml") // the pattern is well formed
	var names []string
	for _, file := range files {
		if name := strings.TrimSuffix(strings.TrimPrefix(file, "specs/"), ".yaml"); !strings.HasSuffix(name, ".sandbox") {
			names = append(names, name)
		}
	}
	return names
}

func loadPipeline(fsys fs.FS, file string) (*pipeline.Pipeline, error) {
	p, faults := project.Load(fsys, file)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	if q := p.Find(file); q != nil {
		return q, nil
	}
	return nil, diag.List{{File: &diag.File{Name: file}, Code: "unknown-pipeline", Message: "this is no pipeline",
		Hint: "a vendor is named without path: VENDOR or VENDOR.OPERATION"}}
}

// reread returns the text of a file as it was loaded, with what the model leaves
// out: titles, descriptions, examples.
func reread(f *diag.File) *source.Node {
	n, _ := source.Read(f.Name, f.Text)
	return n
}

// words returns the text of a key, or "". n may be nil.
func words(n *source.Node, key string) string {
	if v := n.Get(key); v != nil {
		return strings.Join(strings.Fields(v.Text), " ")
	}
	return ""
}

func explainVendor(v *catalog.Vendor, n *source.Node) *Explanation {
	e := &Explanation{Kind: "vendor", Name: v.Name, Title: v.Title, Description: words(n, "description"),
		Limits: limitsOf(v.Limits), Config: values(v.Config, n.Get("config"))}
	if v.File != nil {
		e.File, e.Line, e.Auth = v.File.Name, n.Get("vendor").Pos.Line, authOf(v)
		e.Example = connectionExample(v, n.Get("config"))
	} else {
		e.Example = stepExample(v.Operations[0])
	}
	for _, op := range v.Operations {
		at := n.Get("operations").Get(op.Name)
		e.Operations = append(e.Operations, Operation{Name: op.Name, Effect: string(op.Effect), Request: requestOf(at),
			Inputs: op.Inputs.Names(), Title: words(at, "title")})
	}
	return e
}

// authOf says in a sentence how calls prove who is calling.
func authOf(v *catalog.Vendor) string {
	var where []string
	if v.Auth.Headers != nil {
		where = append(where, "headers")
	}
	if v.Auth.Query != nil {
		where = append(where, "the query")
	}
	if v.Auth.Body != nil {
		where = append(where, "the body")
	}
	if len(where) == 0 {
		return "none"
	}
	to := " in " + strings.Join(where, " and ")
	t := v.Auth.Token
	switch {
	case t == nil:
		return "from config," + to
	case t.Kind == catalog.TokenCall:
		to = "a token that " + t.Call.Name + " gives," + to
	case t.Kind == catalog.TokenOAuth2:
		to = "a token of OAuth 2.0 (" + t.OAuth2.Grant + ")," + to
	default:
		to = "a token from config," + to
	}
	if t.Exclusive {
		to += "; one request at a time per token"
	}
	return to
}

// limitsOf says limits in a sentence; "" for none.
func limitsOf(l *catalog.Limits) string {
	if l == nil {
		return ""
	}
	var all []string
	if l.Concurrency > 0 {
		all = append(all, fmt.Sprintf("%d at a time", l.Concurrency))
	}
	if l.Rate.Count > 0 {
		all = append(all, l.Rate.String())
	}
	per := "connection"
	if l.PerToken {
		per = "token"
	}
	return strings.Join(all, ", ") + ", for each " + per
}

func requestOf(n *source.Node) string {
	request := n.Get("request")
	return strings.TrimSpace(words(request, "method") + " " + words(request, "path") + words(request, "url"))
}

func explainOperation(op *catalog.Operation, n *source.Node) *Explanation {
	e := &Explanation{Kind: "operation", Name: op.Vendor.Name + "." + op.Name, Line: op.Place.Pos.Line, Title: words(n, "title"),
		Description: words(n, "description"), Effect: string(op.Effect), Request: requestOf(n), Limits: limitsOf(op.Limits),
		Inputs: values(op.Inputs, n.Get("inputs")), Outputs: given(op.Response.Given()), Example: stepExample(op)}
	if op.Vendor.File == nil {
		return e // there is no answer to be read
	}
	e.File, e.Timeout = op.Vendor.File.Name, span(op.Timeout)
	e.Outcomes, e.Consequences = outcomes(op), consequences(op)
	if op.Identity != nil {
		e.Identity = op.Identity.Text()
	}
	if op.Paging != nil {
		e.Paging = "by " + words(n.Get("paginate"), "by") + ": the caller gets one list, " + op.Paging.Items
	}
	if op.Batch != nil {
		e.Rows = op.Batch.Of
	}
	return e
}

func explainPipeline(p *pipeline.Pipeline) *Explanation {
	n := reread(p.File)
	e := &Explanation{Kind: "pipeline", Name: p.Path, File: p.File.Name, Line: n.Get("pipeline").Pos.Line, Title: words(n, "title"),
		Description: words(n, "description"), Inputs: values(p.Inputs.Params, n.Get("inputs")), Outputs: given(p.OutputsType)}
	for i := range e.Inputs {
		in := &e.Inputs[i]
		if in.File = p.Inputs.Files[in.Name]; in.File != "" {
			in.Required = false
		}
	}
	for i, out := range p.Outputs {
		e.Outputs[i].File = out.File
	}
	for _, c := range p.AllConnections() {
		e.Connections = append(e.Connections, Connection{c.Name, c.Vendor.Name})
	}
	e.Calls = calls(nil, p.Steps, "")
	e.Example = runExample(p, n.Get("inputs"))
	return e
}

// calls adds the calls of the steps to those before; repeated is what they are made for.
func calls(before []Call, steps []*pipeline.Step, repeated string) []Call {
	for _, s := range steps {
		why := repeated
		switch {
		case s.Foreach != nil:
			why = "for each of " + s.Foreach.Over.Text()
		case s.Until != nil:
			why = "until " + s.Until.Done.Text()
		}
		switch a := s.Action.(type) {
		case *pipeline.Call:
			c := Call{Step: s.ID, Call: a.Name(), Repeated: why}
			if a.Operation != nil {
				c.Effect = string(a.Operation.Effect)
			}
			before = append(before, c)
		case *pipeline.Group:
			before = calls(before, a.Steps, why)
		case *pipeline.Switch:
			for _, b := range a.Branches {
				before = calls(before, b.Steps, why)
			}
		}
	}
	return before
}
