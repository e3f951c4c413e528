package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/paths"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
	"github.com/seed627bd532/runner/engine/internal/redact"
	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
)

func TestSecretPathsMask(t *testing.T) {
	t.Parallel()
	const (
		account  = `{"Id":7,"Cost":203.7700,"Fields":[{"Name":"Seats","Value":"5"},{"Name":"InitialPassword","Value":"p1"},{"Name":"InitialPassword","Value":"p2"},{"Name":"InitialPassword"}]}`
		masked   = `{"Id":7,"Cost":203.7700,"Fields":[{"Name":"Seats","Value":"5"},{"Name":"InitialPassword","Value":"•••"},{"Name":"InitialPassword","Value":"•••"},{"Name":"InitialPassword"}]}`
		password = `#(Name=="InitialPassword")`
	)
	tests := []struct{ path, give, want, found string }{
		{`Fields.` + password + `.Value`, account, masked, "p1 p2"},
		{`Fields.` + password + `#.Value`, account, masked, "p1 p2"},
		{`#.Fields.` + password + `.Value`, `[` + account + `,` + account + `]`, `[` + masked + `,` + masked + `]`, "p1 p2 p1 p2"},
		{`#.Fields.` + password + `#.Value`, account, account, ""},
		{`Fields.` + password + `.Value`, `{"Fields":{"InitialPassword":"p1"}}`, `{"Fields":{"InitialPassword":"p1"}}`, ""},
		{`Fields.InitialPassword`, `{"Fields":{"InitialPassword":"p1"}}`, `{"Fields":{"InitialPassword":"•••"}}`, "p1"},
		{`Fields.#(Name%"*assword*").Value`, account, masked, "p1 p2"},
		{`Fields.#(Name=="a.b)c\"d").Value`, `{"Fields":[{"Name":"a.b)c\"d","Value":"p"},{"Name":"a.b","Value":"q"}]}`, `{"Fields":[{"Name":"a.b)c\"d","Value":"•••"},{"Name":"a.b","Value":"q"}]}`, "p"},
		{`a.#(b.#(c==1)).d`, `{"a":[{"b":[{"c":1}],"d":"x"},{"b":[{"c":2}],"d":"y"}]}`, `{"a":[{"b":[{"c":1}],"d":"•••"},{"b":[{"c":2}],"d":"y"}]}`, "x"},
		{`keys.#`, `{"keys":["k1","k2"]}`, `{"keys":["•••","•••"]}`, "k1 k2"},
		{`keys.#(%"k*")`, `{"keys":["k1","x",2]}`, `{"keys":["•••","x",2]}`, "k1"},
		{`keys.1`, `{"keys":["k1","k2"]}`, `{"keys":["k1","•••"]}`, "k2"},
		{`keys.1`, `{"keys":{"1":"k1"}}`, `{"keys":{"1":"•••"}}`, "k1"},
		{`a\.b.c`, `{"a.b":{"c":"x"},"a":{"b":{"c":"y"}}}`, `{"a.b":{"c":"•••"},"a":{"b":{"c":"y"}}}`, "x"},
		{`pin`, `{"pin":12345678901234567890.10}`, `{"pin":null}`, "12345678901234567890.10"},
		{`pin`, `{"pin":true}`, `{"pin":null}`, ""},
		{`pin`, `{"pin":null}`, `{"pin":null}`, ""},
		{`pin`, `{"pin":""}`, `{"pin":""}`, ""},
		{`pin`, `{"pin":{"a":["x",1,{"b":"y"}]}}`, `{"pin":{"a":["•••",null,{"b":"•••"}]}}`, "x 1 y"},
		{`@this`, `"tok"`, `"•••"`, "tok"},
		{`pin`, `null`, `null`, ""},
		{`pin.x`, `{"pin":"text"}`, `{"pin":"text"}`, ""},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			t.Parallel()
			n, faults := source.Read("x.yaml", []byte("- '"+test.path+"'\n"))
			var list diag.List
			d := &decoder{faults: &list}
			p := d.secret(n.Items[0], types.AnyType)
			if len(faults) > 0 || len(list) > 0 {
				t.Fatal(faults, list)
			}
			v, err := value.Decode([]byte(test.give))
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			got := p.Mask(v, func(secret value.Value) {
				text, err := value.Text(secret)
				if err != nil {
					t.Error(err)
				}
				found = append(found, text)
			})
			if g := string(value.AppendJSON(nil, got)); g != test.want || strings.Join(found, " ") != test.found {
				t.Errorf("got  %s, found %q\nwant %s, found %q", g, found, test.want, test.found)
			}
		})
	}
}

// Whatever a path leads others to, it leads to for masking.
func FuzzSecretPathsMaskWhatPathsFind(f *testing.F) {
	const doc = `{"a":[{"b":"x","c":[{"d":"y","e":1},"z"]},{"b":null,"c":{"d":"v"}},"w"],"0":{"a.b":"u"},"l":["k",["m"],12]}`
	for _, path := range []string{`a.#.b`, `a.0.c.0.d`, `a.#(b=="x").c`, `a.#(b=="x")#.c.#(e>0)#.d`, `0.a\.b`, `l.#`, `l.#(%"k*")`, `l.1.0`, `@this`, `a.#.c.#.d`, `a.#(c.#(e==1)).b`, `@this.l.2`} {
		f.Add(path, doc)
	}
	f.Fuzz(func(t *testing.T, path, text string) {
		v, err := value.Decode([]byte(text))
		if err != nil {
			return
		}
		n := &source.Node{Kind: source.Scalar, Text: path, Quoted: true}
		var faults diag.List
		d := &decoder{faults: &faults}
		p, other := d.secret(n, types.AnyType), paths.Compile(n, types.AnyType, &faults)
		if p == nil || other == nil || p.steps == nil || p.steps[len(p.steps)-1].each && !strings.HasSuffix(path, ")#") {
			return // a path that ends in # counts, for others
		}
		masked := value.AppendJSON(nil, p.Mask(v, func(value.Value) {}))
		found, _, err := other.Get(masked)
		if err != nil {
			t.Fatal(err)
		}
		if !hidden(found) {
			t.Errorf("path %q finds %s in %s", path, value.AppendJSON(nil, found), masked)
		}
	})
}

// hidden reports whether nothing can be read from v.
func hidden(v value.Value) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == "" || v == redact.Mask
	case value.List:
		return !slices.ContainsFunc(v, func(elem value.Value) bool { return !hidden(elem) })
	case *value.Object:
		for _, member := range v.All() {
			if !hidden(member) {
				return false
			}
		}
		return true
	}
	return false
}
