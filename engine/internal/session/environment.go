package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

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

// strangers holds the connections against those that the state has served, and returns the ones that it
// has yet to remember. A state that was fed by one vendor account must not feed
// another: what it knows would be wrong there.
func strangers(ctx context.Context, s state.Store, sites []site, moved bool) (fresh []site, faults diag.List, err error) {
	for _, want := range sites {
		served, err := hasServed(ctx, s, want, moved)
		var other *diag.Diagnostic
		switch {
		case errors.As(err, &other):
			faults.Add(other)
		case err != nil:
			return nil, nil, err
		case !served:
			fresh = append(fresh, want)
		}
	}
	return fresh, faults, nil
}

// hasServed reports whether the state has served a connection; one that led elsewhere, and
// cannot have moved, is a Diagnostic.
func hasServed(ctx context.Context, s state.Store, want site, moved bool) (bool, error) {
	text, known, err := s.Value(ctx, state.Connections, want.connection)
	if err != nil || !known {
		return false, err
	}
	had, err := decodeSite(want.connection, text)
	switch {
	case err != nil:
		return false, err
	case had == want:
		return true, nil
	case moved && had.mayMoveTo(want):
		return false, nil
	}
	return false, otherEnvironment(had, want)
}

// newcomers are the connections of a run that its state remembers once their vendors
// have answered: a wrong address, where nobody or somebody else is, must not stay.
type newcomers struct {
	state state.Store
	moved bool

	mu    sync.Mutex
	sites map[string]site
}

func newNewcomers(s state.Store, fresh []site, moved bool) *newcomers {
	n := &newcomers{state: s, moved: moved, sites: map[string]site{}}
	for _, f := range fresh {
		n.sites[f.connection] = f
	}
	return n
}

// answered remembers a connection, if that is still to be done. Another run may have done so
// meanwhile, with another vendor.
func (n *newcomers) answered(ctx context.Context, connection string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	want, fresh := n.sites[connection]
	if !fresh {
		return nil
	}
	unlock, err := n.state.Lock(ctx, "connections")
	if err != nil {
		return err
	}
	defer unlock()
	is, err := hasServed(ctx, n.state, want, n.moved)
	if err != nil {
		return err
	}
	if !is {
		text := value.AppendJSON(nil, value.ObjectOf("vendor", want.vendor, "at", want.at))
		if err := n.state.PutValue(ctx, state.Connections, connection, text); err != nil {
			return err
		}
	}
	delete(n.sites, connection)
	return nil
}

// mayMoveTo reports whether s and to can be one vendor account. A sandbox never becomes the vendor.
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
