package testrun

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// A request is one as it was sent.
type request struct {
	method, path string
	query        url.Values
	header       http.Header
	body         value.Value // JSON, the fields of a form, or the text; nil for none
}

func readRequest(r *http.Request) *request {
	seen := &request{method: r.Method, path: cmp.Or(r.URL.Path, "/"), query: r.URL.Query(), header: r.Header}
	if r.Body == nil {
		return seen
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body) // from memory
	if err != nil || len(text) == 0 {
		return seen
	}
	seen.body = string(text)
	switch kind, words, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case "application/x-www-form-urlencoded":
		if form, err := url.ParseQuery(string(text)); err == nil {
			seen.body = fields(form)
		}
	case "multipart/form-data":
		// A form that breaks off in the headers of a part ends for the reader as a whole one does.
		whole := bytes.HasSuffix(bytes.TrimSpace(text), []byte("--"+words["boundary"]+"--"))
		if form, err := parts(multipart.NewReader(bytes.NewReader(text), words["boundary"])); err == nil && whole {
			seen.body = fields(form)
		}
	default:
		if v, err := value.Decode(text); err == nil {
			seen.body = v
		}
	}
	return seen
}

// parts returns the texts of the parts of a form, files as well.
func parts(r *multipart.Reader) (url.Values, error) {
	form := url.Values{}
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		form.Add(part.FormName(), string(text))
	}
}

// fields are the fields of a form or a query: texts, and lists of them for those that come again.
func fields(form url.Values) *value.Object {
	o := value.NewObject(len(form))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		o.Set(name, field(form[name]))
	}
	return o
}

func field(texts []string) value.Value {
	switch len(texts) {
	case 0:
		return nil
	case 1:
		return texts[0]
	}
	all := make(value.List, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}

// headers returns the headers that are asked for, by the names that were asked for.
func (r *request) headers(names []string) *value.Object {
	o := value.NewObject(len(names))
	for _, name := range names {
		if values := r.header.Values(name); len(values) > 0 {
			o.Set(name, strings.Join(values, ", "))
		}
	}
	return o
}
