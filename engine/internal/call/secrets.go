package call

import (
	"strconv"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// HideConfig tells the gate of the secrets in a connection's config, under names by which what is kept can refer to them.
func HideConfig(gate *redact.Gate, c *Connection) {
	hideParams(gate, origin{"config", []string{c.Name}}, c.Vendor.Config, c.Config)
}

// HideInputs tells the gate of the values of secret inputs of a run. p may be nil.
func HideInputs(gate *redact.Gate, p *catalog.Params, values *value.Object) {
	hideParams(gate, origin{source: "input"}, p, values)
}

// InputName is the name under which the gate knows an input that is secret as a whole.
func InputName(name string) string { return redact.Name("input", name) }

// An origin is where a secret comes from, which is its name; the zero origin names nothing.
type origin struct {
	source string
	path   []string
}

func (o origin) below(name string) origin {
	if o.source != "" {
		o.path = append(o.path[:len(o.path):len(o.path)], name)
	}
	return o
}

func (o origin) name() string {
	if o.source == "" {
		return ""
	}
	return redact.Name(o.source, o.path...)
}

func hideParams(gate *redact.Gate, from origin, p *catalog.Params, values *value.Object) {
	if p == nil {
		return
	}
	for _, q := range p.List {
		if v := values.At(q.Name); q.Secret {
			hide(gate, from.below(q.Name), v)
		} else {
			hideTyped(gate, from.below(q.Name), q.Type, v)
		}
	}
}

func (e *Executor) hideInputs(j *job) {
	if len(j.op.SecretInputs) > 0 {
		hideParams(e.gate, origin{}, j.op.Inputs, j.inputs)
	}
}

// hideTyped tells the gate of the secrets within v, as its type marks them.
func hideTyped(gate *redact.Gate, from origin, t *types.Type, v value.Value) {
	if t == nil || v == nil {
		return
	}
	if t.Secret {
		hide(gate, from, v)
		return
	}
	switch v := v.(type) {
	case value.List:
		if t.Elem == nil || t.Elem.Kind != types.Object && t.Elem.Kind != types.List && !t.Elem.Secret {
			return
		}
		for i, element := range v {
			hideTyped(gate, from.below(strconv.Itoa(i)), t.Elem, element)
		}
	case *value.Rows:
		if t.Elem == nil || !t.Elem.HasSecret() {
			return
		}
		for element := range v.All() { // an element that cannot be read is not sent either
			hideTyped(gate, origin{}, t.Elem, element)
		}
	case *value.Object:
		for i := range t.Fields {
			hideTyped(gate, from.below(t.Fields[i].Name), t.Fields[i].Type, v.At(t.Fields[i].Name))
		}
	}
}

// hide tells the gate of every text and number in v.
func hide(gate *redact.Gate, from origin, v value.Value) {
	switch v := v.(type) {
	case nil, bool:
	case value.List:
		for i, element := range v {
			hide(gate, from.below(strconv.Itoa(i)), element)
		}
	case *value.Rows:
		for element := range v.All() { // an element that cannot be read is not sent either
			hide(gate, origin{}, element)
		}
	case *value.Object:
		for name, member := range v.All() {
			hide(gate, from.below(name), member)
		}
	default:
		if text, err := value.Text(v); err == nil && text != "" {
			gate.AddNamed(from.name(), text)
		}
	}
}

// maskSecrets takes the values of response.secrets out of the answer, before
// anything else looks at it, and tells the gate of them. Where they cannot be
// found, because the answer is no JSON that can be kept, none of it is shown.
func (a *answer) maskSecrets(gate *redact.Gate, op *operation) {
	if len(op.Response.Secrets) == 0 || a.empty() {
		return
	}
	v, err := a.decode()
	if err != nil || !a.json {
		a.sealed = err != nil || a.success()
		return
	}
	echoes, long := redact.NewGate(), false
	for _, p := range op.Response.Secrets {
		v = p.Mask(v, func(secret value.Value) {
			hide(gate, origin{}, secret)
			if text, ok := secret.(string); ok && len(text) >= minEcho {
				long = echoes.Add(text)
			}
		})
	}
	if long {
		v = maskTexts(echoes, v)
	}
	// Written anew in any case: of two members with one name only one is left,
	// and everybody sees the same.
	a.value, a.body, a.raw = v, value.AppendJSON(nil, v), nil
}

// minEcho is how many bytes a secret must have for its echoes in the same answer to be
// masked: what is masked is lost, and a short one may be part of something else.
const minEcho = 8

// maskTexts returns v with the texts in it masked. Numbers and names of members stay.
func maskTexts(gate *redact.Gate, v value.Value) value.Value {
	switch v := v.(type) {
	case string:
		return gate.Text(v)
	case value.List:
		list := make(value.List, len(v))
		for i, element := range v {
			list[i] = maskTexts(gate, element)
		}
		return list
	case *value.Object:
		o := value.NewObject(v.Len())
		for name, member := range v.All() {
			o.Set(name, maskTexts(gate, member))
		}
		return o
	}
	return v
}

// hideOutputs tells the gate of the secret outputs in data and in headers, and reports whether
// each of them was found: else what is shown of the answer might hold one.
func (a *answer) hideOutputs(gate *redact.Gate, op *operation, data []byte) bool {
	all := true
	for _, m := range op.secretOutputs {
		v, err := a.output(m, func(m *paths.Mapping) (value.Value, error) { return m.Get(data) })
		if err != nil {
			all = false
			continue
		}
		if m.Secret {
			hide(gate, origin{}, v)
		} else {
			hideTyped(gate, origin{}, m.Type(), v)
		}
	}
	return all
}
