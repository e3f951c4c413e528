package call

import (
	"net/http"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/lang"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// own are the headers by which a message is framed and a connection managed:
// a vendor file that sets one could smuggle a second request into the first.
var own = map[string]bool{
	"Accept-Encoding":   true,
	"Connection":        true,
	"Content-Length":    true,
	"Expect":            true,
	"Host":              true,
	"Keep-Alive":        true,
	"Proxy-Connection":  true,
	"Te":                true,
	"Trailer":           true,
	"Transfer-Encoding": true,
	"Upgrade":           true,
}

// setHeaders sets the request's headers from its template.
func (w *wire) setHeaders(t *lang.Template, vars lang.Vars) error {
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
	if !isToken(name) {
		return faultf("", "%q is not a name for a header", name)
	}
	canonical := http.CanonicalHeaderKey(name)
	if own[canonical] {
		return faultf("", "the header %s is set by the engine alone", canonical)
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
	w.header[canonical] = []string{text}
	return nil
}

// isToken reports whether s is a token of RFC 9110.
func isToken(s string) bool {
	for i := range len(s) {
		b := s[i]
		if b <= ' ' || b >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, b) >= 0 {
			return false
		}
	}
	return s != ""
}
