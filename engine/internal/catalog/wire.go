package catalog

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/template"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// What can never be sent is known before anything is: these rules are those of
// the code that builds requests.

// own are the headers by which a message is framed and a connection managed:
// a vendor file that sets one could smuggle a second request into the first.
var own = []string{
	"Accept-Encoding", "Connection", "Content-Length", "Expect", "Host", "Keep-Alive",
	"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// CheckHeaderName refuses what is no token of RFC 9110, and headers that the engine sets alone.
func CheckHeaderName(name string) error {
	canonical := http.CanonicalHeaderKey(name)
	switch {
	case name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}):
		return fmt.Errorf("%q is not a name for a header", name)
	case slices.Contains(own, canonical):
		return fmt.Errorf("the header %s is set by the engine alone", canonical)
	}
	return nil
}

// headers finds headers that cannot be sent; t may be nil.
func (d *decoder) headers(t *template.Template) {
	if t == nil {
		return
	}
	first := map[string]diag.Place{}
	for _, m := range t.Members() {
		if m.Key == nil {
			if err := CheckHeaderName(m.Name); err != nil {
				d.faults.Add(fault(m.Place, "wrong-value", err.Error(), ""))
			}
			name := http.CanonicalHeaderKey(m.Name)
			if above, twice := first[name]; twice {
				f := fault(m.Place, "duplicate-key", fmt.Sprintf("the header %s is here twice: names of headers have no case", name), "keep one of them")
				f.Related = []diag.Place{above}
				d.faults.Add(f)
			}
			first[name] = diag.Place{File: m.Place.File, Pos: m.Place.Pos, Note: "first here"}
		}
	}
}

// queryNames finds names of query parameters that hold what stands between them; t may be nil.
func (d *decoder) queryNames(t *template.Template) {
	if t == nil {
		return
	}
	for _, m := range t.Members() {
		if i := strings.IndexAny(m.Name, "?&=#"); m.Key == nil && i >= 0 {
			d.faults.Add(fault(m.Place, "wrong-value", fmt.Sprintf("%q is not a name for a query parameter: %c in it would be sent as %s", m.Name, m.Name[i], url.QueryEscape(m.Name[i:i+1])),
				"write the name alone, and each parameter as a key of its own"))
		}
	}
}

// path finds what a path never is; t may be nil.
func (d *decoder) path(n *source.Node, t *template.Template) {
	if t == nil || t.Parts() == nil {
		return
	}
	var whole strings.Builder
	for _, p := range t.Parts() {
		if p.Marker {
			whole.WriteByte('x')
			continue
		}
		whole.WriteString(p.Text)
		if i := strings.IndexAny(p.Text, "\\ "); i >= 0 {
			d.faults.Add(n.Errorf("wrong-value", "a path must not hold %q", p.Text[i]))
			return
		}
	}
	for segment := range strings.SplitSeq(whole.String(), "/") {
		if segment == "." || segment == ".." {
			d.faults.Add(n.Errorf("wrong-value", "a path cannot hold the segment %s", segment))
		}
	}
}

// nullSent warns of what is sent as null where it is not given; t may be nil.
func (d *decoder) nullSent(t *template.Template) {
	if t == nil {
		return
	}
	for _, e := range t.BareAbsent() {
		f := &diag.Diagnostic{Severity: diag.Warning, File: e.Place().File, Pos: e.Place().Pos, Code: "null-sent",
			Message: fmt.Sprintf("where %s is not given, null is sent in its place", e.Text()),
			Hint:    "write ?? omit behind it to leave it out, or ?? null where null is meant"}
		if e.Type().Declared.File != nil {
			f.Related = []diag.Place{e.Type().Declared}
		}
		d.faults.Add(f)
	}
}
