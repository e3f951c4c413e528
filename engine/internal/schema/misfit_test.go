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
		`{"type":"string","minLength":3,"maxLength":2}`:                                                    "/minLength: nothing fits: minLength is not below maxLength",
		`{"type":"integer","exclusiveMinimum":3,"maximum":3}`:                                              "/exclusiveMinimum: nothing fits: exclusiveMinimum is not below maximum",
		`{"type":"integer","minimum":3,"maximum":3}`:                                                       "",
		`{"type":"string","enum":["a",1]}`:                                                                 "/enum/1: 1 is of another type than the one declared (string)",
		`{"type":"string","nullable":true,"enum":["a",null]}`:                                              "",
		`{"type":"integer","const":"1"}`:                                                                   `/const: "1" is of another type than the one declared (integer)`,
		`{"type":"string","format":"e-mail"}`:                                                              "/format: e-mail is no known format; did you mean email?",
		`{"type":"integer","format":"int64"}`:                                                              "",
		`{"type":"object","required":["a","a"],"properties":{"a":{}}}`:                                     "/required/1: a is required twice",
		`{"type":"object","required":["b"],"additionalProperties":false}`:                                  "/required/0: nothing fits: b is required, and additionalProperties: false does not let it in",
		`{"type":"object","required":["b"]}`:                                                               "",
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
