package table

import (
	"strings"
	"testing"
)

func TestDelimiterIsThatOfTheFirstLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]rune{
		"":                       ',',
		"a\nx;y\n":               ',',
		"a;b\n1,2,3\n":           ';',
		"\r\n\na|b\n":            '|',
		"a\tb\r1,2\r":            '\t',
		"\"a,b,c\"|d\n":          '|',
		"Name, given;Id;Price\n": ';',
		"Id;Amount, net\n":       ';',
		"Amount, net;Id\n":       ',',
		"\"a\n,\";b,c;d\n":       ';',
	} {
		if got := NewCSV(strings.NewReader(text), ",;|\t").Comma; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := NewCSV(strings.NewReader("a|b|c"), ",;").Comma; got != ',' {
		t.Errorf("a character that is no delimiter: %q", got)
	}
}
