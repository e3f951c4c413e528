package call

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// Letters come through whole, whichever charset an answer says that it is written in, if any.
func TestCharsets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, contentType, text, want string }{
		{"UTF-8", "application/json", "Mérida €", "Mérida €"},
		{"UTF-8 by name", "application/json; charset=UTF-8", "Mérida", "Mérida"},
		{"Latin-1", "application/json; charset=ISO-8859-1", "M\xe9rida", "Mérida"},
		{"Latin-1 that could be UTF-8", `application/json;charset="iso-8859-1"`, "\xc3\xa9", "Ã©"},
		{"Windows-1252", "text/json; charset=windows-1252", "\x80 \x93\xf1\x94", "€ “ñ”"},
		{"Latin-1 without a word", "application/json", "a\xf1o M\xe9rida", "año Mérida"},
		{"Latin-1 that calls itself UTF-8", "application/json; charset=utf-8", "a\xf1o", "año"},
		{"half a character at the end", "", "a\xc3", "aÃ"},
		{"another charset", "application/json; charset=koi8-r", "plain", "plain"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, extra := range []int{1, 2000} { // in memory, and in a file
				base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", tt.contentType)
					io.WriteString(w, rowsText(extra, `{"Id":7,"Text":"`+tt.text+`"}`))
				})
				res := ask(t, connect(t, vendorOf(t, exports), base, nil, small), "list")
				if res.Outcome != flow.OK {
					t.Fatal(summary(res))
				}
				if got := lastText(t, res.Outputs.At("rows")); got != tt.want {
					t.Errorf("of %d rows the last is %q, want %q", extra+1, got, tt.want)
				}
			}
		})
	}
}

func lastText(t *testing.T, rows value.Value) value.Value {
	t.Helper()
	switch rows := rows.(type) {
	case value.List:
		return rows[len(rows)-1].(*value.Object).At("Text")
	case *value.Rows:
		v, err := rows.At(rows.Len() - 1)
		if err != nil {
			t.Fatal(err)
		}
		return v.(*value.Object).At("Text")
	}
	t.Fatalf("no rows: %T", rows)
	return nil
}

// It does not matter where reading stops between two bytes.
func TestCharsetsInPieces(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("ñ€😀x", 20000)
	for _, in := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
		got, err := io.ReadAll(&utf8Reader{in: in})
		if err != nil || string(got) != text {
			t.Errorf("%d bytes and %v, want %d", len(got), err, len(text))
		}
	}
	_, err := io.ReadAll(&utf8Reader{in: iotest.TimeoutReader(iotest.HalfReader(strings.NewReader(text)))})
	if err != iotest.ErrTimeout {
		t.Errorf("the error is %v", err)
	}
}
