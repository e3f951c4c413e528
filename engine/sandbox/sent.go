package sandbox

import (
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// sent is what the vendor file says of a request: the other side of an operation of the sandbox.
type sent struct {
	name   string
	place  diag.Place
	method string
	// segments are those of the path, hole where a value stands; nil for an address that an answer gives.
	segments []string
	seen     seen
}

// hole stands in a segment for a value.
const hole = "\x00"

// seen is what rules see of a request, as far as it is known.
type seen struct{ query, headers, form, body, members *types.Type }

// anySeen is what is known of a request when nobody says who sends it.
func anySeen() seen {
	missing := types.TextType.OrNull("the request may lack it")
	texts := &types.Type{Kind: types.Object, Extra: missing}
	return seen{
		query:   texts,
		headers: &types.Type{Kind: types.Object, LowerNames: true, Extra: missing},
		form:    texts,
		body:    types.AnyType,
		members: &types.Type{Kind: types.Object, Extra: types.AnyType},
	}
}

// joinSeen returns what is seen of a request that is one of these.
func joinSeen(all []sent) seen {
	if len(all) == 0 {
		return anySeen()
	}
	join := func(part func(seen) *types.Type) *types.Type {
		parts := make([]*types.Type, len(all))
		for i, s := range all {
			parts[i] = part(s.seen)
		}
		return types.Join(parts...)
	}
	headers := *join(func(s seen) *types.Type { return s.headers })
	headers.LowerNames = true
	return seen{
		query:   join(func(s seen) *types.Type { return s.query }),
		headers: &headers,
		form:    join(func(s seen) *types.Type { return s.form }),
		body:    join(func(s seen) *types.Type { return s.body }),
		members: join(func(s seen) *types.Type { return s.members }),
	}
}

// sentBy lists the requests of a vendor's file.
func (d *Definition) sentBy(v *catalog.Vendor) []sent {
	var all []sent
	base := d.basePath()
	for _, op := range v.Operations {
		r, open := &op.Request, anySeen()
		s := sent{name: op.Name, place: op.Place, method: r.Method, seen: seen{query: typeOf(r.Query), headers: typeOf(r.Headers)}}
		inject := catalog.Auth{}
		if !op.NoAuth {
			inject = v.Auth
		}
		s.seen.query = fields(s.seen.query, typeOf(inject.Query), "")
		s.seen.headers = lowered(fields(s.seen.headers, typeOf(inject.Headers), ownHeaders))
		s.body(r, typeOf(inject.Body), &open)
		if r.URL == nil && (op.NoAuth || v.Auth.BaseURL == nil) {
			s.segments = segmentsOf(base, r.Path)
		}
		follows := op.Paging != nil && op.Paging.Kind.Follows() && op.Paging.Kind.Variable() == ""
		if s.segments == nil || follows { // it brings its own query
			s.seen.query = open.query
		}
		all = append(all, s)
	}
	if t := v.Auth.Token; t != nil && t.OAuth2 != nil {
		all = append(all, d.tokenSent(t.OAuth2, base))
	}
	return all
}

// ownHeaders are those that are sent whatever a file says.
const ownHeaders = "accept accept-encoding connection content-length content-type host transfer-encoding user-agent"

// tokenSent is the request for a token.
func (d *Definition) tokenSent(o *catalog.OAuth2, base string) sent {
	form := fields(typeOf(o.Params), types.ObjectOf(), "refresh_token")
	if form.Extra == nil {
		grant := &types.Type{Kind: types.Text, Enum: []value.Value{o.Grant, "refresh_token"}}
		form.Fields = append(form.Fields, types.Field{Name: "grant_type", Type: grant, Optional: true})
	}
	s := sent{name: "auth.token", place: o.URL.Place(), method: "POST", seen: seen{
		query: anySeen().query, headers: fields(types.ObjectOf(), types.ObjectOf(), ownHeaders+" authorization"),
		form: form, body: types.AnyType, members: form,
	}}
	if parts := o.URL.Parts(); len(parts) > 0 && strings.HasPrefix(parts[0].Text, "/") {
		s.segments, s.seen.query = segmentsOf(base, o.URL), types.ObjectOf()
	}
	o.URL.EachText(func(parts []template.Piece) {
		if len(parts) != 1 {
			return
		}
		if path, ok := d.inConfig(parts[0].Expr.Text()); ok {
			s.segments, s.seen.query = strings.Split(path, "/"), types.ObjectOf()
		}
	})
	return s
}

// body says what is seen of the body of r, in which the injected members stand, too.
func (s *sent) body(r *catalog.Request, injected *types.Type, open *seen) {
	of, none := typeOf(r.Body), types.ObjectOf()
	all := of
	if of == nil || of.Kind != types.Object {
		all = open.members
	} else if len(injected.Fields) > 0 {
		all = both(of, injected)
		of = all
	}
	form := open.form
	if r.Nested == "json" && all != open.members {
		form = fields(all, none, r.JSONField)
	}
	switch r.As {
	case "form":
		s.seen.form, s.seen.body, s.seen.members = form, types.AnyType, form
		if form != open.form {
			s.seen.members = both(all, form)
		}
	case "json":
		s.seen.form, s.seen.body, s.seen.members = none, of, all
	case "": // the config says which
		s.seen.form, s.seen.body, s.seen.members = form, of, all
		if form != open.form {
			s.seen.members = both(all, form)
		}
	default:
		s.seen.form, s.seen.body, s.seen.members = open.form, open.body, open.members
	}
}

// both returns an object type with the fields of both.
func both(a, b *types.Type) *types.Type {
	t := *a
	t.Fields = slices.Clone(a.Fields)
	for _, f := range b.Fields {
		if _, twice := t.Field(f.Name); !twice || t.Extra != nil {
			t.Fields = append(t.Fields, f)
		}
	}
	if t.Extra == nil {
		t.Extra = b.Extra
	}
	return &t
}

// fields returns the type of named texts: those of two mappings, and of others whose names stand in more.
func fields(a, b *types.Type, more string) *types.Type {
	all := both(a, b)
	t := &types.Type{Kind: types.Object}
	if all.Extra != nil || a.Kind != types.Object {
		return anySeen().query
	}
	for _, f := range all.Fields {
		t.Fields = append(t.Fields, types.Field{Name: f.Name, Type: asTexts(f.Type), Optional: true})
	}
	for _, name := range strings.Fields(more) {
		t.Fields = append(t.Fields, types.Field{Name: name, Type: types.TextType, Optional: true})
	}
	return t
}

// lowered returns t with names in lower case.
func lowered(t *types.Type) *types.Type {
	for i := range t.Fields { // fields has made them
		t.Fields[i].Name = strings.ToLower(t.Fields[i].Name)
	}
	return t
}

// asTexts returns the type of the text as which a value is sent.
func asTexts(t *types.Type) *types.Type {
	if t == nil || t.Kind != types.Text || len(t.Enum) == 0 {
		return types.TextType
	}
	return &types.Type{Kind: types.Text, Enum: t.Enum}
}

// segmentsOf returns the segments of a path behind that of the base address.
func segmentsOf(base string, path *template.Template) []string {
	text := strings.TrimSuffix(base, "/")
	if path == nil {
		return strings.Split(base, "/")
	}
	parts := path.Parts()
	if parts == nil {
		return nil // it is made of one value as a whole
	}
	for _, p := range parts {
		if p.Marker {
			text += hole
		} else {
			text += p.Text
		}
	}
	return strings.Split(text, "/")
}

// comesTo reports whether the request may be one to op.
func (s *sent) comesTo(op *operation) bool {
	if s.method != op.method || s.segments != nil && !op.path.mayTake(s.segments) {
		return false
	}
	if op.when == nil {
		return true
	}
	for chain, values := range op.when.Needs() {
		if t := s.seen.at(chain); t != nil && t.Enum != nil && !slices.ContainsFunc(values, func(v value.Value) bool {
			return slices.ContainsFunc(t.Enum, func(e value.Value) bool { return value.Equal(e, v) })
		}) {
			return false
		}
	}
	return true
}

// mayTake reports whether a path of such segments may be p.
func (p path) mayTake(segments []string) bool {
	if len(segments) != len(p.segments) {
		return false
	}
	for i, own := range p.segments {
		first, rest, isHole := strings.Cut(segments[i], hole)
		last := rest[strings.LastIndex(rest, hole)+1:]
		switch {
		case parameter(own) != "" && segments[i] == "",
			parameter(own) == "" && !isHole && own != first,
			parameter(own) == "" && isHole && !(strings.HasPrefix(own, first) && strings.HasSuffix(own, last)):
			return false
		}
	}
	return true
}

var brackets = strings.NewReplacer("?", "", `["`, ".", `['`, ".", `"]`, "", `']`, "")

// at returns the type of what a chain such as request.query.action is; nil where it is not known.
func (s *seen) at(chain string) *types.Type {
	names := strings.Split(brackets.Replace(chain), ".")
	if len(names) < 2 || names[0] != "request" {
		return nil
	}
	t := map[string]*types.Type{"query": s.query, "headers": s.headers, "form": s.form, "body": s.body, "members": s.members}[names[1]]
	for _, name := range names[2:] {
		t, _ = t.Field(name)
	}
	return t
}

// typeOf returns what a template of names and values gives; t may be nil.
func typeOf(t *template.Template) *types.Type {
	if t == nil {
		return types.ObjectOf()
	}
	return t.Type().Kept()
}
