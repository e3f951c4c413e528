package catalog

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A SecretPath leads to the values in an answer that nothing may show or keep.
// It is written as other paths are, but leads to all values that fit: #(…) is
// each element that fits, not the first, and # is each element also at the end.
// It never changes and is safe for concurrent use.
type SecretPath struct{ steps []secretStep }

// A secretStep leads from a value to some of its parts: each element, the
// elements that fit a query, or the member or element called name.
type secretStep struct {
	name  string
	index int // name as a number, or -1
	each  bool
	query *paths.Path
}

// Mask puts redact.Mask in the place of every text the path leads to in v, and
// null in the place of every number and boolean; of lists and objects it takes
// the parts. Each secret text or number is handed to found. v is changed, and
// returned or, when it is a secret itself, what stands for it.
func (p *SecretPath) Mask(v value.Value, found func(value.Value)) value.Value {
	return maskAlong(v, p.steps, found)
}

func maskAlong(v value.Value, steps []secretStep, found func(value.Value)) value.Value {
	if len(steps) == 0 {
		return maskAll(v, found)
	}
	s, rest := steps[0], steps[1:]
	switch v := v.(type) {
	case *value.Object:
		if part, ok := v.Get(s.name); ok && s.query == nil && !s.each {
			v.Set(s.name, maskAlong(part, rest, found))
		}
	case value.List:
		for i, elem := range v {
			if s.each || i == s.index || s.query != nil && fits(elem, s.query) {
				v[i] = maskAlong(elem, rest, found)
			}
		}
	}
	return v
}

// fits reports whether an element is one that the query finds.
func fits(elem value.Value, query *paths.Path) bool {
	_, found := query.Raw(value.AppendJSON(nil, value.List{elem}))
	return found
}

func maskAll(v value.Value, found func(value.Value)) value.Value {
	switch v := v.(type) {
	case nil:
		return nil
	case bool:
		return nil
	case string:
		if v == "" {
			return v
		}
		found(v)
		return redact.Mask
	case value.List:
		for i, elem := range v {
			v[i] = maskAll(elem, found)
		}
		return v
	case *value.Object:
		for _, name := range v.Keys() {
			v.Set(name, maskAll(v.At(name), found))
		}
		return v
	}
	found(v)
	return nil
}

// secrets reads response.secrets; the paths are over the whole answer, whose
// type is over. bare says that outputs look there, too.
func (d *decoder) secrets(response *source.Node, as string, bare bool, over *types.Type) []*SecretPath {
	list := response.Get("secrets")
	if list == nil {
		return nil
	}
	if as == "text" {
		d.faults.Add(response.Key("secrets").Errorf("secret-in-text", "secrets are found in JSON, and this answer is read as text").
			WithHint("map the text to an output with secret: true"))
		return nil
	}
	var paths []*SecretPath
	masked := map[string]bool{}
	for _, n := range list.Items {
		if p := d.secret(n, over); p != nil {
			paths = append(paths, p)
			masked[n.Text] = true
		}
	}
	if outputs := response.Get("outputs"); outputs != nil && bare {
		for _, pair := range outputs.Pairs {
			path := pair.Value
			if path.Kind == source.Mapping {
				path = path.Get("path")
			}
			if path != nil && masked[path.Text] {
				d.faults.Add(path.Errorf("secret-masked", "the output %s would only ever be %s: %s is among the secrets", pair.Key.Text, redact.Mask, path.Text).
					WithHint("to use the value, take it from the secrets and mark the output secret: true"))
			}
		}
	}
	return paths
}

// secret compiles one path; lang looks for what is wrong with it first.
func (d *decoder) secret(n *source.Node, over *types.Type) *SecretPath {
	if i := strings.Index(n.Text, "#("); i >= 0 {
		if before := strings.TrimSuffix(n.Text[:i], "."); before != "" {
			list := *n
			list.Text = before
			if paths.Compile(&list, over, d.faults) == nil {
				return nil
			}
		}
		over = types.AnyType // what a query looks for need not be there: better one mask too many
	}
	if paths.Compile(n, over, d.faults) == nil {
		return nil
	}
	p := &SecretPath{}
	for at := 0; at < len(n.Text); {
		part, name := pathPart(n.Text[at:])
		s := secretStep{name: name, index: -1}
		offset := utf8.RuneCountInString(n.Text[:at])
		switch {
		case part == "@this":
		case part == "#":
			s.each = true
			p.steps = append(p.steps, s)
		case strings.HasPrefix(part, "#("):
			query := &source.Node{File: n.File, Kind: source.Scalar, Pos: n.At(offset), Text: strings.TrimSuffix(part, "#"), Quoted: true}
			if s.query = paths.Compile(query, types.AnyType, d.faults); s.query == nil {
				return nil
			}
			p.steps = append(p.steps, s)
		case !plainPart(part):
			d.faults.Add(n.ErrorAt(offset, "bad-path", "a secret cannot be found with %s", part).
				WithHint(`write members and indexes, "#" for each element, "#(name==value)" for each that fits`))
			return nil
		default:
			if i, err := strconv.Atoi(part); err == nil {
				s.index = i
			}
			p.steps = append(p.steps, s)
		}
		at += len(part) + 1
	}
	return p
}

// pathPart returns the first part of a path as written, and without escapes. A
// query is one part, whatever it holds.
func pathPart(rest string) (part, name string) {
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(rest); i++ {
		c := rest[i]
		switch {
		case c == '\\' && i+1 < len(rest):
			i++
			c = rest[i]
		case c == '"' && depth > 0:
			quoted = !quoted
		case quoted:
		case c == '(' && (depth > 0 || rest[:i] == "#"):
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == '.' && depth == 0:
			return rest[:i], b.String()
		}
		b.WriteByte(c)
	}
	return rest, b.String()
}

// plainPart reports whether a part is nothing but a member or an index.
func plainPart(part string) bool {
	if part == "" || strings.ContainsRune("@{[!#", rune(part[0])) {
		return false
	}
	for i := 0; i < len(part); i++ {
		switch part[i] {
		case '\\':
			i++
		case '*', '?', '|':
			return false
		}
	}
	return true
}

// secretInputs names the inputs that are secret, or hold something secret.
func secretInputs(inputs *Params) []string {
	var names []string
	for _, p := range inputs.List {
		if p.Secret || p.Type.HasSecret() {
			names = append(names, p.Name)
		}
	}
	return names
}

// secretOutputs names such outputs.
func secretOutputs(r *Response) []string {
	var names []string
	for _, m := range r.Outputs {
		if m.Type().HasSecret() {
			names = append(names, m.Name)
		}
	}
	return names
}

// openSecrets reports outputs that hold what another output says is secret; n may be nil.
func (d *decoder) openSecrets(n *source.Node) {
	if n == nil {
		return
	}
	for _, s := range n.Pairs {
		hidden := outputPath(s.Value)
		if hidden == nil || s.Value.Get("secret") == nil || s.Value.Get("secret").Literal() != true {
			continue
		}
		for _, o := range n.Pairs {
			path := outputPath(o.Value)
			if path == nil || o.Value.Kind == source.Mapping && o.Value.Get("secret") != nil {
				continue
			}
			if path.Text == "@this" || path.Text == hidden.Text || strings.HasPrefix(hidden.Text, path.Text+".") {
				f := path.Errorf("secret-leak", "the output %s would show what %s holds, which is secret", o.Key.Text, s.Key.Text).
					WithHint("mark it secret: true, too, or leave it out")
				f.Related = []diag.Place{placeOf(s.Key, "secret here")}
				d.faults.Add(f)
			}
		}
	}
}

// outputPath is the path of an output; nil for one that is a header.
func outputPath(n *source.Node) *source.Node {
	if n.Kind == source.Mapping {
		return n.Get("path")
	}
	return n
}
