// package langtest has what the tests of the packages of the language share.
package langtest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// code is the code at the end of a first line.
var code = regexp.MustCompile(`(?m) \[[a-z-]+\]$`)

// Decode returns the value of a JSON text.
func Decode(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.Decode([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// YAML returns the root of a YAML text, read as the file test.yaml.
func YAML(t testing.TB, text string) *source.Node {
	t.Helper()
	n, faults := source.Read("test.yaml", []byte(text))
	if n == nil {
		t.Fatalf("%s: %v", text, faults)
	}
	return n
}

// Expr returns the text of an expression as the value of a key of the file e.yaml,
// where it begins in column 3.
func Expr(t testing.TB, text string) *source.Node {
	t.Helper()
	file := "e: |-\n  " + strings.ReplaceAll(text, "\n", "\n  ") + "\n"
	root, faults := source.Read("e.yaml", []byte(file))
	if root == nil {
		t.Fatalf("cannot read %q: %v", file, faults)
	}
	return root.Get("e")
}

// Rendered returns diagnostics as a terminal shows them, without their codes.
func Rendered(faults diag.List) string {
	var text strings.Builder
	diag.Render(&text, faults) // a Builder takes all
	return code.ReplaceAllString(text.String(), "")
}

// Compiled returns what compile makes of n. The test ends where compile finds errors.
func Compiled[T any](t testing.TB, n *source.Node, compile func(n *source.Node, faults *diag.List) *T) *T {
	t.Helper()
	var faults diag.List
	compiled := compile(n, &faults)
	if compiled == nil {
		t.Fatalf("it cannot be compiled:\n%s", Rendered(faults))
	}
	return compiled
}
