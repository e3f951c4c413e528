// Package schema validates: the shape of our own files against the grammar in
// schemas/, and data against the JSON Schemas that vendor files and pipelines
// declare. It is the only importer of jsonschema.
//
// Schemas made of the usual keywords are checked by a validator of our own,
// which works on values as they are and allocates nothing while all is well.
// jsonschema takes the schemas that go beyond it. Both speak with one voice.
package schema

import (
	"fmt"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// Compile prepares a schema that stands in document base. Our own words
// (types decimal, date, datetime; optional, secret, default, file) are
// understood, and OpenAPI's nullable. The formats that are known are checked.
// Patterns are RE2; one that needs look-around or back-references is not
// checked. The error names what the schema itself does wrong; it is a
// *CompileError where the fault has a place in the schema.
func (l *Library) Compile(schema value.Value, base string) (*Schema, error) {
	c := &compiler{lib: l, targets: make(map[target]*node)}
	root, err := c.compile(schema, base)
	if err != nil {
		return nil, err
	}
	s := &Schema{root: root}
	if c.foreign {
		s.foreign, err = bundle(l, schema, base)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// A Schema is a compiled JSON Schema, safe for concurrent use. The nil Schema
// accepts everything.
type Schema struct {
	root *node
	// foreign checks in place of root where root does not know every keyword.
	foreign *foreign
}

// A Violation says where data breaks its schema and how.
type Violation struct {
	// Path leads to the value, as people write it: "", "Charges[2].Costs".
	Path string
	// Pointer is the same as an RFC 6901 pointer.
	Pointer string
	// Message is such as "expected integer, found text \"x\"" or `missing member "AccountId"`.
	// It shows no value that the schema says is secret.
	Message string
}

// Validate returns every violation, in document order; nil when v fits. It
// never panics. Members that the schema does not name are fine unless it says
// additionalProperties: false. A violation inside of v stands at that member
// or item; a missing member at the object that lacks it, an unknown one at itself.
func (s *Schema) Validate(v value.Value) (violations []Violation) {
	if s == nil {
		return nil
	}
	defer func() {
		if fault := recover(); fault != nil {
			violations = []Violation{{Message: fmt.Sprintf("cannot be checked against its schema: %v", fault)}}
		}
	}()
	r, hidden := s.explain(v)
	if r == nil {
		return nil
	}
	return r.violations(hidden)
}

// explain returns what is wrong with v, nil for nothing, and the places of
// values that must not be shown.
func (s *Schema) explain(v value.Value) (*report, *hidden) {
	if s.foreign == nil && s.root.ok(v) {
		return nil, nil
	}
	r, hide := new(report), new(hidden)
	if s.foreign == nil {
		s.root.explain(v, nil, r)
	} else if s.foreign.explain(v, r) {
		return nil, nil
	} else {
		hide.all = s.foreign.secret
	}
	s.root.markSecrets(v, nil, func(p *place) { hide.below = append(hide.below, p.pointer()) })
	r.settle()
	return r, hide
}

// hidden are the places whose values messages must not show.
type hidden struct {
	all   bool
	below []string
}

func (h *hidden) covers(pointer string) bool {
	if h.all {
		return true
	}
	for _, secret := range h.below {
		if pointer == secret || strings.HasPrefix(pointer, secret+"/") {
			return true
		}
	}
	return false
}

// violations puts the findings into words, each once.
func (r *report) violations(hide *hidden) []Violation {
	out := make([]Violation, 0, len(r.findings))
	seen := make(map[Violation]bool, len(r.findings))
	for _, f := range r.findings {
		v := Violation{Path: f.place.path(), Pointer: f.place.pointer()}
		v.Message, _ = f.check.say(f, voice{secret: hide.covers(v.Pointer)})
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
