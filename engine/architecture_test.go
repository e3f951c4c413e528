package engine

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the floors in docs/architecture.md")

// TestArchitecturePage compares docs/architecture.md with the plan of the house: its picture of the floors, which
// -update writes, and one line for each package.
func TestArchitecturePage(t *testing.T) {
	const name = "../docs/architecture.md"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	var picture strings.Builder
	packages := map[string]bool{}
	for i, rooms := range slices.Backward(floors) {
		var here []string
		for _, room := range rooms {
			packages[room] = true
			here = append(here, strings.TrimPrefix(strings.TrimPrefix(room, "engine/internal/"), "engine/"))
		}
		fmt.Fprintf(&picture, "%2d  %s\n", i, strings.Join(here, "  "))
	}
	part := regexp.MustCompile(`(?s)(<!-- floors: [^\n]*-->\n).*?(<!-- end -->\n)`)
	updated := part.ReplaceAllString(page, "${1}```text\n"+picture.String()+"```\n${2}")
	if updated != page && !*update {
		t.Errorf("the floors of the page are not those of the plan; run this test with -update. They are\n%s", &picture)
	} else if updated != page {
		if err := os.WriteFile(name, []byte(updated), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `((?:cmd|engine|docs|schemas)[^` ]*)` \\|").FindAllStringSubmatch(page, -1) {
		if !packages[row[1]] {
			t.Errorf("the page has a line for %s, which is no package of the plan or has two lines", row[1])
		}
		delete(packages, row[1])
	}
	for _, room := range slices.Sorted(maps.Keys(packages)) {
		t.Errorf("the page has no line for the package %s", room)
	}
}
