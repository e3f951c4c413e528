package interp

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// exports finds the compiled form of imported packages in the build cache.
func exports(t *testing.T) func(path string) (io.ReadCloser, error) {
	list, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(list)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[path] = file
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
}

// What a resumed run must compute alike may depend on nothing but its input:
// no goroutine, no channel, no clock, no order of a Go map.
func TestTheInterpreterIsDeterministic(t *testing.T) {
	fset := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", exports(t))}
	if _, err := conf.Check("interp", fset, files, info); err != nil {
		t.Fatal(err)
	}
	forbidden := map[string]bool{"time.Now": true, "time.Since": true, "time.Until": true, "time.Sleep": true, "time.After": true, "time.NewTimer": true, "time.NewTicker": true, "time.Tick": true, "time.AfterFunc": true}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			complain := func(what string) { t.Errorf("%s: %s", fset.Position(n.Pos()), what) }
			switch n := n.(type) {
			case *ast.GoStmt:
				complain("starts a goroutine")
			case *ast.SelectStmt:
				complain("selects")
			case *ast.SendStmt, *ast.ChanType:
				complain("uses a channel")
			case *ast.RangeStmt:
				if _, isMap := info.TypeOf(n.X).Underlying().(*types.Map); isMap {
					complain("ranges over a map")
				}
			case *ast.Ident:
				if o := info.Uses[n]; o != nil && o.Pkg() != nil && o.Parent() == o.Pkg().Scope() && forbidden[o.Pkg().Path()+"."+n.Name] {
					complain("reads the clock: " + n.Name)
				}
			}
			return true
		})
	}
}
