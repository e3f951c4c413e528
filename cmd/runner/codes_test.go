package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// code is what a stable code looks like.
var code = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)*$`)

// A codeFinder collects the codes that the Go source gives its faults and
// failures: what is passed as a parameter called code, and what is assigned to a
// variable or member of that name.
type codeFinder struct {
	packages map[string][]*ast.File
	// params are the places of parameters called code, by the folder and name of the function.
	params map[string]map[string][]int
	// constants are the constants of a folder that are texts.
	constants map[string]map[string]string
	found     map[string]string // a place, by code
	fset      *token.FileSet
}

func codesOfTheSource(t *testing.T) map[string]string {
	t.Helper()
	f := &codeFinder{map[string][]*ast.File{}, map[string]map[string][]int{}, map[string]map[string]string{}, map[string]string{}, token.NewFileSet()}
	root := os.DirFS("../..")
	for _, dir := range []string{"engine", "cmd"} {
		err := fs.WalkDir(root, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "test/") {
				return err
			}
			text, err := fs.ReadFile(root, name)
			if err != nil {
				return err
			}
			file, err := parser.ParseFile(f.fset, name, text, parser.SkipObjectResolution)
			if err == nil {
				f.declare(path.Dir(name), file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for dir, files := range f.packages {
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				f.inspect(dir, n)
				return true
			})
		}
	}
	return f.found
}

// declare notes the functions and constants of a file.
func (f *codeFinder) declare(dir string, file *ast.File) {
	f.packages[dir] = append(f.packages[dir], file)
	if f.params[dir] == nil {
		f.params[dir], f.constants[dir] = map[string][]int{}, map[string]string{}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			at := 0
			for _, field := range n.Type.Params.List {
				for _, name := range field.Names {
					if name.Name == "code" {
						f.params[dir][n.Name.Name] = append(f.params[dir][n.Name.Name], at)
					}
					at++
				}
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if i < len(n.Values) {
					if text, ok := literal(n.Values[i]); ok {
						f.constants[dir][name.Name] = text
					}
				}
			}
		}
		return true
	})
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

// inspect looks for a code in a node of a file of dir.
func (f *codeFinder) inspect(dir string, n ast.Node) {
	switch n := n.(type) {
	case *ast.CallExpr:
		name := ""
		switch fun := n.Fun.(type) {
		case *ast.Ident:
			name = fun.Name
		case *ast.SelectorExpr:
			name = fun.Sel.Name
		}
		places := f.params[dir][name]
		if len(places) == 0 && slices.Contains([]string{"Errorf", "ErrorAt", "Warnf"}, name) {
			places = f.params["engine/internal/source"][name]
		}
		for _, at := range places {
			if at < len(n.Args) {
				f.add(dir, n.Args[at])
			}
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Code" {
			f.add(dir, n.Value)
		}
	case *ast.AssignStmt:
		for i, left := range n.Lhs {
			name := ""
			switch left := left.(type) {
			case *ast.Ident:
				name = left.Name
			case *ast.SelectorExpr:
				name = left.Sel.Name
			}
			if (name == "code" || name == "Code") && len(n.Rhs) == len(n.Lhs) {
				f.add(dir, n.Rhs[i])
			}
		}
	}
}

// add adds the code that e is, or that a constant of the folder called e is.
func (f *codeFinder) add(dir string, e ast.Expr) {
	text, ok := literal(e)
	switch e := e.(type) {
	case *ast.Ident:
		text, ok = f.constants[dir][e.Name]
	case *ast.SelectorExpr:
		for other, constants := range f.constants {
			if id, isName := e.X.(*ast.Ident); isName && path.Base(other) == id.Name {
				text, ok = constants[e.Sel.Name]
			}
		}
	}
	if ok && code.MatchString(text) {
		f.found[text] = f.fset.Position(e.Pos()).String()
	}
}
