package sandbox

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/marker"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// A reply ends the rules. At most one of body, text and raw is there.
type reply struct {
	status  *template.Template // nil for 200
	headers *template.Template
	body    *template.Template // answered as JSON
	text    *template.Template // answered as plain text
	raw     *template.Template // answered as it is, without a content type
}

func (d *decoder) reply(n *source.Node, s *expr.Scope) *reply {
	part := func(key string) *template.Template {
		if v := n.Get(key); v != nil {
			return template.Compile(v, s, d.faults)
		}
		return nil
	}
	if headers := n.Get("headers"); headers != nil {
		for _, pair := range headers.Pairs {
			if !marker.In(pair.Key) && strings.ContainsAny(pair.Key.Text, ": ") {
				d.faults.Add(pair.Key.Errorf("wrong-value", "%q is not a name for a header", pair.Key.Text))
			}
		}
	}
	return &reply{
		status: part("status"), headers: part("headers"),
		body: part("body"), text: part("text"), raw: part("raw"),
	}
}

func (r *reply) render(vars expr.Vars) (*answer, error) {
	a := &answer{status: http.StatusOK, header: http.Header{}}
	if r.status != nil {
		v, err := eval(r.status, vars)
		if err != nil {
			return nil, err
		}
		status, ok := v.(int64)
		if !ok || status < 200 || status > 599 {
			return nil, faultAt(r.status.Place(), "a status is an integer from 200 to 599, found %s", shown(v))
		}
		a.status = int(status)
	}
	if err := r.renderBody(a, vars); err != nil {
		return nil, err
	}
	if r.headers != nil {
		v, err := eval(r.headers, vars)
		if err != nil {
			return nil, err
		}
		headers, _ := v.(*value.Object)
		for name, h := range headers.All() {
			text, err := value.Text(h)
			if err != nil {
				return nil, faultAt(r.headers.Place(), "header %s: %v", name, err)
			}
			a.header.Set(name, text)
		}
	}
	return a, nil
}

func (r *reply) renderBody(a *answer, vars expr.Vars) error {
	switch {
	case r.body != nil:
		body, ok, err := r.body.AppendJSON(nil, vars)
		if err != nil || !ok {
			return err
		}
		a.body = body
		a.header.Set("Content-Type", "application/json; charset=utf-8")
	case r.text != nil:
		a.header.Set("Content-Type", "text/plain; charset=utf-8")
		return a.setText(r.text, vars)
	case r.raw != nil:
		a.header["Content-Type"] = nil // present and nil: net/http shall not guess one
		return a.setText(r.raw, vars)
	default:
		a.header["Content-Type"] = nil
	}
	return nil
}

func (a *answer) setText(tmpl *template.Template, vars expr.Vars) error {
	v, err := eval(tmpl, vars)
	if err != nil || v == nil {
		return err
	}
	text, err := value.Text(v)
	if err != nil {
		return faultAt(tmpl.Place(), "a text is wanted: %v", err)
	}
	a.body = []byte(text)
	return nil
}

// shown returns v as JSON, for messages.
func shown(v value.Value) string { return string(value.AppendJSON(nil, v)) }

// faultAt returns a fault of the sandbox file that shows in its use only.
func faultAt(p diag.Place, format string, args ...any) error {
	return &diag.Diagnostic{File: p.File, Pos: p.Pos, Code: "sandbox-rule", Message: fmt.Sprintf(format, args...)}
}
