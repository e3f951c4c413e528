package catalog

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/internal/source"
)

var (
	markers = regexp.MustCompile(`(?s)\$\{\{.*?\}\}`)
	// placeholder is how documents of APIs, and other tools, write a part of a path that varies.
	placeholder = regexp.MustCompile(`\{([A-Za-z_]\w*)\}|/:([A-Za-z_]\w*)`)
)

// pathText looks at the text of a path beside its markers for what would be sent as it
// stands, and for what ends a path. n may be nil.
func (d *decoder) pathText(n *source.Node, inputs *Params) {
	if n == nil || n.Kind != source.Scalar {
		return
	}
	// Runes keep their places.
	text := markers.ReplaceAllStringFunc(n.Text, func(m string) string { return strings.Repeat(" ", utf8.RuneCountInString(m)) })
	for _, at := range placeholder.FindAllStringSubmatchIndex(text, -1) {
		begins := at[0]
		var name string
		if at[2] >= 0 {
			name = text[at[2]:at[3]]
		} else {
			begins++
			if name = text[at[4]:at[5]]; inputs.Get(name) == nil {
				continue
			}
		}
		d.faults.Add(n.ErrorAt(utf8.RuneCountInString(text[:begins]), "no-marker", "%s is no marker: this would be sent as it stands", text[begins:at[1]]).
			WithHint("write ${{ inputs." + name + " }}"))
	}
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		d.faults.Add(n.ErrorAt(utf8.RuneCountInString(text[:i]), "wrong-value", "a path must not hold %c", text[i]).
			WithHint("query parameters belong under query, and an address that an answer gave under url"))
	}
}
