package catalog

import (
	"slices"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// response reads the response of the operation at operation; what it does not
// say, the vendor's envelope says. Its own outcomes come first. request is the scope of the request.
func (d *decoder) response(operation *source.Node, op *Operation, request *expr.Scope) Response {
	r := Response{As: "json", OutputsType: types.ObjectOf()}
	scope := answerScope(request, types.AnyType)
	n := operation.Get("response")
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
		d.unread(n, r.As)
	}
	r.Outcomes = append(d.rules(get(n, "outcomes"), scope), d.rules(get(d.envelope, "outcomes"), scope)...)
	if ok := own("ok"); ok != nil {
		r.OK = expr.Compile(ok, scope, d.faults)
		d.decides(ok, r.OK)
	}
	if data := own("data"); data != nil {
		r.Data = paths.Compile(data, types.AnyType, d.faults)
	}
	if msg := own("message"); msg != nil {
		r.Message = paths.Compile(msg, types.AnyType, d.faults)
	}
	over := types.AnyType
	if s := get(n, "schema"); s != nil {
		addMisfits(d.faults, s, d.lib)
		compiled, err := d.lib.Compile(s.Literal(), d.base)
		if err != nil {
			addSchemaFault(d.faults, s, d.lib, err)
		}
		r.Schema = compiled
		over = types.FromSchema(s.Literal(), d.base, d.lib)
		r.Over = over
	}
	whole := types.AnyType
	if r.Data == nil {
		whole = over
	}
	r.Secrets = d.secrets(n, r.As, r.Data == nil, whole)
	// What only a success is asked fits the schema.
	success := scope
	if whole = r.whole(); r.As == "json" || r.As == "xml" {
		success = answerScope(request, whole)
	}
	d.answeredRows(n, op, success, whole)
	if outputs := get(n, "outputs"); outputs != nil {
		for _, pair := range outputs.Pairs {
			m := paths.CompileMapping(pair.Key.Text, pair.Value, over, d.faults)
			if m == nil { // of any type, so that those who use it need not suffer
				r.OutputsType.Fields = append(r.OutputsType.Fields, types.Field{Name: pair.Key.Text, Type: types.AnyType})
				continue
			}
			r.Outputs = append(r.Outputs, m)
			t := *m.Type()
			t.Declared = placeOf(pair.Key, "declared here")
			r.OutputsType.Fields = append(r.OutputsType.Fields, types.Field{Name: pair.Key.Text, Type: &t})
		}
	}
	d.openSecrets(get(n, "outputs"))
	r.setGiven()
	d.pages(operation, op, &r, scope)
	if as := get(n, "as"); as != nil && op.Paging == nil && (r.As == "csv" || r.As == "lines") {
		d.listChecked(as, "the rows", &r)
	}
	return r
}

// unread reports what an operation wants to know of an answer that is not read.
func (d *decoder) unread(n *source.Node, as string) {
	if as != "none" {
		return
	}
	for _, key := range []string{"data", "schema", "outputs"} {
		if v := n.Get(key); v != nil && !(key == "outputs" && besideBody(v)) {
			d.faults.Add(n.Key(key).Errorf("answer-not-read", "as: none reads nothing of the answer, so there is nothing for %s", key))
		}
	}
}

// besideBody reports whether all outputs are those of headers and cookies.
func besideBody(outputs *source.Node) bool {
	return !slices.ContainsFunc(outputs.Pairs, func(p source.Pair) bool {
		return p.Value.Kind != source.Mapping || p.Value.Get("header") == nil && p.Value.Get("cookie") == nil
	})
}

func (d *decoder) rules(n *source.Node, scope *expr.Scope) []Rule {
	if n == nil {
		return nil
	}
	Distinct(n, "outcome", d.faults)
	var rules []Rule
	for _, item := range n.Items {
		cond := expr.Compile(item.Get("if"), scope, d.faults)
		d.decides(item.Get("if"), cond)
		rules = append(rules, Rule{If: cond, Is: flow.Outcome(item.Get("is").Text)})
	}
	return rules
}
