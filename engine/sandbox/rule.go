package sandbox

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// rules are tried top-down until one replies. A name that a rule gives by let
// is known to the rules below it, and null there when the rule was passed over.
type rules struct {
	list []rule
	vars int // how many names there are in the end
}

// A rule does what it says, in the order of its fields, when its condition holds.
type rule struct {
	cond    *expr.Expr // nil for always
	lets    []let
	changes []change
	reply   *reply
}

// A let gives the value its place among the variables.
type let struct {
	at    int
	value *template.Template
}

// A change makes a new state of the present one. vars are those of its rule.
type change interface {
	apply(t *turn, vars expr.Vars) error
}

func (d *decoder) rules(n *source.Node) rules {
	var rs rules
	scope := d.scope
	for i, item := range n.Items {
		if item.Get("if") == nil && item.Get("reply") != nil && i < len(n.Items)-1 {
			d.faults.Add(item.Key("reply").Errorf("never-done", "this always replies, so that the rules below it are never tried").WithHint("say when it replies, with if"))
		}
		var r rule
		r, scope = d.rule(item, scope)
		rs.list = append(rs.list, r)
	}
	rs.vars = scope.Len()
	return rs
}

// answered warns of rules that may all be passed over: the request is answered with 500 then.
func (d *decoder) answered(n *source.Node) {
	if len(n.Items) == 0 {
		return
	}
	last := n.Items[len(n.Items)-1]
	if last.Get("reply") == nil || last.Get("if") != nil {
		d.faults.Add(last.Warnf("no-reply", "there may be no reply: no rule below this one replies whatever the request is").
			WithHint("end with a rule that has a reply and no if"))
	}
}

// condition compiles what decides whether something is done.
func (d *decoder) condition(n *source.Node, scope *expr.Scope) *expr.Expr {
	e := expr.Compile(n, scope, d.faults)
	if e != nil && e.Type().Kind != types.Boolean && e.Type().Kind != types.Unknown {
		d.faults.Add(n.Errorf("wrong-type", "a condition must be true or false, found %s", e.Type()))
	}
	return e
}

// rule compiles a rule over the names so far, and returns those that the rules
// below it see.
func (d *decoder) rule(n *source.Node, scope *expr.Scope) (rule, *expr.Scope) {
	var r rule
	below, why := scope, ""
	if c := n.Get("if"); c != nil {
		r.cond = d.condition(c, scope)
		if r.cond != nil && !r.cond.Reads() {
			d.faults.Add(c.Warnf("always-same", "this condition is always the same: it looks at nothing").WithHint("ask for the request or the state, or leave it out"))
		}
		why = fmt.Sprintf("the rule in line %d may be passed over", n.Pos.Line)
	}
	if lets := n.Get("let"); lets != nil {
		for _, pair := range lets.Pairs {
			tmpl := template.Compile(pair.Value, scope, d.faults)
			r.lets = append(r.lets, let{at: scope.Len(), value: tmpl})
			typ := types.AnyType
			if tmpl != nil {
				typ = tmpl.Type()
			}
			scope = scope.With(expr.Name{Name: pair.Key.Text, Type: typ})
			if r.cond != nil {
				typ = typ.OrNull(why)
			}
			below = below.With(expr.Name{Name: pair.Key.Text, Type: typ})
		}
	}
	for _, kind := range changeKinds {
		if c := n.Get(kind.key); c != nil {
			r.changes = append(r.changes, kind.decode(d, c, scope))
		}
	}
	if c := n.Get("reply"); c != nil {
		r.reply = d.reply(c, scope)
	}
	return r, below
}

// run tries the rules until one replies; nil when none did.
func (rs rules) run(t *turn) (*answer, error) {
	vars := make(expr.Vars, rs.vars)
	copy(vars, t.vars())
	for i := range rs.list {
		a, err := rs.list[i].run(t, vars)
		if a != nil || err != nil {
			return a, err
		}
	}
	return nil, nil
}

func (r *rule) run(t *turn, vars expr.Vars) (*answer, error) {
	if r.cond != nil {
		if holds, err := r.cond.Bool(vars); !holds || err != nil {
			return nil, err
		}
	}
	for _, l := range r.lets {
		v, err := eval(l.value, vars)
		if err != nil {
			return nil, err
		}
		vars[l.at] = v
	}
	for _, c := range r.changes {
		if err := c.apply(t, vars); err != nil {
			return nil, err
		}
		vars[stateVar] = t.store.state
	}
	if r.reply == nil {
		return nil, nil
	}
	return r.reply.render(vars)
}

// eval computes a template; what was to be left out is null.
func eval(tmpl *template.Template, vars expr.Vars) (value.Value, error) {
	v, err := tmpl.Eval(vars)
	if v == types.Omit {
		v = nil
	}
	return v, err
}
