package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// CheckWith holds the arguments of a call against the params of what is
// called: missing and surplus names, types, secrets that would flow into something that
// is not secret. what names the callee for messages; at is where to report missing
// arguments; with may be nil (none given).
func CheckWith(what string, params *Params, with *template.Template, at diag.Place, faults *diag.List) {
	var given []types.Field
	places := map[string]diag.Place{}
	values := map[string]*template.Template{}
	switch {
	case with == nil:
	case with.Members() != nil:
		at = with.Place()
		for _, m := range with.Members() {
			if m.Key != nil {
				faults.Add(fault(m.Place, "dynamic-input", "an input's name cannot be computed", "write the name as it is declared"))
				return
			}
			given = append(given, types.Field{Name: m.Name, Type: m.Value.Type()})
			places[m.Name], values[m.Name] = m.Place, m.Value
		}
	default:
		at = with.Place()
		t := with.Type()
		switch {
		case t == nil || t.Kind == types.Unknown || t.Kind == types.Object && len(t.Fields) == 0 && t.Extra != nil:
			return // checked when it runs
		case t.Kind != types.Object || t.Nullable:
			faults.Add(fault(at, "wrong-type", fmt.Sprintf("with must be an object of the inputs of %s, found %s", what, t), nullHint(t)))
			return
		}
		for _, f := range t.Fields {
			member, _ := t.Field(f.Name) // secret where the object is
			given = append(given, types.Field{Name: f.Name, Type: member, Optional: f.Optional})
		}
	}
	seen := map[string]bool{}
	for _, g := range given {
		seen[g.Name] = true
		place, ok := places[g.Name]
		if !ok {
			place = at
		}
		checkArgument(what, params, g, values[g.Name], place, faults)
	}
	for _, q := range params.List {
		if q.Required() && !seen[q.Name] && !misspelt(q.Name, given, params) {
			d := fault(at, "missing-input", fmt.Sprintf("%s needs the input %s (%s)", what, q.Name, q.Type), fmt.Sprintf("add %s below with", q.Name))
			d.Related = declared(q)
			faults.Add(d)
		}
	}
}

// CheckConfig holds the config that a connection gives v, and that stands below the key, as CheckWith holds
// arguments. config may be nil (none given).
func (v *Vendor) CheckConfig(config *template.Template, at diag.Place, key string) diag.List {
	var faults diag.List
	CheckWith("vendor "+v.Name, v.Config, config, at, &faults)
	if config != nil && !faults.HasErrors() {
		for _, m := range config.Members() {
			if literal, ok := m.Value.Literal(); ok {
				faults = append(faults, v.CheckSecret(m.Name, literal, m.Place)...)
			}
		}
	}
	for _, f := range faults {
		f.Message = strings.Replace(f.Message, "input ", "config ", 1)
		f.Hint = strings.Replace(f.Hint, "below with", "below "+key, 1)
	}
	return faults
}

// CheckSecret reports a config value that is secret and blank, and warns of one that is too short to be masked safely.
func (v *Vendor) CheckSecret(name string, given value.Value, at diag.Place) diag.List {
	var faults diag.List
	q := v.Config.Get(name)
	if q == nil || given == nil || q.HasDefault && value.Equal(q.Default, given) {
		return nil
	}
	for _, text := range secretTexts(q.Type, q.Secret, given) {
		var d *diag.Diagnostic
		switch {
		case strings.TrimSpace(text) == "":
			d = fault(at, "blank-secret", fmt.Sprintf("config %s of vendor %s is secret, and it is blank", name, v.Name), "give it a value, or leave it out where it is optional")
		case len(text) < redact.SafeLength:
			d = fault(at, "short-secret", fmt.Sprintf("config %s of vendor %s is secret, and it has fewer than %d bytes", name, v.Name, redact.SafeLength),
				"other texts may hold so short a text by chance, so that it cannot be masked safely: use a longer one")
			d.Severity = diag.Warning
		default:
			continue
		}
		d.Related = declared(q)
		faults.Add(d)
	}
	return faults
}

// secretTexts returns the secret texts in a value of type t; all says that each is.
func secretTexts(t *types.Type, all bool, v value.Value) (found []string) {
	all = all || t != nil && t.Secret
	switch v := v.(type) {
	case value.List:
		var element *types.Type
		if t != nil {
			element = t.Elem
		}
		for _, e := range v {
			found = append(found, secretTexts(element, all, e)...)
		}
	case *value.Object:
		for name, member := range v.All() {
			field, _ := t.Field(name)
			found = append(found, secretTexts(field, all, member)...)
		}
	case nil, bool:
	default:
		if text, err := value.Text(v); all && err == nil {
			found = append(found, text)
		}
	}
	return found
}

// misspelt reports whether name is what an unknown argument was meant to be:
// one fault is enough then.
func misspelt(name string, given []types.Field, params *Params) bool {
	return slices.ContainsFunc(given, func(g types.Field) bool {
		return params.Get(g.Name) == nil && diag.Nearest(g.Name, params.Names()) == name
	})
}

// checkArgument checks one argument; v is nil where it is a member of an object that is passed as a whole.
func checkArgument(what string, params *Params, g types.Field, v *template.Template, place diag.Place, faults *diag.List) {
	q := params.Get(g.Name)
	if q == nil {
		faults.Add(fault(place, "unknown-input", fmt.Sprintf("%s has no input %s", what, g.Name), DidYouMean(g.Name, params.Names())))
		return
	}
	from := g.Type
	if g.Optional {
		from = from.OrNull(g.Name + " is optional here")
	}
	want := q.Type
	if !q.Required() && from != nil && from.Nullable {
		want = want.OrNull("it is optional")
	}
	if why := want.Accepts(from); why != "" {
		hint := ""
		if !want.Nullable {
			hint = nullHint(from)
		}
		at := place
		if v != nil {
			if inner, ok := v.Misfit(want); ok {
				at = inner
			}
		}
		d := fault(at, "wrong-type", fmt.Sprintf("input %s of %s: %s", g.Name, what, why), hint)
		d.Related = declared(q)
		faults.Add(d)
	} else if v != nil {
		checkLiteral(what, q, v, place, faults)
		checkCrossed(what, params, q, v, place, faults)
	}
	if leaks(from, q.Type, map[*types.Type]bool{}) {
		hint := "mark that input secret: true, or do not pass the secret"
		if params.WrittenDown {
			hint = "what is kept there is written down as it is: do not pass the secret"
		}
		d := fault(place, "secret-leak", fmt.Sprintf("a secret would flow into the input %s of %s, which is not secret", g.Name, what), hint)
		d.Related = declared(q)
		faults.Add(d)
	}
}

// checkLiteral holds an argument that is written out against the schema of its param.
func checkLiteral(what string, q *Param, v *template.Template, place diag.Place, faults *diag.List) {
	given, ok := v.Literal()
	if !ok || q.schema == nil || given == nil && !q.Required() {
		return
	}
	if q.fills {
		given = q.Type.Fill(given)
	}
	for _, bad := range q.check(given) {
		d := fault(place, "wrong-value", fmt.Sprintf("input %s of %s: %s", bad.Path, what, bad.Message), "")
		d.Related = declared(q)
		faults.Add(d)
	}
}

// checkCrossed warns of an argument that is given what is called as another argument, where there is one of its own name
// beside that: two that are swapped.
func checkCrossed(what string, params *Params, q *Param, v *template.Template, place diag.Place, faults *diag.List) {
	name, of, ok := v.BareMember()
	if !ok || name == q.Name || params.Get(name) == nil || of == nil || of.Kind != types.Object || of.Extra != nil {
		return
	}
	own, there := of.Field(q.Name)
	if !there || q.Type.OrNull("").Accepts(own) != "" {
		return
	}
	d := fault(place, "crossed", fmt.Sprintf("input %s of %s is given %s, and there is a %s beside it", q.Name, what, name, q.Name), "")
	d.Severity = diag.Warning
	d.Hint = "write ." + q.Name + "; where " + name + " is meant, compute it, as in " + name + " ?? null"
	faults.Add(d)
}

// declared is where a param is declared; nil for one that is built in.
func declared(q *Param) []diag.Place {
	if q.Place.File == nil {
		return nil
	}
	return []diag.Place{q.Place}
}

// nullHint says how to get rid of null, for types that may be.
func nullHint(t *types.Type) string {
	if t == nil || !t.Nullable {
		return ""
	}
	return "give a value for the case of null with ??"
}

// leaks reports whether a secret of from would land in a part of into that is not
// secret. seen are the types of from that are being looked at, for recursive ones.
func leaks(from, into *types.Type, seen map[*types.Type]bool) bool {
	switch {
	case from == nil || into != nil && into.Secret || seen[from]:
		return false
	case from.Secret || into == nil:
		return from.HasSecret()
	}
	seen[from] = true
	if leaks(from.Elem, into.Elem, seen) || leaks(from.Extra, into.Extra, seen) {
		return true
	}
	for _, f := range from.Fields {
		member, _ := into.Field(f.Name)
		if leaks(f.Type, member, seen) {
			return true
		}
	}
	return false
}

func fault(at diag.Place, code, message, hint string) *diag.Diagnostic {
	return &diag.Diagnostic{File: at.File, Pos: at.Pos, Code: code, Message: message, Hint: hint}
}
