package project_test

import (
	"flag"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine/internal/project"
)

// A mutation is one kind of mistake. find matches the places where it can be made, all of
// one file's; change makes it there.
type mutation struct {
	kind   string
	in     string // the beginning of the files' paths
	find   string
	change func(match string) string
}

// misspell doubles the last letter of a name, which no other name has.
func misspell(s string) string { return s + s[len(s)-1:] }

func replace(old, text string) func(string) string {
	return func(match string) string { return strings.Replace(match, old, text, 1) }
}

// The kinds that are promised to be caught before anything is sent.
var mutations = []mutation{
	{"misspelt key", "", `(?m)^ *(effect|request|response|method|path|steps|call|with|foreach|on_error|connections|identity|operations|outcomes):`, func(m string) string { return misspell(strings.TrimSuffix(m, ":")) + ":" }},
	{"misspelt operation", "pipelines/", `call: intcomex\.\w+`, misspell},
	{"misspelt connection", "pipelines/", `call: intcomex`, misspell},
	{"misspelt vendor", "pipelines/", `vendor: intcomex`, misspell},
	{"misspelt pipeline", "pipelines/", `call: \./\w+`, misspell},
	{"misspelt step", "pipelines/", `steps\.\w+`, misspell},
	{"misspelt output", "pipelines/", `steps\.\w+\.outputs\.\w+`, misspell},
	{"misspelt input in an expression", "", `\$\{\{ inputs\.\w+`, misspell},
	{"misspelt config in an expression", "specs/", `config\.\w+`, misspell},
	{"misspelt argument", "pipelines/", `(?m)^      \w+(: \$\{\{ inputs)`, func(m string) string { name, rest, _ := strings.Cut(m, ":"); return misspell(name) + ":" + rest }},
	{"dropped argument", "pipelines/", `(?m)^      (vat_id|name|address|city|country|zip|email|domains|parent_account_id|marketplaces): .*\n`, func(string) string { return "" }},
	{"dropped login argument", "specs/", `(?m)^      (username|password): \$\{\{ config.*\n`, func(string) string { return "" }},
	{"dropped effect", "specs/", `(?m)^    effect: .*\n`, func(string) string { return "" }},
	{"swapped type of a pipeline's input", "pipelines/", `(name|address|city|country|zip|email|contract_id|customer_id): \{type: string`, replace("string", "boolean")},
	{"swapped type of an operation's input", "specs/", `(?m)^      (name|address|city|country|zip|email|contract_id|customer_id): \{type: string`, replace("string", "integer")},
	{"unknown type", "", `type: (string|integer|array|object)`, func(m string) string { return misspell(m) }},
	{"unknown effect", "specs/", `effect: \w+`, misspell},
	{"unknown outcome", "specs/", `is: \w+`, misspell},
	{"unknown method", "specs/", `method: \w+`, misspell},
	{"unknown format", "specs/", `    as: text`, misspell},
	{"misspelt reference", "", `#/\w+(/\w+)?`, misspell},
	{"misspelt path into an answer", "specs/", `account_id: AccountId`, misspell},
	{"member that the answer has not", "pipelines/", `AccountId \}`, replace("AccountId", "AccountID")},
	{"misspelt function", "", `\b(trim|lower|len|filter|join|map|first|count)\(`, func(m string) string { return misspell(strings.TrimSuffix(m, "(")) + "(" }},
	{"unfinished marker", "", ` \}\}`, func(string) string { return " }" }},
	{"number for a list", "pipelines/", `foreach: inputs\.companies`, replace("inputs.companies", "len(inputs.companies)")},
	{"condition without comparison", "pipelines/", `if: len\([\w.]+\) [>=]+ \d`, func(m string) string { return m[:strings.Index(m, ")")+1] }},
	{"unguarded output of a skipped step", "pipelines/", `with:\n      vat_id: \$\{\{ inputs\.vat_id \}\}\n      name: \$\{\{ inputs\.name`, replace("inputs.name", "steps.create.outputs.account_id")},
	{"secret into an open input", "specs/", `username: \$\{\{ config\.username`, replace("config.username", "config.password")},
	{"login that needs itself", "specs/", `    auth: none\n`, func(string) string { return "" }},
	{"login that is no operation", "specs/", `(call|check): \w+`, misspell},
	{"identity of a read", "specs/", `effect: create`, replace("create", "read")},
	{"duration without unit", "specs/", `(timeout: 30|lifetime: 20|first: 1|max: 30)[sm]`, func(m string) string { return m[:len(m)-1] }},
	{"duplicate step", "pipelines/", `- id: (match|several|rewritten|create)`, func(string) string { return "- id: lookup" }},
	{"collect without foreach", "pipelines/", `  - id: lookup\n`, func(m string) string { return m + "    on_error: collect\n" }},
	{"file of rows of an unknown format", "pipelines/", `results\.csv`, replace("csv", "xlsx")},
	{"duplicate key", "", `(?m)^    call: .*\n`, func(m string) string { return m + m }},
	{"wrong indent", "", `(?m)^    (call|effect|request):`, func(m string) string { return " " + m }},
}

// shipped are the files of the product, without sandboxes.
func shipped(t *testing.T) fstest.MapFS {
	t.Helper()
	root := os.DirFS("../../..")
	files := fstest.MapFS{}
	for _, dir := range []string{"specs", "pipelines"} {
		err := fs.WalkDir(root, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(name, ".sandbox.yaml") || !project.IsYAML(name) {
				return err
			}
			text, err := fs.ReadFile(root, name)
			files[name] = &fstest.MapFile{Data: text}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// mostPlaces is how many places of a file are tried for each kind of mistake.
const mostPlaces = 5

var allMutations = flag.Bool("mutations", false, "make each mistake at all places of the shipped files")

func TestSingleMistakesInShippedFilesAreCaught(t *testing.T) {
	files := shipped(t)
	if _, faults := project.Load(files); len(faults) > 0 {
		t.Fatalf("the files as they are: %v", faults)
	}
	made, caught := 0, 0
	for _, m := range mutations {
		tried := 0
		for name, file := range files {
			if !strings.HasPrefix(name, m.in) {
				continue
			}
			text := string(file.Data)
			for n, at := range regexp.MustCompile(m.find).FindAllStringIndex(text, -1) {
				if n == mostPlaces && !*allMutations {
					break
				}
				if inComment(text, at[0]) {
					continue
				}
				tried++
				spoilt := text[:at[0]] + m.change(text[at[0]:at[1]]) + text[at[1]:]
				if catches(files, name, spoilt) {
					caught++
					continue
				}
				line := 1 + strings.Count(text[:at[0]], "\n")
				t.Errorf("%s in %s:%d is not caught: %s", m.kind, name, line, strings.Split(text, "\n")[line-1])
			}
		}
		if tried == 0 {
			t.Errorf("%s: the files have no place for it", m.kind)
		}
		made += tried
	}
	t.Logf("%d kinds of mistakes, %d mistakes, %d caught (%d %%)", len(mutations), made, caught, 100*caught/made)
}

func inComment(text string, at int) bool {
	line := text[strings.LastIndex(text[:at], "\n")+1 : at]
	return strings.HasPrefix(strings.TrimSpace(line), "#") || strings.Contains(line, " # ")
}

func catches(files fstest.MapFS, name, spoilt string) bool {
	changed := fstest.MapFS{}
	for n, f := range files {
		changed[n] = f
	}
	changed[name] = &fstest.MapFile{Data: []byte(spoilt)}
	_, faults := project.Load(changed)
	return faults.HasErrors()
}
