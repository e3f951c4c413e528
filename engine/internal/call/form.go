package call

import (
	"net/url"

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
