package call

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// wire is a request ready to be sent, any number of times.
type wire struct {
	method  string
	url     *url.URL
	header  http.Header
	body    []byte
	hasBody bool
	// home is where the login says that the calls go; nil where it does not.
	home *url.URL
	// hidden are the headers that carry credentials; their values are never shown.
	hidden map[string]bool
	// once forbids net/http to send the request again by itself.
	once bool
}

// request makes the job's request. Its errors are faults and diagnostics.
func (e *Executor) request(j *job, vars expr.Vars, token *credential) (*wire, error) {
	op := j.op
	w := &wire{method: op.Request.Method, once: op.Effect == flow.Create, header: make(http.Header, 8)}
	var inj injection
	if !op.NoAuth {
		var err error
		if inj, err = token.injection(e.gate, j.connection); err != nil {
			return nil, err
		}
	}
	base := j.connection.BaseURL
	if inj.base != nil {
		base = inj.base
	}
	target, err := j.target(base, vars, inj.query)
	if err != nil {
		return nil, err
	}
	w.url = target
	content, err := w.setBody(op, vars, inj.body)
	if err != nil {
		return nil, err
	}
	if w.hasBody {
		w.header["Content-Type"] = content
	}
	w.header["Accept"] = op.accept
	w.header["User-Agent"] = e.userAgent
	if err := w.setHeaders(op.Request.Headers, vars); err != nil {
		return nil, err
	}
	maps.Copy(w.header, inj.headers)
	w.hidden, w.home = inj.hidden, inj.base
	if w.once {
		w.hideIdempotencyKey()
	}
	return w, nil
}

// Values of headers that most requests have. net/http leaves them alone.
var (
	anyContent  = []string{"*/*"}
	jsonContent = []string{"application/json"}
	formContent = []string{"application/x-www-form-urlencoded"}
	textContent = []string{"text/plain; charset=utf-8"}
)

func accepts(as string) []string {
	if as == "json" {
		return jsonContent
	}
	return anyContent
}

// evalObject evaluates a template that gives members; nil and omit give none.
func evalObject(t *template.Template, vars expr.Vars, what string) (*value.Object, error) {
	if t == nil {
		return nil, nil
	}
	v, err := t.Eval(vars)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *value.Object:
		return v, nil
	default:
		if v == types.Omit {
			return nil, nil
		}
		return nil, faultf("", "%s must be names and values, found %s", what, value.KindOf(v))
	}
}

// http makes the request that net/http sends. Each call gives a new one over the same body.
func (w *wire) http(ctx context.Context) *http.Request {
	req := (&http.Request{
		Method:     w.method,
		URL:        w.url,
		Host:       w.url.Host,
		Header:     w.header,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
	}).WithContext(ctx)
	switch {
	case w.hasBody && len(w.body) > 0:
		req.ContentLength = int64(len(w.body))
		req.Body = io.NopCloser(bytes.NewReader(w.body))
		if !w.once {
			req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(w.body)), nil }
		}
	case w.once && replayed(w.method):
		// There is no body, but net/http must not know: it finds that out only while it writes.
		req.Body = io.NopCloser(strings.NewReader(""))
	default:
		req.Body = http.NoBody
	}
	return req
}

// replayed reports whether net/http sends requests of this method again on its
// own, when they have no body and a kept connection turns out to be closed.
func replayed(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// hideIdempotencyKey spells the headers by which net/http recognises a request
// that it may repeat on its own in another way. Names of headers have no case for the vendor.
func (w *wire) hideIdempotencyKey() {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if v, ok := w.header[name]; ok {
			delete(w.header, name)
			w.header[strings.ToLower(name)] = v
		}
	}
}
