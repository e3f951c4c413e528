package project_test

import (
	"regexp"
	"slices"
	"strings"

	"github.com/seed627bd532/runner/engine/internal/testfile"
)

// The kinds of single mistakes in test files, beside those of any YAML.
var testFileMutations = []mutation{
	{kind: "misspelt pipeline of a test", in: "t", find: `(?m)^test: (\w+)$`, change: misspell},
	{kind: "misspelt key of a test", in: "t", find: `(?m)(?:^ *(?:- )?|[{,] ?)(cases|name|expect|answers|inputs|outputs|error|sent|requests|tables|times|timeout|lose_answer|unreachable|truncate|garbage|headers|outcome|code|step|operation|message):`, change: misspell, right: around, known: isWordOfTest},
	{kind: "dropped expect of a case", in: "t", find: `(?m)^    expect:.*\n(?:      .*\n)*`, change: gone, right: around},
	{kind: "case of a test that is there twice", in: "t", find: `(?m)^  - name: .*\n(?:    .*\n)+`, change: twice},
	{kind: "misspelt input of a test", in: "t", find: `(\w+): `, change: misspell, known: isBelow(1, "inputs")},
	{kind: "misspelt member of an input of a test", in: "t", find: `(\w+): `, change: misspell, known: isBelow(2, "inputs")},
	{kind: "dropped input of a test", in: "t", find: `(?m)^ +\w+: .*\n`, change: gone, right: around, known: isNeededByTest},
	{kind: "input of a test of another type", in: "t", find: `(?m)^ +(\w+: )[^&\n]+$`, change: func(m string) string { return m + "{a: 1} # " }, known: isBelow(1, "inputs")},
	{kind: "misspelt operation of a test", in: "t", find: `\b[a-z]+\.([a-z_]+)(?::|,|\}|\n)`, change: misspell, known: isWordOfTest},
	{kind: "misspelt connection of a test", in: "t", find: `(?m)[ {]([a-z]+)\.[a-z_]+(?::|,|\}|$)`, change: misspell, known: isWordOfTest},
	{kind: "misspelt field of an answer that is needed", in: "t", find: `(\w+): `, change: misspell, known: isNeededOfAnswer},
	{kind: "field of an answer of another type", in: "t", find: `\b(\w+: )[^\s{[&][^,}\n]*`, change: func(m string) string { return m + "[1], x: " }, known: isNeededOfAnswer},
	{kind: "misspelt output that a test expects", in: "t", find: `(\w+): `, change: misspell, known: isBelow(1, "outputs")},
	{kind: "misspelt member of an output that a test expects", in: "t", find: `(\w+): `, change: misspell, known: isBelow(2, "outputs")},
	{kind: "output that a test expects, of another type", in: "t", find: `\b(\w+): [^\s{[][^,}\n]*`, change: func(m string) string { return m + ": {a: 1}, x" }, known: isBelow(1, "outputs")},
	{kind: "unknown end, outcome or code that a test expects", in: "t", find: `\b(?:status|outcome|code): ([a-z]+)`, change: misspell, known: isBelow(1, "expect", "error")},
	{kind: "misspelt step that a test expects to fail", in: "t", find: `\bstep: (\w+)`, change: misspell},
	{kind: "misspelt table of a test", in: "t", find: `(\w+): `, change: misspell, known: isBelow(1, "tables")},
}

// keysAbove returns the keys that a place of a file stands below, the innermost first: those of
// lines above that are indented less, and those of mappings that are open in its own line.
func keysAbove(text string, at int) []string {
	var keys []string
	start := strings.LastIndex(text[:at], "\n") + 1
	for _, open := range openKeys(text[start:at]) {
		keys = append([]string{open}, keys...)
	}
	level := indentOf(text[start:])
	lines := strings.Split(text[:max(0, start-1)], "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		line := withoutComment(lines[i])
		if n := indentOf(line); strings.TrimSpace(line) != "" && n < level {
			level = n
			if m := blockKey.FindStringSubmatch(line); m != nil {
				keys = append(keys, m[1])
			}
			level = min(level, len(line)-len(strings.TrimLeft(line, " ")))
		}
	}
	return keys
}

var blockKey = regexp.MustCompile(`^ *(?:- )?([\w.]+):`)

// openKeys returns the keys of a line whose values are flow mappings or lists that are not closed in it.
func openKeys(line string) []string {
	var open []string
	last := ""
	for _, m := range regexp.MustCompile(`([\w.]+):|[{\[]|[}\]]`).FindAllStringSubmatch(line, -1) {
		switch {
		case m[1] != "":
			last = m[1]
		case m[0] == "{" || m[0] == "[":
			open = append(open, last)
			last = ""
		case len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	return slices.DeleteFunc(open, func(key string) bool { return key == "" })
}

// isBelow makes a condition: that the place stands so many levels below one of the keys, and in no answer.
func isBelow(levels int, keys ...string) func(*corpus, *mutant) bool {
	return func(c *corpus, m *mutant) bool {
		above := keysAbove(string(c.files[m.file].Data), m.at)
		return len(above) >= levels && slices.Contains(keys, above[levels-1]) && !slices.Contains(above, "answers") && !slices.Contains(above, "requests")
	}
}

// isWordOfTest reports whether the place is a key of the language, and not of what vendors, pipelines and tables have.
func isWordOfTest(c *corpus, m *mutant) bool {
	above := keysAbove(string(c.files[m.file].Data), m.at)
	return !slices.ContainsFunc(above, func(key string) bool {
		return slices.Contains([]string{"inputs", "outputs", "body", "query", "headers", "tables", "config"}, key)
	})
}

// testOf returns the test that a mistake is made in.
func testOf(c *corpus, m *mutant) *testfile.Test {
	for _, t := range c.project.Tests() {
		if t.Path == m.file {
			return t
		}
	}
	panic("no test " + m.file)
}

// isNeededByTest reports whether the line gives an input that must be given.
func isNeededByTest(c *corpus, m *mutant) bool {
	name := strings.TrimSuffix(strings.Fields(m.old)[0], ":")
	q := testOf(c, m).Pipeline.Inputs.Get(name)
	return q != nil && q.Required() && isBelow(1, "inputs")(c, m)
}

// isNeededOfAnswer reports whether the place is a field of an answer which its vendor's file requires.
func isNeededOfAnswer(c *corpus, m *mutant) bool {
	name := strings.TrimSuffix(strings.TrimSpace(m.old), ":")
	above := keysAbove(string(c.files[m.file].Data), m.at)
	i := slices.Index(above, "answers")
	if i < 1 || !slices.Contains(above[:i], "body") {
		return false
	}
	vendor, _, _ := strings.Cut(above[i-1], ".")
	required := regexp.MustCompile(`(?m)^ +required: \[(.*)\]$`)
	for _, list := range required.FindAllSubmatch(c.files["specs/"+vendor+".yaml"].Data, -1) {
		if slices.Contains(strings.Split(string(list[1]), ", "), name) {
			return true
		}
	}
	return false
}
