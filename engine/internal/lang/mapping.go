package lang

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Mapping is one output of a response: a path, or {path, type, format,
// default, secret, trim, null_if, each}. It never changes and is safe for
// concurrent use.
type Mapping struct {
	Name string
	// Secret outputs are kept out of everything that people read or that is stored.
	Secret bool

	path *Path
	typ  *Type
	// as is the declared type's conversion; its kind is Unknown where values
	// stay as they are.
	as     conversion
	trim   func(string) string // nil: texts stay as they are
	nullIf []value.Value
	// fallback stands for what is missing or null, where there is one.
	fallback    value.Value
	hasFallback bool
	// each maps the elements of a list to objects, where it is set.
	each []*Mapping
}

// CompileMapping compiles the entry name: n of response.outputs over data of type over.
// It reports every fault, and returns nil when there was one.
func CompileMapping(name string, n *source.Node, over *Type, faults *diag.List) *Mapping {
	before := len(*faults)
	m := &Mapping{Name: name}
	if n.Kind == source.Mapping {
		c := mappingCompiler{m: m, n: n, faults: faults}
		c.compile(over)
	} else if m.path = CompilePath(n, over, faults); m.path != nil {
		m.typ = m.path.typ
	}
	if len(*faults) > before {
		return nil
	}
	m.Secret = m.Secret || m.typ.Secret
	m.typ = m.typ.secretIf(m.Secret)
	return m
}

// Type returns what the output holds. It is nullable where the path may find
// nothing or null and there is no default.
func (m *Mapping) Type() *Type { return m.typ }

// Get extracts the output from a JSON text that ValidJSON has approved. A path
// that finds nothing, or null, or one of null_if gives the default, else
// null where the type allows it, else an error that names the path. The error of a value that
// does not fit its declared type names path, expected and found; it is a
// *diag.Diagnostic at the mapping, and never shows the value of a secret.
func (m *Mapping) Get(body []byte) (value.Value, error) { return m.get(m.Name, body) }

// GetFrom is Get for a body whose value is known: an output that is the whole
// body need not be decoded again.
func (m *Mapping) GetFrom(body []byte, whole value.Value) (value.Value, error) {
	if m.path.isWhole() {
		return m.from(m.Name, whole, true, nil)
	}
	return m.Get(body)
}

// get is Get for the output that messages call label.
func (m *Mapping) get(label string, body []byte) (value.Value, error) {
	v, found, err := m.path.Get(body)
	return m.from(label, v, found, err)
}

// from makes the output of what the path has found.
func (m *Mapping) from(label string, v value.Value, found bool, err error) (value.Value, error) {
	if err != nil {
		return nil, m.fault("output-mismatch", err, "output %s: %v", label, err)
	}
	if text, ok := v.(string); ok && m.trim != nil {
		v = m.trim(text)
	}
	if v == nil || m.isNull(v) {
		return m.missing(label, found)
	}
	if m.each != nil {
		return m.mapElements(label, v)
	}
	out, ok := m.as.convert(v)
	if !ok {
		return nil, m.mismatch(label, v)
	}
	return out, nil
}

func (m *Mapping) isNull(v value.Value) bool {
	return slices.ContainsFunc(m.nullIf, func(null value.Value) bool { return value.Equal(null, v) })
}

// missing is the answer where nothing, null or a null_if value was found.
func (m *Mapping) missing(label string, found bool) (value.Value, error) {
	switch {
	case m.hasFallback:
		return m.fallback, nil
	case m.typ.Nullable || m.typ.Kind == Unknown:
		return nil, nil
	case found:
		d := m.fault("output-mismatch", nil, "output %s: path %s: expected %s, found null", label, m.path.text, m.typ)
		return nil, d
	}
	d := m.fault("output-missing", nil, "output %s: path %s finds nothing", label, m.path.text)
	d.Hint = "where that is normal, give the output a default, or make the member optional in the schema"
	return nil, d
}

func (m *Mapping) mapElements(label string, v value.Value) (value.Value, error) {
	list, ok := v.(value.List)
	if !ok {
		return nil, m.mismatch(label, v)
	}
	out := make(value.List, len(list))
	var raw []byte
	for i, elem := range list {
		raw = value.AppendJSON(raw[:0], elem)
		o := value.NewObject(len(m.each))
		for _, e := range m.each {
			part, err := e.get(fmt.Sprintf("%s[%d].%s", label, i, e.Name), raw)
			if err != nil {
				return nil, err
			}
			o.Set(e.Name, part)
		}
		out[i] = o
	}
	return out, nil
}

func (m *Mapping) mismatch(label string, v value.Value) error {
	d := m.fault("output-mismatch", nil, "output %s: path %s: expected %s, found %s",
		label, m.path.text, m.as.String(), m.shown(v))
	if text, ok := v.(string); ok && strings.TrimSpace(text) == "" {
		d.Hint = `null_if: [""] makes an empty text null`
	}
	return d
}

// shown names a value for a message; that of a secret only by its kind.
func (m *Mapping) shown(v value.Value) string {
	kind := kindOf(v)
	if m.Secret || kind == List || kind == Object {
		return kind.String()
	}
	return kind.String() + " " + shown(v)
}

func (m *Mapping) fault(code string, cause error, format string, args ...any) *diag.Diagnostic {
	return &diag.Diagnostic{
		File:    m.path.place.File,
		Pos:     m.path.place.Pos,
		Code:    code,
		Message: fmt.Sprintf(format, args...),
		Err:     cause,
	}
}

// trimRight takes the blanks that fixed-width fields are filled up with.
func trimRight(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) }
