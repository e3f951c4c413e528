package main

import (
	"encoding/json"
	"io/fs"
	"maps"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/sandbox"
)

// reference is the folder of the pages of reference.
const reference = "docs/reference"

// TestPipelinesOfTheReferenceRun runs the pipelines of docs/reference, and the operations that none
// of them calls, against its sandboxes.
func TestPipelinesOfTheReferenceRun(t *testing.T) {
	t.Parallel()
	project := referenceProject(t)
	tested := map[string]bool{}
	for _, test := range []struct{ name, inputs, want string }{
		{"order", `{"number": "N-1"}`, `{"created":true,"id":100}`},
		{"order", `{"number": "A-1"}`, `{"created":false,"id":1}`},
		{"delivery", `{"number": "A-1"}`, `{"by":"some day","fee":4.90,"orders":1}`},
		{"delivery", `{"number": "A-2", "how": "express"}`, `{"by":"2027-01-01","fee":12.50,"orders":0}`},
		{"delivery", `{"number": "A-1", "how": "pigeon"}`, "nobody delivers by pigeon"},
		{"wait_for_order", `{"number": "A-1"}`, `{"state":"sent"}`},
		{"wait_for_order", `{"number": "A-2"}`, "shop.get_state: not_found: no such order"},
		{"watch_order", `{"number": "A-1"}`, `{"is":"open","known":["A-1 open"],"was":"unheard of"}`},
		{"order_once", `{"number": "N-1"}`, `{"created":true,"id":100,"outcome":"ok"}`},
		{"order_once", `{"number": "A-1"}`, `{"created":false,"id":1,"outcome":"conflict"}`},
		{"order_once", `{"number": ""}`, "shop.create_order: invalid: an order has a number"},
		{"two_orders", `{"numbers": ["N-1", "N-2"]}`, `{"done":2}`},
		{"two_orders", `{"numbers": ["N-1", "A-1"]}`, "shop.create_order: conflict: it exists (rows done before: 1)"},
		{"orders", `{"orders": [{"number": "N-1"}, {"number": "A-1", "note": "soon"}, {"number": ""}]}`, `{"failed":1,"results":{"file":"results.csv","rows":3}}`},
		{"states", `{"numbers": ["A-1", "Z-9"]}`, `{"states":["A-1 open","Z-9 unheard of"]}`},
		{"report", `{}`, `{"rows":{"file":"stock.csv","rows":2}}`},
		{"stock.add_articles", `{"articles": [{"sku": "D4", "quantity": 1.50}]}`, `{}`},
		{"restock", `{"articles": [{"sku": "A1", "quantity": 1}, {"sku": "C3", "quantity": 2.50}, {"sku": "B2", "quantity": 0}]}`,
			`{"counted":["2026-12-31",null],"rows":["A1 done","C3 failed","B2 done"],"supplier":{"fields":` +
				`[{"name":"city","value":"Oslo"},{"name":"password","value":"•••"}],"name":"Stockfish Ltd"},"total":2.500}`},
	} {
		pipeline := "pipelines/" + test.name + ".yaml"
		tested[pipeline] = true
		t.Run(test.name+test.inputs, func(t *testing.T) {
			t.Parallel()
			p := playedProgram(t, project)
			inputs, err := engine.ReadInputs("inputs", []byte(test.inputs))
			if err != nil {
				t.Fatal(err)
			}
			request := engine.Request{Pipeline: pipeline, Inputs: inputs, OutDir: t.TempDir()}
			var result *engine.Result
			if strings.Contains(test.name, ".") {
				result, err = p.Call(t.Context(), test.name, engine.Request{Inputs: inputs})
			} else {
				result, err = p.Run(t.Context(), request)
			}
			text := ""
			if err != nil && (result == nil || len(result.Outputs) == 0) {
				text = err.Error()
			} else {
				got, _ := json.Marshal(result.Outputs) // of plain values
				text = strings.ReplaceAll(string(got), request.OutDir+"/", "")
			}
			if text != test.want {
				t.Errorf("got  %s\nwant %s", text, test.want)
			}
		})
	}
	for name := range project {
		if strings.HasPrefix(name, "pipelines/") && !strings.HasSuffix(name, ".test.yaml") && !tested[name] { // tests are run with the page
			t.Errorf("nothing runs %s", name)
		}
	}
}

// referenceProject is the project that the pages of docs/reference make together.
func referenceProject(t *testing.T) fstest.MapFS {
	t.Helper()
	project := fstest.MapFS{}
	for page := range pages(t) {
		if path.Dir(page) == reference {
			addExamples(t, project, page)
		}
	}
	return project
}

// playedProgram is the project with the sandboxes of its vendors, which are
// served until the test ends.
func playedProgram(t *testing.T, project fs.FS) *engine.Program {
	t.Helper()
	connections := map[string]engine.Connection{}
	for _, vendor := range []string{"shop", "stock", "reports"} {
		def, err := sandbox.Load(project, "specs/"+vendor+".sandbox.yaml")
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(sandbox.New(def, sandbox.Options{}))
		t.Cleanup(server.Close)
		c, err := def.Connection(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		connections[vendor] = engine.Connection{Vendor: c.Vendor, BaseURL: c.BaseURL, Config: c.Config}
	}
	p, err := engine.Load(project, engine.Options{Connections: connections})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestFaultsOfTheReferenceCanBeLaid adds the faults of docs/reference/sandbox.md to its sandbox.
func TestFaultsOfTheReferenceCanBeLaid(t *testing.T) {
	t.Parallel()
	page := pages(t)[reference+"/sandbox.md"]
	def, err := sandbox.Load(referenceProject(t), "specs/shop.sandbox.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(page, "\n## Faults\n")
	section, _, _ = strings.Cut(section, "\n## ")
	kinds := map[sandbox.Kind]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z][^ `]+)` \\|").FindAllStringSubmatch(section, -1) {
		f, err := sandbox.ParseFault(row[1])
		if err == nil {
			err = sandbox.New(def, sandbox.Options{}).AddFault(f)
		}
		if err != nil {
			t.Error(err)
		}
		kinds[f.Kind] = true
	}
	for _, kind := range []sandbox.Kind{
		sandbox.LoseRequest, sandbox.LoseAnswer, sandbox.Delay, sandbox.Status, sandbox.Truncate, sandbox.Garbage, sandbox.Expire,
	} {
		if !kinds[kind] {
			t.Errorf("no example of %s", kind)
		}
	}
}

// TestExpressionsDoAsDocumented evaluates the examples of docs/reference/expressions.md, which stand in table rows
// beside what they give, as JSON. Every function has an example, and no other name has one.
func TestExpressionsDoAsDocumented(t *testing.T) {
	t.Parallel()
	text := pages(t)[reference+"/expressions.md"]
	_, text, _ = strings.Cut(text, "\n## Operators\n")
	operators, text, _ := strings.Cut(text, "\n## Functions\n")
	functions, text, _ := strings.Cut(text, "\n## Dates and times\n")
	_, costs, _ := strings.Cut(text, "\n## Cost\n")
	costs, _, _ = strings.Cut(costs, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(operators, -1)
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)`( \\| `[^`]+` \\| `[^`]+` \\|)").FindAllStringSubmatch(functions, -1) {
		documented[row[1]] = true
		example := regexp.MustCompile("`([^`]+)` \\| `([^`]+)`").FindStringSubmatch(row[2])
		if !strings.Contains(example[1], row[1]+"(") {
			t.Errorf("the example of %s does not call it: %s", row[1], example[1])
		}
		rows = append(rows, example)
	}
	if names := slices.Sorted(maps.Keys(documented)); !slices.Equal(names, functionNames(t)) {
		t.Errorf("the page documents the functions\n%v\nthe source has\n%v", names, functionNames(t))
	}
	for _, row := range rows {
		if got := evaluated(t, row[1]); got != row[2] {
			t.Errorf("%s gives %s; documented is %s", row[1], got, row[2])
		}
	}
	runaway := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(costs, -1)
	if len(runaway) == 0 {
		t.Error("no example of cost")
	}
	for _, row := range runaway {
		if got := evaluated(t, row[1]); !strings.Contains(got, "takes too many steps") {
			t.Errorf("%s gives %s", row[1], got)
		}
	}
}

// evaluated is what an expression of a table gives in a pipeline, as JSON, or why it fails.
func evaluated(t *testing.T, expression string) string {
	t.Helper()
	expression = strings.ReplaceAll(expression, `\|`, "|")
	project := fstest.MapFS{"pipelines/example.yaml": &fstest.MapFile{Data: []byte(
		"pipeline: example\nversion: 1\nsteps:\n  - id: it\n    set:\n      is: '${{ " + strings.ReplaceAll(expression, "'", "''") + " }}'\n" +
			"outputs:\n  is: ${{ steps.it.outputs.is }}\n")}}
	p, err := engine.Load(project, engine.Options{})
	if err != nil {
		return err.Error()
	}
	result, err := p.Run(t.Context(), engine.Request{Pipeline: "pipelines/example.yaml"})
	if err != nil {
		return err.Error()
	}
	is, err := json.Marshal(result.Outputs["is"])
	if err != nil {
		return err.Error()
	}
	return string(is)
}

// functionNames finds the closed list of functions where it is declared, sorted.
func functionNames(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"../../engine/internal/*/func_*.go", "../../engine/internal/*/*/func_*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`name: "(\w+)", doc: `).FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
	}
	if len(names) < 40 {
		t.Fatalf("found %d functions", len(names))
	}
	slices.Sort(names)
	return names
}
