package history

import (
	"regexp"

	"github.com/seed627bd532/runner/engine/state"
)

// reference is what a state keeps in place of a secret; see engine/internal/redact. An empty one stands for the signs
// that it begins with.
var reference = regexp.MustCompile(`•••\{([^{}"\\]*)\}`)

// masked returns a text of the state as people may see it.
func masked(text string) string {
	return reference.ReplaceAllStringFunc(text, func(ref string) string {
		switch ref {
		case "•••{}":
			return "•••{"
		case "•••{#}": // the text is a number, or was one
			return ""
		}
		return "•••"
	})
}

func maskedEntry(e state.Entry) state.Entry {
	e.Key, e.Identity = masked(e.Key), masked(e.Identity)
	if e.Payload != nil {
		e.Payload = []byte(masked(string(e.Payload)))
	}
	return e
}
