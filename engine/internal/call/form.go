package call

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const orOmit = "write ${{ … ?? omit }} to leave it out"

// form writes application/x-www-form-urlencoded text, in the order of adding.
type form struct{ text []byte }

func (f *form) add(name, text string) {
	if len(f.text) > 0 {
		f.text = append(f.text, '&')
	}
	f.text = append(f.text, url.QueryEscape(name)...)
	f.text = append(f.text, '=')
	f.text = append(f.text, url.QueryEscape(text)...)
}

func (f *form) addScalar(what, name string, v value.Value) error {
	text, err := scalar(what, name, v)
	if err == nil {
		f.add(name, text)
	}
	return err
}

// scalar returns v as text; what and name are for the error.
func scalar(what, name string, v value.Value) (string, error) {
	text, err := value.Text(v)
	switch {
	case err == nil:
		return text, nil
	case v == nil:
		return "", faultf(orOmit, "%s %s is null", what, name)
	}
	return "", faultf("", "%s %s must be a text, number or boolean, found %s", what, name, value.KindOf(v))
}

// appendForm writes the members as a form, those that hold others as nested says:
// json, brackets or repeat. A list whose name ends in [] is always a field for each of its elements.
// The field that r names for it has the whole as JSON text.
func appendForm(dst []byte, r *catalog.Request, vars expr.Vars, injected *value.Object) ([]byte, bool, error) {
	fields, err := evalObject(r.Body, vars, "a form")
	if err != nil {
		return nil, false, err
	}
	fields = merge(fields, injected)
	if r.JSONField != "" {
		fields = withWhole(fields, r.JSONField)
	}
	f := form{text: dst}
	for name, v := range fields.All() {
		if err := f.addNested(name, v, r.Nested); err != nil {
			return nil, false, err
		}
	}
	return f.text, true, nil
}

// withWhole returns the members of a body, of which the one called name is JSON text of all of
// them. The members that it had itself stand in there, too.
func withWhole(body *value.Object, name string) *value.Object {
	whole := body
	if own, ok := body.At(name).(*value.Object); ok {
		whole = merge(own, body)
	}
	all := body.Clone()
	all.Set(name, string(value.AppendJSON(nil, whole)))
	return all
}

func (f *form) addNested(name string, v value.Value, nested string) error {
	elements, isList := value.Elements(v)
	_, isObject := v.(*value.Object)
	switch {
	case !isList && !isObject:
		return f.addScalar("the form field", name, v)
	case isList && (nested == "repeat" || strings.HasSuffix(name, "[]")):
		for element, err := range elements {
			if err == nil {
				err = f.addScalar("an element of the form field", name, element)
			}
			if err != nil {
				return err
			}
		}
		return nil
	case nested == "brackets":
		return f.addBrackets(name, v)
	case nested == "repeat":
		return faultf("nested: brackets and nested: json can write it", "the form field %s must be a text, number, boolean or a list of these, found %s", name, value.KindOf(v))
	}
	f.add(name, string(value.AppendJSON(nil, v)))
	return nil
}

// addBrackets writes name[member] for each member of an object, and name[0], name[1], … for
// a list. What is empty has no field.
func (f *form) addBrackets(name string, v value.Value) error {
	if o, ok := v.(*value.Object); ok {
		for member, part := range o.All() {
			if err := f.addBrackets(name+"["+member+"]", part); err != nil {
				return err
			}
		}
		return nil
	}
	elements, isList := value.Elements(v)
	if !isList {
		return f.addScalar("the form field", name, v)
	}
	n := 0
	for part, err := range elements {
		if err == nil {
			err = f.addBrackets(name+"["+strconv.Itoa(n)+"]", part)
		}
		if err != nil {
			return err
		}
		n++
	}
	return nil
}
