package catalog

import (
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Decode compiles a vendor file whose shape was checked. base is its path,
// under which lib knows its schemas. It reports every fault, and returns nil when
// there was an error.
func Decode(n *source.Node, base string, lib *schema.Library, faults *diag.List) *Vendor {
	d := &decoder{base: base, lib: lib, faults: faults, root: n}
	before := countErrors(*faults)
	d.vendor()
	if countErrors(*faults) > before {
		return nil
	}
	return d.v
}

func countErrors(l diag.List) int {
	n := 0
	for _, d := range l {
		if d.Severity == diag.Error {
			n++
		}
	}
	return n
}

type decoder struct {
	base   string
	lib    *schema.Library
	faults *diag.List
	root   *source.Node
	v      *Vendor

	// reads are what the expressions of the part at hand read; operations, those of each operation.
	reads      *expr.Reads
	operations []*expr.Reads

	timeout  time.Duration
	retry    Retry
	envelope *source.Node
}

func (d *decoder) vendor() {
	n := d.root
	before := len(*d.faults)
	d.v = &Vendor{Name: n.Get("vendor").Text, File: n.File}
	if t := n.Get("title"); t != nil {
		d.v.Title = t.Text
	}
	d.v.Config = DecodeParams(n.Get("config"), d.base, d.lib, d.faults)
	d.timeout, d.retry = defaultTimeout, defaultRetry
	if def := n.Get("defaults"); def != nil {
		d.timeout = d.timeoutOf(def.Get("timeout"), d.timeout)
		d.retry = d.retryOf(def.Get("retry"), d.retry)
		d.v.Limits = d.limits(def.Get("limits"), n.Get("auth").Get("token") != nil)
	}
	if schemas := n.Get("schemas"); schemas != nil {
		for _, pair := range schemas.Pairs {
			addMisfits(d.faults, pair.Value, d.lib)
		}
	}
	d.envelope = n.Get("envelope")
	for _, pair := range n.Get("operations").Pairs {
		d.v.Operations = append(d.v.Operations, d.operation(pair))
	}
	for i, pair := range n.Get("operations").Pairs {
		d.reads = d.operations[i]
		d.reconcile(d.v.Operations[i], pair.Value)
	}
	d.reads = &expr.Reads{}
	if auth := n.Get("auth"); auth != nil {
		d.auth(auth)
	}
	d.checkTokenOutlivesLimits()
	d.misread()
	if !diag.List((*d.faults)[before:]).HasErrors() { // what is misspelt may be what would use it
		d.unused()
	}
}

func (d *decoder) operation(pair source.Pair) *Operation {
	n := pair.Value
	d.reads = &expr.Reads{}
	d.operations = append(d.operations, d.reads)
	op := &Operation{
		Vendor:  d.v,
		Name:    pair.Key.Text,
		Place:   placeOf(pair.Key, "declared here"),
		Effect:  flow.Effect(n.Get("effect").Text),
		NoAuth:  n.Get("auth") != nil,
		Inputs:  DecodeParams(n.Get("inputs"), d.base, d.lib, d.faults),
		Timeout: d.timeoutOf(n.Get("timeout"), d.timeout),
		Retry:   d.retryOf(n.Get("retry"), d.retry),
	}
	op.Limits = d.narrowed(op, n.Get("limits"))
	before := len(*d.faults)
	var page *types.Type
	op.Paging, page = d.paging(n.Get("paginate"), op.Effect)
	d.identity(n, op)
	scope := requestScope(d.v.Config.Type, op.Inputs.Type, op.identityType(), page).Recording(d.reads)
	op.Request = d.request(n.Get("request"), scope)
	d.usesPage(n.Get("paginate"), op.Paging, before)
	d.foreignURL(n, op)
	d.repeatable(n, n.Get("request"), op)
	d.pathText(n.Get("request").Get("path"), op.Inputs)
	if url := n.Get("request").Get("url"); url != nil {
		d.placeholders(url, op.Inputs)
	}
	if op.Effect == flow.Create && op.Batch == nil && n.Get("identity") == nil && n.Get("reconcile") == nil {
		d.faults.Add(n.Key("effect").Warnf("create-without-identity", "nothing says what %s must not create twice", op.Name).
			WithHint("add identity, as in identity: inputs.number; identity: null says that nothing tells one from another"))
	}
	op.Response = d.response(n, op, scope)
	op.SecretInputs, op.SecretOutputs = secretInputs(op.Inputs), secretOutputs(&op.Response)
	d.hintAtPaging(op, before)
	return op
}

// identity reads what op, declared at n, must not create twice, and the rows that it has.
func (d *decoder) identity(n *source.Node, op *Operation) {
	identified := identityScope(op.Inputs.Type).Recording(d.reads)
	if rows := n.Get("rows"); rows != nil {
		var row *types.Type
		op.Batch, row = d.batch(rows, op)
		identified = identified.With(expr.Name{Name: op.Batch.As, Type: row})
	}
	id := n.Get("identity")
	if id == nil {
		return
	}
	op.Identity = expr.Compile(id, identified, d.faults)
	if op.Identity != nil && op.Identity.Type().HasSecret() {
		d.faults.Add(id.Errorf("secret-leak", "an identity is written down, and this one would hold a secret"))
	}
	d.identityVaries(id, op)
	if op.Effect != flow.Create && op.Batch == nil {
		f := n.Key("identity").Errorf("identity-without-create", "identity belongs to operations with effect: create, this one is %s", op.Effect)
		f.Related = []diag.Place{placeOf(n.Get("effect"), "said here")}
		d.faults.Add(f)
	}
	if b := op.Batch; b != nil && op.Identity != nil && !op.Identity.Reads(b.As) {
		d.faults.Add(id.Errorf("identity-of-no-row", "all rows would have one identity: %s says nothing of the row", op.Identity.Text()).
			WithHint("take it from the row, as in " + b.As + ".id"))
	}
}

// identityType is what identity is in the request of a create, nil where it has none. The
// rows of a batch have their own.
func (op *Operation) identityType() *types.Type {
	if op.Identity == nil || op.Batch != nil {
		return nil
	}
	return op.Identity.Type()
}

func (d *decoder) request(n *source.Node, scope *expr.Scope) Request {
	r := Request{Method: n.Get("method").Text, As: "json"}
	r.Path = d.text(n.Get("path"), scope)
	r.URL = d.text(n.Get("url"), scope)
	if n.Get("path") != nil && n.Get("url") != nil {
		d.faults.Add(n.Key("url").Errorf("conflicting-keys", "a request goes to a path or to a url, not both"))
	}
	r.Query = d.template(n.Get("query"), scope)
	r.Headers = d.template(n.Get("headers"), scope)
	r.Body = d.template(n.Get("body"), scope)
	d.path(n.Get("path"), r.Path)
	d.headers(r.Headers)
	d.queryNames(r.Query)
	if as := n.Get("as"); as != nil {
		r.As = as.Text
		if strings.HasPrefix(as.Text, "${{") {
			r.As, r.style = "", d.style(as)
		}
		if n.Get("body") == nil {
			d.faults.Add(n.Key("as").Errorf("as-without-body", "as says how the body is written, but there is no body"))
		}
	}
	if field := n.Get("json_field"); field != nil {
		r.JSONField = field.Text
		if r.As != "form" && r.As != "" {
			d.faults.Add(n.Key("json_field").Errorf("field-without-form", "json_field is a field of a form, and the body is sent as %s", r.As).
				WithHint("add as: form, or leave json_field out"))
		}
	}
	r.Nested = "json"
	if nested := n.Get("nested"); nested != nil {
		r.Nested = nested.Text
		if r.As != "form" && r.As != "" {
			d.faults.Add(n.Key("nested").Errorf("nested-without-form", "nested says how lists and objects stand in a form, and this body is %s", r.As).
				WithHint("add as: form"))
		}
	}
	d.unescaped(&r)
	d.flat(r.Query, "the query parameter", true, false)
	d.flat(r.Headers, "the header", false, false)
	if r.As == "json" {
		d.nullSent(r.Body)
	}
	if r.As == "form" || r.style != nil {
		d.flat(r.Body, "the form field", r.Nested == "repeat", r.Nested != "repeat")
	}
	if r.Body != nil && r.As == "text" && !textual(r.Body.Type()) {
		d.faults.Add(n.Get("body").Errorf("wrong-type", "a body sent as text must be text, found %s", r.Body.Type()).WithHint(nullHint(r.Body.Type())))
	}
	return r
}

// bodyStyles are the ways to write a body of names and values. A body that is
// text is nothing that a connection could choose.
var bodyStyles = &types.Type{Kind: types.Text, Enum: []value.Value{"json", "form"}}

// style compiles an expression that says how a body is written. Only config is
// in scope, which begins every scope of a request.
func (d *decoder) style(n *source.Node) *template.Template {
	t := d.template(n, configScope(d.v.Config.Type).Recording(d.reads))
	if t == nil {
		return nil
	}
	if is := t.Type(); is == nil || is.Enum == nil || bodyStyles.Accepts(is) != "" {
		d.faults.Add(n.Errorf("wrong-type", "as must be json or form, and %s may be something else", n.Text).
			WithHint("declare what it may be, as in style: {type: string, enum: [json, form], default: json}"))
	}
	return t
}

// textual reports whether t is text for sure, or nothing is known of it.
func textual(t *types.Type) bool {
	return t == nil || t.Kind == types.Unknown || t.Kind == types.Text && !t.Nullable
}

func (d *decoder) template(n *source.Node, scope *expr.Scope) *template.Template {
	if n == nil {
		return nil
	}
	return template.Compile(n, scope, d.faults)
}

// text compiles a template that must give text.
func (d *decoder) text(n *source.Node, scope *expr.Scope) *template.Template {
	t := d.template(n, scope)
	if t != nil && !textual(t.Type()) {
		d.faults.Add(n.Errorf("wrong-type", "expected text, found %s", t.Type()).WithHint(nullHint(t.Type())))
	}
	return t
}
