package redact

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/value"
)

// kept returns a gate that knows one secret by name, as a later run would, too.
func kept(text string) *Gate {
	g := NewGate()
	g.AddNamed("config:shop.key", text)
	return g
}

const special = "a+b/c= \"d\"'<é>&\\x"

func b64(encoding *base64.Encoding, s string) string { return encoding.EncodeToString([]byte(s)) }

// What is referred to comes back to the byte, however it was written, and is what
// the current value would be where that has changed.
func TestReferencesComeBackExactly(t *testing.T) {
	t.Parallel()
	forms := map[string]func(string) string{
		"in JSON in a query":  func(s string) string { return url.QueryEscape(jsonText(s)) },
		"JSON twice":          func(s string) string { return jsonText(jsonText(s)) },
		"JSON thrice":         func(s string) string { return jsonText(jsonText(jsonText(s))) },
		"query twice, lower":  func(s string) string { return lowerHex(url.QueryEscape(lowerHex(url.QueryEscape(s)))) },
		"in HTML":             func(s string) string { return htmlText("&quot;", "&#39;")(url.QueryEscape(s)) },
		"basic":               func(s string) string { return "Basic " + b64(base64.StdEncoding, "ann:"+s) },
		"basic, raw":          func(s string) string { return b64(base64.RawURLEncoding, "u:"+s) },
		"basic, in the midst": func(s string) string { return b64(base64.StdEncoding, "user "+s+" and "+s+" ö") + "." },
		"basic in a query":    func(s string) string { return url.QueryEscape(b64(base64.StdEncoding, "anna:"+s)) },
		"digits of both cases": func(s string) string {
			return strings.NewReplacer("%2F", "%2f", "%C3", "%c3").Replace(url.QueryEscape(s))
		},
		"entities in small digits": func(s string) string { return escapeUnits(s, "&#X%x;", nil) },
		"JSON in base64":           func(s string) string { return b64(base64.StdEncoding, `{"p":"`+jsonText(s)+`"}`) },
	}
	for _, e := range encoders {
		if e.name != stepTrim {
			forms[e.name] = e.encode
		}
	}
	for _, secret := range []string{special, "plain-key-123456", "p4ss w0rd+%2F"} {
		g, later := kept(secret), kept("another +value/\"")
		for name, form := range forms {
			for _, around := range []string{"%s", "https://h/o?k=%s&x=1", "the %s, and again %[1]s"} {
				text := fmt.Sprintf(around, form(secret))
				referred, unnamed := g.Refer(text)
				if unnamed || strings.Contains(g.Text(referred.(string)), Mask+Mask) || g.matches(referred.(string)) != nil {
					t.Errorf("%s: %s is kept as %s", name, text, referred)
				}
				if got, missing := g.Resolve(referred); got != text || missing != nil {
					t.Errorf("%s: %s was kept as %s and came back as %s, missing %v", name, text, referred, got, missing)
				}
				if got, _ := later.Resolve(referred); secret == special && got != fmt.Sprintf(around, form("another +value/\"")) && !slices.Contains([]string{"JSON in base64", "basic in a query", "digits of both cases", "entities in small digits"}, name) {
					t.Errorf("%s: %s was kept as %s and became %s", name, text, referred, got)
				}
			}
		}
	}
}

func TestReferencesInValues(t *testing.T) {
	t.Parallel()
	g := kept("12345678")
	g.AddNamed("input:pin", "wx9z")
	in := value.ObjectOf("id", int64(12345678), "account", value.Decimal("9912345678.50"), "pin", "wx9z", "wx9z", value.List{nil, true, "k12345678"}, "n", int64(7))
	referred, unnamed := g.Refer(in)
	const want = `{"id":"•••{#}•••{config:shop.key}","account":"•••{#}99•••{config:shop.key}.50","pin":"•••{input:pin}","•••{input:pin}":[null,true,"k•••{config:shop.key}"],"n":7}`
	if got := string(value.AppendJSON(nil, referred)); got != want || unnamed {
		t.Errorf("kept is %s", got)
	}
	back, missing := g.Resolve(referred)
	if !value.Equal(back, in) || missing != nil {
		t.Errorf("%s came back, missing %v", value.AppendJSON(nil, back), missing)
	}
	const shown = `{"id":"•••","account":"99•••.50","pin":"•••","•••":[null,true,"k•••"],"n":7}`
	if got := string(value.AppendJSON(nil, Unrefer(referred))); got != shown {
		t.Errorf("shown is %s", got)
	}
	if _, missing := NewGate().Resolve(referred); !slices.Contains(missing, "config:shop.key") {
		t.Errorf("missing are %v", missing)
	}
}

// A text that looks like a reference is none, and comes back as it was.
func TestTextsThatLookLikeReferences(t *testing.T) {
	t.Parallel()
	g := kept("a-long-secret")
	for _, text := range []string{
		"•••{config:shop.key}", "•••{}", "•••{", "•••", "•••{?}", "•••{#}12", "••••••{•••{}}", "•••{a-long-secret}", "a-long-secret{x}", "{a-long-secret•••{config:shop.key}",
		"•••a-long-secret{}", "a-long-secret",
	} {
		referred, _ := g.Refer(value.ObjectOf(text, text))
		if strings.Contains(string(value.AppendJSON(nil, referred)), "a-long-secret") {
			t.Errorf("%s is kept as %s", text, value.AppendJSON(nil, referred))
		}
		if got, _ := g.Resolve(referred); !value.Equal(got, value.ObjectOf(text, text)) {
			t.Errorf("%s was kept as %s and came back as %s", text, value.AppendJSON(nil, referred), value.AppendJSON(nil, got))
		}
	}
}

func TestSecretsWithoutANameAreUnnamed(t *testing.T) {
	t.Parallel()
	g := kept("a-long-secret")
	g.Add("the-token-of-today")
	g.Add("secret-and-more")
	for text, want := range map[string]string{
		"x the-token-of-today y":          "x •••{?} y",
		"a-long-secret-and-more":          "•••{config:shop.key}•••{?}",
		"Bearer dGhlLXRva2VuLW9mLXRvZGF5": "Bearer •••{?}",
	} {
		got, unnamed := g.Refer(text)
		if got != want || !unnamed {
			t.Errorf("%s is kept as %s, unnamed %v", text, got, unnamed)
		}
	}
}

// Two keys with two tokens in them stay two.
func TestKeysStayApart(t *testing.T) {
	t.Parallel()
	g := kept("a-long-secret")
	g.Add("token-one-1234")
	g.Add("token-two-1234")
	one, two := g.Key("each[token-one-1234]", 0), g.Key("each[token-two-1234]", 0)
	if one == two || strings.Contains(one+two, "token") || one != g.Key("each[token-one-1234]", 0) {
		t.Errorf("the keys are %s and %s", one, two)
	}
	if got := g.Key("each[a-long-secret]", 0); got != "each[•••{config:shop.key}]" {
		t.Errorf("the key is %s", got)
	}
	odd := map[string]string{}
	for _, text := range []string{`\u0061-long-secret`, `\u0061-l\u006fng-secret`, `a-long-secre\u0074`, "&#97;-long-secret", "a-long-secret"} {
		key := g.Key(text, 0)
		if other, taken := odd[key]; taken || strings.Contains(key, "-secre") {
			t.Errorf("%s is kept under %s, as is %s", text, key, other)
		}
		odd[key] = text
	}
	if got := g.Key("each[a-long-secret]", 20); got != "each[a-long-secret]" {
		t.Errorf("the key is %s", got)
	}
}

func FuzzReferencesComeBack(f *testing.F) {
	f.Add("hunter2x", "user:", "@host")
	f.Add("a\"b/ü&<", "•••{", "%41")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		secret, before, after = strings.ToValidUTF8(secret, ""), strings.ToValidUTF8(before, ""), strings.ToValidUTF8(after, "")
		g := kept(secret)
		for _, e := range encoders {
			text := before + e.encode(secret) + after
			referred, _ := g.Refer(text)
			got, _ := g.Resolve(referred)
			if s := got.(string); s != text && g.Text(s) != g.Text(text) {
				t.Errorf("%q: %q was kept as %q and came back as %q", secret, text, referred, s)
			}
		}
	})
}

func BenchmarkTextWithEscapes(b *testing.B) {
	g := NewGate()
	for i := range 20 {
		g.Add(fmt.Sprintf("%d-a-secret-of-thirty-two-bytes-%d", i, i))
	}
	s := strings.Repeat(`{\"CompanyName\":\"Example, Lda.\",\"At\":\"https:\/\/x.example\/a%20b?c=d&amp;e=f\"}`, 100)
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		g.Text(s)
	}
}
