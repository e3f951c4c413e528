package project_test

import (
	"regexp"
	"strings"
)

// Markers that were forgotten, or are those of other languages.
func forgottenMarkers() []mutation {
	aName := `\$\{\{ [a-z]\w*(?:\??\.\w+)* \}\}`
	of := func(opener, closer string) func(string) string {
		return func(m string) string {
			return opener + strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(m, "${{"), "}}")) + closer
		}
	}
	return []mutation{
		{kind: "forgotten marker", in: "vspt", find: `\$\{\{ (?:[^{}\n]|\{[^{}\n]*\})+ \}\}`, change: of("", ""), known: isNoConstant},
		{kind: "marker of a shell", in: "vspt", find: aName, change: of("$(", ")")},
		{kind: "marker of a template in Ruby", in: "vspt", find: aName, change: of("<%= ", " %>")},
		{kind: "marker of a text in Ruby", in: "vspt", find: aName, change: of("#{", "}")},
		{kind: "marker with a percent sign", in: "vspt", find: aName, change: of("%{", "}")},
	}
}

// isNoConstant leaves out markers around what means the same without: numbers, texts and null.
func isNoConstant(_ *corpus, m *mutant) bool {
	return firstName.MatchString(m.old) && !constantMarker.MatchString(m.old)
}

var constantMarker = regexp.MustCompile(`^\$\{\{ (?:null|omit|true|false|'[^']*'|[0-9.]+) \}\}$`)
