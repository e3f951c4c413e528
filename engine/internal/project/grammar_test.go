package project_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/auth"
	"github.com/seed627bd532/runner/engine/internal/flow"
	"github.com/seed627bd532/runner/engine/internal/pipeline"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/session"
	"github.com/seed627bd532/runner/engine/page"
	"github.com/seed627bd532/runner/schemas"
)

// goTexts are the texts in the source of a few packages.
type goTexts struct {
	all  map[string]bool     // every text
	keys map[string]string   // those that a node is asked for, with a place
	maps map[string][]string // the keys of map literals, by the variable or function that holds them
}

// readGo reads the Go files at the patterns, tests excepted. Paths are relative to this folder.
func readGo(t *testing.T, patterns ...string) *goTexts {
	t.Helper()
	texts := &goTexts{map[string]bool{}, map[string]string{}, map[string][]string{}}
	fset := token.NewFileSet()
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: found %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				texts.read(fset, d)
			}
		}
	}
	return texts
}

func (g *goTexts) read(fset *token.FileSet, d ast.Decl) {
	holder := ""
	if f, ok := d.(*ast.FuncDecl); ok {
		holder = f.Name.Name
	}
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			holder = n.Names[0].Name
		case *ast.BasicLit:
			if text, ok := textOf(n); ok {
				g.all[text] = true
			}
		case *ast.CompositeLit:
			if _, isMap := n.Type.(*ast.MapType); !isMap {
				break
			}
			for _, e := range n.Elts {
				if pair, ok := e.(*ast.KeyValueExpr); ok {
					if text, ok := textOf(pair.Key); ok {
						g.maps[holder] = append(g.maps[holder], text)
					}
				}
			}
		case *ast.CallExpr:
			fun, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || len(n.Args) != 1 || fun.Sel.Name != "Get" && fun.Sel.Name != "Key" {
				break
			}
			if text, ok := textOf(n.Args[0]); ok {
				g.keys[text] = fset.Position(n.Pos()).String()
			}
		}
		return true
	})
}

func textOf(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

// grammar is a schema as JSON.
func grammar(t *testing.T, kind string) map[string]any {
	t.Helper()
	text, err := fs.ReadFile(schemas.Files(), kind+".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// propertyNames adds the keys that a schema knows.
func propertyNames(schema any, names map[string]bool) {
	switch s := schema.(type) {
	case []any:
		for _, item := range s {
			propertyNames(item, names)
		}
	case map[string]any:
		for word, v := range s {
			members, ok := v.(map[string]any)
			switch {
			case word == "examples" || word == "enum" || word == "const":
			case ok && (word == "properties" || word == "$defs"):
				for name, member := range members {
					names[name] = names[name] || word == "properties"
					propertyNames(member, names)
				}
			default:
				propertyNames(v, names)
			}
		}
	}
	maps.DeleteFunc(names, func(_ string, known bool) bool { return !known })
}

// TestGrammarsAndDecodersKnowTheSameKeys wants that what reads a kind of file
// knows every key of its grammar, and asks for none that the grammar refuses.
func TestGrammarsAndDecodersKnowTheSameKeys(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind     string
		decoders []string
		// others are keys of the grammar that nothing needs to read.
		others []string
		// members are what nodes are asked for that are no keys of the grammar.
		members []string
	}{
		{"vendor", []string{"../catalog/*.go", "../lang/paths/mapping*.go", "link.go"}, []string{"version", "description"}, []string{"grant_type"}},
		{"pipeline", []string{"../pipeline/*.go", "../catalog/params.go", "read.go"}, []string{"version", "title", "description"}, []string{"effect"}}, // of the built-in vendor
		{"connections", []string{"connections.go"}, nil, nil},
		{"test", []string{"../testfile/*.go", "../testrun/*.go", "tests.go"}, []string{"version", "title", "description"}, []string{"Content-Type"}},
		{"sandbox", []string{"../../sandbox/*.go"}, []string{"version", "title", "description"}, []string{"Content-Type"}},
	} {
		texts := readGo(t, tt.decoders...)
		names, data := map[string]bool{}, map[string]bool{}
		propertyNames(grammar(t, tt.kind), names)
		propertyNames(grammar(t, "data"), data)
		if len(names) < 4 || len(texts.keys) < 3 {
			t.Errorf("%s: found %d keys in the grammar, %d in the decoders", tt.kind, len(names), len(texts.keys))
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if !texts.all[name] && !data[name] && !slices.Contains(tt.others, name) {
				t.Errorf("%s: the grammar has the key %s, and nothing reads it", tt.kind, name)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(texts.keys)) {
			if !names[key] && !data[key] && !slices.Contains(tt.members, key) {
				t.Errorf("%s: %s reads the key %s, and the grammar does not have it", tt.kind, texts.keys[key], key)
			}
		}
	}
}

// TestGrammarKnowsEveryKeywordOfSchemas wants that what compiles data schemas
// knows every keyword of theirs.
func TestGrammarKnowsEveryKeywordOfSchemas(t *testing.T) {
	t.Parallel()
	texts := readGo(t, "../schema/*.go", "../lang/types/schema*.go", "../catalog/params.go")
	remarks := []string{"readOnly", "writeOnly"} // for readers of the file
	for name := range grammar(t, "data")["properties"].(map[string]any) {
		if !texts.all[name] && !slices.Contains(remarks, name) {
			t.Errorf("the grammar has the keyword %s, and nothing knows it", name)
		}
	}
}

// at follows keys into a schema.
func at(schema any, keys ...string) any {
	for _, key := range keys {
		schema = schema.(map[string]any)[key]
	}
	return schema
}

func wantSame(t *testing.T, what string, inGrammar, inGo []string) {
	t.Helper()
	slices.Sort(inGrammar)
	slices.Sort(inGo)
	if !slices.Equal(inGrammar, inGo) {
		t.Errorf("%s: the grammar has %v, Go has %v", what, inGrammar, inGo)
	}
}

func texts(list any) []string {
	var all []string
	for _, item := range list.([]any) {
		all = append(all, item.(string))
	}
	return all
}

// TestGrammarsListTheKindsOfGo holds what grammars list by name against the
// places in Go where these kinds are registered.
func TestGrammarsListTheKindsOfGo(t *testing.T) {
	t.Parallel()
	vendor, flowchart := grammar(t, "vendor"), grammar(t, "pipeline")
	wantSame(t, "ways of paging", texts(at(vendor, "$defs", "paginate", "properties", "by", "enum")), slices.Collect(maps.Keys(page.Builtin())))

	// Each way of getting a token is a key.
	tokens := slices.Collect(maps.Keys(auth.Builtin()))
	keys := slices.Collect(maps.Keys(at(vendor, "$defs", "token", "properties").(map[string]any)))
	for _, other := range []string{"with", "check", "lifetime", "use", "settle"} {
		keys = slices.DeleteFunc(keys, func(key string) bool { return key == other })
	}
	wantSame(t, "ways to get a token", keys, tokens)

	wantSame(t, "grants", texts(at(vendor, "$defs", "oauth2", "properties", "grant", "enum")), readGo(t, "../catalog/decode_auth.go").maps["grantParams"])
	var kinds []string
	for _, one := range at(flowchart, "$defs", "step", "oneOf").([]any) {
		kinds = append(kinds, texts(at(one, "required"))...)
	}
	wantSame(t, "kinds of steps", kinds, readGo(t, "../pipeline/decode_action.go").maps["kinds"])

	wantSame(t, "effects", texts(at(vendor, "$defs", "operation", "properties", "effect", "enum")),
		[]string{string(flow.Read), string(flow.Idempotent), string(flow.Create)})
	wantSame(t, "outcomes", texts(at(vendor, "$defs", "outcomes", "items", "properties", "is", "enum")), []string{
		string(flow.OK), string(flow.Empty), string(flow.Auth), string(flow.Throttled), string(flow.Busy),
		string(flow.Invalid), string(flow.Denied), string(flow.NotFound), string(flow.Conflict), string(flow.Unknown)})
	wantSame(t, "policies on errors", strings.Split(strings.Trim(at(flowchart, "$defs", "step", "properties", "on_error", "pattern").(string), "^$()"), "|"),
		[]string{string(pipeline.FailRun), string(pipeline.Continue), string(pipeline.Collect)})
	tests := grammar(t, "test")
	statuses := texts(at(tests, "$defs", "expect", "properties", "status", "enum"))
	wantSame(t, "ends of a run", append(statuses, string(session.Interrupted)),
		[]string{string(session.Succeeded), string(session.Failed), string(session.Partial), string(session.Ambiguous), string(session.Interrupted)})
	failures := append(texts(at(tests, "$defs", "error", "properties", "outcome", "enum")), string(flow.OK), string(flow.Empty))
	wantSame(t, "outcomes of a failure", failures, texts(at(vendor, "$defs", "outcomes", "items", "properties", "is", "enum")))
	wantSame(t, "methods", texts(at(tests, "$defs", "request", "properties", "method", "enum")),
		texts(at(grammar(t, "sandbox"), "$defs", "operation", "properties", "method", "enum")))
	wantSame(t, "kinds of files", schemas.Kinds(), slices.Clone(project.Kinds))
}
