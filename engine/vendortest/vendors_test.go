package vendortest_test

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/catalog"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/page"
)

// The table in docs/vendors/README.md says of each vendor what its file says.
func TestTheTableOfVendorsIsRight(t *testing.T) {
	t.Parallel()
	root := os.DirFS("../..")
	p, faults := project.Load(root, "specs")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	names := []string{"intcomex", "mps", "westcon", "serpi", "managementpro"}
	if loaded := p.LoadedVendors(); !slices.Equal(slices.Sorted(slices.Values(loaded)), slices.Sorted(slices.Values(names))) {
		t.Errorf("specs/ has the vendors %v, the table those of %v", loaded, names)
	}
	rows := []string{"| vendor | auth | paging | envelope | effects |", "|--|--|--|--|--|"}
	for _, name := range names {
		v := p.LoadedVendor(name)
		if v == nil {
			t.Errorf("there is no vendor %s", name)
			continue
		}
		for _, file := range []string{"docs/vendors/" + name + ".md", "specs/" + name + ".sandbox.yaml"} {
			if _, err := fs.Stat(root, file); err != nil {
				t.Error(err)
			}
		}
		vendor := fmt.Sprintf("[%s](%s.md)", v.Title, name)
		rows = append(rows, "| "+strings.Join([]string{vendor, authOf(v), pagingOf(v), envelopeOf(v), effectsOf(v)}, " | ")+" |")
	}
	text, err := fs.ReadFile(root, "docs/vendors/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "|") {
			found = append(found, strings.TrimSuffix(line, "\n"))
		}
	}
	for i, row := range rows {
		if i >= len(found) {
			t.Errorf("a row is missing:\n%s", row)
			continue
		}
		got, want := strings.Split(found[i], " | "), strings.Split(row, " | ")
		for j := range want {
			if j >= len(got) || got[j] != want[j] {
				t.Errorf("row %d, column %d is\n%s\nwant\n%s", i-1, j+1, append(got, make([]string, len(want))...)[j], want[j])
			}
		}
	}
	if len(found) != len(rows) {
		t.Errorf("%d rows, want %d", len(found), len(rows))
	}
}

// authOf says where the credentials come from and where they go.
func authOf(v *catalog.Vendor) string {
	from := "a key of the config"
	if token := v.Auth.Token; token != nil {
		switch token.Kind {
		case catalog.TokenCall:
			from = "a token by `" + token.Call.Name + "`"
		case catalog.TokenOAuth2:
			from = "a token of OAuth 2.0, `" + token.OAuth2.Grant + "`"
		case catalog.TokenValue:
			from = "a token of the config"
		}
		if token.Exclusive {
			from += ", for one request at a time"
		}
	}
	var to []string
	for _, place := range []struct {
		name string
		used bool
	}{{"headers", v.Auth.Headers != nil}, {"query", v.Auth.Query != nil}, {"body", v.Auth.Body != nil}} {
		if place.used {
			to = append(to, place.name)
		}
	}
	return from + "; in the " + strings.Join(to, " and ")
}

func pagingOf(v *catalog.Vendor) string {
	var paged []string
	for _, op := range v.Operations {
		if op.Paging != nil {
			for by, kind := range page.Builtin() {
				if kind == op.Paging.Kind {
					paged = append(paged, fmt.Sprintf("`%s` by %s", op.Name, by))
				}
			}
		}
	}
	if paged == nil {
		return "none"
	}
	return strings.Join(paged, ", ")
}

// envelopeOf says what tells success, where the vendor's words are, and how many rows an
// answer speaks of.
func envelopeOf(v *catalog.Vendor) string {
	var byStatus, byAnswer, batches, words []string
	for _, op := range v.Operations {
		name := "`" + op.Name + "`"
		if ok := op.Response.OK; ok != nil && (strings.Contains(ok.Text(), "body") || strings.Contains(ok.Text(), "text")) {
			byAnswer = append(byAnswer, name)
		} else {
			byStatus = append(byStatus, name)
		}
		if op.Batch != nil {
			batches = append(batches, name)
		}
		at := "the text"
		if op.Response.Message != nil {
			at = "`" + strings.ReplaceAll(op.Response.Message.Text(), "|", `\|`) + "`"
		}
		if !slices.Contains(words, at) {
			words = append(words, at)
		}
	}
	said := "success by status"
	switch {
	case byStatus == nil:
		said = "success by the answer"
	case byAnswer != nil:
		said += ", by the answer for " + strings.Join(byAnswer, ", ")
	}
	said += "; words in " + strings.Join(words, ", ")
	if batches != nil {
		said += "; batches: " + strings.Join(batches, ", ")
	}
	return said
}

func effectsOf(v *catalog.Vendor) string {
	var said []string
	for _, effect := range []flow.Effect{flow.Read, flow.Idempotent, flow.Create} {
		var names []string
		for _, op := range v.Operations {
			if op.Effect == effect {
				names = append(names, "`"+op.Name+"`")
			}
		}
		if names != nil {
			said = append(said, string(effect)+": "+strings.Join(names, ", "))
		}
	}
	return strings.Join(said, "; ")
}
