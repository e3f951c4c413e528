package page

import (
	"errors"
	"strings"
)

// link follows the address of the next page that each answer has.
type link struct{}

func (link) Variable() string { return "" }

func (link) Follows() bool { return true }

func (link) First(start string) (Page, error) {
	if start != "" {
		return Page{}, errors.New("expected nothing: the first page is where the request leads")
	}
	return Page{}, nil
}

func (link) Next(_ Page, a Answer) (Page, bool) {
	return Page{Link: a.Next}, a.Next != ""
}

// NextLink finds the address of the next page (rel=next) in the values of Link
// headers, as RFC 8288 writes them; "" where there is none. Links that speak of
// another page than the one answered (anchor) do not count.
func NextLink(headers []string) string {
	for _, text := range headers {
		for text != "" {
			var target string
			var isNext bool
			target, isNext, text = oneLink(text)
			if isNext && target != "" {
				return target
			}
		}
	}
	return ""
}

// oneLink reads the first link of a header's value and returns the rest.
func oneLink(text string) (target string, isNext bool, rest string) {
	_, text, found := strings.Cut(text, "<")
	if !found {
		return "", false, ""
	}
	if target, text, found = strings.Cut(text, ">"); !found {
		return "", false, ""
	}
	target = strings.TrimSpace(target)
	seen, anchored := false, false
	for {
		text = strings.TrimLeft(text, " \t")
		if text == "" || text[0] != ';' {
			// Up to the comma, past anything that does not belong there.
			_, rest, _ = strings.Cut(text, ",")
			return target, isNext && !anchored, rest
		}
		var name, value string
		name, value, text = parameter(text[1:])
		switch strings.ToLower(name) {
		case "rel":
			// Of several rel parameters only the first counts.
			isNext = isNext || !seen && hasWord(value, "next")
			seen = true
		case "anchor":
			anchored = true
		}
	}
}

// parameter reads a parameter of a link and returns what comes after it: a
// semicolon, a comma, or the end.
func parameter(text string) (name, value, rest string) {
	end := strings.IndexAny(text, "=;,")
	if end < 0 {
		return strings.TrimSpace(text), "", ""
	}
	name, rest = strings.TrimSpace(text[:end]), text[end:]
	if rest[0] != '=' {
		return name, "", rest
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if rest == "" || rest[0] != '"' {
		end = strings.IndexAny(rest, ";,")
		if end < 0 {
			end = len(rest)
		}
		return name, strings.TrimSpace(rest[:end]), rest[end:]
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] == '"':
			return name, b.String(), rest[i+1:]
		case rest[i] == '\\' && i+1 < len(rest):
			i++
		}
		b.WriteByte(rest[i])
	}
	return name, b.String(), ""
}

func hasWord(list, word string) bool {
	for _, w := range strings.Fields(list) {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}
