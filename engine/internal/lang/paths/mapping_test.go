package paths

import (
	"errors"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func TestMappingConverts(t *testing.T) {
	t.Parallel()
	const answer = `{"padded": " 2.000", "zeros": "0010", "sap": "-00012.50", "int": 15.0, "frac": 1.5,
		"yes": " True ", "on": true, "day": "20260131", "dayNumber": 20260131, "de": "31.01.2026 14:05:06",
		"stamp": "2017-02-24T08:56:09.727", "zoned": "2026-06-02T00:00:00+02:00", "word": "  x  ", "blank": "   ",
		"none": null, "list": [1], "obj": {"a": 1}, "big": 12345678901234567890.10,
		"offset": "2024-01-02T03:04:05.678+0200", "unix": 1700000001, "slack": "1503430556.000247", "before": "-1", "millis": 1518685950940,
		"mail": "Thu, 24 Aug 2023 05:01:45 +0200", "http": "Fri, 04 Aug 2023 05:01:45 GMT", "zero": "000",
		"long": "0123456789012345678901234567890123456789012345678901234567890123456789"}`
	tests := []struct{ yaml, want string }{
		{`word`, `"  x  "`},
		{`{path: word, trim: true}`, `"x"`},
		{`{path: word, trim: right}`, `"  x"`},
		{`{path: word, trim: false}`, `"  x  "`},
		{`{path: padded, type: decimal}`, `2.000`},
		{`{path: zeros, type: integer}`, `10`},
		{`{path: zero, type: integer}`, `0`},
		{`{path: sap, type: decimal}`, `-12.50`},
		{`{path: padded, type: integer}`, `2`},
		{`{path: int, type: integer}`, `15`},
		{`{path: big, type: number}`, `12345678901234567890.10`},
		{`{path: big, type: text}`, `"12345678901234567890.10"`},
		{`{path: on, type: string}`, `"true"`},
		{`{path: yes, type: boolean}`, `true`},
		{`{path: on, type: boolean}`, `true`},
		{`{path: day, type: date, format: yyyyMMdd}`, `"2026-01-31"`},
		{`{path: dayNumber, type: date, format: yyyyMMdd}`, `"2026-01-31"`},
		{`{path: de, type: date, format: dd.MM.yyyy HH:mm:ss}`, `"2026-01-31"`},
		{`{path: de, type: datetime, format: "dd.MM.yyyy HH:mm:ss"}`, `"2026-01-31T14:05:06Z"`},
		{`{path: day, type: datetime, format: yyyyMMdd}`, `"2026-01-31T00:00:00Z"`},
		{`{path: offset, type: datetime}`, `"2024-01-02T03:04:05.678+02:00"`},
		{`{path: unix, type: datetime, format: unix}`, `"2023-11-14T22:13:21Z"`},
		{`{path: slack, type: datetime, format: unix}`, `"2017-08-22T19:35:56.000247Z"`},
		{`{path: before, type: date, format: unix}`, `"1969-12-31"`},
		{`{path: millis, type: datetime, format: unix_ms}`, `"2018-02-15T09:12:30.94Z"`},
		{`{path: mail, type: datetime, format: rfc2822}`, `"2023-08-24T05:01:45+02:00"`},
		{`{path: http, type: datetime, format: rfc2822}`, `"2023-08-04T05:01:45Z"`},
		{`{path: http, type: date, format: rfc2822}`, `"2023-08-04"`},
		{`{path: stamp, type: datetime}`, `"2017-02-24T08:56:09.727Z"`},
		{`{path: stamp, type: date}`, `"2017-02-24"`},
		{`{path: zoned, type: datetime}`, `"2026-06-02T00:00:00+02:00"`},
		{`{path: list, type: list}`, `[1]`},
		{`{path: obj, type: object}`, `{"a":1}`},
		{`{path: blank, trim: true, null_if: [""]}`, `null`},
		{`{path: word, trim: true, null_if: [y, x], default: d}`, `"d"`},
		{`{path: int, null_if: [15]}`, `null`},
		{`none`, `null`},
		{`nope`, `null`},
		{`{path: nope, type: integer}`, `null`},
		{`{path: nope, type: integer, default: 7}`, `7`},
		{`{path: none, type: integer, default: 7}`, `7`},
		{`{path: frac, type: integer}`, `test.yaml:1:8: output x: path frac: expected integer, found decimal 1.5`},
		{`{path: word, type: decimal}`, `test.yaml:1:8: output x: path word: expected decimal, found text "  x  "`},
		{`{path: word, type: decimal, secret: true}`, `test.yaml:1:8: output x: path word: expected decimal, found text`},
		{`{path: on, type: integer}`, `test.yaml:1:8: output x: path on: expected integer, found boolean true`},
		{`{path: zeros, type: boolean}`, `test.yaml:1:8: output x: path zeros: expected boolean, found text "0010"`},
		{`{path: zeros, type: date}`, `test.yaml:1:8: output x: path zeros: expected date, found text "0010"`},
		{`{path: on, type: date}`, `test.yaml:1:8: output x: path on: expected date, found boolean true`},
		{`{path: obj, type: text}`, `test.yaml:1:8: output x: path obj: expected text, found object`},
		{`{path: list, type: object}`, `test.yaml:1:8: output x: path list: expected object, found list`},
		{`{path: obj, type: list}`, `test.yaml:1:8: output x: path obj: expected list, found object`},
		{`{path: long, type: boolean}`, `test.yaml:1:8: output x: path long: expected boolean, found text "012345678901234567890123456789012345678901234567890123456789…"`},
		{`{path: list, each: {n: "@this", t: {path: "@this", type: text}}}`, `[{"n":1,"t":"1"}]`},
		{`{path: list, each: {t: {path: "@this", type: boolean}}}`, `test.yaml:1:32: output x[0].t: path @this: expected boolean, found integer 1`},
		{`{path: obj, each: {n: "@this"}}`, `test.yaml:1:8: output x: path obj: expected list, found object`},
	}
	for _, tt := range tests {
		m := compileMapping(t, tt.yaml, nil)
		if got := extract(m, answer); got != tt.want {
			t.Errorf("%s\n gives %s\n  want %s", tt.yaml, got, tt.want)
		}
	}
}

func TestMappingOverASchema(t *testing.T) {
	t.Parallel()
	tests := []struct{ yaml, answer, typ, want string }{
		{`AccountId`, `{"AccountId": 7}`, "integer", `7`},
		{`AccountId`, `{}`, "integer", `test.yaml:1:1: output x: path AccountId finds nothing`},
		{`AccountId`, `{"AccountId": null}`, "integer", `test.yaml:1:1: output x: path AccountId: expected integer, found null`},
		{`Nick`, `{}`, "text or null", `null`},
		{`{path: Nick, default: ""}`, `{}`, "text", `""`},
		{`{path: Nick, default: null}`, `{}`, "text or null", `null`},
		{`{path: AccountId, type: text}`, `{"AccountId": 7}`, "text", `"7"`},
		{`{path: AccountId, null_if: [0]}`, `{"AccountId": 0}`, "integer or null", `null`},
		{`{path: Owner.Name, type: date}`, `{}`, "date or null", `null`},
		{`{path: Charges, type: list}`, `{"Charges": []}`, "list of object", `[]`},
		{`{path: Charges, each: {price: Price, note: Note}}`, `{"Charges": [{"Price": 1.50}]}`, "list of object", `[{"price":1.50,"note":null}]`},
		{`{path: Any, type: decimal}`, `{}`, "decimal or null", `null`},
		{`{path: Any, type: object}`, `{"Any": {}}`, "object or null", `{}`},
		{`Any`, `{}`, "anything", `null`},
	}
	for _, tt := range tests {
		m := compileMapping(t, tt.yaml, company(t))
		if got := m.Type().String(); got != tt.typ {
			t.Errorf("%s is %s; want %s", tt.yaml, got, tt.typ)
		}
		if got := extract(m, tt.answer); got != tt.want {
			t.Errorf("%s in %s\n gives %s\n  want %s", tt.yaml, tt.answer, got, tt.want)
		}
	}
}

func TestMappingOfASecretIsSecret(t *testing.T) {
	t.Parallel()
	declared := types.ObjectOf(types.Field{Name: "token", Type: (&types.Type{Kind: types.Text}).SecretIf(true)})
	for yaml, over := range map[string]*types.Type{
		`{path: token, secret: true}`: nil,
		`token`:                       declared,
		`{path: token, type: text}`:   declared,
	} {
		m := compileMapping(t, yaml, over)
		if !m.Secret || !m.Type().Secret {
			t.Errorf("%s: Secret %v, type secret %v", yaml, m.Secret, m.Type().Secret)
		}
	}
}

func TestMappingErrorsAreDiagnosticsWithHints(t *testing.T) {
	t.Parallel()
	tests := []struct{ yaml, want string }{
		{`{path: blank, type: integer}`, `
test.yaml:1:8: output x: path blank: expected integer, found text ""
    1 | {path: blank, type: integer}
      |        ^
  hint: null_if: [""] makes an empty text null
`},
	}
	for _, tt := range tests {
		_, err := compileMapping(t, tt.yaml, nil).Get([]byte(`{"blank": ""}`))
		d, ok := errors.AsType[*diag.Diagnostic](err)
		if !ok {
			t.Fatalf("%s: error is %T", tt.yaml, err)
		}
		if got := "\n" + langtest.Rendered(diag.List{d}); got != tt.want {
			t.Errorf("got %s\nwant %s", got, tt.want)
		}
	}
}

func TestMappingFaults(t *testing.T) {
	t.Parallel()
	tests := []struct{ yaml, want string }{
		{`{path: Nik}`, `
test.yaml:1:8: the data has no member "Nik"
    1 | {path: Nik}
      |        ^
  hint: did you mean "Nick"?
  specs/acme.yaml:1:1: declared here
`},
		{`{type: text}`, `
test.yaml:1:2: the output x has no path
    1 | {type: text}
      |  ^
  hint: "@this" is the whole answer
`},
		{`{path: Nick, header: Location}`, `
test.yaml:1:14: the output x is at a path or in a header, not both
    1 | {path: Nick, header: Location}
      |              ^
  hint: make two outputs of it
`},
		{`{header: "X-${{ id }}"}`, `
test.yaml:1:11: header is the name of a header
    1 | {header: "X-${{ id }}"}
      |           ^
  hint: write it as the vendor does, such as Location
`},
		{`{header: Link, type: list}`, `
test.yaml:1:22: header Link finds text or null, which cannot be read as list
    1 | {header: Link, type: list}
      |                      ^
`},
		{`{path: Charges, each: {p: {header: Location}}}`, `
test.yaml:1:28: a header belongs to the whole answer, and not to an element of Charges
    1 | {path: Charges, each: {p: {header: Location}}}
      |                            ^
  hint: make an output of its own of it
`},
		{`{path: Any, type: decimel}`, `
test.yaml:1:19: "decimel" is not a type
    1 | {path: Any, type: decimel}
      |                   ^
  hint: did you mean "decimal"?
`},
		{`{path: Charges, type: integer}`, `
test.yaml:1:23: Charges finds list of object, which cannot be read as integer
    1 | {path: Charges, type: integer}
      |                       ^
`},
		{`{path: Any, format: yyyyMMdd}`, `
test.yaml:1:21: a format needs a type that it is the format of
    1 | {path: Any, format: yyyyMMdd}
      |                     ^
  hint: add type: date or type: datetime
`},
		{`{path: Any, type: date, format: YYYYMMDD}`, `
test.yaml:1:33: date format "YYYYMMDD": "YYYY" is not one of yyyy, MM, dd, HH, mm, ss
    1 | {path: Any, type: date, format: YYYYMMDD}
      |                                 ^
  hint: besides there are the formats unix, unix_ms (seconds and milliseconds since 1970) and rfc2822 (Thu, 24 Aug 2023 05:01:45 +0000)
`},
		{`{path: Any, type: date, format: "HH:mm"}`, `
test.yaml:1:34: the date format "HH:mm" needs yyyy, MM and dd to read a date
    1 | {path: Any, type: date, format: "HH:mm"}
      |                                  ^
`},
		{`{path: Nick, default: 5, trim: left, secret: 1}`, `
test.yaml:1:23: the default does not fit: expected text, found integer
    1 | {path: Nick, default: 5, trim: left, secret: 1}
      |                       ^
test.yaml:1:32: trim is true (both sides) or right
    1 | {path: Nick, default: 5, trim: left, secret: 1}
      |                                ^
test.yaml:1:46: secret is true or false
    1 | {path: Nick, default: 5, trim: left, secret: 1}
      |                                              ^
`},
		{`{path: Any, type: date, default: 31.01.2026}`, `
test.yaml:1:34: the default is not a date in ISO form
    1 | {path: Any, type: date, default: 31.01.2026}
      |                                  ^
`},
		{`{path: Nick, default: "${{ x }}"}`, `
test.yaml:1:24: a default is a fixed value, without ${{ }}
    1 | {path: Nick, default: "${{ x }}"}
      |                        ^
  hint: use ?? where the output is used
`},
		{`{path: Nick, null_if: EMPTY}`, `
test.yaml:1:23: null_if is a list of values
    1 | {path: Nick, null_if: EMPTY}
      |                       ^
  hint: write null_if: [""]
`},
		{`{path: Nick, each: {n: "@this"}}`, `
test.yaml:1:14: each maps the elements of a list, and Nick finds text or null
    1 | {path: Nick, each: {n: "@this"}}
      |              ^
`},
		{`{path: Charges, each: {p: Prise}}`, `
test.yaml:1:27: the data has no member "Prise"
    1 | {path: Charges, each: {p: Prise}}
      |                           ^
  hint: did you mean "Price"?
`},
	}
	for _, tt := range tests {
		var faults diag.List
		m := CompileMapping("x", langtest.YAML(t, tt.yaml), company(t), &faults)
		if got := "\n" + langtest.Rendered(faults); m != nil || got != tt.want {
			t.Errorf("mapping %s\n got %s\nwant %s", tt.yaml, got, tt.want)
		}
	}
}

func compileMapping(t testing.TB, yaml string, over *types.Type) *Mapping {
	t.Helper()
	return langtest.Compiled(t, langtest.YAML(t, yaml), func(n *source.Node, faults *diag.List) *Mapping { return CompileMapping("x", n, over, faults) })
}

func extract(m *Mapping, answer string) string {
	v, err := m.Get([]byte(answer))
	if err != nil {
		return err.Error()
	}
	return string(value.AppendJSON(nil, v))
}

func TestMappingGetsTheSameFromADecodedBody(t *testing.T) {
	t.Parallel()
	for _, yaml := range []string{`"@this"`, `{path: "@this", type: object}`, `{path: "@this", type: list, default: []}`, `a`, `a.b`, `"a|b"`, `nope`} {
		var faults diag.List
		m := CompileMapping("x", langtest.YAML(t, yaml), types.AnyType, &faults)
		if m == nil {
			t.Fatalf("%s: %v", yaml, faults)
		}
		for _, body := range []string{`{"a": {"b": 1.50}}`, `[1]`, `null`, `" "`} {
			whole, err := value.Decode([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			want, wantErr := m.Get([]byte(body))
			got, gotErr := m.GetFrom([]byte(body), whole)
			if !value.Equal(got, want) || (gotErr == nil) != (wantErr == nil) || gotErr != nil && gotErr.Error() != wantErr.Error() {
				t.Errorf("%s of %s: got %v, %v, want %v, %v", yaml, body, got, gotErr, want, wantErr)
			}
		}
	}
}
