package diag

import (
	"fmt"
	"strings"
	"unicode"
)

// ShellWord returns s as a shell takes it for one word, so that commands in hints can be copied as
// they stand. It is one line whatever s holds.
func ShellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./=:,@%+", r)
	}
	switch {
	case strings.IndexFunc(s, unicode.IsControl) >= 0:
		return "$'" + escaped(s) + "'"
	case s == "" || strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) >= 0:
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// escaped writes what people are not shown as it is, a line end for one, as a shell reads it in $'…'.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsControl(r):
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
