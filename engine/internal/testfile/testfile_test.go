package testfile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/project"
	"github.com/seed627bd532/runner/engine/internal/testfile"
	"github.com/seed627bd532/runner/engine/internal/value"
)

const shop = `vendor: shop
version: 1
config:
  key: {type: string, secret: true}
  base_url: {type: string}
  mode: {type: string, enum: [live, dry]}
  since: {type: string, format: date}
  size: {type: integer, minimum: 1}
  open: {type: boolean}
  region: {type: string, default: eu}
defaults:
  timeout: 5s
operations:
  find:
    effect: read
    inputs: {name: {type: string}}
    request:
      method: GET
      path: /things
      query: {name: "${{ inputs.name }}", key: "${{ config.key }}", of: "${{ config.base_url }}", mode: "${{ config.mode }}", since: "${{ config.since }}", size: "${{ config.size }}", open: "${{ config.open }}", region: "${{ config.region }}"}
    response:
      schema: {type: array, items: {type: object, required: [id], properties: {id: {type: integer}, note: {type: string}}}}
      outputs: {things: "@this"}
  create:
    effect: create
    inputs: {name: {type: string}}
    identity: inputs.name
    request: {method: POST, path: /things, body: {name: "${{ inputs.name }}"}}
    response: {schema: {type: object, required: [id], properties: {id: {type: integer}}}, outputs: {id: id}}
  drop:
    effect: idempotent
    inputs: {id: {type: integer}}
    request: {method: DELETE, path: "/things/${{ inputs.id }}"}
`

const pipe = `pipeline: p
version: 1
inputs:
  name: {type: string, minLength: 1}
  limit: {type: integer, default: 5}
connections: {shop: {vendor: shop}}
tables: {seen: {type: integer}}
steps:
  - {id: find, call: shop.find, with: {name: "${{ inputs.name }}"}}
  - {id: create, if: len(steps.find.outputs.things) < inputs.limit, call: shop.create, with: {name: "${{ inputs.name }}"}, undo: {call: shop.drop, with: {id: "${{ outputs.id }}"}}}
on_failure: undo
outputs:
  id: ${{ steps.create.outputs.id }}
  things: ${{ steps.find.outputs.things }}
`

// load loads a test file of the pipeline p.
func load(t *testing.T, text string) (*testfile.Test, diag.List) {
	t.Helper()
	p, faults := project.Load(fstest.MapFS{
		"specs/shop.yaml": {Data: []byte(shop)}, "pipelines/p.yaml": {Data: []byte(pipe)}, "pipelines/p.test.yaml": {Data: []byte(text)},
	})
	if len(p.Tests()) != 1 {
		t.Fatalf("%d test files: %v", len(p.Tests()), faults.Unwrap())
	}
	return p.Tests()[0], faults
}

// sound loads a test file without a fault.
func sound(t *testing.T, text string) *testfile.Test {
	t.Helper()
	test, faults := load(t, text)
	if len(faults) > 0 {
		t.Fatal(faults.Unwrap())
	}
	return test
}

const oneCase = "test: p\ncases:\n  - name: a\n    inputs: {name: x}\n    answers:\n      shop.find: [%s]\n    expect: {}\n"

func TestAnswersAreRead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ answer, want string }{
		{"{body: []}", "200 application/json; charset=utf-8 []"},
		{"{body: [{id: 7}], headers: {X-Count: 1}}", `200 application/json; charset=utf-8 [{"id":7}] X-Count=1`},
		{"{body: [], headers: {Content-Type: application/hal+json}}", "200 application/hal+json []"},
		{"{status: 503, text: busy}", "503 text/plain; charset=utf-8 busy"},
		{"{raw: '[ ]'}", "200  [ ]"},
		{"{status: 404}", "404  "},
		{"{body: [], times: 3}", strings.TrimSuffix(strings.Repeat("200 application/json; charset=utf-8 []|", 3), "|")},
		{"{body: [], delay: 2s}, {body: [], truncate: true}", "200 application/json; charset=utf-8 [] after 2s|200 application/json; charset=utf-8 [] in part"},
		{"{timeout: true}, {lose_answer: true}, {unreachable: true}", "timeout|lose_answer|unreachable"},
	} {
		var got []string
		for _, a := range sound(t, fmt.Sprintf(oneCase, test.answer)).Cases[0].Answers["shop.find"].List {
			line := string(a.Lost)
			if a.Lost == testfile.Nothing {
				line = fmt.Sprintf("%d %s %s", a.Status, a.Header.Get("Content-Type"), a.Body)
				if length := a.Header.Get("Content-Length"); length != fmt.Sprint(len(a.Body)) {
					t.Errorf("%s: the length is %s", test.answer, length)
				}
			}
			if count := a.Header.Get("X-Count"); count != "" {
				line += " X-Count=" + count
			}
			if a.Delay > 0 {
				line += " after " + a.Delay.String()
			}
			if a.Truncate {
				line += " in part"
			}
			got = append(got, line)
		}
		if text := strings.Join(got, "|"); text != test.want {
			t.Errorf("%s: got %s, want %s", test.answer, text, test.want)
		}
	}
	page := sound(t, fmt.Sprintf(oneCase, "{garbage: true}")).Cases[0].Answers["shop.find"].List[0]
	if !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || !strings.Contains(string(page.Body), "<html>") {
		t.Errorf("garbage is %s", page.Body)
	}
}

// TestConfigIsMadeUp holds that a test needs no config: what must be there is made up, the same each time.
func TestConfigIsMadeUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ given, want string }{
		{"", `{"key":"test-key","base_url":"https://base-url.test","mode":"live","since":"2026-01-01","size":1,"open":false,"region":"eu"}`},
		{"connections: {shop: {config: {mode: dry, size: 9, region: us}}}\n", `{"key":"test-key","base_url":"https://base-url.test","mode":"dry","since":"2026-01-01","size":9,"open":false,"region":"us"}`},
	} {
		if got := string(value.AppendJSON(nil, sound(t, strings.Replace(fmt.Sprintf(oneCase, "{body: []}"), "cases:", test.given+"cases:", 1)).Config["shop"])); got != test.want {
			t.Errorf("with %q: got\n%s, want\n%s", test.given, got, test.want)
		}
	}
}

// TestCasesTakeWhatTheFileGives holds that inputs and answers of the file are those of each case, unless it has its own.
func TestCasesTakeWhatTheFileGives(t *testing.T) {
	t.Parallel()
	test := sound(t, `test: p
inputs: {name: x, limit: 7}
answers:
  shop.find: [{body: []}]
cases:
  - name: as the file says
    answers:
      shop.create: [{body: {id: 1}}]
    expect: {}
  - name: otherwise
    now: 2026-05-01T08:30:00+02:00
    inputs: {limit: 0}
    tables: {seen: {a: 1}}
    answers:
      shop.find: [{status: 500}]
    expect:
      error: {code: refused}
      tables: {seen: {a: 1, b: null}}
  - name: with a status
    expect: {status: ambiguous, error: {step: create}}
`)
	first, second, third := test.Cases[0], test.Cases[1], test.Cases[2]
	for _, c := range []struct {
		got  *testfile.Case
		want string
	}{{first, `{"name":"x","limit":7}`}, {second, `{"name":"x","limit":0}`}, {third, `{"name":"x","limit":7}`}} {
		if got := string(value.AppendJSON(nil, c.got.Inputs)); got != c.want {
			t.Errorf("%s: the inputs are %s", c.got.Name, got)
		}
	}
	if !first.Answers["shop.find"].Shared || first.Answers["shop.create"].Shared || second.Answers["shop.find"].Shared || second.Answers["shop.find"].List[0].Status != 500 {
		t.Errorf("answers are %+v and %+v", first.Answers, second.Answers)
	}
	if !first.Now.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) || !second.Now.Equal(time.Date(2026, 5, 1, 6, 30, 0, 0, time.UTC)) {
		t.Errorf("they begin at %v and %v", first.Now, second.Now)
	}
	if got := []string{first.Expect.Status, second.Expect.Status, third.Expect.Status}; !slices.Equal(got, []string{"succeeded", "failed", "ambiguous"}) {
		t.Errorf("expected are %v", got)
	}
	if got := []int{first.Expect.At.Pos.Line, second.Expect.At.Pos.Line, third.Expect.At.Pos.Line}; !slices.Equal(got, []int{9, 17, 20}) {
		t.Errorf("which stand in lines %v", got)
	}
	cells := second.Expect.Tables
	if len(second.Tables) != 1 || len(cells) != 2 || cells[1].Key != "b" || cells[1].Value != nil || cells[1].Place().Pos != (diag.Pos{Line: 18, Col: 32}) {
		t.Errorf("tables are %+v, then %+v", second.Tables, cells)
	}
}

// TestWantedPartsStandWhereTheyAreWritten holds the places that a case shows for what was not as expected.
func TestWantedPartsStandWhereTheyAreWritten(t *testing.T) {
	t.Parallel()
	test := sound(t, fmt.Sprintf(strings.Replace(oneCase, "expect: {}", "expect: {outputs: {things: [{id: 7, note: \"${{ 'n' }}\"}, \"${{ {'id': 8} }}\"]}}", 1), "{body: []}"))
	things := test.Cases[0].Expect.Outputs[0]
	for _, part := range []struct {
		wanted testfile.Wanted
		value  value.Value
		col    int
	}{
		{things.Element(0).Member("id"), int64(7), 38},
		{things.Element(0).Member("note"), "n", 48},
		{things.Element(1).Member("id"), int64(8), 63}, // it is written in an expression, which stands there
		{things.Element(0).Member("gone"), nil, 34},
	} {
		if at := part.wanted.Place().Pos; !value.Equal(part.wanted.Value, part.value) || at != (diag.Pos{Line: 7, Col: part.col}) {
			t.Errorf("got %v at %v, want %v at column %d", part.wanted.Value, at, part.value, part.col)
		}
	}
}

// TestFaultsStandWhereTheMistakeIs spoils a case, and holds where a person finds that.
func TestFaultsStandWhereTheMistakeIs(t *testing.T) {
	t.Parallel()
	const text = `test: p
inputs: {name: x}
cases:
  - name: a
    inputs: {limit: 7}
    tables: {seen: {a: 1}}
    answers:
      shop.find: [{body: [{id: 7}]}]
      shop.create: [{body: {id: 8}}]
    expect:
      outputs: {id: 8, things: [{id: 7}]}
      sent: {shop.create: 1}
`
	if _, faults := load(t, text); faults != nil {
		t.Fatal(faults.Unwrap())
	}
	for _, test := range []struct{ name, old, new, want string }{
		{"an input", "limit: 7", "limits: 7", "5:14 unknown-input"},
		{"an input of all cases", "name: x", "nam: x", "2:10 unknown-input"},
		{"an input that is missing", "inputs: {name: x}\n", "", "4:14 missing-input"},
		{"the type of an input", "limit: 7", "limit: x", "5:21 wrong-value"},
		{"a table", "{seen: {a: 1}}", "{sen: {a: 1}}", "6:14 unknown-table"},
		{"a value of a table", "{seen: {a: 1}}", "{seen: {a: x}}", "6:24 wrong-value"},
		{"a connection", "shop.find", "shp.find", "8:7 unknown-connection"},
		{"an operation", "shop.find", "shop.fnd", "8:12 unknown-operation"},
		{"the built-in vendor", "shop.find", "store.get", "8:7 never-called"},
		{"a member of an answer", "{id: 7}]}]", "{ix: 7}]}]", "8:28 answer-breaks-contract"},
		{"the type of a member of an answer", "{id: 7}]}]", "{id: x}]}]", "8:32 answer-breaks-contract"},
		{"an answer that is never given", "{body: {id: 8}}", "{timeout: true, status: 200}", "9:37 conflicting-keys"},
		{"an output", "{id: 8, things", "{id: 8, thing", "11:24 unknown-output"},
		{"the type of an output", "outputs: {id: 8", "outputs: {id: x", "11:21 wrong-type"},
		{"a member of an element of an output", "[{id: 7}]}\n", "[{ix: 7}]}\n", "11:34 unknown-member"},
		{"an operation that is counted", "{shop.create: 1}", "{shop.creat: 1}", "12:19 unknown-operation"},
		{"the step of an error", "      sent:", "      error: {step: creat}\n      status: failed\n      sent:", "12:21 unknown-step"},
		{"an error of a run that succeeds", "      sent:", "      error: {code: refused}\n      status: succeeded\n      sent:", "13:15 conflicting-keys"},
	} {
		spoilt := strings.Replace(text, test.old, test.new, 1)
		if spoilt == text {
			t.Fatalf("%s: nothing is spoilt", test.name)
		}
		_, faults := load(t, spoilt)
		var got []string
		for _, f := range faults {
			got = append(got, fmt.Sprintf("%d:%d %s", f.Pos.Line, f.Pos.Col, f.Code))
		}
		if !slices.Equal(got, []string{test.want}) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// TestAnswersThatBreakAContract tests which answers are validated against the vendor file: only those that it could give.
func TestAnswersThatBreakAContract(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]bool{
		"{body: {id: 7}}":                   true,
		"{text: none}":                      true,
		"{raw: '[{\"id\": \"seven\"}]'}":    true,
		"{body: [{id: x}], truncate: true}": true,
		"{raw: '[{', truncate: true}":       false,
		"{garbage: true}":                   false,
		"{status: 500, text: none}":         false,
		"{lose_answer: true}":               false,
		"{body: [{id: 7, more: 1}]}":        false,
	} {
		_, faults := load(t, fmt.Sprintf(oneCase, answer))
		got := slices.ContainsFunc(faults, func(f *diag.Diagnostic) bool { return f.Code == "answer-breaks-contract" })
		if got != want || len(faults) > 0 != want {
			t.Errorf("%s: got %v", answer, faults.Unwrap())
		}
	}
}
