package engine

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/seed627bd532/runner/"

// floors is the plan of the house, lowest first: a package imports only
// packages of lower floors.
var floors = [][]string{
	{"engine/diag"},
	{"schemas", "docs", "engine/internal/value", "engine/internal/clock"},
	{"engine/internal/source", "engine/event", "engine/auth", "engine/page", "engine/internal/lang/dates"},
	{"engine/internal/lang/types", "engine/internal/lang/langtest"},
	{"engine/internal/lang/marker"},
	{"engine/internal/lang/paths", "engine/internal/lang/expr"},
	{"engine/internal/lang/template", "engine/internal/schema", "engine/internal/flow", "engine/internal/redact", "engine/state", "engine/internal/testserver"},
	{"engine/internal/catalog", "engine/internal/transport", "engine/report", "engine/internal/table", "engine/internal/flow/flowtest", "engine/state/files", "engine/state/statetest", "engine/history"},
	{"engine/internal/pipeline", "engine/state/sqlite", "engine/state/postgres"},
	{"engine/internal/interp", "engine/internal/call", "engine/internal/statetable"},
	{"engine/internal/testfile"},
	{"engine/internal/project", "engine/internal/local"},
	{"engine/internal/session"},
	{"engine/internal/testrun"},
	{"engine", "engine/sandbox", "engine/authoring"},
	{"engine/vendortest", "engine/simtest"},
	{"cmd/runner"},
}

// doors says who alone may import a library.
var doors = map[string][]string{
	"gopkg.in/yaml.v3":                      {"engine/internal/source"},
	"github.com/expr-lang/expr":             {"engine/internal/lang/expr", "engine/internal/lang/marker"},
	"github.com/tidwall/gjson":              {"engine/internal/lang/paths"},
	"github.com/santhosh-tekuri/jsonschema": {"engine/internal/schema"},
	"github.com/cockroachdb/apd":            {"engine/internal/value"},
	"github.com/go-json-experiment/json":    {"engine/internal/value", "engine/internal/table"},
	"github.com/spf13":                      {"cmd/runner"},
	"modernc.org/sqlite":                    {"engine/state/sqlite"},
	"github.com/jackc/pgx":                  {"engine/state/postgres"},
	"database/sql":                          {"engine/state/sqlite", "engine/state/postgres"},
	"golang.org/x/sys":                      {"engine/state/files"},
	"os/signal":                             {"cmd/runner"},
	"flag":                                  {},
	"unsafe":                                {"engine/internal/lang/paths"},
}

// walls says who must not reach for what.
var walls = map[string][]string{
	"engine":                 {module + "engine/state/sqlite", module + "engine/state/postgres"},
	"engine/history":         {module + "engine/internal", module + "engine/auth"},
	"engine/report":          {module + "engine/internal", module + "engine/auth"},
	"engine/auth":            {module},
	"engine/page":            {module, "net", "time", "context"},
	"engine/internal/interp": {"net", "os", "sync", "context", module + "engine/internal/call", module + "engine/report"},
	"cmd/runner":             {module + "engine/internal"},
}

func TestTheHouseKeepsItsPlan(t *testing.T) {
	floor := map[string]int{}
	for i, rooms := range floors {
		for _, room := range rooms {
			floor[room] = i
		}
	}
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(root, file)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
		if err != nil {
			return err
		}
		room := path.Dir(file)
		at, known := floor[room]
		if !known {
			t.Errorf("%s: the room %s is not in the plan", file, room)
		}
		for _, spec := range parsed.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if own, ok := strings.CutPrefix(imported, module); ok && floor[own] >= at {
				t.Errorf("%s imports %s: arrows run down only", file, own)
			}
			for library, rooms := range doors {
				if within(imported, library) && !slices.Contains(rooms, room) {
					t.Errorf("%s imports %s: its door is %v", file, imported, rooms)
				}
			}
			for _, wall := range walls[room] {
				if within(imported, wall) {
					t.Errorf("%s imports %s: there is a wall", file, imported)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func within(imported, prefix string) bool {
	return imported == prefix || strings.HasPrefix(imported, strings.TrimSuffix(prefix, "/")+"/")
}
