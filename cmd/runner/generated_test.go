package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed627bd532/runner/schemas"
)

// generatedPart is a part of a page that a test writes: the marker says which.
var generatedPart = regexp.MustCompile(`(?s)<!-- (keys|flags|commands)(?:: ([^\n]*))? -->\n(.*?)<!-- end -->\n`)

// TestTablesOfTheReference compares the tables of keys in docs/reference with the schemas, and those of commands and
// flags with the command line: each key, command and flag stands in a table, and the tables have no others. With
// -update it writes the tables.
func TestTablesOfTheReference(t *testing.T) {
	t.Parallel()
	tables := newKeyTables(t)
	commands := map[string]*cobra.Command{}
	allCommands((&cli{}).root(), commands)
	for page, text := range pages(t) {
		if !strings.HasPrefix(page, "docs/reference/") {
			continue
		}
		updated := generatedPart.ReplaceAllStringFunc(text, func(part string) string {
			m := generatedPart.FindStringSubmatch(part)
			var table string
			switch m[1] {
			case "keys":
				table = tables.table(path.Base(page), m[2])
			case "commands":
				table = commandTable(commands)
			case "flags":
				table = flagTable(commands[m[2]])
				delete(commands, m[2])
			}
			if table == "" {
				t.Errorf("%s: nothing is called %s: %s", page, m[1], m[2])
			}
			return strings.TrimSuffix(part, m[3]+"<!-- end -->\n") + table + "<!-- end -->\n"
		})
		if updated == text {
			continue
		}
		if !*update {
			t.Errorf("%s: its tables are not those of the schemas and of the command line: run this test with -update", page)
		} else if err := os.WriteFile("../../"+page, []byte(updated), 0o666); err != nil {
			t.Error(err)
		}
	}
	for name := range commands {
		t.Errorf("no page has the flags of: runner %s", name)
	}
	for at, done := range tables.done {
		if !done {
			t.Errorf("no page has the keys of %s", at)
		}
	}
}

// keyTables makes the tables of keys from the schemas.
type keyTables struct {
	t     *testing.T
	files map[string]json.RawMessage
	pages map[string]string // the links to tables, by the place of the object in the schemas
	done  map[string]bool   // the objects of the schemas, and whether they have a table
}

func newKeyTables(t *testing.T) *keyTables {
	k := &keyTables{t: t, files: map[string]json.RawMessage{}, pages: map[string]string{}, done: map[string]bool{}}
	names, err := fs.Glob(schemas.Files(), "*.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(schemas.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		k.files[name] = text
		k.objects(name+"#", text)
	}
	for page, text := range pages(t) {
		heading := ""
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "#") {
				heading = headings(line)[0]
			}
			if place, ok := strings.CutPrefix(line, "<!-- keys: "); ok {
				k.pages[strings.TrimSuffix(place, " -->\n")] = path.Base(page) + "#" + heading
			}
		}
	}
	return k
}

// objects collects the objects that list their keys.
func (k *keyTables) objects(at string, text json.RawMessage) {
	for _, m := range members(text) {
		if m.key == "properties" {
			k.done[at] = false
			for _, key := range members(m.value) {
				k.objects(at+"/properties/"+key.key, key.value)
			}
			continue
		}
		if m.key != "examples" {
			k.objects(at+"/"+m.key, m.value)
		}
	}
}

// A keySchema is what a table shows of the schema of a key.
type keySchema struct {
	Ref                  string            `json:"$ref"`
	Type                 any               `json:"type"`
	Enum                 []any             `json:"enum"`
	Pattern              string            `json:"pattern"`
	AnyOf                []json.RawMessage `json:"anyOf"`
	Description          string            `json:"description"`
	Items                json.RawMessage   `json:"items"`
	AdditionalProperties json.RawMessage   `json:"additionalProperties"`
	Properties           json.RawMessage   `json:"properties"`
	Required             []string          `json:"required"`
}

// table is the table of the keys of an object of the schemas, as it stands in a page; "" where there is none.
func (k *keyTables) table(page, at string) string {
	if _, ok := k.done[at]; !ok {
		return ""
	}
	k.done[at] = true
	object := k.schema(k.at(at))
	var b strings.Builder
	b.WriteString("| key | value | |\n|--|--|--|\n")
	for _, m := range members(object.Properties) {
		key := k.schema(m.value)
		if strings.Contains(key.Ref, "#/properties/") { // a key of the data schemas, which have a table of their own
			continue
		}
		kind := strings.ReplaceAll(listed(k.kinds(at, at+"/properties/"+m.key, m.value)), "("+page+"#", "(#")
		if slices.Contains(object.Required, m.key) {
			kind += ", required"
		}
		if description := k.description(at, key); description == "" {
			k.t.Errorf("%s: %s has no description", at, m.key)
		} else {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.key, kind, cell(description))
		}
	}
	return b.String()
}

// description is what the schema of a key says of it, or what the schema says that it refers to.
func (k *keyTables) description(at string, key keySchema) string {
	for key.Description == "" && key.Ref != "" {
		at = absolute(at, key.Ref)
		key = k.schema(k.at(at))
	}
	return key.Description
}

// kinds says in a few words what the value of a key can be. place is where its schema stands.
func (k *keyTables) kinds(at, place string, text json.RawMessage) []string {
	s := k.schema(text)
	if s.Ref != "" {
		target := absolute(at, s.Ref)
		switch name := path.Base(target); name {
		case "expression", "duration", "path", "name":
			return []string{name}
		case "field":
			return []string{"name"}
		case "data.schema.json#":
			return []string{"[schema](" + k.pages[target] + ")"}
		}
		return k.kinds(target, target, k.at(target))
	}
	if link := k.pages[place]; link != "" {
		return []string{"[object](" + link + ")"}
	}
	var kinds []string
	for _, word := range s.Enum {
		kinds = append(kinds, fmt.Sprintf("`%v`", word))
	}
	for i, option := range s.AnyOf {
		kinds = append(kinds, k.kinds(at, fmt.Sprintf("%s/anyOf/%d", place, i), option)...)
	}
	types, isList := s.Type.([]any)
	if !isList && s.Type != nil && s.Enum == nil {
		types = []any{s.Type}
	}
	for _, kind := range types {
		switch kind {
		case "array":
			kinds = append(kinds, "list of "+listed(k.kinds(at, place+"/items", s.Items)))
		case "object":
			each := listed(k.kinds(at, place+"/additionalProperties", s.AdditionalProperties))
			kinds = append(kinds, strings.TrimSuffix("map of "+each, " of any value"))
		case "string":
			kinds = append(kinds, map[bool]string{true: "`${{ }}`", false: "text"}[strings.HasSuffix(s.Pattern, `\$\{\{`)])
		default:
			kinds = append(kinds, fmt.Sprint(kind))
		}
	}
	if len(kinds) == 0 {
		return []string{"any value"}
	}
	return slices.Compact(kinds)
}

// schema reads a schema; true and false, and none, say nothing.
func (k *keyTables) schema(text json.RawMessage) (s keySchema) {
	if !bytes.HasPrefix(text, []byte("{")) {
		return s
	}
	if err := json.Unmarshal(text, &s); err != nil {
		k.t.Fatal(err)
	}
	return s
}

// at finds the text of a schema by its place, FILE#/POINTER.
func (k *keyTables) at(place string) json.RawMessage {
	file, pointer, _ := strings.Cut(place, "#")
	text := k.files[file]
	for key := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if key == "" {
			break
		}
		all := members(text)
		i := slices.IndexFunc(all, func(m member) bool { return m.key == key })
		if i < 0 {
			k.t.Fatalf("the schemas have no %s", place)
		}
		text = all[i].value
	}
	return text
}

// absolute is the place that a reference means, which stands in the file of another place.
func absolute(at, ref string) string {
	if strings.HasPrefix(ref, "#") {
		at, _, _ = strings.Cut(at, "#")
		return at + ref
	}
	if !strings.Contains(ref, "#") {
		return ref + "#"
	}
	return ref
}

// A member is one of a JSON object, or an element of a list, named by its index.
type member struct {
	key   string
	value json.RawMessage
}

// members are those of an object or a list, in their order; none of anything else.
func members(text json.RawMessage) []member {
	d := json.NewDecoder(bytes.NewReader(text))
	open, err := d.Token()
	if err != nil || open != json.Delim('{') && open != json.Delim('[') {
		return nil
	}
	var all []member
	for d.More() {
		m := member{key: fmt.Sprint(len(all))}
		if open == json.Delim('{') {
			key, err := d.Token()
			if err != nil {
				return nil
			}
			m.key = key.(string) // keys are texts
		}
		if err := d.Decode(&m.value); err != nil {
			return nil
		}
		all = append(all, m)
	}
	return all
}

// listed joins words as in "a, b or c".
func listed(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// cell is a text as it stands in a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// allCommands collects the commands that do something, by their name behind "runner".
func allCommands(cmd *cobra.Command, all map[string]*cobra.Command) {
	if name := strings.TrimPrefix(cmd.CommandPath(), "runner "); !cmd.HasSubCommands() && cmd.Name() != "help" {
		all[name] = cmd
	}
	for _, sub := range cmd.Commands() {
		allCommands(sub, all)
	}
}

func commandTable(commands map[string]*cobra.Command) string {
	var b strings.Builder
	b.WriteString("| command | |\n|--|--|\n")
	var names []string
	for name := range commands {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		cmd := commands[name]
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", cell(strings.TrimSuffix(cmd.UseLine(), " [flags]")),
			headings("# runner " + name)[0], cell(cmd.Short))
	}
	return b.String()
}

func flagTable(cmd *cobra.Command) string {
	if cmd == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString("| flag | value | |\n|--|--|--|\n")
	flags := func(f *pflag.Flag) {
		kind := map[string]string{"bool": "", "string": "text", "stringArray": "text, repeatable", "int": "number"}
		value, ok := kind[f.Value.Type()]
		if !ok {
			value = f.Value.Type()
		}
		if value != "" && !slices.Contains([]string{"", "0", "0s", "[]"}, f.DefValue) {
			value += "; default `" + f.DefValue + "`"
		}
		fmt.Fprintf(&b, "| `--%s` | %s | %s |\n", f.Name, value, cell(f.Usage))
	}
	cmd.LocalFlags().VisitAll(flags)
	cmd.InheritedFlags().VisitAll(flags)
	return b.String()
}
