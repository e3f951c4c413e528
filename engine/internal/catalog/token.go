package catalog

import (
	"fmt"

	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

var secretText = &types.Type{Kind: types.Text, Secret: true}

// grantedType is what outputs are beside oauth2: the members of the endpoint's answer.
var grantedType = &types.Type{
	Kind: types.Object,
	Fields: []types.Field{
		{Name: "access_token", Type: secretText},
		{Name: "refresh_token", Type: secretText.OrNull("the answer may have none")},
		{Name: "id_token", Type: secretText.OrNull("the answer may have none")},
	},
	Extra: types.AnyType,
}

// madeToken compiles what the token is made of: a text, or several by name. What may be null
// may be missing in the answer, and the login has failed then.
func (d *decoder) madeToken(t *Token, n *source.Node, outputs *types.Type) {
	scope := tokenScope(d.v.Config.Type, outputs).Recording(d.reads)
	if n.Kind == source.Scalar {
		t.Value = expr.Compile(n, scope, d.faults)
		if t.Value != nil {
			d.tokenText(n, t.Value.Type())
			d.secretToken(n, t.Value.Type())
		}
		return
	}
	t.Type = &types.Type{Kind: types.Unknown, Secret: true} // of parts that have faults nothing more is said
	if t.Parts = d.template(n, scope); t.Parts == nil {
		return
	}
	var fields []types.Field
	for _, m := range t.Parts.Members() {
		d.tokenText(n.Get(m.Name), m.Value.Type())
		fields = append(fields, types.Field{Name: m.Name, Type: &types.Type{Kind: types.Text, Secret: m.Value.Type().HasSecret()}})
	}
	t.Type = types.ObjectOf(fields...)
}

func (d *decoder) tokenText(n *source.Node, t *types.Type) {
	if t != nil && t.Kind != types.Text && t.Kind != types.Unknown {
		d.faults.Add(n.Errorf("wrong-type", "a token must be text, found %s", t))
	}
}

// Made reports whether the token is made of what came with it.
func (t *Token) Made() bool { return t.Value != nil || t.Parts != nil }

// Make returns the token that is made of what came with it, as one text: that of a token of
// several parts is their JSON. vars are TokenVars.
func (t *Token) Make(vars expr.Vars) (string, error) {
	if t.Parts == nil {
		v, err := t.Value.Eval(vars)
		if err != nil {
			return "", err
		}
		return partOfToken("token", v)
	}
	v, err := t.Parts.Eval(vars)
	if err != nil {
		return "", err
	}
	parts, _ := v.(*value.Object)
	if parts.Len() == 0 {
		return "", fmt.Errorf("there is no token in the answer")
	}
	for name, part := range parts.All() {
		if _, err := partOfToken(name, part); err != nil {
			return "", err
		}
	}
	return string(value.AppendJSON(nil, parts)), nil
}

func partOfToken(name string, v value.Value) (string, error) {
	text, ok := v.(string)
	switch {
	case v == nil || text == "" && ok:
		return "", fmt.Errorf("there is no %s in the answer", name)
	case !ok:
		return "", fmt.Errorf("the %s is not text but %s", name, value.KindOf(v))
	}
	return text, nil
}

// Parse returns what token is below auth.inject, for a text that Make has made. One from before
// the vendor file was changed may be of another shape; then ok is false.
func (t *Token) Parse(text string) (v value.Value, ok bool) {
	if t.Parts == nil {
		return text, true
	}
	v, err := value.Decode([]byte(text))
	parts, isObject := v.(*value.Object)
	if err != nil || !isObject {
		return nil, false
	}
	for _, f := range t.Type.Fields {
		if _, err := partOfToken(f.Name, parts.At(f.Name)); err != nil {
			return nil, false
		}
	}
	return parts, true
}
