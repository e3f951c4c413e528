package catalog

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/internal/lang/marker"
	"github.com/seed627bd532/runner/engine/internal/source"
)

// placeholder is how documents of APIs, and other tools, write a part of a path that varies.
var placeholder = regexp.MustCompile(`\{([A-Za-z_]\w*)\}|/:([A-Za-z_]\w*)|<([A-Za-z_]\w*)>|\[([A-Za-z_]\w*)\]`)

// pathText looks at the text of a path beside its markers for what would be sent as it
// stands, and for what ends a path. n may be nil.
func (d *decoder) pathText(n *source.Node, inputs *Params) {
	if n == nil || n.Kind != source.Scalar {
		return
	}
	d.placeholders(n, inputs)
	text := marker.PlainText(n)
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		d.faults.Add(n.ErrorAt(utf8.RuneCountInString(text[:i]), "wrong-value", "a path must not hold %c", text[i]).
			WithHint("query parameters belong under query, and an address that an answer gave under url"))
	}
}

// placeholders reports parts of a path, or of a url, that are to vary and have no marker. What the template finds by
// itself, ${name} for an input, is reported with it.
func (d *decoder) placeholders(n *source.Node, inputs *Params) {
	text := marker.PlainText(n)
	var name string
	for _, at := range placeholder.FindAllStringSubmatchIndex(text, -1) {
		begins := at[0]
		for i := 2; i < len(at); i += 2 {
			if at[i] >= 0 {
				name = text[at[i]:at[i+1]]
			}
		}
		if text[begins] == '/' {
			begins++
		}
		declared := inputs.Get(name) != nil
		foreign := begins > 0 && strings.IndexByte("$%#@{", text[begins-1]) >= 0
		if foreign && declared || text[begins] != '{' && !declared {
			continue
		}
		d.faults.Add(n.ErrorAt(utf8.RuneCountInString(text[:begins]), "no-marker", "%s is no marker: this would be sent as it stands", text[begins:at[1]]).
			WithHint("write ${{ inputs." + name + " }}"))
	}
}
