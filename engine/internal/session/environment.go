package session

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/call"
	"github.com/seed627bd532/runner/engine/internal/transport"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/engine/state"
)

// A site is where a connection leads.
type site struct{ connection, vendor, at string }

func sitesOf(connections map[string]*call.Connection, given map[string]Connection) []site {
	var all []site
	for _, name := range slices.Sorted(maps.Keys(connections)) {
		c := connections[name]
		at := given[name].Site
		if at == "" {
			at = strings.ToLower(c.BaseURL.Scheme+"://"+c.BaseURL.Host) + pathOf(c)
		}
		all = append(all, site{name, c.Vendor.Name, at})
	}
	return all
}

// placesOf returns where the connections lead, in one form for all ways to write it.
func placesOf(connections map[string]*call.Connection) map[string]string {
	all := make(map[string]string, len(connections))
	for name, c := range connections {
		all[name] = transport.Origin(c.BaseURL) + pathOf(c)
	}
	return all
}

func pathOf(c *call.Connection) string { return strings.TrimSuffix(c.BaseURL.EscapedPath(), "/") }

// settleIn holds the connections against those that the state has served, and
// remembers the new ones. A state that was fed by one vendor account must not feed
// another: what it knows would be wrong there.
func settleIn(ctx context.Context, s state.Store, sites []site, moved bool) (diag.List, error) {
	if len(sites) == 0 {
		return nil, nil
	}
	unlock, err := s.Lock(ctx, "connections")
	if err != nil {
		return nil, err
	}
	defer unlock()
	var faults diag.List
	var fresh []site
	for _, want := range sites {
		text, known, err := s.Value(ctx, state.Connections, want.connection)
		if err != nil {
			return nil, err
		}
		if !known {
			fresh = append(fresh, want)
			continue
		}
		had, err := decodeSite(want.connection, text)
		switch {
		case err != nil:
			return nil, err
		case had == want:
		case moved && had.mayMoveTo(want):
			fresh = append(fresh, want)
		default:
			faults.Add(otherEnvironment(had, want))
		}
	}
	if len(faults) > 0 {
		return faults, nil
	}
	for _, f := range fresh {
		text := value.AppendJSON(nil, value.ObjectOf("vendor", f.vendor, "at", f.at))
		if err := s.PutValue(ctx, state.Connections, f.connection, text); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// mayMoveTo reports whether s and to can be one vendor account. A stand-in never becomes the vendor.
func (s site) mayMoveTo(to site) bool {
	return s.vendor == to.vendor && strings.Contains(s.at, "://") == strings.Contains(to.at, "://")
}

func otherEnvironment(had, want site) *diag.Diagnostic {
	d := &diag.Diagnostic{
		Code: "other-environment",
		Message: fmt.Sprintf("this state belongs to another environment: it knows the connection %s as %s at %s, and not as %s at %s",
			want.connection, had.vendor, had.at, want.vendor, want.at),
		Hint: "give each environment a state of its own: --state PATH, or a connections file of another name",
	}
	if had.mayMoveTo(want) {
		d.Hint += "; where the vendor itself has moved, say so once with --moved"
	}
	return d
}

func decodeSite(connection string, text []byte) (site, error) {
	v, err := value.Decode(text)
	o, _ := v.(*value.Object)
	vendor, _ := o.At("vendor").(string)
	at, ok := o.At("at").(string)
	if err != nil || !ok {
		return site{}, fmt.Errorf("the state holds a broken record of connection %s", connection)
	}
	return site{connection, vendor, at}, nil
}
