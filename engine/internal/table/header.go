package table

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/lang/types"
)

// A column is what the header says of one cell of each row.
type column struct {
	name string
	typ  *types.Type
	used bool
}

// columnsOf matches the header with the type of the rows. It returns warnings
// for the columns that are not used.
func columnsOf(name string, header []string, item *types.Type, required []string) ([]column, []string, error) {
	if item != nil && item.Kind != types.Object && item.Kind != types.Unknown {
		return nil, nil, fault(name, 0, "wrong-format", "use a .json or .jsonl file",
			"rows of a CSV file have named columns, but rows of type %s are wanted", item)
	}
	columns := make([]column, len(header))
	var warnings, unused []string
	numbers := make(map[string]int, len(header)) // by name, from 1
	for i, cell := range header {
		heading := strings.TrimSpace(cell)
		if first := numbers[heading]; first > 0 && heading != "" {
			return nil, nil, fault(name, 1, "duplicate-column", "",
				"column %s stands twice in the header, as number %d and number %d", heading, first, i+1)
		}
		numbers[heading] = i + 1
		typ, used := typeOf(item, heading)
		columns[i] = column{heading, typ, used && heading != ""}
		switch {
		case heading == "":
			warnings = append(warnings, fmt.Sprintf("%s: column number %d has no name and is ignored", name, i+1))
		case !used:
			unused = append(unused, heading)
			warnings = append(warnings, fmt.Sprintf("%s: column %s is not known and is ignored", name, heading))
		}
	}
	if err := checkRequired(name, columns, unused, required); err != nil {
		return nil, nil, err
	}
	return columns, firstOf(name, warnings), nil
}

const (
	// maxWarnings is how many columns are named one by one.
	maxWarnings = 20
	// maxGuesses is among how many columns the one is looked for that was probably meant.
	maxGuesses = 500
)

func firstOf(name string, warnings []string) []string {
	if n := len(warnings) - maxWarnings; n > 1 {
		return append(warnings[:maxWarnings:maxWarnings], fmt.Sprintf("%s: %d more columns are ignored", name, n))
	}
	return warnings
}

// typeOf returns the type of a column; ok is false when the rows have no such member.
func typeOf(item *types.Type, name string) (t *types.Type, ok bool) {
	if item == nil || item.Kind == types.Unknown {
		return types.TextType, true
	}
	for _, f := range item.Fields {
		if f.Name == name {
			return f.Type, true
		}
	}
	return item.Extra, item.Extra != nil
}

// checkRequired names all required columns that are missing, each with the
// unused column that was probably meant.
func checkRequired(name string, columns []column, unused, required []string) error {
	var missing, guesses []string
	for _, want := range required {
		if slices.ContainsFunc(columns, func(c column) bool { return c.name == want }) {
			continue
		}
		missing = append(missing, want)
		if near := diag.Nearest(want, unused[:min(len(unused), maxGuesses)]); near != "" {
			guesses = append(guesses, fmt.Sprintf("%s to %s", near, want))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	hint := "the columns there are: " + joinNames(columns)
	if len(guesses) > 0 {
		hint = "did you mean to rename " + strings.Join(guesses, ", ") + "?"
	}
	word := "column"
	if len(missing) > 1 {
		word = "columns"
	}
	return fault(name, 1, "missing-column", hint, "the required %s %s %s missing", word, strings.Join(missing, ", "), isAre(len(missing)))
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func joinNames(columns []column) string {
	names := make([]string, 0, maxWarnings)
	for _, c := range columns[:min(len(columns), maxWarnings)] {
		names = append(names, c.name)
	}
	if n := len(columns) - maxWarnings; n > 0 {
		names = append(names, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(names, ", ")
}
