package source

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/diag"
)

// checkCharacters finds what is not UTF-8, or a character that YAML does not
// allow. It stops at the first: a text in another encoding has many.
func checkCharacters(text []byte) (off int, d *diag.Diagnostic) {
	for i := 0; i < len(text); {
		c := text[i]
		if ' ' <= c && c < 0x7F || c == '\n' || c == '\t' || c == '\r' {
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return i, &diag.Diagnostic{
				Code:    "encoding",
				Message: fmt.Sprintf("the byte 0x%02X is not UTF-8", c),
				Hint:    "the file seems to be in another encoding, such as Latin-1; save it as UTF-8",
			}
		case r == 0:
			return i, &diag.Diagnostic{
				Code:    "control-character",
				Message: "a NUL character is not allowed",
				Hint:    "remove it; a file with many of them is no text file, or one in UTF-16",
			}
		case forbidden(r):
			return i, &diag.Diagnostic{
				Code:    "control-character",
				Message: fmt.Sprintf("the character U+%04X is not allowed", r),
				Hint:    fmt.Sprintf(`remove it, or write it in double quotes as "\u%04x"`, r),
			}
		}
		i += n
	}
	return 0, nil
}

// utf16Name tells UTF-16 by its byte order mark, or by every other byte being
// NUL at the start.
func utf16Name(text []byte) string {
	switch {
	case bytes.HasPrefix(text, []byte{0xFF, 0xFE}):
		return "UTF-16 (little endian)"
	case bytes.HasPrefix(text, []byte{0xFE, 0xFF}):
		return "UTF-16 (big endian)"
	case len(text) < 4:
		return ""
	case text[0] != 0 && text[1] == 0 && text[2] != 0 && text[3] == 0:
		return "UTF-16 (little endian)"
	case text[0] == 0 && text[1] != 0 && text[2] == 0 && text[3] != 0:
		return "UTF-16 (big endian)"
	}
	return ""
}

// forbidden reports whether YAML refuses r: control characters, and a byte
// order mark inside of the text.
func forbidden(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r', r == 0x85:
		return false
	case r < 0x20, 0x7F <= r && r < 0xA0, r == 0xFEFF, r == 0xFFFE, r == 0xFFFF:
		return true
	}
	return false
}
