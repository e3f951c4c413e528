package paths

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A Mapping is one output of a response: a path, or {path or header, type, format,
// default, secret, trim, null_if, each}. It never changes and is safe for
// concurrent use.
type Mapping struct {
	Name string
	// Header and Cookie are the header, and the cookie that the answer sets, that hold the
	// output; "" for one that is in the body. What they say goes through Take; Get, GetFrom
	// and Path are for the others.
	Header string
	Cookie string
	// Secret outputs are kept out of everything that people read or that is stored.
	Secret bool

	label label // Name, as messages have it
	path  *Path
	typ   *types.Type
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
func CompileMapping(name string, n *source.Node, over *types.Type, faults *diag.List) *Mapping {
	before := types.CountErrors(*faults)
	m := &Mapping{Name: name, label: name}
	if n.Kind == source.Mapping {
		c := mappingCompiler{m: m, n: n, faults: faults}
		c.compile(over)
	} else if m.path = Compile(n, over, faults); m.path != nil {
		m.typ = m.path.typ
	}
	if types.CountErrors(*faults) > before {
		return nil
	}
	m.Secret = m.Secret || m.typ.Secret
	m.typ = m.typ.SecretIf(m.Secret)
	return m
}

// Type returns what the output holds. It is nullable where the path may find
// nothing or null and there is no default.
func (m *Mapping) Type() *types.Type { return m.typ }

// Get extracts the output from a JSON text that ValidJSON has approved. A path
// that finds nothing, or null, or one of null_if gives the default, else
// null where the type allows it, else an error that names the path. The error of a value that
// does not fit its declared type names path, expected and found; it is a
// *diag.Diagnostic at the mapping, and never shows the value of a secret.
func (m *Mapping) Get(body []byte) (value.Value, error) {
	v, found, err := m.path.Get(body)
	if err != nil {
		return nil, m.unreadable(m.label, err)
	}
	return m.take(m.label, v, found)
}

// GetFrom is Get for a body whose value is known: what a path of members and indexes leads to
// need not be decoded again.
func (m *Mapping) GetFrom(body []byte, whole value.Value) (value.Value, error) {
	if !m.path.IsWalk() {
		return m.Get(body)
	}
	v, found, err := m.path.Find(whole)
	if err != nil {
		return nil, m.unreadable(m.label, err)
	}
	return m.take(m.label, v, found)
}

// InBody reports whether the output is in the answer's body.
func (m *Mapping) InBody() bool { return m.Header == "" && m.Cookie == "" }

// Path returns where the output is looked for.
func (m *Mapping) Path() *Path { return m.path }

// Take is Get for a value that the path has found already, or has not. Rows stay
// Rows: where each of their elements is mapped, all of them are tried once before Take
// returns, and are mapped again whenever they are asked for.
func (m *Mapping) Take(v value.Value, found bool) (value.Value, error) {
	return m.take(m.label, v, found)
}

// A label is what messages call an output: its name, or an elementLabel.
type label any

// An elementLabel is the label of a member that each makes: rows[3].id.
type elementLabel struct {
	list  label
	index int
	name  string
}

func (l elementLabel) String() string { return fmt.Sprintf("%s[%d].%s", l.list, l.index, l.name) }

// take is Take for the output that messages call label.
func (m *Mapping) take(label label, v value.Value, found bool) (value.Value, error) {
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
func (m *Mapping) missing(label label, found bool) (value.Value, error) {
	switch {
	case m.hasFallback:
		return m.fallback, nil
	case m.typ.Nullable || m.typ.Kind == types.Unknown:
		return nil, nil
	case found:
		d := m.fault("output-mismatch", nil, "output %s: %s: expected %s, found null", label, m.at(), m.typ)
		return nil, d
	}
	d := m.fault("output-missing", nil, "output %s: %s finds nothing", label, m.at())
	d.Hint = "where that is normal, give the output a default, or make the member optional in the schema"
	return nil, d
}

func (m *Mapping) mapElements(label label, v value.Value) (value.Value, error) {
	switch v := v.(type) {
	case value.List:
		out := make(value.List, len(v))
		for i, elem := range v {
			o, err := m.mapElement(label, i, elem)
			if err != nil {
				return nil, err
			}
			out[i] = o
		}
		return out, nil
	case *value.Rows:
		mapped := v.Map(func(i int, elem value.Value) (value.Value, error) { return m.mapElement(label, i, elem) })
		for _, err := range mapped.All() {
			if err != nil {
				return nil, err
			}
		}
		return mapped, nil
	}
	return nil, m.mismatch(label, v)
}

func (m *Mapping) mapElement(label label, i int, elem value.Value) (value.Value, error) {
	var raw []byte // for the paths that want a text
	o := value.NewObject(len(m.each))
	for _, e := range m.each {
		var part value.Value
		var found bool
		var err error
		if e.path.IsWalk() {
			part, found, err = e.path.Find(elem)
		} else {
			if raw == nil {
				raw = value.AppendJSON(nil, elem)
			}
			part, found, err = e.path.Get(raw)
		}
		at := elementLabel{label, i, e.Name}
		if err != nil {
			return nil, e.unreadable(at, err)
		}
		if part, err = e.take(at, part, found); err != nil {
			return nil, err
		}
		o.Set(e.Name, part)
	}
	return o, nil
}

func (m *Mapping) unreadable(label label, err error) error {
	return m.fault("output-mismatch", err, "output %s: %v", label, err)
}

func (m *Mapping) mismatch(label label, v value.Value) error {
	d := m.fault("output-mismatch", nil, "output %s: %s: expected %s, found %s",
		label, m.at(), m.as.String(), m.shown(v))
	if text, ok := v.(string); ok && strings.TrimSpace(text) == "" {
		d.Hint = `null_if: [""] makes an empty text null`
	}
	return d
}

// at says where the output is looked for.
func (m *Mapping) at() string {
	if !m.InBody() {
		return m.path.text
	}
	return "path " + m.path.text
}

// shown names a value for a message; that of a secret only by its kind.
func (m *Mapping) shown(v value.Value) string {
	kind := types.KindOf(v)
	if m.Secret || kind == types.List || kind == types.Object {
		return kind.String()
	}
	return kind.String() + " " + types.Shown(v)
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
