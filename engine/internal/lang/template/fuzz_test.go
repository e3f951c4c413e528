package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/expr"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

// TestTemplateBothWaysAgree holds Eval against AppendJSON over random
// templates.
func TestTemplateBothWaysAgree(t *testing.T) {
	t.Parallel()
	s, vars := sampleScope(t)
	r := rand.New(rand.NewPCG(1, 2))
	omits := 0
	for range 2000 {
		yaml := randomYAML(r, 3)
		tmpl := compileTemplate(t, yaml, s)
		text := evaluate(t, tmpl, vars)
		if text == "omit" {
			omits++
			continue
		}
		decoded, err := value.Decode([]byte(text))
		if err != nil {
			t.Fatalf("%s\ngives %s: %v", yaml, text, err)
		}
		if v, err := tmpl.Eval(vars); err != nil || !value.Equal(v, decoded) {
			t.Fatalf("%s\ngives %s, Eval %v, %v", yaml, text, v, err)
		}
	}
	if omits == 0 {
		t.Error("no template was omitted: the test shows too little")
	}
}

// randomYAML writes a template in flow style over the names of samples.
func randomYAML(r *rand.Rand, depth int) string {
	scalars := []string{
		`1`, `2.50`, `text`, `null`, `true`, `"7"`, `{}`, `[]`,
		`"${{ n }}"`, `"${{ price }}"`, `"${{ s }}"`, `"${{ nick }}"`, `"${{ any }}"`, `"${{ xs }}"`, `"${{ o.a.b }}"`,
		`"a ${{ s }} b ${{ n }}"`, `"${{ yes }}${{ price }}"`, `"$${{ ${{ n }}"`,
		`"${{ omit }}"`, `"${{ nick ?? omit }}"`, `"${{ yes ? n : omit }}"`,
	}
	kind := r.IntN(6)
	if depth == 0 || kind < 3 {
		return scalars[r.IntN(len(scalars))]
	}
	var parts []string
	for i := range r.IntN(5) {
		part := randomYAML(r, depth-1)
		if kind == 3 {
			parts = append(parts, part)
		} else if r.IntN(5) == 0 {
			parts = append(parts, fmt.Sprintf(`"k${{ n }}-%d": %s`, i, part))
		} else {
			parts = append(parts, fmt.Sprintf(`k%d: %s`, i, part))
		}
	}
	switch kind {
	case 3:
		return "[" + strings.Join(parts, ", ") + "]"
	case 4:
		return `{$each: xs, as: e, value: {id: "${{ e.id }}", x: "${{ e.tag ?? omit }}", y: ` + randomYAML(r, depth-1) + `}}`
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func FuzzTemplate(f *testing.F) {
	for _, text := range []string{
		`a: ${{ n }}`, `"x ${{ s }} $${{ y"`, `{"${{ s }}": [1, "${{ omit }}"]}`, `${{ '}}' }`, `${{{a: {b: 1}}}}`,
		"$each: xs\nas: x\nvalue: {a: \"${{ x.id }}\"}", "a: &x {b: 1}\nc: *x", "|\n  ${{\n  n }}\n", `'${{ b"\xff" }}'`,
		`${{ # }}`, `${{ n ?? omit }}`, `"{{ s }} y"`, `[-omit, "${ n }"]`, `a: ${{ any.x.y ?? "z" }} b`,
	} {
		f.Add(text)
	}
	s, vars := sampleScope(f)
	f.Fuzz(func(t *testing.T, text string) {
		n, _ := source.Read("fuzz.yaml", []byte(text))
		if n == nil {
			return
		}
		var faults diag.List
		tmpl := Compile(n, s, &faults)
		if (tmpl == nil) != faults.HasErrors() {
			t.Fatalf("template %v, faults %v", tmpl, faults)
		}
		if tmpl == nil {
			return
		}
		if out := evaluate(t, tmpl, vars); out != "omit" && !strings.HasPrefix(out, "error: ") && !json.Valid([]byte(out)) {
			t.Fatalf("not JSON: %s", out)
		}
	})
}

func FuzzMapping(f *testing.F) {
	answer := `{"a":[{"b":1.50},{"b":null}],"c":" 2.000","d":"20260131"}`
	for _, path := range []string{"@this", "a.#.b", "a.0.b", `a.#(b==1.50)`, "a.#(b>1)#.b", "{a,c}", "[c,d]", "a.@reverse|0", `a\.b`, "c*", "@tostr"} {
		f.Add(path, "text", []byte(answer))
		f.Add(path, "decimal", []byte(`"[1,{\"a\":2}]"`))
	}
	f.Fuzz(func(t *testing.T, path, typ string, body []byte) {
		entry := source.Node{Kind: source.Mapping, File: &diag.File{Name: "fuzz.yaml"}}
		for _, p := range [][2]string{{"path", path}, {"type", typ}} {
			entry.Pairs = append(entry.Pairs, source.Pair{
				Key:   &source.Node{Text: p[0], File: entry.File},
				Value: &source.Node{Text: p[1], Quoted: true, File: entry.File},
			})
		}
		var faults diag.List
		m := paths.CompileMapping("x", &entry, nil, &faults)
		if (m == nil) != faults.HasErrors() {
			t.Fatalf("mapping %v, faults %v", m, faults)
		}
		if m == nil || !paths.ValidJSON(body) {
			return
		}
		v, err := m.Get(body)
		if err == nil && !json.Valid(value.AppendJSON(nil, v)) {
			t.Fatalf("found no value: %v", v)
		}
	})
}

// TestPathAgreesWithDecodedData walks random paths of members and indexes
// through the text and through the decoded value.
func TestPathAgreesWithDecodedData(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	hits := 0
	for range 3000 {
		text := randomJSON(r, 4)
		path := strings.Join(randomNames(r), ".")
		decoded, err := value.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		want, wantFound := decoded, true
		for _, name := range strings.Split(path, ".") {
			want, wantFound = partOf(want, name, wantFound)
		}
		got, found, err := pathOf(t, `"`+path+`"`, nil).Get([]byte(text))
		if err != nil || found != wantFound || !value.Equal(got, want) {
			t.Fatalf("%s in %s finds %v, %v, %v; want %v, %v", path, text, got, found, err, want, wantFound)
		}
		if found {
			hits++
		}
	}
	if hits < 100 {
		t.Errorf("only %d paths led somewhere: the test shows too little", hits)
	}
}

func partOf(v value.Value, name string, found bool) (value.Value, bool) {
	switch v := v.(type) {
	case *value.Object:
		return v.Get(name)
	case value.List:
		if i := int(name[0] - '0'); found && len(name) == 1 && i >= 0 && i < len(v) {
			return v[i], true
		}
	}
	return nil, false
}

func randomNames(r *rand.Rand) []string {
	names := make([]string, 1+r.IntN(3))
	for i := range names {
		names[i] = []string{"a", "b", "0", "1"}[r.IntN(4)]
	}
	return names
}

func randomJSON(r *rand.Rand, depth int) string {
	if depth == 0 || r.IntN(4) == 0 {
		return []string{`1`, `"[2]"`, `"{\"a\":3}"`, `null`, `-1.50`, `true`, `"é\u00e9"`, `[]`, `{}`}[r.IntN(9)]
	}
	a, b := randomJSON(r, depth-1), randomJSON(r, depth-1)
	switch r.IntN(3) {
	case 0:
		return "[" + a + " ,\n" + b + "]"
	case 1:
		return `{ "a" : ` + a + `, "0": ` + b + `, "a": 5}`
	}
	return `{"b":` + a + `,"1":` + b + ` }`
}

// order is the body of the benchmark as hand-written Go would have it.
type order struct {
	Account struct {
		Name   string `json:"CompanyName"`
		VATID  string
		Domain string
		Ref    string
	} `json:"companyAccount"`
	Address struct {
		Street, City, Zip, Country string
	}
	Currency string
	Price    json.Number
	Quantity int64
	Active   bool
	Note     string
	Tags     []string
	Channel  string
}

const orderYAML = `
companyAccount:
  CompanyName: ${{ name }}
  VATID: ${{ vat }}
  Domain: ${{ name }}.example
  Ref: ref-${{ n }}
Address:
  Street: Main Street 1
  City: ${{ city }}
  Zip: '10115'
  Country: DE
Currency: EUR
Price: ${{ price }}
Quantity: ${{ n }}
Active: ${{ yes }}
Note: a fixed text
Tags: ${{ tags }}
Channel: direct
`

func orderTemplate(b testing.TB) (*Template, expr.Vars) {
	b.Helper()
	s := expr.NewScope(expr.Name{Name: "name", Type: types.TextType}, expr.Name{Name: "vat", Type: types.TextType}, expr.Name{Name: "city", Type: types.TextType}, expr.Name{Name: "price", Type: types.DecimalType},
		expr.Name{Name: "n", Type: types.IntegerType}, expr.Name{Name: "yes", Type: types.BooleanType}, expr.Name{Name: "tags", Type: types.ListOf(types.TextType)})
	vars := expr.Vars{"Acme", "PT507172230", "Berlin", value.Decimal("203.7700"), int64(12), true, value.List{"a", "b"}}
	return compileTemplate(b, orderYAML, s), vars
}

func TestTemplateOfBarePathsAllocatesNothing(t *testing.T) {
	tmpl, vars := orderTemplate(t)
	dst := make([]byte, 0, 4096)
	allocs := testing.AllocsPerRun(100, func() {
		if _, ok, err := tmpl.AppendJSON(dst, vars); !ok || err != nil {
			t.Fatal(ok, err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkTemplateAppendJSON(b *testing.B) {
	tmpl, vars := orderTemplate(b)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, _, err = tmpl.AppendJSON(dst[:0], vars); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStructMarshal(b *testing.B) {
	var o order
	o.Account.Name, o.Account.VATID, o.Account.Domain, o.Account.Ref = "Acme", "PT507172230", "Acme.example", "ref-12"
	o.Address.Street, o.Address.City, o.Address.Zip, o.Address.Country = "Main Street 1", "Berlin", "10115", "DE"
	o.Currency, o.Price, o.Quantity, o.Active = "EUR", "203.7700", 12, true
	o.Note, o.Tags, o.Channel = "a fixed text", []string{"a", "b"}, "direct"
	tmpl, vars := orderTemplate(b)
	want, _, err := tmpl.AppendJSON(nil, vars)
	if got, _ := json.Marshal(o); err != nil || !bytes.Equal(got, want) {
		b.Fatalf("the struct is %s, the template %s", got, want)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(o); err != nil {
			b.Fatal(err)
		}
	}
}
