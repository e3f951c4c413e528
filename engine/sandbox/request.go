package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// maxBody bounds what one request may send.
const maxBody = 16 << 20

// readRequest turns a request into what expressions see of it. body is null
// when the text is not JSON, and form is empty when it is not a form.
func readRequest(r *http.Request) (seen *value.Object, text string, err error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, "", err
	}
	if len(raw) > maxBody {
		return nil, "", fmt.Errorf("the request is larger than %d bytes", maxBody)
	}
	text = strings.ToValidUTF8(string(raw), "\uFFFD")
	body, err := value.Decode(raw)
	if err != nil {
		body = nil
	}
	form := url.Values{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		// What is wrong with a form is left to the rules, as it is with JSON.
		form, _ = url.ParseQuery(text)
	}
	headers := firsts(r.Header, strings.ToLower)
	headers.Set("host", r.Host) // which net/http keeps elsewhere
	return value.ObjectOf(
		"method", r.Method,
		"path", r.URL.Path,
		"query", firsts(r.URL.Query(), asIs),
		"headers", headers,
		"body", body,
		"form", firsts(form, asIs),
		"members", members(body, form),
		"text", text,
	), text, nil
}

// members returns what a body names, whether it is a JSON object or a form. A
// form can nest only by JSON text: a field that holds an object or a list is read as such.
func members(body value.Value, form url.Values) *value.Object {
	if o, ok := body.(*value.Object); ok {
		return o
	}
	o := firsts(form, asIs)
	for name, v := range o.All() {
		text := strings.TrimSpace(v.(string))
		if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
			continue
		}
		if nested, err := value.Decode([]byte(text)); err == nil {
			o.Set(name, nested)
		}
	}
	return o
}

func asIs(name string) string { return name }

// firsts keeps the first of several values with one name.
func firsts(values map[string][]string, rename func(string) string) *value.Object {
	o := value.NewObject(len(values))
	for name, v := range values {
		if len(v) > 0 {
			o.Set(rename(name), v[0])
		}
	}
	return o
}
