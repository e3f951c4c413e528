package schema

import (
	"testing"

	"github.com/seed627bd532/runner/engine/internal/value"
)

func TestKeywordsThatSayNothingAboutTheTypeAreFound(t *testing.T) {
	for text, want := range map[string]string{
		`{"type":"string","minLength":1}`:          "",
		`{"minLength":1,"minimum":2}`:              "",
		`{"type":["string","null"],"pattern":"x"}`: "",
		`{"type":"boolean","minLength":1}`:         "/minLength: minLength says something about string, and the type is boolean",
		`{"type":["integer","null"],"minItems":1}`: "/minItems: minItems says something about array, and the type is integer or null",
		`{"type":"object","properties":{"a/b":{"type":"array","items":{"type":"integer","maxLength":3}}}}`: "/properties/a~1b/items/maxLength: maxLength says something about string, and the type is integer",
		`{"allOf":[true,{"type":"date","minimum":1}]}`:                                                     "/allOf/1/minimum: minimum says something about integer, and the type is date",
	} {
		s, err := value.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, m := range Misfits(s) {
			got += m.Pointer + ": " + m.Message
		}
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}
