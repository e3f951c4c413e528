package catalog

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// What a vendor file gets that does not say otherwise.
const (
	defaultTimeout = 30 * time.Second
)

var defaultRetry = Retry{Attempts: 5, First: time.Second, Max: 30 * time.Second}

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

	timeout  time.Duration
	retry    Retry
	envelope *source.Node
}

func (d *decoder) vendor() {
	n := d.root
	d.v = &Vendor{Name: n.Get("vendor").Text, File: n.File}
	if t := n.Get("title"); t != nil {
		d.v.Title = t.Text
	}
	d.v.Config = DecodeParams(n.Get("config"), d.base, d.lib, d.faults)
	d.timeout, d.retry = defaultTimeout, defaultRetry
	if def := n.Get("defaults"); def != nil {
		d.timeout = d.duration(def.Get("timeout"), d.timeout)
		d.retry = d.retryOf(def.Get("retry"), d.retry)
		d.v.Limits = d.limits(def.Get("limits"), n.Get("auth").Get("token") != nil)
	}
	d.envelope = n.Get("envelope")
	for _, pair := range n.Get("operations").Pairs {
		d.v.Operations = append(d.v.Operations, d.operation(pair))
	}
	if auth := n.Get("auth"); auth != nil {
		d.auth(auth)
	}
	d.checkTokenOutlivesLimits()
}

func (d *decoder) operation(pair source.Pair) *Operation {
	n := pair.Value
	op := &Operation{
		Vendor:  d.v,
		Name:    pair.Key.Text,
		Place:   placeOf(pair.Key, "declared here"),
		Effect:  flow.Effect(n.Get("effect").Text),
		NoAuth:  n.Get("auth") != nil,
		Inputs:  DecodeParams(n.Get("inputs"), d.base, d.lib, d.faults),
		Timeout: d.duration(n.Get("timeout"), d.timeout),
		Retry:   d.retryOf(n.Get("retry"), d.retry),
	}
	op.Limits = d.narrowed(op, n.Get("limits"))
	scope := requestScope(d.v.Config.Type, op.Inputs.Type)
	op.Request = d.request(n.Get("request"), scope)
	identified := identityScope(op.Inputs.Type)
	if rows := n.Get("rows"); rows != nil {
		var row *lang.Type
		op.Batch, row = d.batch(rows, op)
		identified = identified.With(lang.Name{Name: op.Batch.As, Type: row})
	}
	if id := n.Get("identity"); id != nil {
		op.Identity = lang.CompileExpr(id, identified, d.faults)
		if op.Effect != flow.Create && op.Batch == nil {
			d.faults.Add(n.Key("identity").Errorf("identity-without-create", "identity belongs to operations with effect: create, this one is %s", op.Effect))
		}
		if b := op.Batch; b != nil && op.Identity != nil && !strings.Contains(op.Identity.Text(), b.As) {
			d.faults.Add(id.Errorf("identity-of-no-row", "all rows would have one identity: %s says nothing of the row", op.Identity.Text()).
				WithHint("take it from the row, as in " + b.As + ".id"))
		}
	}
	op.Response = d.response(n.Get("response"), op)
	return op
}

func (d *decoder) request(n *source.Node, scope *lang.Scope) Request {
	r := Request{Method: n.Get("method").Text, As: "json"}
	r.Path = d.text(n.Get("path"), scope)
	r.Query = d.template(n.Get("query"), scope)
	r.Headers = d.template(n.Get("headers"), scope)
	r.Body = d.template(n.Get("body"), scope)
	if as := n.Get("as"); as != nil {
		r.As = as.Text
		if r.Body == nil {
			d.faults.Add(n.Key("as").Errorf("as-without-body", "as says how the body is written, but there is no body"))
		}
	}
	if r.Body != nil && r.As == "text" && !textual(r.Body.Type()) {
		d.faults.Add(n.Get("body").Errorf("wrong-type", "a body sent as text must be text, found %s", r.Body.Type()))
	}
	return r
}

func textual(t *lang.Type) bool { return t == nil || t.Kind == lang.Text || t.Kind == lang.Unknown }

func (d *decoder) template(n *source.Node, scope *lang.Scope) *lang.Template {
	if n == nil {
		return nil
	}
	return lang.CompileTemplate(n, scope, d.faults)
}

// text compiles a template that must give text.
func (d *decoder) text(n *source.Node, scope *lang.Scope) *lang.Template {
	t := d.template(n, scope)
	if t != nil && !textual(t.Type()) {
		d.faults.Add(n.Errorf("wrong-type", "expected text, found %s", t.Type()))
	}
	return t
}

// response reads an operation's response; what it does not say, the vendor's
// envelope says. Its own outcomes come first. n may be nil.
func (d *decoder) response(n *source.Node, op *Operation) Response {
	r := Response{As: "json", OutputsType: lang.ObjectOf()}
	scope := answerScope(d.v.Config.Type, op.Inputs.Type)
	get := func(from *source.Node, key string) *source.Node {
		if from == nil {
			return nil
		}
		return from.Get(key)
	}
	own := func(key string) *source.Node {
		if v := get(n, key); v != nil {
			return v
		}
		return get(d.envelope, key)
	}
	if as := get(n, "as"); as != nil {
		r.As = as.Text
	}
	r.Outcomes = append(d.rules(get(n, "outcomes"), scope), d.rules(get(d.envelope, "outcomes"), scope)...)
	if ok := own("ok"); ok != nil {
		r.OK = lang.CompileExpr(ok, scope, d.faults)
	}
	if data := own("data"); data != nil {
		r.Data = lang.CompilePath(data, lang.AnyType, d.faults)
	}
	if msg := own("message"); msg != nil {
		r.Message = lang.CompilePath(msg, lang.AnyType, d.faults)
	}
	over := lang.AnyType
	if s := get(n, "schema"); s != nil {
		compiled, err := d.lib.Compile(s.Literal(), d.base)
		if err != nil {
			d.faults.Add(schemaFault(s, err))
		}
		r.Schema = compiled
		over = lang.FromSchema(s.Literal(), d.base, d.lib)
	}
	whole := lang.AnyType
	if r.Data == nil {
		whole = over
	}
	r.Secrets = d.secrets(n, r.As, r.Data == nil, whole)
	d.answeredRows(n, op, scope, whole)
	if outputs := get(n, "outputs"); outputs != nil {
		for _, pair := range outputs.Pairs {
			m := lang.CompileMapping(pair.Key.Text, pair.Value, over, d.faults)
			if m == nil {
				continue
			}
			r.Outputs = append(r.Outputs, m)
			t := *m.Type()
			t.Declared = placeOf(pair.Key, "declared here")
			r.OutputsType.Fields = append(r.OutputsType.Fields, lang.Field{Name: pair.Key.Text, Type: &t})
		}
	}
	return r
}

func (d *decoder) rules(n *source.Node, scope *lang.Scope) []Rule {
	if n == nil {
		return nil
	}
	var rules []Rule
	for _, item := range n.Items {
		rules = append(rules, Rule{
			If: lang.CompileExpr(item.Get("if"), scope, d.faults),
			Is: flow.Outcome(item.Get("is").Text),
		})
	}
	return rules
}

func (d *decoder) auth(n *source.Node) {
	config := d.v.Config.Type
	tokenType := &lang.Type{Kind: lang.Null, Nullable: true, Why: "auth has no token"}
	if token := n.Get("token"); token != nil {
		d.v.Auth.Token = d.token(token)
		tokenType = &lang.Type{Kind: lang.Text, Secret: true}
	}
	scope := injectScope(config, tokenType)
	if inject := n.Get("inject"); inject != nil {
		d.v.Auth.Headers = d.template(inject.Get("headers"), scope)
		d.v.Auth.Query = d.template(inject.Get("query"), scope)
		d.v.Auth.Body = d.template(inject.Get("body"), scope)
	} else if n.Get("token") != nil {
		d.faults.Add(n.Key("token").Errorf("token-unused", "a token is got, but nothing says where it goes").WithHint("add inject, such as inject: {headers: …} in block style"))
	}
}

func (d *decoder) token(n *source.Node) *Token {
	t := &Token{Lifetime: d.duration(n.Get("lifetime"), 0)}
	t.Call = d.authOperation(n, "call")
	outputs := lang.AnyType
	if t.Call != nil {
		outputs = t.Call.Response.OutputsType
		t.With = d.template(n.Get("with"), configScope(d.v.Config.Type))
		CheckWith(t.Call.Name, t.Call.Inputs, t.With, placeOf(n.Get("call"), ""), d.faults)
		if !t.Call.NoAuth {
			d.faults.Add(n.Get("call").Errorf("login-needs-auth", "the login %s would itself need a token", t.Call.Name).WithHint("add auth: none to the operation"))
		}
		if t.Call.Effect == flow.Create {
			d.faults.Add(n.Get("call").Errorf("login-creates", "the login %s has effect create, but logins are repeated", t.Call.Name).WithHint("a login that may be repeated is effect: idempotent"))
		}
	}
	t.Value = lang.CompileExpr(n.Get("value"), tokenScope(d.v.Config.Type, outputs), d.faults)
	if t.Value != nil && !textual(t.Value.Type()) {
		d.faults.Add(n.Get("value").Errorf("wrong-type", "a token must be text, found %s", t.Value.Type()))
	}
	if n.Get("check") != nil {
		t.Check = d.authOperation(n, "check")
		if t.Check != nil && t.Check.Effect != flow.Read {
			d.faults.Add(n.Get("check").Errorf("check-not-read", "the check %s must be a read, it is %s", t.Check.Name, t.Check.Effect))
		}
	}
	return t
}

func (d *decoder) authOperation(n *source.Node, key string) *Operation {
	name := n.Get(key).Text
	if op := d.v.Operation(name); op != nil {
		return op
	}
	var names []string
	for _, op := range d.v.Operations {
		names = append(names, op.Name)
	}
	d.faults.Add(n.Get(key).Errorf("unknown-operation", "no operation %s in this file", name).WithHint(DidYouMean(name, names)))
	return nil
}

// DidYouMean returns a hint that names the nearest candidate, else all of them.
func DidYouMean(name string, candidates []string) string {
	if near := diag.Nearest(name, candidates); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if len(candidates) == 0 {
		return "there are none"
	}
	const most = 12
	if len(candidates) > most {
		candidates = append(candidates[:most:most], "…")
	}
	return "there are: " + strings.Join(candidates, ", ")
}

func (d *decoder) retryOf(n *source.Node, r Retry) Retry {
	if n == nil {
		return r
	}
	if a := n.Get("attempts"); a != nil {
		if attempts, ok := a.Literal().(int64); ok {
			r.Attempts = int(attempts)
		}
	}
	r.First = d.duration(n.Get("first"), r.First)
	r.Max = d.duration(n.Get("max"), r.Max)
	if r.First > r.Max {
		d.faults.Add(n.Errorf("wrong-value", "the first wait (%v) is longer than the longest (%v)", r.First, r.Max))
	}
	return r
}

func (d *decoder) duration(n *source.Node, otherwise time.Duration) time.Duration {
	if n == nil {
		return otherwise
	}
	t, err := time.ParseDuration(n.Text)
	if err != nil || t < 0 {
		d.faults.Add(n.Errorf("wrong-value", "%q is not a duration", n.Text).WithHint("write it as 500ms, 30s, 15m or 2h"))
		return otherwise
	}
	return t
}
