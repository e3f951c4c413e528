package marker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
)

func TestMarkersEndWhereTheExpressionDoes(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{``, ``},
		{`plain`, `0 "plain"`},
		{`${{ a }}`, `3 <a>`},
		{`x ${{ a }} y ${{ b }}`, `0 "x "|5 <a>|10 " y "|16 <b>`},
		{`${{ "}}" + x }}`, `3 <"}}" + x>`},
		{`${{ '}}' + x }}z`, `3 <'}}' + x>|15 "z"`},
		{"${{ `}}` + x }}", "3 <`}}` + x>"},
		{`${{ {a: {b: 1}}.a.b }}`, `3 <{a: {b: 1}}.a.b>`},
		{`${{{a: {b: 1}}}}`, `3 <{a: {b: 1}}>`},
		{`${{ filter(xs, {.y == "}"}) }}`, `3 <filter(xs, {.y == "}"})>`},
		{`${{ a } }}`, `3 <a }>`},
		{`é${{ "ü" }}é`, `0 "é"|4 <"ü">|11 "é"`},
		{`$${{ a }}`, `0 "${{ a }}"`},
		{`$$${{ a }}`, `0 "$${{ a }}"`},
		{`5$ ${{ a }} $`, `0 "5$ "|6 <a>|11 " $"`},
		{`a $ { {`, `0 "a $ { {"`},
		{`${{ it's }} x`, `3 <it's>|11 " x"`},
		{`${{ a /* }} */ }}`, `3 <a /* }} */>`},
		{`${{ a`, `unclosed at 0`},
		{`x ${{ {a: 1} `, `0 "x "|unclosed at 2`},
		{`${{ a }} ${{ b }`, `3 <a>|8 " "|unclosed at 9`},
		{`${{}}`, `3 <>`},
		{`${{}`, `unclosed at 0`},
		{`${{ a // }}`, `unclosed at 0`},
	}
	for _, tt := range tests {
		if got := showPieces(tt.text); got != tt.want {
			t.Errorf("splitMarkers(%q)\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func showPieces(text string) string {
	pieces, unclosed := Split(text)
	var parts []string
	for _, p := range pieces {
		if p.IsExpr {
			parts = append(parts, fmt.Sprintf("%d <%s>", p.At, strings.TrimSpace(p.Text)))
		} else {
			parts = append(parts, fmt.Sprintf("%d %q", p.At, p.Text))
		}
	}
	if unclosed >= 0 {
		parts = append(parts, fmt.Sprintf("unclosed at %d", unclosed))
	}
	return strings.Join(parts, "|")
}

func TestWholeMarker(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, inner string
		at          int
		ok          bool
	}{
		{"${{ a }}", " a ", 3, true},
		{" \n${{ a }}\n", " a ", 5, true},
		{"${{ {a: 1} }}", " {a: 1} ", 3, true},
		{"${{ a }} x", "", 0, false},
		{"${{ a }}${{ b }}", "", 0, false},
		{"$${{ a }}", "", 0, false},
		{"${{ a", "", 0, false},
		{"a", "", 0, false},
		{"", "", 0, false},
	}
	for _, tt := range tests {
		inner, at, ok := Whole(tt.text)
		if inner != tt.inner || at != tt.at || ok != tt.ok {
			t.Errorf("wholeMarker(%q) = %q, %d, %v; want %q, %d, %v", tt.text, inner, at, ok, tt.inner, tt.at, tt.ok)
		}
	}
}

func TestHasMarkerLooksEverywhere(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`a: {b: [1, "${{ x }}"]}`: true,
		`"${{ x }}": 1`:           true,
		`a: "${{ x"`:              true,
		`a: $${{ x }}`:            false,
		`a: {b: [1, x]}`:          false,
	} {
		n := langtest.YAML(t, text)
		if got := In(n); got != want {
			t.Errorf("HasMarker(%s) = %v", text, got)
		}
	}
	if In(nil) {
		t.Error("a missing value has a marker")
	}
}
