package catalog

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/schema"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// check reads a vendor file as a project does.
func check(t testing.TB, name string, text []byte) (*Vendor, diag.List) {
	t.Helper()
	n, faults := source.Read(name, text)
	if faults.HasErrors() {
		t.Fatal(faults)
	}
	faults = append(faults, schema.CheckShape("vendor", n)...)
	if faults.HasErrors() {
		return nil, faults
	}
	var lib schema.Library
	doc, ok := n.Literal().(*value.Object)
	if !ok {
		t.Fatal("the vendor file is no mapping")
	}
	lib.Add(name, doc)
	v := Decode(n, name, &lib, &faults)
	return v, faults
}

// vendor compiles a vendor file without a fault.
func vendor(t testing.TB, text string) *Vendor {
	t.Helper()
	v, faults := check(t, "acme.yaml", []byte(text))
	if faults.HasErrors() {
		t.Fatal(faults)
	}
	return v
}

// Each file of testdata has every fault that stands in the text beside it, and no other.
func TestFaultsOfVendorFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".faults")
			if err != nil {
				t.Fatal(err)
			}
			_, faults := check(t, filepath.Base(file), text)
			faults.Sort()
			var got bytes.Buffer
			if err := diag.Render(&got, faults); err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got.String(), want)
			}
		})
	}
}
