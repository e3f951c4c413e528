package call

import (
	"net/url"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/transport"
)

// staysHome is the one gate of all requests of operations, wherever their address comes from: what is secret in a connection's config, and its token, go to the
// origin of its base URL, and to the one that the login tells; a request that would take them elsewhere is a fault. What
// an answer gave, such as an address that is signed, may go where that leads.
func (w *wire) staysHome(c *connection) error {
	if transport.SameOrigin(w.url, c.BaseURL) || w.home != nil && transport.SameOrigin(w.url, w.home) {
		return nil
	}
	switch {
	case c.own.Holds(w.url.String()):
		return abroad("its address", w.url, c)
	case c.own.Holds(string(w.body)):
		return abroad("its body", w.url, c)
	}
	for name, values := range w.header {
		if c.own.Holds(strings.Join(values, ", ")) || c.own.Holds(name) {
			return abroad("its header "+name, w.url, c)
		}
	}
	return nil
}

func abroad(what string, to *url.URL, c *connection) error {
	return faultf("config and tokens go to the connection's base_url only; send the request without them, or, if the vendor moved, change base_url",
		"%s holds a secret of the connection %s, and it would go to %s://%s in place of %s://%s", what, c.Name, to.Scheme, to.Host, c.BaseURL.Scheme, c.BaseURL.Host)
}

// ownGate returns a gate that knows what must stay at the connection's origin.
func ownGate(c *Connection) *redact.Gate {
	own := redact.NewGate()
	HideConfig(own, c)
	return own
}
