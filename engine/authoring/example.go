package authoring

import (
	"fmt"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// connectionExample is a connections file for a vendor.
func connectionExample(v *catalog.Vendor, config *source.Node) string {
	var b strings.Builder
	fmt.Fprintf(&b, "connections:\n  %s:\n    vendor: %[1]s\n    base_url: https://api.example\n", v.Name)
	head := "    config:\n"
	for _, p := range v.Config.List {
		if !p.Required() {
			continue
		}
		b.WriteString(head)
		head = ""
		if p.Secret || p.Type.Kind == types.Text && config.Get(p.Name).Get("example") == nil && len(p.Type.Enum) == 0 {
			fmt.Fprintf(&b, "      %s: ${{ env.%s_%s }}\n", p.Name, strings.ToUpper(v.Name), strings.ToUpper(p.Name))
			continue
		}
		fmt.Fprintf(&b, "      %s: %s\n", p.Name, value.AppendJSON(nil, sample(p.Name, p.Type, config.Get(p.Name), nil)))
	}
	return b.String()
}

// stepExample is a step that calls an operation, with all that it must be given.
func stepExample(op *catalog.Operation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "- id: %s\n  call: %s.%[1]s\n", op.Name, op.Vendor.Name)
	head := "  with:\n"
	for _, p := range op.Inputs.List {
		if p.Required() {
			fmt.Fprintf(&b, "%s    %s: ${{ inputs.%[2]s }}\n", head, p.Name)
			head = ""
		}
	}
	return b.String()
}

// runExample is a command that runs a pipeline, with all that it must be given;
// n declares its inputs.
func runExample(p *pipeline.Pipeline, n *source.Node) string {
	var b strings.Builder
	b.WriteString("runner run " + p.Path)
	for _, in := range p.Inputs.List {
		if _, hasFile := p.Inputs.Files[in.Name]; hasFile || !in.Required() {
			continue
		}
		fmt.Fprintf(&b, " \\\n  --input %s=%s", in.Name, argument(in, n.Get(in.Name)))
	}
	return b.String() + "\n"
}

// argument is a value of an input as the command line takes it.
func argument(p *catalog.Param, n *source.Node) string {
	t := p.Type
	if t.Kind == types.List && t.Elem != nil && (t.Elem.Kind == types.Object || t.Elem.Kind == types.List) {
		return "@" + p.Name + ".csv"
	}
	var text string
	switch v := sample(p.Name, t, n, nil).(type) {
	case string:
		text = v
	case value.List:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = scalarText(item)
		}
		text = strings.Join(parts, ";")
	default:
		text = scalarText(v)
	}
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./@:") != "" {
		text = "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return text
}

// scalarText is a text as it is, and the JSON of any other value.
func scalarText(v value.Value) string {
	if text, ok := v.(string); ok {
		return text
	}
	return string(value.AppendJSON(nil, v))
}

// sample makes up a value of a type: what the schema gives as an example, else
// one of the values that are possible, else what shows the type. n is the schema or nil; around are the types
// that the value is in.
func sample(name string, t *types.Type, n *source.Node, around []*types.Type) value.Value {
	if e := n.Get("example"); e != nil {
		return e.Literal()
	}
	if all := n.Get("examples"); all != nil && len(all.Items) > 0 {
		return all.Items[0].Literal()
	}
	if t == nil {
		return strings.ToUpper(name)
	}
	if len(t.Enum) > 0 {
		return t.Enum[0]
	}
	switch t.Kind {
	case types.Boolean:
		return true
	case types.Integer, types.Decimal:
		if least := n.Get("minimum"); least != nil {
			return least.Literal()
		}
		return int64(1)
	case types.Null:
		return nil
	case types.List:
		return value.List{sample(name, t.Elem, n.Get("items"), around)}
	case types.Object:
		o := value.NewObject(len(t.Fields))
		for _, f := range t.Fields {
			if f.Optional || len(around) > 8 {
				continue
			}
			o.Set(f.Name, sample(f.Name, f.Type, n.Get("properties").Get(f.Name), append(around[:len(around):len(around)], t)))
		}
		return o
	}
	switch t.Format {
	case "date":
		return "2026-01-31"
	case "datetime", "date-time":
		return "2026-01-31T12:00:00Z"
	case "email":
		return "name@example.com"
	}
	return strings.ToUpper(name)
}
