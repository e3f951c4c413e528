package table

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/value"
)

func TestJSONFilesOfOneValue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{`{"a":"\ud83d\ude00 \/ \u00e9","n":12345678901234567890.10,"big":1E400}`, `{"a":"😀 / é","n":12345678901234567890.10,"big":1E400}`},
		{"\ufeff {\"yes\":\"no\",\"t\":\"a\\tb\",\"d\":2024-01-01}", "f.json:1:33: the file is not JSON: "},
		{"\ufeff\t[true,null,\"0012\"]\r\n", `[true,null,"0012"]`},
		{"{\n  \"a\": 1,\n  \"é\": {\"b\": 1, \"b\": 2}\n}", `f.json:3:17: the key "b" is here twice`},
		{"{\n  \"a\": 1,\n}", "f.json:2:9: the file is not JSON: "},
		{"{\"a\":\n\t007}", "f.json:2:3: the file is not JSON: "},
		{"{\"a\": \"x", "f.json:1:9: the file is not JSON: it ends too early"},
		{"{}\n {}", "f.json:2:2: more follows after the value"},
		{"{} # comment", "f.json:1:4: more follows after the value"},
		{"# comment\n{}", "f.json:1:1: the file is not JSON: "},
		{`{"a":"\ud83d"}`, "f.json:1:7: the file is not JSON: "},
		{"{\"a\":\"\xff\"}", "f.json:1:7: the file is not JSON: "},
		{" \n", "f.json: the file is empty: it must be one JSON value"},
		{strings.Repeat("[", 20_000), "f.json:1:10001: the file is not JSON: "},
	} {
		v, d := DecodeJSON("f.json", []byte(tt.in))
		got := ""
		if d != nil {
			got = fmt.Sprint(d)
		} else {
			got = string(value.AppendJSON(nil, v))
		}
		if got != tt.want && (d == nil || !strings.HasPrefix(got, tt.want)) {
			t.Errorf("%.60q:\ngot  %s\nwant %s", tt.in, got, tt.want)
		}
	}
}
