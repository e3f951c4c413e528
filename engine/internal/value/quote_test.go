package value

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// A text is looked at eight bytes at a time; every byte must be seen at every place.
func TestEveryByteIsQuotedAtEveryPlace(t *testing.T) {
	for c := range 256 {
		for at := range 18 {
			for _, around := range []string{"x", "~", " ", "!", "#", "[", "]", "\x7f"} {
				text := strings.Repeat(around, at) + string([]byte{byte(c)}) + strings.Repeat(around, 17-at)
				want, _ := jsontext.AppendQuote(nil, text)
				if got := AppendText(nil, text); string(got) != string(want) {
					t.Fatalf("%q is written as %s, expected %s", text, got, want)
				}
			}
		}
	}
}
