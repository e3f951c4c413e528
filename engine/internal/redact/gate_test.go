package redact

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/value"
)

func gateFor(t testing.TB, secrets ...string) *Gate {
	t.Helper()
	g := NewGate()
	for _, s := range secrets {
		if !g.Add(s) {
			t.Fatalf("%q was refused", s)
		}
	}
	return g
}

func TestTextMasks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		secrets  []string
		in, want string
	}{
		{"nothing known", nil, "hunter2", "hunter2"},
		{"nothing there", []string{"hunter2"}, "hunter 2", "hunter 2"},
		{"empty", []string{"hunter2"}, "", ""},
		{"whole", []string{"hunter2"}, "hunter2", "•••"},
		{"twice", []string{"hunter2"}, "a hunter2 and hunter2.", "a ••• and •••."},
		{"side by side", []string{"hunter2"}, "hunter2hunter2", "•••"},
		{"one within another", []string{"word", "password1"}, "password1 word", "••• •••"},
		{"one starts another", []string{"passwo", "password"}, "password passwo passwords", "••• ••• •••s"},
		{"overlapping", []string{"abcdef", "defghi"}, "-abcdefghi-", "-•••-"},
		{"overlapping itself", []string{"ababab"}, "xababababx", "x•••x"},
		{"multi-byte", []string{"pässwörd€"}, "„pässwörd€“", "„•••“"},
		{"emoji, escaped", []string{"key🔑key"}, `{"k":"key\ud83d\udd11key"}`, `{"k":"•••"}`},
		{"JSON", []string{"a\"b\\c\n"}, `{"p":"a\"b\\c\n"}`, `{"p":"•••"}`},
		{"JSON as encoding/json writes it", []string{"a<b&c>"}, `"a\u003cb\u0026c\u003e"`, `"•••"`},
		{"JSON with escaped slashes", []string{"a/b/c"}, `"a\/b\/c"`, `"•••"`},
		{"JSON in ASCII", []string{"käse/brot"}, `"k\u00E4se/brot" "k\u00e4se\/brot"`, `"•••" "•••"`},
		{"JSON in JSON", []string{`a"b"c`}, `"{\"p\":\"a\\\"b\\\"c\"}"`, `"{\"p\":\"•••\"}"`},
		{"as Go quotes it", []string{"tab\x01ab"}, fmt.Sprintf("%q", "tab\x01ab"), `"•••"`},
		{"query", []string{"p&q =/ü"}, "https://h/?a=p%26q+%3D%2F%C3%BC&b=1", "https://h/?a=•••&b=1"},
		{"query, lower case", []string{"p&q =/ü"}, "a=p%26q+%3d%2f%c3%bc&b=1", "a=•••&b=1"},
		{"query, spaces as %20", []string{"p&q =/ü"}, "a=p%26q%20%3D%2F%C3%BC", "a=•••"},
		{"a page", []string{`a&"ö'<b>`}, `a&amp;&#34;ö&#39;&lt;b&gt; a&amp;&quot;ö&#39;&lt;b&gt; a&amp;&quot;&#246;&apos;&lt;b&gt;`, "••• ••• •••"},
		{"path", []string{"p&q =/ü"}, "/x/p&q%20=%2F%C3%BC/y", "/x/•••/y"},
		{"trailing line break", []string{"hunter2\n"}, "Bearer hunter2", "Bearer •••"},
		{"as .NET escapes JSON", []string{"p+w'<&>/x"}, `{"p":"p\u002Bw\u0027\u003C\u0026\u003E/x"}`, `{"p":"•••"}`},
		{"all of it escaped", []string{"pass+1"}, `\u0070\u0061\u0073\u0073\u002b\u0031`, "•••"},
		{"a query that leaves /", []string{"p+w/=x y"}, "k=p%2Bw/%3Dx%20y&z", "k=•••&z"},
		{"digits of both cases", []string{"p+w/=xé"}, "k=p%2bw%2F%3dx%C3%a9&z", "k=•••&z"},
		{"a form", []string{"pass word+1"}, "k=pass+word%2B1&z=1", "k=•••&z=1"},
		{"a form without escapes", []string{"pass word"}, "k=pass+word&z=1", "k=•••&z=1"},
		{"two levels of JSON", []string{`p"w\x+`}, `{"a":"{\"b\":\"{\\\"c\\\":\\\"p\\\\\\\"w\\\\\\\\x+\\\"}\"}"}`, `{"a":"{\"b\":\"{\\\"c\\\":\\\"•••\\\"}\"}"}`},
		{"JSON in a query", []string{`p"w x+`}, `q=%7B%22a%22%3A%22p%5C%22w+x%2B%22%7D`, `q=%7B%22a%22%3A%22•••%22%7D`},
		{"escaped twice in a URL", []string{"p+w/=x"}, "next=%2Fa%3Fk%3Dp%252Bw%252F%253Dx%26z", "next=%2Fa%3Fk%3D•••%26z"},
		{"HTML by name", []string{"p+w/=<x>"}, "<b>p&plus;w&sol;&equals;&lt;x&gt;</b>", "<b>•••</b>"},
		{"HTML by number", []string{"p+w/=<x>"}, "p&#43;w&#x2F;&#x3d;&lt;x&#62;", "•••"},
		{"hexadecimal digits", []string{"p+w/=x"}, "70 702b772f3d78 702B772F3D78", "70 ••• •••"},
		{"a part that only looks so", []string{"100% sure"}, "100%25 sure, 100% sure", "•••, •••"},
		{"common words", []string{"test", "admin", "1234", "true"}, "the latest administrator 12345 is untrue; test", "the latest administrator 12345 is untrue; •••"},
		{"base64 in a query", []string{"~~~???>>>+++key"}, "a=fn5%2BPz8%2FPj4%2BKysra2V5&b", "a=•••&b"},
		{"base64 with escaped slashes", []string{"???>>>???key"}, `"Pz8\/Pj4+Pz8\/a2V5"`, `"•••"`},
		{"cut", []string{"hunter2"}, "hunter", "hunter"},
	} {
		if got := gateFor(t, c.secrets...).Text(c.in); got != c.want {
			t.Errorf("%s: Text(%q) = %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

// TestTextMasksBase64 puts the secret into longer texts at every alignment, in every
// alphabet. What is left must not depend on the secret.
func TestTextMasksBase64(t *testing.T) {
	t.Parallel()
	encodings := map[string]*base64.Encoding{
		"std": base64.StdEncoding, "raw std": base64.RawStdEncoding,
		"url": base64.URLEncoding, "raw url": base64.RawURLEncoding,
	}
	const one, other = "s3cret?>~~", "t4bsfu@?\x7f\x7f" // of the same length
	for name, encoding := range encodings {
		for before := range 7 {
			for after := range 7 {
				show := func(secret string) string {
					return gateFor(t, secret).Text(encoding.EncodeToString([]byte(
						strings.Repeat("u", before) + secret + strings.Repeat(":", after))))
				}
				got := show(one)
				if got != show(other) || !strings.Contains(got, Mask) {
					t.Errorf("%s, %d before, %d after: %s and %s", name, before, after, got, show(other))
				}
			}
		}
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("user:pa55w0rd"))
	if got, want := gateFor(t, "pa55w0rd").Text(basic), "Basic dXNlcj•••=="; got != want {
		t.Errorf("Text(%q) = %q, want %q", basic, got, want)
	}
}

// A short secret is part of many words, and is masked where it is one.
func TestShortValuesAreMaskedWhereTheyStandAlone(t *testing.T) {
	t.Parallel()
	g := NewGate()
	for secret, want := range map[string]bool{"": false, "7": false, "abc": true, "é2": true, `a"b`: true, "42": true, "abcd": true} {
		if got := g.Add(secret); got != want {
			t.Errorf("Add(%q) = %v, want %v", secret, got, want)
		}
	}
	for text, want := range map[string]string{
		`{"password":"abc","n":7}`:     `{"password":"•••","n":7}`,
		`{\"password\":\"abc\"}`:       `{\"password\":\"•••\"}`,
		"user=u&password=abc":          "user=u&password=•••",
		"?code=%C3%A92&x=abcx":         "?code=•••&x=abcx",
		"abc":                          "•••",
		"the abc of cabc and abc_d":    "the ••• of cabc and abc_d",
		"éabc abcé abc2 (abc)":         "éabc abcé abc2 (•••)",
		`"a\"b" and 'é2'`:              `"•••" and '•••'`,
		"abcd abc":                     "••• •••",
		"attempt 7 of 42, 142ms, 42ms": "attempt 7 of •••, 142ms, 42ms",
	} {
		if got := g.Text(text); got != want {
			t.Errorf("%s is shown as %s, want %s", text, got, want)
		}
	}
	const want = `{"done":42,"code":"•••"}`
	if got := string(g.JSON([]byte(`{"done":42,"code":"42"}`))); got != want {
		t.Errorf("shown is %s, want %s", got, want)
	}
}

func TestValueMasksDeep(t *testing.T) {
	t.Parallel()
	g := gateFor(t, "hunter2", "12345678")
	in := value.ObjectOf(
		"list", value.List{"hunter2", nil, true, value.ObjectOf("x", "a hunter2")},
		"hunter2", int64(7),
		"pin", int64(12345678),
		"price", value.Decimal("203.7700"),
	)
	before := string(value.AppendJSON(nil, in))
	const want = `{"list":["•••",null,true,{"x":"a •••"}],"•••":7,"pin":"•••","price":203.7700}`
	if got := string(value.AppendJSON(nil, g.Value(in))); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if after := string(value.AppendJSON(nil, in)); after != before {
		t.Errorf("the value was changed to %s", after)
	}
}

func TestJSONStaysValid(t *testing.T) {
	t.Parallel()
	g := gateFor(t, "nbcd", "hunter2")
	for in, want := range map[string]string{
		`{"a":"x\nbcd"}`:            `{"a":"x\nbcd"}`,
		`{"a":"hunter2"}`:           `{"a":"•••"}`,
		`{"a":"\u0068unter\u0032"}`: `{"a":"•••"}`,
		`{"a": 1, "a": "hunter2"}`:  `{"a":1}`,
		`{"a":"hunter2"`:            `{"a":"•••"`,
		``:                          ``,
	} {
		if got := string(g.JSON([]byte(in))); got != want {
			t.Errorf("JSON(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestBytesLeavesItsArgumentAlone(t *testing.T) {
	t.Parallel()
	g := gateFor(t, "hunter2")
	in := []byte("a hunter2")
	if got := string(g.Bytes(in)); got != "a •••" || string(in) != "a hunter2" {
		t.Errorf("got %q, the argument is %q", got, in)
	}
}

func TestGateIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	g := NewGate()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				secret := fmt.Sprintf("secret-%d-%d", i, j)
				g.Add(secret)
				if got := g.Text("<" + secret + ">"); got != "<•••>" {
					t.Errorf("got %s", got)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzTextHidesEveryForm checks that no form of a secret survives, wherever it stands.
func FuzzTextHidesEveryForm(f *testing.F) {
	f.Add("hunter2", "user:", "@host")
	f.Add("a\"b/ü&<", "\\", "\xff")
	f.Add("=+/aaaa", "a", "aaa")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		g := NewGate()
		if !g.Add(secret) {
			return
		}
		quoted, err := json.Marshal(secret)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{
			secret,
			string(quoted[1 : len(quoted)-1]),
			url.QueryEscape(secret),
			url.PathEscape(secret),
			url.QueryEscape(unquote(string(value.AppendJSON(nil, secret)))), // JSON in a form
			base64.StdEncoding.EncodeToString([]byte(secret)),
			base64.RawURLEncoding.EncodeToString([]byte(secret)),
		} {
			in := before + form + after
			got := g.Text(in)
			if strings.Contains(got, form) && !strings.Contains(Mask, form) && !strings.Contains(before+Mask+after, form) {
				t.Errorf("%q: %q is shown as %q", secret, in, got)
			}
		}
	})
}

func BenchmarkTextWithoutMatch(b *testing.B) {
	g := NewGate()
	for i := range 20 {
		g.Add(fmt.Sprintf("%d-a-secret-of-thirty-two-bytes-%d", i, i))
	}
	s := strings.Repeat(`{"CompanyName":"Example, Lda.","Email":"someone@example.com"}`, 100)
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		g.Text(s)
	}
}

func TestRowsAreMaskedAsTheyAreRead(t *testing.T) {
	t.Parallel()
	const text = `[{"a":"the hunter2secret"},"x"]`
	s, err := value.Survey(strings.NewReader(text), int64(len(text)), 2, 1<<10)
	if err != nil {
		t.Fatal(err)
	}
	g := NewGate()
	g.Add("hunter2secret")
	if got, want := string(value.AppendJSON(nil, g.Value(s.Value))), `[{"a":"the •••"},"x"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
