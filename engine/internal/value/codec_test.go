package value

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestDecodeAndAppendKeepText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`null`, ``},
		{` true `, `true`},
		{`{"z":1,"a":203.7700,"m":-0}`, ``},
		{`[1.00000,12345678901234567890,1e400,-307.2800]`, ``},
		{`{"a":1,"a":2,"b":{"c":[]},"a":3}`, `{"a":1,"b":{"c":[]}}`},
		{`"<a href=\"x\">&é\u2028\u0001\n"`, "\"<a href=\\\"x\\\">&é\u2028\\u0001\\n\""},
		{"\"\xff\"", "\"\ufffd\""},
		{`"\ud800"`, "\"\ufffd\""},
		{`[[],{},"",0,false]`, ``},
		{strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), ``},
	} {
		want := c.want
		if want == "" {
			want = c.in
		}
		v, err := Decode([]byte(c.in))
		if err != nil {
			t.Errorf("Decode(%.60s): %v", c.in, err)
			continue
		}
		if got := string(AppendJSON(nil, v)); got != want {
			t.Errorf("Decode(%.60s) is written as %.60s, want %.60s", c.in, got, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                          `not JSON: the text is empty`,
		" \n":                       `not JSON: the text is empty`,
		`{"a":1`:                    `not JSON: the text ends too early, at offset 6`,
		`{"a":1}}`:                  `not JSON: more data after the value, at offset 7`,
		`1 2`:                       `not JSON: more data after the value, at offset 1`,
		`{"a":01}`:                  `not JSON: invalid character '1' after object value (expecting ',' or '}'), at offset 6`,
		`{"a" 1}`:                   `not JSON: invalid character '1' after object name (expecting ':'), at offset 5`,
		`[1,]`:                      `not JSON: invalid character ',' at start of value, at offset 2`,
		`{"a":1,}`:                  `not JSON: invalid character ',' at start of value, at offset 6`,
		`nope`:                      `not JSON: invalid character 'o' in literal null (expecting 'u'), at offset 1`,
		`{1:2}`:                     `not JSON: object member name must be a string, at offset 1`,
		`[1e999999999]`:             `number 1e999999999 has an exponent beyond 400`,
		`<html>`:                    `not JSON: invalid character '<' at start of value, at offset 0`,
		"\xef\xbb\xbf{}":            `not JSON: invalid character '\ufeff' at start of value, at offset 0`,
		strings.Repeat("[", 10_001): `not JSON: exceeded max depth, at offset 10000`,
	} {
		if v, err := Decode([]byte(in)); err == nil || err.Error() != want {
			t.Errorf("Decode(%.40q) = %v, %v; want error %q", in, v, err, want)
		}
	}
}

func TestDecodeDoesNotKeepItsInput(t *testing.T) {
	t.Parallel()
	data := []byte(`{"name":"value","n":1.50}`)
	v, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = 'x'
	}
	if got := string(AppendJSON(nil, v)); got != `{"name":"value","n":1.50}` {
		t.Errorf("the value changed with its input: %s", got)
	}
}

func TestAppendJSONDoesNotAllocate(t *testing.T) {
	v, err := Decode(companyJSON())
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 0, 8192)
	if n := testing.AllocsPerRun(100, func() { AppendJSON(dst, v) }); n != 0 {
		t.Errorf("AppendJSON allocates %v times", n)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.50,"x",null,true,{}],"a":1}`, `1e400`, `-0.0`, `"\ud800\u00e9"`, "[\"\xff\"]", `{"a":1`, `[[[[1]]]]`, `12345678901234567890`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Decode(data)
		if err != nil {
			return
		}
		once := AppendJSON(nil, v)
		again, err := Decode(once)
		if err != nil {
			t.Fatalf("%q was written as %q, which does not decode: %v", data, once, err)
		}
		if twice := AppendJSON(nil, again); !bytes.Equal(once, twice) {
			t.Fatalf("%q was written as %q, then as %q", data, once, twice)
		}
		if !Equal(v, again) || Key(v) != Key(again) {
			t.Fatalf("%q changed: keys %s and %s", data, Key(v), Key(again))
		}
	})
}

// companyJSON is an object of 44 members and about 2 KB, as vendors send them.
func companyJSON() []byte {
	var b bytes.Buffer
	for i := range 44 {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&b, `,"CompanyField%02d":"some text of a company, %d"`, i, i)
		case 1:
			fmt.Fprintf(&b, `,"CompanyField%02d":%d`, i, 32475000+i)
		case 2:
			fmt.Fprintf(&b, `,"CompanyField%02d":%d.7700`, i, i)
		default:
			fmt.Fprintf(&b, `,"CompanyField%02d":"Rua Augusta %d, 1.º Esq., Lisboa\n"`, i, i)
		}
	}
	return append(append([]byte{'{'}, b.Bytes()[1:]...), '}')
}

func BenchmarkDecode(b *testing.B) {
	data := companyJSON()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	v, err := Decode(companyJSON())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	dst := make([]byte, 0, 8192)
	for b.Loop() {
		AppendJSON(dst, v)
	}
}

func BenchmarkSum(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var sum Value = int64(0)
		for range 100 {
			sum, _ = Add(sum, Decimal("203.7700"))
		}
	}
}
