package diag

// Shorten returns text, or the beginning of it followed by "…", in at most most
// runes, of which there must be one at least. It looks at no more of a long text than
// it returns. A secret must be masked before: of one that is cut the rest would be shown.
func Shorten(text string, most int) string {
	cut, runes := 0, 0
	for at := range text {
		switch runes++; {
		case runes == most:
			cut = at
		case runes > most:
			return text[:cut] + "…"
		}
	}
	return text
}
