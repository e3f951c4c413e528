package catalog

import (
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/source"
)

func (d *decoder) auth(n *source.Node) {
	scope := configScope(d.v.Config.Type) // without a token there is no such name
	if token := n.Get("token"); token != nil {
		d.v.Auth.Token = d.token(token)
		scope = injectScope(d.v.Config.Type, &lang.Type{Kind: lang.Text, Secret: true})
	}
	if inject := n.Get("inject"); inject != nil {
		d.v.Auth.Headers = d.template(inject.Get("headers"), scope)
		d.v.Auth.Query = d.template(inject.Get("query"), scope)
		d.v.Auth.Body = d.template(inject.Get("body"), scope)
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
			d.faults.Add(n.Get("call").Errorf("login-needs-auth", "the operation %s logs in, and would itself need a token", t.Call.Name).WithHint("add auth: none to the operation"))
		}
		if t.Call.Effect == flow.Create {
			d.faults.Add(n.Get("call").Errorf("login-creates", "the operation %s logs in, which may happen again at any time, and has effect create", t.Call.Name).WithHint("a login that may be repeated is effect: idempotent"))
		}
	}
	t.Value = lang.CompileExpr(n.Get("value"), tokenScope(d.v.Config.Type, outputs), d.faults)
	if t.Value != nil && !textual(t.Value.Type()) {
		d.faults.Add(n.Get("value").Errorf("wrong-type", "a token must be text, found %s", t.Value.Type()).WithHint(nullHint(t.Value.Type())))
	}
	if n.Get("check") != nil {
		t.Check = d.authOperation(n, "check")
		if t.Check != nil && t.Check.Effect != flow.Read {
			d.faults.Add(n.Get("check").Errorf("check-not-read", "the operation %s checks a token, so it must be a read; it is %s", t.Check.Name, t.Check.Effect))
		}
	}
	return t
}

func (d *decoder) authOperation(n *source.Node, key string) *Operation {
	name := n.Get(key).Text
	if op := d.v.Operation(name); op != nil {
		return op
	}
	d.faults.Add(n.Get(key).Errorf("unknown-operation", "no operation %s in this file", name).WithHint(DidYouMean(name, d.v.OperationNames())))
	return nil
}
