package authoring_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/authoring"
	"github.com/seed627bd532/runner/engine/diag"
)

var update = flag.Bool("update", false, "rewrite the expected texts")

// golden compares text with a file below testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, text, want)
	}
}

func TestExplainTellsWhatOneNeedsToKnow(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"shop": "vendor", "shop.find": "read", "shop.order": "create", "shop.cancel": "idempotent", "pipelines/main.yaml": "pipeline",
		"store": "store", "store.put": "put", "shop.ask": "unidentified",
	} {
		e, err := authoring.Explain(shop(), name)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := e.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		golden(t, file+".txt", text.String())
		golden(t, file+".json", string(e.JSON()))
		if !json.Valid(e.JSON()) {
			t.Errorf("%s: this is no JSON: %s", name, e.JSON())
		}
	}
}

func TestExplainNamesWhatItCannotFind(t *testing.T) {
	t.Parallel()
	broken := shop()
	broken["specs/broken.yaml"] = &fstest.MapFile{Data: []byte("vendor: broken\nversion: 1\n")}
	for name, want := range map[string]string{
		"shp":                 "no vendor shp: there is no specs/shp.yaml (hint: did you mean shop? (a pipeline is named by its path))",
		"shop.oder":           "vendor shop has no operation oder (hint: did you mean order?)",
		"pipelines/none.yaml": "pipelines/none.yaml: no such file (hint: paths are relative to the project's root, the folder that has specs/)",
		"specs/shop.yaml":     "specs/shop.yaml: this is no pipeline (hint: a vendor is named without path: VENDOR or VENDOR.OPERATION)",
		"broken":              "specs/broken.yaml:1:1: missing key \"operations\" (hint: )",
	} {
		_, err := authoring.Explain(broken, name)
		var faults diag.List
		if !errors.As(err, &faults) || len(faults) != 1 {
			t.Errorf("%s: got %v, want one fault", name, err)
			continue
		}
		if got := faults.Error() + " (hint: " + faults[0].Hint + ")"; got != want {
			t.Errorf("%s: got %s\nwant %s", name, got, want)
		}
	}
}

// TestExamplesOfExplanationsAreRight puts the examples of all that is shipped into
// files, and checks these.
func TestExamplesOfExplanationsAreRight(t *testing.T) {
	t.Parallel()
	for _, files := range []fstest.MapFS{shop(), shipped(t)} {
		made := map[string]bool{}
		for _, vendor := range vendors(files) {
			v, err := authoring.Explain(files, vendor)
			if err != nil {
				t.Fatal(err)
			}
			files["connections-"+vendor+".yaml"] = &fstest.MapFile{Data: []byte(v.Example)}
			made["connections-"+vendor+".yaml"] = true
			for _, op := range v.Operations {
				e, err := authoring.Explain(files, vendor+"."+op.Name)
				if err != nil {
					t.Fatal(err)
				}
				var b strings.Builder
				b.WriteString("pipeline: example_" + op.Name + "\nversion: 1\nconnections: {" + vendor + ": {vendor: " + vendor + "}}\n")
				if strings.Contains(e.Example, "inputs.") {
					b.WriteString("inputs:\n")
				}
				for _, in := range e.Inputs {
					if !strings.Contains(e.Example, "inputs."+in.Name+" ") {
						continue // an example gives what must be given
					}
					b.WriteString("  " + in.Name + ": {$ref: \"../../" + e.File + "#/operations/" + op.Name + "/inputs/" + in.Name + "\"}\n")
				}
				b.WriteString("steps:\n  " + strings.ReplaceAll(strings.TrimSpace(e.Example), "\n", "\n  ") + "\n")
				name := "pipelines/" + vendor + "/example_" + op.Name + ".yaml"
				files[name], made[name] = &fstest.MapFile{Data: []byte(b.String())}, true
			}
		}
		for _, d := range engine.Check(files, engine.Options{Paths: []string{"."}}) {
			if made[d.File.Name] {
				t.Errorf("%v\n%s", d, d.File.Text)
			}
		}
	}
}

// vendors are the names of the vendors in a project.
func vendors(files fstest.MapFS) []string {
	var names []string
	for name := range files {
		if vendor, ok := strings.CutPrefix(name, "specs/"); ok && !strings.HasSuffix(vendor, ".sandbox.yaml") {
			names = append(names, strings.TrimSuffix(vendor, ".yaml"))
		}
	}
	return names
}

func TestExplanationsDoNotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	files := shop()
	files["specs/shop.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(files["specs/shop.yaml"].Data),
		"title: Find orders", `title: "\e[31mred\n\u202Eder"`, 1))}
	e, err := authoring.Explain(files, "shop")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := e.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if want := "\uFFFD[31mred \uFFFDder\n"; !strings.Contains(text.String(), want) {
		t.Errorf("got\n%q\nwant it to have %q", text.String(), want)
	}
}

func TestGraphDrawsAllKindsOfSteps(t *testing.T) {
	t.Parallel()
	text, err := authoring.Graph(shop(), "pipelines/main.yaml")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "main.mmd", text)
}

// A line of Mermaid is one of these; inside of quotes nothing can end a label.
var mermaid = regexp.MustCompile(`^ *(` +
	`n\d+[\[({/]+"[^"\\%` + "`" + `<>]*(<br/>[^"\\%` + "`" + `<>]*)*"[\])}/]+(:::[a-z]+)?` +
	`|n\d+ -->(\|"(yes|no)"\|)? n\d+` +
	`|subgraph n\d+\["[^"\\%` + "`" + `<>]*"\]|end` +
	`|classDef [a-z]+ [a-z0-9#:,-]+)$`)

func TestGraphsAreMermaid(t *testing.T) {
	t.Parallel()
	for _, files := range []fstest.MapFS{shop(), shipped(t)} {
		for name := range files {
			if !strings.HasPrefix(name, "pipelines/") || strings.HasSuffix(name, ".test.yaml") {
				continue
			}
			text, err := authoring.Graph(files, name)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			if lines[0] != "flowchart TD" {
				t.Errorf("%s begins with %q", name, lines[0])
			}
			for _, line := range lines[1:] {
				if !mermaid.MatchString(line) {
					t.Errorf("%s: this is no line of Mermaid: %s", name, line)
				}
			}
			if strings.Count(text, "subgraph ") != strings.Count(text, " end\n") {
				t.Errorf("%s: boxes are not closed:\n%s", name, text)
			}
		}
	}
}

func TestFormatKeepsCommentsAndMeaning(t *testing.T) {
	t.Parallel()
	got, err := authoring.Format("a.yaml", []byte("# a shop\nvendor:   shop\noperations:\n    find: {effect:  read}   # one\n"))
	if want := "# a shop\nvendor: shop\noperations:\n  find: {effect: read}      # one\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	got, err = authoring.Format("a.yaml", []byte("vendor: [shop\n"))
	var faults diag.List
	if got != nil || !errors.As(err, &faults) {
		t.Errorf("got %q, %v, want faults", got, err)
	}
}

func TestExplainLeavesBrokenTestsToCheck(t *testing.T) {
	t.Parallel()
	files := shop()
	files["pipelines/broken.test.yaml"] = &fstest.MapFile{Data: []byte("test: main\ncases: [{name: broken}]\n")}
	e, err := authoring.Explain(files, "pipelines/main.yaml")
	if err != nil || len(e.Tests) != 3 {
		t.Errorf("got %v, %v", e.Tests, err)
	}
}
