package engine

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// The sizes that a package may have without being named below.
const (
	maxCircle  = 8  // files of a package that know each other in a circle
	maxFields  = 14 // of a struct
	maxMethods = 8  // of an interface
)

// larger are the sizes beyond these as they are today: none may grow, and one that shrinks must be lowered here.
var larger = map[string]int{
	"engine/authoring.Explanation":      24,
	"engine/internal/call circle":       26,
	"engine/internal/call.answer":       15,
	"engine/internal/call.keeper":       16,
	"engine/internal/catalog circle":    13,
	"engine/internal/catalog.Operation": 17,
	"engine/internal/flow.CallRequest":  16,
	"engine/internal/flow.Result":       21,
	"engine/internal/flow.Runtime":      12,
	"engine/internal/interp.Failure":    16,
	"engine/internal/interp.walker":     16,
	"engine/internal/lang/expr circle":  22,
	"engine/internal/lang/types.Type":   21,
	"engine/internal/pipeline circle":   14,
	"engine/internal/pipeline.decoder":  15,
	"engine/internal/schema circle":     12,
	"engine/sandbox circle":             9,
}

// TestHouseFigures prints the largest circle of files of each package, the large structs and the large interfaces, and
// fails where one is larger than the plan allows: go test -run TestHouse -v ./engine
func TestHouseFigures(t *testing.T) {
	found := map[string]int{}
	for room, files := range productionFiles(t) {
		names := circle(files)
		slices.Sort(names)
		t.Logf("%-36s %2d files, %2d in the largest circle: %s", room, len(files), len(names), strings.Join(names, " "))
		if len(names) > maxCircle {
			found[room+" circle"] = len(names)
		}
		for _, file := range files {
			sizes(file, func(name string, n, most int) {
				if n > most {
					found[room+"."+name] = n
				}
			})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		t.Logf("%s: %d", name, found[name])
		if found[name] != larger[name] {
			t.Errorf("%s is %d, the list of larger ones says %d", name, found[name], larger[name])
		}
	}
	for name := range larger {
		if found[name] == 0 {
			t.Errorf("%s is no longer larger: take it from the list", name)
		}
	}
}

// productionFiles are the files of each package by their names, with the identifiers resolved that a file declares itself.
func productionFiles(t *testing.T) map[string]map[string]*ast.File {
	rooms := map[string]map[string]*ast.File{}
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(root, file)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, 0)
		if err != nil {
			return err
		}
		room := path.Dir(file)
		if rooms[room] == nil {
			rooms[room] = map[string]*ast.File{}
		}
		rooms[room][path.Base(file)] = parsed
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rooms
}

// circle returns the largest set of files of a package each of which uses, over others, a name that each other one
// declares at its top level. Methods and fields do not count: their names say nothing of where they are declared.
func circle(files map[string]*ast.File) []string {
	declares := map[string]string{}
	for name, file := range files {
		for declared := range file.Scope.Objects {
			declares[declared] = name
		}
	}
	reaches := map[string]map[string]bool{}
	for name, file := range files {
		reaches[name] = map[string]bool{}
		for _, id := range file.Unresolved {
			if other, ok := declares[id.Name]; ok && other != name {
				reaches[name][other] = true
			}
		}
	}
	for changed := true; changed; { // until nothing new is reached
		changed = false
		for _, from := range reaches {
			before := len(from)
			for _, over := range slices.Collect(maps.Keys(from)) {
				maps.Copy(from, reaches[over])
			}
			changed = changed || len(from) > before
		}
	}
	var circles [][]string
	for name := range files {
		all := []string{}
		for other := range reaches[name] {
			if reaches[other][name] {
				all = append(all, other)
			}
		}
		circles = append(circles, all)
	}
	return slices.MaxFunc(circles, func(a, b []string) int { return cmp.Compare(len(a), len(b)) })
}

// sizes calls each for every struct and interface that a file declares.
func sizes(file *ast.File, each func(name string, n, most int)) {
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		count, list, most := 0, (*ast.FieldList)(nil), maxFields
		switch is := spec.Type.(type) {
		case *ast.StructType:
			list = is.Fields
		case *ast.InterfaceType:
			list, most = is.Methods, maxMethods
		default:
			return true
		}
		for _, field := range list.List {
			count += max(1, len(field.Names))
		}
		each(spec.Name.Name, count, most)
		return true
	})
}
