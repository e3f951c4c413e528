package sandbox

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine/diag"
)

func TestFaultsOfTheFileAreFoundWhenItIsLoaded(t *testing.T) {
	t.Parallel()
	const head = "sandbox: x\nversion: 1\nconnection: {base_url: \"${{ sandbox.url }}\"}\nstate: {rows: [], n: 1}\n"
	const op = "operations:\n  get:\n    method: POST\n    path: /get\n    rules:\n"
	for _, test := range []struct{ name, text, want string }{
		{"a misspelt collection in an insert", head + op + "      - insert: {into: row, value: 1}\n      - reply: {status: 200}\n",
			"x.yaml:10:24: no list row in the state (did you mean rows?)"},
		{"a collection that is no list", head + "tokens: n\n" + op + "      - reply: {status: 200}\n",
			"x.yaml:5:9: no list n in the state (there are: rows)"},
		{"a second operation that is never reached", head + op + "      - reply: {status: 200}\n  again:\n    method: POST\n    path: /get\n    rules:\n      - reply: {status: 200}\n",
			"x.yaml:13:11: POST /get is always taken by operation get, which comes first (tell the two apart by when, or put the one that has it first)"},
		{"a condition that is none", head + op + "      - if: len(state.rows)\n        reply: {status: 200}\n      - reply: {status: 404}\n",
			"x.yaml:10:13: a condition must be true or false, found integer ()"},
		{"a when that is none", head + strings.Replace(op, "    rules:", "    when: request.path\n    rules:", 1) + "      - reply: {status: 404}\n",
			"x.yaml:9:11: a condition must be true or false, found text ()"},
		{"a where that is none", head + op + "      - remove: {from: rows, where: operation}\n        reply: {status: 404}\n",
			"x.yaml:10:37: a condition must be true or false, found text ()"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(fstest.MapFS{"x.yaml": {Data: []byte(test.text)}}, "x.yaml")
			var list diag.List
			if !errors.As(err, &list) || len(list) != 1 {
				t.Fatalf("got %v, want one fault", err)
			}
			if got := list[0].Error() + " (" + list[0].Hint + ")"; got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestMisspeltNamesAreFoundWhenTheFileIsLoaded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ from, to, place string }{
		{"state.sessions", "state.session", "shop.sandbox.yaml:14:"},
		{"operation != 'hello'", "operation != 'helo'", "shop.sandbox.yaml:14:"},
		{"request.query['name']", "request.quary['name']", "shop.sandbox.yaml:23:"},
		{"next('order', ", "nxt('order', ", "shop.sandbox.yaml:48:"},
		{"sandbox.url", "sandbox.uri", "shop.sandbox.yaml:4:"},
	} {
		text := strings.TrimPrefix(strings.Replace(shop, test.from, test.to, 1), "\n")
		_, err := Load(fstest.MapFS{"shop.sandbox.yaml": {Data: []byte(text)}}, "shop.sandbox.yaml")
		var list diag.List
		if !errors.As(err, &list) || !strings.HasPrefix(list[0].Error(), test.place) {
			t.Errorf("%s: got %v, want a fault at %s", test.to, err, test.place)
		}
	}
}

func TestCheckTellsWarningsToo(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("- if: 1 == 2\n        reply: {status: 200}", "- reply: {status: 200}").Replace(strings.TrimPrefix(shop, "\n")) + "title: no\n"
	faults, err := Check(fstest.MapFS{"shop.sandbox.yaml": {Data: []byte(text)}}, "shop.sandbox.yaml")
	if err != nil || len(faults) != 1 || faults[0].Severity != diag.Warning || faults[0].Code != "yes-no" {
		t.Errorf("got %v and %v, want a warning of no", faults.Unwrap(), err)
	}
	if _, err := Load(fstest.MapFS{"shop.sandbox.yaml": {Data: []byte(text)}}, "shop.sandbox.yaml"); err != nil {
		t.Errorf("a warning keeps the file from being loaded: %v", err)
	}
}

func TestMissingFileIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := Load(fstest.MapFS{}, "x.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

const small = `sandbox: x
version: 1
connection: {base_url: "${{ sandbox.url }}", config: {kei: a}}
state:
  rows:
    - {code: A, n: 1}
operations:
  get:
    method: GET
    path: /get
    rules:
      - if: any(state.rows, .cod == request.query.code)
        reply: {status: 200}
      - let: {row: {code: B, extra: 1}}
        insert: {into: rows, value: "${{ row }}"}
        update: {in: rows, where: row.extra == 1 and row.extro == 2, set: {n: 2}}
      - reply: {body: "${{ first(state.rows).code }}"}
      - if: true
        reply: {status: 200}
`

func TestRulesAndRecordsAreLookedAt(t *testing.T) {
	t.Parallel()
	vendor := "vendor: x\nversion: 1\nconfig: {key: {type: string, secret: true}}\nauth: {inject: {headers: {X-Key: \"${{ config.key }}\"}}}\noperations:\n  get: {effect: read, request: {method: GET, path: /get}}\n"
	faults, err := Check(fstest.MapFS{"specs/x.sandbox.yaml": {Data: []byte(small)}, "specs/x.yaml": {Data: []byte(vendor)}}, "specs/x.sandbox.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range faults {
		got = append(got, strings.TrimPrefix(f.Error(), "specs/x.sandbox.yaml:")+" ("+f.Hint+")")
	}
	want := `3:55: vendor x has no config kei (did you mean key?)
12:30: no record has a member "cod" (did you mean "code"?)
16:58: no record has a member "extro" (did you mean "extra"?)
17:9: this always replies, so that the rules below it are never tried (say when it replies, with if)
18:9: there may be no reply: no rule below this one replies whatever the request is (end with a rule that has a reply and no if)
18:13: this condition is always the same: it looks at nothing (ask for the request or the state, or leave it out)`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
}

func TestASandboxIsCalledAsItsVendor(t *testing.T) {
	t.Parallel()
	faults, err := Check(fstest.MapFS{"specs/y.sandbox.yaml": {Data: []byte(small)}}, "specs/y.sandbox.yaml")
	if err != nil || len(faults) == 0 || faults[0].Code != "wrong-name" {
		t.Errorf("got %v, %v", faults.Unwrap(), err)
	}
}
