package template

import (
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/marker"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Compile compiles a YAML value: a scalar that is one marker keeps the
// expression's type, a marker inside text gives text, $${{ writes ${{, $each
// builds a list, members whose value is omit are left out, and so is an object all of whose
// members were left out. Line breaks after a marker, as block scalars have them, do not
// make it text; any other character does. It reports every fault, and returns nil when there was one.
func Compile(n *source.Node, s *expr.Scope, faults *diag.List) *Template {
	if n.Kind == source.Scalar {
		return compileScalar(n, s, true, faults)
	}
	return compileNode(n, s, faults)
}

// compileNode is Compile of a part.
func compileNode(n *source.Node, s *expr.Scope, faults *diag.List) *Template {
	switch {
	case n.Kind == source.Scalar:
		return compileScalar(n, s, false, faults)
	case n.Kind == source.List:
		return compileList(n, s, faults)
	case n.Get(keyEach) != nil:
		return compileEach(n, s, faults)
	}
	return compileObject(n, s, faults)
}

func placeOf(n *source.Node) diag.Place { return diag.Place{File: n.File, Pos: n.Pos} }

// compileScalar compiles a scalar; root says that it is all of the template.
func compileScalar(n *source.Node, s *expr.Scope, root bool, faults *diag.List) *Template {
	t := &Template{place: placeOf(n)}
	pieces, unclosed := marker.Split(n.Text)
	if unclosed >= 0 {
		faults.Add(unclosedMarker(n, unclosed))
		return nil
	}
	switch {
	case len(pieces) == 0 || len(pieces) == 1 && !pieces[0].IsExpr:
		if before := types.CountErrors(*faults); len(pieces) == 1 {
			plainText{pieces[0], n, s, true, root}.refuse(faults)
			if types.CountErrors(*faults) > before {
				return nil
			}
		}
		v := n.Literal()
		// A literal ${{ makes text of the scalar, whatever it looks like.
		if _, isText := v.(string); isText && len(pieces) == 1 {
			v = pieces[0].Text
		}
		t.form, t.typ = newLiteral(v), types.LiteralType(v)
		return t
	case n.Aliased:
		faults.Add(aliasedMarker(n))
		return nil
	case isWhole(pieces):
		e := expr.CompileSource(n, pieces[0].Text, pieces[0].At, s, faults)
		if e == nil {
			return nil
		}
		t.form, t.typ = hole{e}, e.Type()
		return t
	}
	return compileMixed(t, n, pieces, s, faults)
}

func unclosedMarker(n *source.Node, at int) *diag.Diagnostic {
	d := n.ErrorAt(at, "unclosed-marker", "${{ is not closed")
	d.Hint = "end the expression with }}, or write $${{ for the characters themselves"
	return d
}

func aliasedMarker(n *source.Node) *diag.Diagnostic {
	d := n.Errorf("aliased-marker", "an anchor or alias cannot stand for a value with ${{ }}")
	d.Hint = "write the value out in each place, or compute it once with set"
	return d
}

// isWhole reports whether the pieces are one marker, with nothing around it
// but the line breaks that end a block scalar.
func isWhole(pieces []marker.Piece) bool {
	return pieces[0].IsExpr &&
		(len(pieces) == 1 || len(pieces) == 2 && strings.Trim(pieces[1].Text, "\n") == "")
}

func compileMixed(t *Template, n *source.Node, pieces []marker.Piece, s *expr.Scope, faults *diag.List) *Template {
	before := types.CountErrors(*faults)
	parts := make(mixed, len(pieces))
	secret := false
	for i, p := range pieces {
		if !p.IsExpr {
			plainText{p, n, s, false, false}.refuse(faults)
			quoted := value.AppendJSON(nil, p.Text)
			parts[i] = mixedPart{text: p.Text, json: quoted[1 : len(quoted)-1]}
			continue
		}
		e := expr.CompileSource(n, p.Text, p.At, s, faults)
		if e == nil {
			continue
		}
		parts[i].expr = e
		secret = secret || e.Type().Secret
		checkInText(e, faults)
	}
	if types.CountErrors(*faults) > before {
		return nil
	}
	t.form, t.typ = parts, types.TextType.SecretIf(secret)
	return t
}

// checkInText refuses markers in text whose type says that they give no scalar.
func checkInText(e *expr.Expr, faults *diag.List) {
	t := e.Type()
	var d *diag.Diagnostic
	switch {
	case t.MayOmit:
		d = notText(e, "omit", false)
		d.Hint = "only a whole value can be left out"
	case t.Kind == types.List || t.Kind == types.Object:
		d = notText(e, t.String(), false)
		types.Related(d, t)
	case t.Kind == types.Null:
		d = notText(e, "null", true)
	case t.Nullable:
		d = notText(e, t.String()+types.Because(t), true)
		types.Related(d, t)
	default:
		return
	}
	faults.Add(d)
}

func compileList(n *source.Node, s *expr.Scope, faults *diag.List) *Template {
	before := types.CountErrors(*faults)
	items := make([]*Template, 0, len(n.Items))
	elem := types.NothingType
	for _, item := range n.Items {
		if t := compileNode(item, s, faults); t != nil {
			items = append(items, t)
			elem = types.Join(elem, t.typ.Kept())
		}
	}
	if types.CountErrors(*faults) > before {
		return nil
	}
	return &Template{place: placeOf(n), typ: types.ListOf(elem), form: newList(items)}
}

func compileObject(n *source.Node, s *expr.Scope, faults *diag.List) *Template {
	before := types.CountErrors(*faults)
	members := make([]Member, 0, len(n.Pairs))
	for _, p := range n.Pairs {
		m, keyOK := compileKey(p.Key, s, faults)
		m.Value = compileNode(p.Value, s, faults)
		if keyOK && m.Value != nil {
			members = append(members, m)
		}
	}
	if types.CountErrors(*faults) > before {
		return nil
	}
	return &Template{
		place:   placeOf(n),
		typ:     objectType(members),
		form:    newObject(members),
		members: members,
	}
}

// compileKey compiles a member's name, which may hold markers that give text.
func compileKey(n *source.Node, s *expr.Scope, faults *diag.List) (m Member, ok bool) {
	m = Member{Name: n.Text, Place: placeOf(n)}
	pieces, _ := marker.Split(n.Text)
	if !marker.Has(n.Text) {
		if len(pieces) == 1 {
			m.Name = pieces[0].Text
			if !marker.IsName(m.Name) {
				plainText{pieces[0], n, s, true, false}.refuse(faults)
			}
		}
		return m, true
	}
	m.Key = compileScalar(n, s, false, faults)
	if m.Key == nil {
		return m, false
	}
	if inner, _, whole := marker.Whole(n.Text); whole {
		m.Name = strings.TrimSpace(inner)
	}
	t := m.Key.typ
	var d *diag.Diagnostic
	switch {
	case t.MayOmit:
		d = n.Errorf("type-mismatch", "a member's name cannot be omit")
		d.Hint = "give the member the value omit to leave it out"
	case t.Secret:
		d = n.Errorf("type-mismatch", "a member's name cannot be secret: names are not masked")
	case types.TextType.Accepts(t) != "":
		d = n.Errorf("type-mismatch", "a member's name must be text: %s", types.TextType.Accepts(t))
		types.Related(d, t)
	default:
		return m, true
	}
	faults.Add(d)
	return m, false
}
