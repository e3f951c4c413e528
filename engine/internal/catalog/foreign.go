package catalog

import (
	"regexp"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/source"
)

// literalOrigin is the origin of an address that stands in a file as it is, with what may follow.
var literalOrigin = regexp.MustCompile(`^https?://[^/?#$]+(?:[/?#]|$)`)

// foreignURL reports an operation that would take credentials to an address which stands in the vendor file: they
// go to the connection's base_url only. Addresses that an answer gives are looked at when they are used.
func (d *decoder) foreignURL(n *source.Node, op *Operation) {
	at := n.Get("request").Get("url")
	if at == nil {
		return
	}
	origin := strings.TrimRight(literalOrigin.FindString(strings.TrimSpace(at.Text)), "/?#")
	what := d.secretsSent(op)
	if origin == "" || what == "" {
		return
	}
	d.faults.Add(at.Errorf("foreign-url", "the request would take %s to %s", what, origin).
		WithHint("secrets go to the connection's base_url only: write a path, or an address that begins with /; or send the request without them"))
}

// secretsSent says which secrets of a connection the request of op carries, of which nothing but the request has been
// read so far; "" for none.
func (d *decoder) secretsSent(op *Operation) string {
	if auth := d.root.Get("auth"); !op.NoAuth && auth != nil && auth.Get("inject") != nil {
		return "what auth.inject adds"
	}
	var found []string
	d.reads.Each("config", func(path []string) {
		if len(path) > 0 {
			if q := d.v.Config.Get(path[0]); q != nil && (q.Secret || q.Type.HasSecret()) {
				found = append(found, "config."+path[0])
			}
		}
	})
	if len(found) == 0 {
		return ""
	}
	return found[0] + ", which is secret,"
}
