package call

import (
	"bytes"
	"html"
	"slices"
	"strings"
	"unicode"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const (
	maxMessage = 300     // runes of a message
	maxShown   = 4 << 10 // runes of a body in an event
	// maxMasked bounds how much of a long text is masked for the sake of its beginning.
	maxMasked = 64 << 10
)

// words returns the vendor's own words in an answer that is no success: what its
// message path finds, else the shortened text, else what the status means.
func (e *Executor) words(op *operation, a *answer) string {
	if text := e.said(op, a); text != "" {
		return text
	}
	if text := e.short(e.shown(a)); text != "" {
		return text
	}
	if a.success() {
		return "the answer is empty (" + statusText(a.status) + ")"
	}
	return statusText(a.status)
}

// said returns what the message path finds in an answer; "" where there is none, or it finds nothing.
func (e *Executor) said(op *operation, a *answer) string {
	if p := op.Response.Message; p != nil && a.json && !a.sealed {
		if v, found, err := a.follow(p); err == nil && found {
			return e.short(wordsIn(v))
		}
	}
	return ""
}

// wordsIn returns what a message path has found as one text: of a list, its
// elements one after another; "" where it says nothing.
func wordsIn(v value.Value) string {
	list, ok := v.(value.List)
	if !ok {
		list = value.List{v}
	}
	var said []string
	for _, elem := range list {
		text, err := value.Text(elem)
		if err != nil && ok && elem != nil {
			text = string(value.AppendJSON(nil, elem))
		}
		if text = strings.TrimSpace(text); text != "" && !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	return strings.Join(said, "; ")
}

// shown returns what people may see of the answer's text, not masked yet: of a
// web page its title, and nothing of a success that should have held a secret
// and holds it who knows where.
func (e *Executor) shown(a *answer) string {
	switch {
	case a.looksLikeHTML():
		if title := htmlTitle(a.head()); title != "" {
			return title
		}
	case a.withheld():
		return ""
	}
	if text, err := a.decode(); err == nil {
		if text, ok := text.(string); ok {
			return text
		}
	}
	return a.head()
}

// withheld reports whether the answer may hold a secret that the gate does not know.
func (a *answer) withheld() bool {
	return a.sealed || a.shy && a.success()
}

// head returns the answer's text as far as it is ever looked at for messages: one
// byte more than masked keeps whole, so that it sees that the text goes on.
func (a *answer) head() string {
	text := a.body
	if a.spool != nil {
		text = a.start
	}
	return strings.ToValidUTF8(string(text[:min(len(text), maxMasked+1)]), "\uFFFD")
}

func (a *answer) looksLikeHTML() bool { return looksLikeHTML(a.body) }

func looksLikeHTML(text []byte) bool {
	head := bytes.ToLower(bytes.TrimSpace(text[:min(len(text), 256)]))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

func htmlTitle(page string) string {
	lower := asciiLower(page)
	from := strings.Index(lower, "<title")
	if from < 0 {
		return ""
	}
	open := strings.IndexByte(lower[from:], '>')
	if open < 0 {
		return ""
	}
	from += open + 1
	to := strings.Index(lower[from:], "</title")
	if to < 0 {
		return ""
	}
	return strings.TrimSpace(html.UnescapeString(page[from : from+to]))
}

// asciiLower keeps every byte at its place, which strings.ToLower does not.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// short masks a text and makes it one line of at most maxMessage runes. It is
// masked first: of a secret cut in half the rest would be shown.
func (e *Executor) short(text string) string {
	text = strings.Join(strings.FieldsFunc(e.masked(text), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	return diag.Shorten(text, maxMessage)
}

// masked returns a text without the secrets in it. Of a very long one only the
// beginning is looked at, and the end of that is given up, as a secret may reach
// over the cut.
func (e *Executor) masked(text string) string {
	if len(text) <= maxMasked {
		return e.gate.Text(text)
	}
	text = e.gate.Text(text[:maxMasked])
	return strings.ToValidUTF8(text[:max(0, len(text)-maxMasked/2)], "")
}
