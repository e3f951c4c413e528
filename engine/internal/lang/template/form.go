package template

import (
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A literal is a value without markers, and its JSON text.
type literal struct {
	value value.Value
	json  []byte
}

func newLiteral(v value.Value) *literal {
	return &literal{value: v, json: value.AppendJSON(nil, v)}
}

func (l *literal) eval(expr.Vars) (value.Value, error) { return l.value, nil }

func (l *literal) appendJSON(dst []byte, _ expr.Vars) ([]byte, bool, error) {
	return append(dst, l.json...), true, nil
}

// A hole is a scalar that is exactly one marker; it keeps the expression's type.
type hole struct{ expr *expr.Expr }

func (h hole) eval(vars expr.Vars) (value.Value, error) { return h.expr.Eval(vars) }

func (h hole) appendJSON(dst []byte, vars expr.Vars) ([]byte, bool, error) {
	v, err := h.expr.Eval(vars)
	if err != nil || v == types.Omit {
		return dst, false, err
	}
	if dst, err = value.TryAppendJSON(dst, v); err != nil {
		return dst, false, h.expr.Wrap(err)
	}
	return dst, true, nil
}

// mixed is text with markers in it; each gives a scalar.
type mixed []mixedPart

// A mixedPart is literal text, also as the inside of a JSON string, or an expression.
type mixedPart struct {
	text string
	json []byte
	expr *expr.Expr
}

func (m mixed) eval(vars expr.Vars) (value.Value, error) {
	var b strings.Builder
	for _, p := range m {
		text := p.text
		if p.expr != nil {
			v, err := p.scalar(vars)
			if err != nil {
				return nil, err
			}
			text, err = value.Text(v)
			if err != nil {
				return nil, err
			}
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// A Piece is a part of a text template: literal text, or the value of a marker.
type Piece struct {
	Text   string
	Marker bool
	// Expr is the marker's expression, where its value is not asked for; nil for text.
	Expr *expr.Expr
}

// Pieces evaluates a template that gives text, part by part, for texts in which
// values must be treated otherwise than what stands around them. A template
// that is one marker, or none, is a single literal piece. The error is that of Eval, or
// says that the value is no scalar.
func (t *Template) Pieces(vars expr.Vars) ([]Piece, error) {
	m, ok := t.form.(mixed)
	if !ok {
		v, err := t.Eval(vars)
		if err != nil {
			return nil, err
		}
		if v == types.Omit {
			return nil, diagAt(t.Place(), "not-text", "omit cannot stand for a text")
		}
		text, err := value.Text(v)
		if err != nil {
			return nil, diagAt(t.Place(), "not-text", err.Error())
		}
		return []Piece{{Text: text}}, nil
	}
	pieces := make([]Piece, len(m))
	for i, p := range m {
		if p.expr == nil {
			pieces[i] = Piece{Text: p.text}
			continue
		}
		v, err := p.scalar(vars)
		if err != nil {
			return nil, err
		}
		text, err := value.Text(v)
		if err != nil {
			return nil, err
		}
		pieces[i] = Piece{Text: text, Marker: true}
	}
	return pieces, nil
}

// Parts returns the parts of a template that gives text, without their values; nil for one
// that is a single marker.
func (t *Template) Parts() []Piece {
	switch f := t.form.(type) {
	case *literal:
		if text, ok := f.value.(string); ok {
			return []Piece{{Text: text}}
		}
	case mixed:
		parts := make([]Piece, len(f))
		for i, p := range f {
			parts[i] = Piece{Text: p.text, Marker: p.expr != nil, Expr: p.expr}
		}
		return parts
	}
	return nil
}

// EachText calls found for each text of the template that has a marker, with its parts: one part where it is nothing else.
func (t *Template) EachText(found func([]Piece)) {
	switch f := t.form.(type) {
	case hole:
		found([]Piece{{Marker: true, Expr: f.expr}})
	case mixed:
		found(t.Parts())
	case *list:
		for _, item := range f.items {
			item.EachText(found)
		}
	case *each:
		f.value.EachText(found)
	}
	for _, m := range t.members {
		m.Value.EachText(found)
	}
}

func (m mixed) appendJSON(dst []byte, vars expr.Vars) ([]byte, bool, error) {
	dst = append(dst, '"')
	for _, p := range m {
		if p.expr == nil {
			dst = append(dst, p.json...)
			continue
		}
		v, err := p.scalar(vars)
		if err != nil {
			return dst, false, err
		}
		dst = appendUnquoted(dst, v)
	}
	return append(dst, '"'), true, nil
}

// scalar evaluates the part and refuses what cannot stand inside a text.
func (p mixedPart) scalar(vars expr.Vars) (value.Value, error) {
	v, err := p.expr.Eval(vars)
	if err != nil {
		return nil, err
	}
	switch v.(type) {
	case string, bool, int64, value.Decimal:
		return v, nil
	}
	return nil, notText(p.expr, types.Shown(v), v == nil)
}

// notText is the fault of a marker inside a text that gives no scalar.
func notText(e *expr.Expr, found string, null bool) *diag.Diagnostic {
	d := diagAt(e.Place(), "not-text", found+" cannot stand inside a text")
	if null {
		d.Hint = "say what to write instead: ${{ " + e.Text() + " ?? '' }}"
	}
	return d
}

func diagAt(p diag.Place, code, message string) *diag.Diagnostic {
	return &diag.Diagnostic{File: p.File, Pos: p.Pos, Code: code, Message: message}
}

// appendUnquoted appends a scalar as the inside of a JSON string. Texts are
// quoted first and moved over the quote, which costs no memory.
func appendUnquoted(dst []byte, v value.Value) []byte {
	start := len(dst)
	dst = value.AppendJSON(dst, v)
	if _, isText := v.(string); !isText {
		return dst
	}
	copy(dst[start:], dst[start+1:])
	return dst[:len(dst)-2]
}
