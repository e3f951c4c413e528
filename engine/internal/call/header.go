package call

import (
	"net/http"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// setHeaders sets the request's headers from its template.
func (w *wire) setHeaders(t *template.Template, vars expr.Vars) error {
	headers, err := evalObject(t, vars, "headers")
	if err != nil {
		return err
	}
	for name, v := range headers.All() {
		if err := w.setHeader(name, v); err != nil {
			return err
		}
	}
	return nil
}

// setHeader sets one header. Neither name nor value can end the line that it stands in.
func (w *wire) setHeader(name string, v value.Value) error {
	if err := catalog.CheckHeaderName(name); err != nil {
		return faultf("", "%s", err)
	}
	text, err := scalar("the header", name, v)
	if err != nil {
		return err
	}
	for i := range len(text) {
		if b := text[i]; b < ' ' && b != '\t' || b == 0x7f {
			return faultf("", "the header %s would hold a control character (0x%02x)", name, b)
		}
	}
	w.header[http.CanonicalHeaderKey(name)] = []string{text}
	return nil
}
