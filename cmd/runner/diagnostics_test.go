package main

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/sandbox"
	"github.com/seed627bd532/runner/schemas"
)

const diagnostics = "../../docs/diagnostics.md"

// A section is what docs/diagnostics.md says of one code.
type section struct {
	code, text string
	line       int  // of its heading
	checked    bool // check finds it: there is an example
}

func sectionsOf(t *testing.T, page string) []section {
	t.Helper()
	var all []section
	checked, n := false, 0
	for line := range strings.Lines(page) {
		n++
		if part, ok := strings.CutPrefix(line, "## "); ok {
			checked = strings.HasPrefix(part, "Errors in files")
		}
		if name, ok := strings.CutPrefix(line, "### "); ok {
			all = append(all, section{code: strings.TrimSpace(name), line: n, checked: checked})
		} else if len(all) > 0 && !strings.HasPrefix(line, "## ") {
			all[len(all)-1].text += line
		}
	}
	return all
}

// TestEveryCodeIsDocumented wants a section for every code of the Go source, and
// none besides.
func TestEveryCodeIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(diagnostics)
	if err != nil {
		t.Fatal(err)
	}
	source := codesOfTheSource(t)
	if len(source) < 100 {
		t.Errorf("found %d codes in the source", len(source))
	}
	documented := map[string]bool{}
	for _, s := range sectionsOf(t, string(page)) {
		if documented[s.code] {
			t.Errorf("line %d: %s is there twice", s.line, s.code)
		}
		documented[s.code] = true
		if source[s.code] == "" {
			t.Errorf("line %d: the source has no code %s", s.line, s.code)
		}
		if !strings.Contains(s.text, "\nFix: ") {
			t.Errorf("line %d: nothing says how to fix %s", s.line, s.code)
		}
	}
	for _, c := range slices.Sorted(maps.Keys(source)) {
		if !documented[c] {
			t.Errorf("%s: docs/diagnostics.md has no section %s", source[c], c)
		}
	}
}

// TestExamplesOfDiagnostics checks the examples of docs/diagnostics.md: each has
// a fault with the code of its section, and the page shows the first of these as it is
// printed. With -update the page shows what is printed.
func TestExamplesOfDiagnostics(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile(diagnostics)
	if err != nil {
		t.Fatal(err)
	}
	page, updated := string(file), string(file)
	base := fstest.MapFS{}
	for i, b := range blocks(page) {
		if b.info == "yaml" {
			base[fileName(b.text, i)] = &fstest.MapFile{Data: []byte(b.text)}
		}
	}
	for _, d := range engine.Check(base, engine.Options{}) {
		t.Errorf("the files of the page: %v", d)
	}
	for _, s := range sectionsOf(t, page) {
		examples := blocks(s.text)
		if !s.checked {
			continue
		}
		if len(examples) < 2 {
			t.Errorf("line %d: %s has no example", s.line, s.code)
			continue
		}
		for i, b := range examples {
			kind, isExample := strings.CutPrefix(b.info, "yaml fault ")
			if !isExample {
				continue
			}
			got := exampleFault(t, base, kind, b.text, s.code)
			if got == "" {
				t.Errorf("line %d: the example has no fault %s", s.line+b.line, s.code)
			}
			if i+1 == len(examples) || examples[i+1].info != "text" {
				t.Errorf("line %d: the example does not show what is printed", s.line+b.line)
				continue
			}
			if shown := examples[i+1].text; got != shown {
				if !*update {
					t.Errorf("line %d: the example gives\n%s\nand the page shows\n%s", s.line+b.line, got, shown)
				}
				updated = strings.Replace(updated, b.text+"```\n\n```text\n"+shown, b.text+"```\n\n```text\n"+got, 1)
			}
		}
	}
	if *update && updated != page {
		if err := os.WriteFile(diagnostics, []byte(updated), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// exampleFault checks an example among the files of the page, and returns the
// first fault with the code as it is printed.
func exampleFault(t *testing.T, base fstest.MapFS, kind, text, code string) string {
	t.Helper()
	name := "pipelines/example.yaml"
	switch kind {
	case "pipeline":
		head := "pipeline: example\nversion: 1\n"
		if !strings.Contains("\n"+text, "\nconnections:") {
			head += "connections: {shop: {vendor: shop}}\n"
		}
		if !strings.Contains("\n"+text, "\nsteps:") {
			text += "steps: [{id: ping, call: shop.ping}]\n"
		}
		text = head + text
	case "vendor":
		name = "specs/example.yaml"
		if !strings.Contains("\n"+text, "\noperations:") {
			text += "operations: {ping: {effect: read, request: {method: GET, path: /}}}\n"
		}
		text = "vendor: example\nversion: 1\n" + text
	case "connections":
		name = "connections.yaml"
	case "test":
		name = "pipelines/example.test.yaml"
		text = "test: other\n" + text
	case "sandbox":
		name = "specs/example.sandbox.yaml"
		text = "sandbox: example\nversion: 1\n" + text
	case "sandbox shop":
		name = "specs/shop.sandbox.yaml"
		text = "sandbox: shop\nversion: 1\nconnection: {base_url: \"${{ sandbox.url }}\", config: {key: k}}\n" + text
	case "escaped":
		unquoted, err := strconv.Unquote(strings.TrimSpace(text))
		if err != nil {
			t.Errorf("%s: %v", code, err)
		}
		text = unquoted
	case "file":
	default:
		t.Errorf("%s: there is no kind of example %q", code, kind)
	}
	files := maps.Clone(base)
	files[name] = &fstest.MapFile{Data: []byte(text)}
	faults := engine.Check(files, engine.Options{Paths: []string{name}})
	if strings.HasPrefix(kind, "sandbox") {
		more, err := sandbox.Check(files, name)
		if err != nil {
			t.Error(err)
		}
		faults = append(faults, more...)
	}
	faults.Sort()
	for _, d := range faults {
		if d.Code == code {
			var out strings.Builder
			if err := diag.Render(&out, diag.List{d}); err != nil {
				t.Fatal(err)
			}
			return out.String()
		}
	}
	for _, d := range faults {
		t.Logf("%s: found instead %s: %v", code, d.Code, d)
	}
	return ""
}

// TestTestFilesKnowTheCodesOfFailures holds the codes that a test may expect against the page.
func TestTestFilesKnowTheCodesOfFailures(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(diagnostics)
	if err != nil {
		t.Fatal(err)
	}
	_, runs, _ := strings.Cut(string(page), "\n## Failures of runs\n")
	runs, _, _ = strings.Cut(runs, "\n## ")
	var want []string
	for _, s := range sectionsOf(t, runs) {
		if s.code != "interrupted" { // nobody interrupts a test
			want = append(want, s.code)
		}
	}
	text, _ := schemas.Bundle("test")
	var grammar struct {
		Defs struct {
			Error struct {
				Properties struct {
					Code struct{ Enum []string }
				}
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(text, &grammar); err != nil {
		t.Fatal(err)
	}
	if got := grammar.Defs.Error.Properties.Code.Enum; len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("test files know\n%v\nthe page has\n%v", got, want)
	}
}
