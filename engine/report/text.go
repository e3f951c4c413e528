package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed627bd532/runner/engine/diag"
)

const (
	maxElements = 20 // of a list that are shown
	maxCell     = 40 // runes of a table's cell
)

// Text returns the outputs for people, "" when there are none: scalars as
// "name: value", files by name and size, lists of objects as a table of the
// first rows, objects indented.
func (s *Summary) Text() string {
	v, err := parse(outputs(s.outputs))
	o, ok := v.(object)
	if err != nil || !ok {
		// Not what the engine writes; better shown raw than not at all.
		return printable(string(s.outputs)) + "\n"
	}
	var b strings.Builder
	writeMembers(&b, "", o)
	return b.String()
}

func writeMembers(b *strings.Builder, indent string, o object) {
	for _, m := range o {
		writeMember(b, indent, m)
	}
}

func writeMember(b *strings.Builder, indent string, m member) {
	name := indent + oneLine(m.name) + ":"
	switch v := m.value.(type) {
	case object:
		if file, ok := fileOf(v); ok {
			fmt.Fprintln(b, name, file)
			return
		}
		if len(v) == 0 {
			fmt.Fprintln(b, name, "{}")
			return
		}
		fmt.Fprintln(b, name)
		writeMembers(b, indent+"  ", v)
	case []any:
		if rows, ok := rowsOf(v); ok {
			fmt.Fprintln(b, name, count(len(rows)))
			writeTable(b, indent+"  ", rows)
			return
		}
		fmt.Fprintln(b, name, listText(v))
	default:
		fmt.Fprintln(b, name, cellText(v))
	}
}

// fileOf describes an output that was written to a file.
func fileOf(o object) (string, bool) {
	file, _ := o.get("file")
	name, ok := file.(string)
	rows, has := o.get("rows")
	switch {
	case !ok || !has || len(o) != 2:
		return "", false
	case rows == nil:
		return oneLine(name), true
	}
	return fmt.Sprintf("%s (%s)", oneLine(name), countText(fmt.Sprint(rows))), true
}

// rowsOf returns a list of objects, which is shown as a table.
func rowsOf(list []any) ([]object, bool) {
	rows := make([]object, len(list))
	for i, v := range list {
		o, ok := v.(object)
		if !ok {
			return nil, false
		}
		rows[i] = o
	}
	return rows, len(rows) > 0
}

// writeTable aligns the first rows below the names of their members.
func writeTable(b *strings.Builder, indent string, rows []object) {
	shown := rows[:min(len(rows), maxElements)]
	var names []string
	for _, row := range shown {
		for _, m := range row {
			if !slices.Contains(names, m.name) {
				names = append(names, m.name)
			}
		}
	}
	head := make([]string, len(names))
	for i, name := range names {
		head[i] = diag.Shorten(oneLine(name), maxCell)
	}
	lines := [][]string{head}
	for _, row := range shown {
		line := make([]string, len(names))
		for i, name := range names {
			if v, ok := row.get(name); ok && v != nil {
				line[i] = diag.Shorten(cellText(v), maxCell)
			}
		}
		lines = append(lines, line)
	}
	writeAligned(b, indent, lines)
	if more := len(rows) - len(shown); more > 0 {
		fmt.Fprintf(b, "%s… and %d more\n", indent, more)
	}
}

// writeAligned pads cells to the widest of their column.
func writeAligned(b *strings.Builder, indent string, lines [][]string) {
	width := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range lines {
		var text strings.Builder
		for i, cell := range line {
			fmt.Fprintf(&text, "%-*s  ", width[i], cell)
		}
		fmt.Fprintln(b, strings.TrimRight(indent+text.String(), " "))
	}
}

// listText is a list that is no table, on one line.
func listText(list []any) string {
	if len(list) == 0 {
		return "none"
	}
	var parts []string
	for _, v := range list[:min(len(list), maxElements)] {
		parts = append(parts, cellText(v))
	}
	if more := len(list) - len(parts); more > 0 {
		parts = append(parts, fmt.Sprintf("… and %d more", more))
	}
	return strings.Join(parts, ", ")
}

// cellText is a value on one line: texts as they are, lists and objects as JSON.
func cellText(v any) string {
	if s, ok := v.(string); ok {
		return oneLine(s)
	}
	return oneLine(string(marshal(v)))
}

func count(n int) string { return countText(fmt.Sprint(n)) }

func countText(n string) string {
	if n == "1" {
		return "1 row"
	}
	return n + " rows"
}
