package call

import (
	"net/url"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/transport"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// address joins the base URL, without its final slash, and the path. Only the
// path changes: no value can move the request to another host, into the query,
// to another segment or up the tree.
func address(base *url.URL, path *template.Template, vars expr.Vars) (*url.URL, error) {
	u := *base
	if path == nil {
		return &u, nil
	}
	pieces, err := path.Pieces(vars)
	if err != nil {
		return nil, err
	}
	var text, escaped strings.Builder
	for _, p := range pieces {
		if err := checkPiece(p); err != nil {
			return nil, err
		}
		text.WriteString(p.Text)
		if p.Marker {
			escaped.WriteString(url.PathEscape(p.Text))
		} else {
			escaped.WriteString(escapePath(p.Text))
		}
	}
	if escaped.Len() == 0 {
		return &u, nil
	}
	if err := checkPath(escaped.String()); err != nil {
		return nil, err
	}
	u.Path = strings.TrimSuffix(base.Path, "/") + text.String()
	u.RawPath = strings.TrimSuffix(base.EscapedPath(), "/") + escaped.String()
	return &u, nil
}

// checkPiece refuses what cannot be meant: control characters, empty values,
// and in the path's own text the characters that end a path.
func checkPiece(p template.Piece) error {
	if p.Marker {
		// Escaped they would be harmless, were there not servers that decode before they look.
		for _, part := range strings.FieldsFunc(p.Text, func(r rune) bool { return r == '/' || r == '\\' }) {
			if part == ".." || part == "." {
				return faultf("", "the value %q must not lead to another path", p.Text)
			}
		}
		if p.Text == "" {
			return faultf("", "a value in the path is empty")
		}
	}
	for i := range len(p.Text) {
		switch b := p.Text[i]; {
		case b < ' ' || b == 0x7f:
			return faultf("", "the path holds a control character: %q", p.Text)
		case p.Marker:
		case b == '?' || b == '#':
			return faultf("query parameters belong under query, and an address that an answer gave under url", "the path %q must not hold %c", p.Text, b)
		case b == '\\':
			return faultf("", "the path %q must not hold a backslash", p.Text)
		}
	}
	return nil
}

// checkPath refuses paths that would lead elsewhere than their author meant.
func checkPath(path string) error {
	if path[0] != '/' {
		return faultf("", "the path %q must begin with /", path)
	}
	for segment := range strings.SplitSeq(path[1:], "/") {
		if segment == "." || segment == ".." {
			return faultf("", "the path %q must not hold the segment %s", path, segment)
		}
	}
	return nil
}

// escapePath escapes all that RFC 3986 does not allow in a path as it stands,
// the percent sign included.
func escapePath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/")
}

// appendQuery adds the query template's parameters and then the injected ones
// to what the URL has. A list repeats its parameter.
func appendQuery(u *url.URL, t *template.Template, vars expr.Vars, injected *value.Object) error {
	params, err := evalObject(t, vars, "query")
	if err != nil {
		return err
	}
	if params.Len() == 0 && injected.Len() == 0 {
		return nil
	}
	form := form{text: []byte(u.RawQuery)}
	for _, o := range []*value.Object{params, injected} {
		for name, v := range o.All() {
			list, ok := v.(value.List)
			if !ok {
				list = value.List{v}
			}
			for _, v := range list {
				if err := form.addScalar("the query parameter", name, v); err != nil {
					return err
				}
			}
		}
	}
	u.RawQuery = string(form.text)
	return nil
}

// addressOf returns the address of one call, without query. The URL is the caller's.
func (o *operation) addressOf(base *url.URL, vars expr.Vars) (*url.URL, error) {
	if o.address == nil || base != o.base {
		return address(base, o.Request.Path, vars)
	}
	u := *o.address
	return &u, nil
}

// target returns where the job's request goes, with its query: to the path of the
// operation, to its url, or where the answer before says that the next page is.
func (j *job) target(base *url.URL, vars expr.Vars, injected *value.Object) (*url.URL, error) {
	if j.turn != nil && j.turn.at.Link != "" {
		return given{"the answer names the next page", j.turn.at.Link, false}.address(base, j.turn.before.address, injected)
	}
	var u *url.URL
	var err error
	if t := j.op.Request.URL; t != nil {
		var v value.Value
		if v, err = t.Eval(vars); err != nil {
			return nil, err
		}
		text, _ := v.(string) // as its type says
		u, err = given{"the url is", text, j.op.NoAuth && j.op.Effect == flow.Read}.address(base, base, injected)
		injected = nil
	} else {
		u, err = j.op.addressOf(base, vars)
	}
	if err == nil {
		err = appendQuery(u, j.op.Request.Query, vars, injected)
	}
	return u, err
}

// given is an address that an answer gave.
type given struct {
	what string // for messages
	text string
	// anywhere says that it may lead to another origin: nothing secret goes there, and nothing is changed.
	anywhere bool
}

// address returns the address, which may be relative to before. It brings its own query, into
// which the injected parameters go.
func (g given) address(base, before *url.URL, injected *value.Object) (*url.URL, error) {
	u, err := before.Parse(g.text)
	if err != nil || g.text == "" {
		return nil, faultf("", "%s %q, which is no address", g.what, g.text)
	}
	elsewhere := !transport.SameOrigin(base, u)
	switch {
	case !elsewhere:
		u.User = base.User
	case !g.anywhere:
		return nil, faultf("credentials go to the connection's base_url only; if the vendor moved, change base_url",
			"%s %s, which is not on %s://%s", g.what, u.Redacted(), base.Scheme, base.Host)
	case u.Scheme != "https" && u.Scheme != base.Scheme || u.Host == "" || u.User != nil:
		return nil, faultf("", "%s %s, which is no web address like %s://%s", g.what, u.Redacted(), base.Scheme, base.Host)
	}
	u.Fragment, u.RawFragment = "", ""
	if injected.Len() == 0 {
		return u, nil
	}
	var kept []string
	for param := range strings.SplitSeq(u.RawQuery, "&") {
		name, _, _ := strings.Cut(param, "=")
		if name, err := url.QueryUnescape(name); err == nil {
			if _, again := injected.Get(name); again {
				continue
			}
		}
		kept = append(kept, param)
	}
	u.RawQuery = strings.Join(kept, "&")
	return u, appendQuery(u, nil, nil, injected)
}
