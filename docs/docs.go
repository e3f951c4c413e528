// Package docs holds the pages that the command line prints.
package docs

import (
	_ "embed"
	"strings"
)

//go:embed diagnostics.md
var diagnostics string

// Diagnostic returns the section about the code of a diagnostic, in Markdown, without its heading. ok is false where there is no such code.
func Diagnostic(code string) (text string, ok bool) {
	_, section, ok := strings.Cut(diagnostics, "\n### "+code+"\n")
	if !ok {
		return "", false
	}
	// The next heading ends it, of a section or of a part of the page.
	for _, heading := range []string{"\n### ", "\n## "} {
		section, _, _ = strings.Cut(section, heading)
	}
	return strings.TrimSpace(section) + "\n", true
}

// DiagnosticCodes returns the codes that have a section, in the order of the page.
func DiagnosticCodes() []string {
	var codes []string
	for line := range strings.Lines(diagnostics) {
		if code, ok := strings.CutPrefix(line, "### "); ok {
			codes = append(codes, strings.TrimSpace(code))
		}
	}
	return codes
}
