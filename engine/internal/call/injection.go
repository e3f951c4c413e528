package call

import (
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/lang"
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
	// limits count its requests where limits are per token.
	limits limitSet
	// accepted says that the vendor let somebody in with it.
	accepted atomic.Bool
}

// heard notes what the vendor's answer to a request under the token tells about it.
func (c *credential) heard(res flow.Result) {
	if res.Status != 0 && res.Outcome != flow.Auth && !c.accepted.Load() {
		c.accepted.Store(true)
	}
}

// injection is what proves who is calling, ready to be put into a request.
type injection struct {
	headers     http.Header
	query, body *value.Object
	// hidden are the headers that carry it; their values are never shown.
	hidden map[string]bool
}

// injection evaluates the vendor's auth.inject, once.
func (c *credential) injection(gate *redact.Gate, conn *connection) (injection, error) {
	c.once.Do(func() { c.inj, c.err = inject(gate, conn.Vendor.Auth, conn.Config, c.Value) })
	return c.inj, c.err
}

func inject(gate *redact.Gate, a catalog.Auth, config *value.Object, token string) (inj injection, err error) {
	var tokenValue value.Value
	if a.Token != nil {
		tokenValue = token
	}
	vars := catalog.InjectVars(config, tokenValue)
	headers, err := injected(gate, a.Headers, vars)
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
	if inj.query, err = injected(gate, a.Query, vars); err != nil {
		return inj, err
	}
	if inj.body, err = injected(gate, a.Body, vars); err != nil {
		return inj, err
	}
	return inj, nil
}

// injected evaluates one part of auth.inject. The gate learns what is made
// of secrets there, so that an answer that echoes it is masked too.
func injected(gate *redact.Gate, t *lang.Template, vars lang.Vars) (*value.Object, error) {
	v, err := evalObject(t, vars, "auth.inject")
	if err != nil || t == nil {
		return v, err
	}
	for _, m := range t.Members() {
		if t := m.Value.Type(); t == nil || !t.Secret {
			continue
		}
		if secret, err := m.Value.Eval(vars); err == nil {
			hide(gate, secret)
		}
	}
	return v, nil
}
