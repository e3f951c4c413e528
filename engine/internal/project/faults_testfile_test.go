package project_test

import (
	"strings"
	"testing"

	"github.com/seed627bd532/runner/engine/internal/project"
)

const testFile = "pipelines/one.test.yaml"

// soundTest is a test file of the sound project, without fault.
const soundTest = `test: one
version: 1
connections:
  shop: {config: {region: us}}
inputs: {name: Ann}
answers:
  shop.login: [{body: token-one}]
cases:
  - name: what is lost is found
    now: 2026-05-01T08:30:00Z
    inputs: {count: 2}
    tables: {seen: {a: 1}}
    answers:
      shop.find:
        - {body: []}
        - {status: 503, text: busy}
        - {body: [{id: 7, note: n}]}
      shop.create:
        - {timeout: true}
    expect:
      status: ambiguous
      outputs: {id: 7}
      error: {step: create, operation: shop.create, code: timeout}
      sent: {shop.create: 1}
      requests:
        shop.create: [{body: {name: Ann}}]
      tables: {seen: {a: 1}}
  - name: another
    expect:
      outputs: {}
`

// testFileFaults are single mistakes in soundTest.
func testFileFaults() []faultCase {
	var cases []faultCase
	for _, c := range []struct{ name, old, new string }{
		{"test of an unknown pipeline", "test: one", "test: won"},
		{"test of a pipeline at an unknown path", "test: one", "test: ../specs/one.yaml"},
		{"test of what is no pipeline", "test: one", "test: ../specs/shop.yaml"},
		{"test with an unknown connection", "  shop: {config", "  shopp: {config"},
		{"test with unknown config", "region: us", "reg: us"},
		{"test with config that does not fit", "region: us", "region: 7"},
		{"test with an unknown input", "{name: Ann}\n", "{nam: Ann}\n"},
		{"test with an unknown input of a case", "count: 2", "county: 2"},
		{"test without an input", "inputs: {name: Ann}\n", ""},
		{"test with an input of another type", "count: 2", "count: two"},
		{"test with an input that breaks its schema", "{name: Ann}\n", "{name: \"\"}\n"},
		{"test with an answer for an unknown operation", "shop.find:", "shop.fine:"},
		{"test with an answer for an unknown connection", "shop.find:", "shup.find:"},
		{"test with an answer that is never asked for", "shop.login: [{body: token-one}]", "shop.ping: [{text: pong}]"},
		{"test with an answer for the built-in vendor", "shop.login: [{body: token-one}]", "store.get: [{body: 1}]"},
		{"test with an answer that breaks its schema", "{id: 7, note: n}", "{idd: 7, note: n}"},
		{"test with an answer that breaks its schema twice", "{id: 7, note: n}", "{id: seven, note: 1}"},
		{"test with an answer that breaks its schema as a whole, and breaks off", "- {body: [{id: 7, note: n}]}", "- {body: [{note: n}], truncate: true}"},
		{"test with an answer that is no JSON", "- {body: [{id: 7, note: n}]}", "- {text: none}"},
		{"test with an answer of which there is none", "{timeout: true}", "{timeout: true, status: 200}"},
		{"test with garbage and a body", "{timeout: true}", "{garbage: true, body: {id: 7}}"},
		{"test with a status and an error that do not go together", "status: ambiguous", "status: partial"},
		{"test with an unknown status", "status: ambiguous", "status: ambigous"},
		{"test with an unknown output", "outputs: {id: 7}", "outputs: {idd: 7}"},
		{"test with an output of another type", "outputs: {id: 7}", "outputs: {id: seven}"},
		{"test with an unknown step", "step: create", "step: creat"},
		{"test with an unknown code", "code: timeout", "code: time-out"},
		{"test that counts an unknown operation", "sent: {shop.create: 1}", "sent: {shop.creat: 1}"},
		{"test that wants a request of an unknown operation", "shop.create: [{body", "shop.remove: [{body"},
		{"test that wants an error of an unknown operation", "operation: shop.create", "operation: shop.creation"},
		{"test with a case that is there already", "name: another", "name: what is lost is found"},
		{"test that begins at no time", "2026-05-01T08:30:00Z", "2026-05-01"},
		{"test with a name that nothing stands for", "{name: Ann}}]", "{name: \"${{ inputs.name }}\"}}]"},
		{"test with an expression that cannot be computed", "count: 2", "count: \"${{ int('two') }}\""},
	} {
		cases = append(cases, faultCase{c.name, []edit{{testFile, "", strings.Replace(soundTest, c.old, c.new, 1)}}})
	}
	many := `test: many
cases:
  - name: rows
    inputs: {rows: [{name: Ann}, {nam: Bob}]}
    expect:
      outputs:
        results:
          - {key: Ann, status: finished, id: x}
          - {key: Bob, idd: 7}
`
	return append(cases,
		faultCase{"test that expects rows that cannot be", []edit{{"pipelines/many.test.yaml", "", many}}},
		faultCase{"test in a file of another name", []edit{{"pipelines/one_test.yaml", "", soundTest}}},
		faultCase{"test with a value that a table cannot hold", []edit{
			{one, "steps:\n", "tables: {seen: {type: integer}}\nsteps:\n"},
			{testFile, "", strings.Replace(strings.Replace(soundTest, "{seen: {a: 1}}", "{seen: {a: one}}", 1), "{seen: {a: 1}}", "{sen: {a: 1}}", 1)}}},
	)
}

func TestSoundTestFileHasNoFault(t *testing.T) {
	t.Parallel()
	p, faults := project.Load(spoil(t, edit{testFile, "", soundTest}))
	if len(faults) > 0 || len(p.Tests()) != 1 || len(p.Tests()[0].Cases) != 2 {
		t.Errorf("got %d tests, %v", len(p.Tests()), faults.Unwrap())
	}
}

// FuzzTestFile loads arbitrary bytes in place of a test file, as FuzzLoad does for others.
func FuzzTestFile(f *testing.F) {
	f.Add([]byte(soundTest))
	for _, c := range testFileFaults() {
		for _, e := range c.edits {
			if e.old == "" {
				f.Add([]byte(e.text))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<14 {
			t.Skip("long files only cost time")
		}
		_, faults := project.Load(spoil(t, edit{testFile, "", string(text)}))
		for _, d := range faults {
			checkPlace(t, string(text), testFile, d.File, d.Pos)
			for _, r := range d.Related {
				checkPlace(t, string(text), testFile, r.File, r.Pos)
			}
			if d.Message == "" || d.Code == "" {
				t.Errorf("a fault without message or code: %+v", d)
			}
		}
	})
}
