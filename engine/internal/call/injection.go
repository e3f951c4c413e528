package call

import (
	"net/http"
	"net/url"
	"sync"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// credential is one token, or the zero token of a vendor whose keys stand in
// the config, and what is injected with it. Two credentials are the same when
// their pointers are.
type credential struct {
	auth.Token
	once sync.Once
	inj  injection
	err  error
}

// injection is what proves who is calling, ready to be put into a request.
type injection struct {
	// base takes the place of the connection's base URL; nil where the login tells none.
	base        *url.URL
	headers     http.Header
	query, body *value.Object
	// hidden are the headers that carry it; their values are never shown.
	hidden map[string]bool
}

// injection evaluates the vendor's auth.inject, once.
func (c *credential) injection(gate *redact.Gate, conn *connection) (injection, error) {
	c.once.Do(func() { c.inj, c.err = inject(gate, conn, c.Value) })
	return c.inj, c.err
}

func inject(gate *redact.Gate, conn *connection, token string) (inj injection, err error) {
	a := conn.Vendor.Auth
	var tokenValue value.Value
	if a.Token != nil {
		tokenValue, _ = a.Token.Parse(token)
	}
	vars := catalog.InjectVars(conn.Config, tokenValue)
	if inj.base, err = toldBase(conn.BaseURL, a.BaseURL, vars); err != nil {
		return inj, err
	}
	// What is made of config alone is the same whenever it is made.
	from := origin{"inject", []string{conn.Name}}
	if a.Token != nil {
		from = origin{}
	}
	headers, err := injected(gate, from.below("headers"), a.Headers, vars)
	if err != nil {
		return inj, err
	}
	inj.hidden = make(map[string]bool, headers.Len())
	w := wire{header: make(http.Header, headers.Len())}
	for name, v := range headers.All() {
		if err := w.setHeader(name, v); err != nil {
			return inj, err
		}
		inj.hidden[http.CanonicalHeaderKey(name)] = true
	}
	inj.headers = w.header
	if inj.query, err = injected(gate, from.below("query"), a.Query, vars); err != nil {
		return inj, err
	}
	if inj.body, err = injected(gate, from.below("body"), a.Body, vars); err != nil {
		return inj, err
	}
	return inj, nil
}

// toldBase returns the base URL that the login told, nil where there is no t. Credentials
// that go out encrypted must not go on in the clear.
func toldBase(own *url.URL, t *template.Template, vars expr.Vars) (*url.URL, error) {
	if t == nil {
		return nil, nil
	}
	v, err := t.Eval(vars)
	if err != nil {
		return nil, err
	}
	text, err := scalar("auth", "base_url", v)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "https" && (u.Scheme != "http" || own.Scheme == "https") {
		return nil, faultf("it is made by auth.base_url in the vendor file", "the login tells the base URL %q, which must be one of %s, without user, query or #", text, own.Scheme)
	}
	return u, nil
}

// injected evaluates one part of auth.inject. The gate learns what is made
// of secrets there, so that an answer that echoes it is masked too.
func injected(gate *redact.Gate, from origin, t *template.Template, vars expr.Vars) (*value.Object, error) {
	v, err := evalObject(t, vars, "auth.inject")
	if err != nil || t == nil {
		return v, err
	}
	for _, m := range t.Members() {
		if t := m.Value.Type(); t == nil || !t.Secret {
			continue
		}
		at := from.below(m.Name)
		if m.Key != nil {
			at = origin{}
		}
		if secret, err := m.Value.Eval(vars); err == nil {
			hide(gate, at, secret)
		}
	}
	return v, nil
}
