package schema

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/source"
	"github.com/seed627bd532/runner/engine/internal/value"
	"github.com/seed627bd532/runner/schemas"
)

// grammarFiles are the files of the grammar, by name, and a library of them.
func grammarFiles(t *testing.T) (*Library, map[string]*value.Object) {
	t.Helper()
	names, err := fs.Glob(schemas.Files(), "*.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	lib, docs := new(Library), map[string]*value.Object{}
	for _, name := range names {
		text, err := fs.ReadFile(schemas.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		docs[name] = jsonValue(t, string(text)).(*value.Object)
		lib.Add(name, docs[name])
	}
	return lib, docs
}

// TestGrammarsHaveFittingExamples wants examples of every key whose value is not
// told by its type or by a list of words, and that they fit.
func TestGrammarsHaveFittingExamples(t *testing.T) {
	t.Parallel()
	lib, docs := grammarFiles(t)
	for name, doc := range docs {
		examples := 0
		// property says whether v is the schema of a key.
		var walk func(v *value.Object, at string, property bool)
		walk = func(v *value.Object, at string, property bool) {
			list, _ := v.At("examples").(value.List)
			for _, example := range list {
				examples++
				s, err := lib.Compile(v, name)
				if err != nil {
					t.Fatalf("%s%s: %v", name, at, err)
				}
				if faults := s.Validate(example); len(faults) > 0 {
					t.Errorf("%s%s: the example %s does not fit: %v", name, at, value.AppendJSON(nil, example), faults)
				}
			}
			if property && len(list) == 0 && !tellsItself(lib, v, name) {
				t.Errorf("%s%s has no examples", name, at)
			}
			for key, m := range v.All() {
				switch m := m.(type) {
				case *value.Object:
					if key == "properties" || key == "$defs" || key == "patternProperties" {
						for member, s := range m.All() {
							if o, ok := s.(*value.Object); ok {
								walk(o, at+"/"+key+"/"+member, key == "properties")
							}
						}
						continue
					}
					walk(m, at+"/"+key, false)
				case value.List:
					for _, item := range m {
						if o, ok := item.(*value.Object); ok && key != "examples" {
							walk(o, at+"/"+key, false)
						}
					}
				}
			}
		}
		walk(doc, "", false)
		if examples == 0 {
			t.Errorf("%s has no examples", name)
		}
	}
}

// tellsItself reports whether the schema of a key needs no example: its words are
// listed, it is yes or no, its members or items are described, or what it refers to has one.
func tellsItself(lib *Library, v *value.Object, base string) bool {
	for {
		ref, ok := v.At("$ref").(string)
		if !ok {
			break
		}
		target, at, err := lib.Resolve(base, ref)
		if err != nil {
			return false
		}
		o, ok := target.(*value.Object)
		if !ok {
			return false
		}
		v, base = o, at
		if _, has := v.Get("examples"); has {
			return true
		}
	}
	for _, key := range []string{"enum", "const", "properties", "items"} {
		if _, has := v.Get(key); has {
			return true
		}
	}
	if each, ok := v.At("additionalProperties").(*value.Object); ok {
		return tellsItself(lib, each, base)
	}
	if options, ok := v.At("anyOf").(value.List); ok {
		for _, option := range options {
			if o, ok := option.(*value.Object); ok && tellsItself(lib, o, base) {
				return true
			}
		}
	}
	return v.At("type") == "boolean"
}

// TestBundlesMeanTheSame compiles what `runner schema` prints, and holds the
// shipped files and broken ones against it.
func TestBundlesMeanTheSame(t *testing.T) {
	t.Parallel()
	if _, ok := schemas.Bundle("nothing"); ok {
		t.Error("there is a bundle of nothing")
	}
	files := map[string][]string{}
	root := os.DirFS("../../..")
	for _, dir := range []string{"specs", "pipelines"} {
		err := fs.WalkDir(root, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ".yaml" {
				return err
			}
			text, err := fs.ReadFile(root, name)
			node, faults := source.Read(name, text)
			if faults.HasErrors() {
				t.Errorf("%v", faults)
				return err
			}
			kind := node.Pairs[0].Key.Text
			files[kind] = append(files[kind], string(text), strings.Replace(string(text), "version: 1", "version: 2", 1),
				strings.Replace(string(text), "type: string", "type: strng", 1), strings.ReplaceAll(string(text), "    ", "  x: 1\n    "))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	files["connections"] = []string{"connections:\n  a: {vendor: b, base_url: x}\n", "connections:\n  A: {vendor: b, base_url: x}\n", "connections:\n  a: {}\n"}
	for _, kind := range schemas.Kinds() {
		text, ok := schemas.Bundle(kind)
		if !ok || strings.Contains(string(text), ".schema.json#") {
			t.Errorf("%s: the bundle refers to other files", kind)
		}
		doc := jsonValue(t, string(text)).(*value.Object)
		lib := new(Library)
		lib.Add("bundle.json", doc)
		compiled, err := lib.Compile(doc, "bundle.json")
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if _, err := bundle(lib, doc, "bundle.json"); err != nil {
			t.Errorf("%s is no JSON Schema: %v", kind, err)
		}
		if len(files[kind]) == 0 {
			t.Errorf("no files of kind %s", kind)
		}
		for _, file := range files[kind] {
			node, faults := source.Read("a.yaml", []byte(file))
			if faults.HasErrors() {
				continue
			}
			v := node.Literal()
			if got, want := compiled.Validate(v), grammars()[kind].Validate(v); len(got) != len(want) {
				t.Errorf("%s: the bundle finds %v, the grammar %v in\n%.200s", kind, got, want, file)
			}
		}
	}
}
