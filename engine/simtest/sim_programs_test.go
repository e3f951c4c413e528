package simtest_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing/fstest"
	"time"
)

const ensureCompanies = "pipelines/intcomex/ensure_companies.yaml"

// A plan is a random program, what it is run with, and the vendor that it meets.
type plan struct {
	files    fs.FS
	vendor   string // the connection, and the sandbox's file
	pipeline string
	text     string // the pipeline
	inputs   map[string]any
	config   map[string]any
	creates  []creator
	timeout  time.Duration // of the vendor's operations
	delay    time.Duration // until the vendor shows what it made
	// exclusive says that its token serves one request at a time.
	exclusive bool
	counts    map[string]string // what is counted, by the output that tells how many of it there are
	undo      bool              // it takes back what it can when it fails
	undone    []string          // the names of that
	// settle returns what a person says of a thing that was made.
	settle func(v *vendor, name string) map[string]any
	// things says what is at the vendor.
	things func(v *vendor) string
	// alike makes outputs equal that differ in nothing but what the vendor gave out in turn.
	alike func(outputs string) string
}

// A creator is an operation that creates.
type creator struct {
	operation, sandbox string // what it is called in the vendor's two files
	path               string
	looks              string        // the path of the look-up; "" where there is none
	within             time.Duration // from the first look to the last
}

// A writer writes a pipeline of random steps.
type writer struct {
	dice    *rand.Rand
	lines   []string
	outputs []string
	inputs  map[string]any
	made    []string // names of what is there by now
	makes   []string // those that mill.make may make once more
	steps   int
	names   int
	undone  []string
	counts  map[string]string // as in plan
	shared  bool              // other runs make the same things at the same time
	careful bool              // nothing is made without a look before
	undo    bool
}

// maxSteps is how many steps a program has at most, of which some are written as a few lines.
const maxSteps = 5

// newPlan returns the program of a seed.
func newPlan(dice *rand.Rand, shared, careful bool) plan {
	delays := []time.Duration{0, 0, time.Second, 4 * time.Second, 8 * time.Second, 30 * time.Second}
	if careful {
		delays = delays[:5] // all within the time for which the vendor file says that it is looked
	}
	p := plan{vendor: "mill", pipeline: "pipelines/main.yaml", timeout: 4 * time.Second, delay: delays[dice.IntN(len(delays))],
		config: map[string]any{"user": "demo", "password": "demo-password"},
		creates: []creator{
			{"make", "make", "/makes", "/looks", 10 * time.Second},
			{"add", "add", "/adds", "/looks", 10 * time.Second},
			{"mint", "mint", "/mints", "/sights", time.Second},
			{"press", "press", "/presses", "", 0},
			{"drop", "drop", "/drops", "", 0},
		},
		settle: func(_ *vendor, name string) map[string]any {
			return map[string]any{"id": "id-" + name, "name": name, "call": ""}
		},
		things: func(v *vendor) string { return v.ask(http.MethodGet, "/dump", "", "") },
		alike:  func(outputs string) string { return outputs },
	}
	w := &writer{dice: dice, inputs: map[string]any{}, counts: map[string]string{}, made: []string{"old1", "old2"}, shared: shared, careful: careful}
	w.undo = !shared && dice.IntN(4) == 0
	attempts := []int{1, 3, 5, 5}[dice.IntN(4)]
	p.exclusive = dice.IntN(4) == 0
	spec, box := millFiles(attempts, p.delay, p.exclusive)
	for range 1 + dice.IntN(maxSteps) {
		w.step()
	}
	if w.undo && dice.IntN(2) == 0 {
		w.add("- fail: nothing of this was wanted")
	}
	p.text = w.text()
	p.files = fstest.MapFS{
		"specs/mill.yaml":         {Data: []byte(spec)},
		"specs/mill.sandbox.yaml": {Data: []byte(box)},
		"pipelines/main.yaml":     {Data: []byte(p.text)},
		"pipelines/ensure.yaml":   {Data: []byte(ensureThing)},
		"pipelines/many.yaml":     {Data: []byte(ensureMany)},
	}
	p.inputs, p.undo, p.undone, p.counts = w.inputs, w.undo, w.undone, w.counts
	return p
}

// intcomexPlan is the repository's own pipeline for a list of companies, some of
// which are there, twice in the list, or refused.
func intcomexPlan(dice *rand.Rand) plan {
	p := plan{files: os.DirFS("../.."), vendor: "intcomex", pipeline: ensureCompanies, text: ensureCompanies, timeout: 30 * time.Second,
		config:  map[string]any{"username": "demo", "password": "demo-password"},
		creates: []creator{{"create_company", "create", "/CreateCompany", "/GetCompanyByVatId", 15 * time.Second}},
		things: func(v *vendor) string {
			return fmt.Sprint(slices.Sorted(maps.Keys(v.box.Stats().Creates["create"])))
		},
		alike: func(outputs string) string {
			return regexp.MustCompile(`"(account_id|created|found|failed)":\d+`).ReplaceAllString(outputs, `"$1":0`)
		},
	}
	p.settle = func(v *vendor, name string) map[string]any {
		var token string
		var companies []map[string]any
		if json.Unmarshal([]byte(v.ask(http.MethodPost, "/GetSessionToken", "", `{"username":"demo","password":"demo-password"}`)), &token) != nil ||
			json.Unmarshal([]byte(v.ask(http.MethodPost, "/GetCompanyByVatId", token, fmt.Sprintf(`{"vatId":%q}`, name))), &companies) != nil || len(companies) == 0 {
			return nil
		}
		return map[string]any{"account_id": companies[0]["AccountId"]}
	}
	var rows []any
	for i := range 2 + dice.IntN(8) {
		vat := fmt.Sprintf("SIM-%d", i)
		switch dice.IntN(8) {
		case 0:
			vat = "BM-218539" // is there
		case 1:
			vat = "101-55555-1" // is there twice
		case 2:
			vat = fmt.Sprintf("SIM-%d", i/2)
		}
		rows = append(rows, map[string]any{"vat_id": vat, "name": "Company " + vat, "address": "1 Main Street", "city": "Hamilton", "country": "Bermuda", "zip": "HM 11",
			"email": "it@sample.example", "domains": []any{"sample.example"}, "parent_account_id": 100407, "marketplaces": []any{67}})
	}
	p.inputs = map[string]any{"companies": rows}
	return p
}

const ensureThing = `
pipeline: ensure
version: 1
inputs:
  name: {type: string}
connections:
  mill: {vendor: mill}
steps:
  - id: found
    call: mill.find
    with: {name: "${{ inputs.name }}"}
  - id: make
    if: len(steps.found.outputs.things) == 0
    call: mill.make
    with: {name: "${{ inputs.name }}"}
  - id: tag
    call: mill.tag
    with: {name: "${{ inputs.name }}", tag: "${{ 'ensured ' + inputs.name }}"}
outputs:
  id: ${{ steps.make.outputs.id ?? first(steps.found.outputs.things)?.id }}
  tag: ${{ steps.tag.outputs.tag }}
`

const ensureMany = `
pipeline: many
version: 1
inputs:
  names: {type: array, items: {type: string}}
connections:
  mill: {vendor: mill}
steps:
  - id: each
    foreach: inputs.names
    as: name
    key: name
    parallel: 2
    call: ./ensure.yaml
    with: {name: "${{ name }}"}
outputs:
  ids: ${{ map(steps.each.results, .id) }}
`

func (w *writer) add(lines ...string) { w.lines = append(w.lines, lines...) }

func (w *writer) output(name, expression string) {
	w.outputs = append(w.outputs, fmt.Sprintf("  %s: ${{ %s }}", name, expression))
}

func (w *writer) text() string {
	var b strings.Builder
	b.WriteString("pipeline: main\nversion: 1\n")
	if w.undo {
		b.WriteString("on_failure: undo\n")
	}
	if len(w.inputs) > 0 {
		b.WriteString("inputs:\n")
	}
	for i := range w.steps {
		if _, ok := w.inputs[fmt.Sprintf("list%d", i+1)]; ok {
			fmt.Fprintf(&b, "  list%d: {type: array, items: {type: object, required: [name], properties: {name: {type: string}}}}\n", i+1)
		}
	}
	b.WriteString("connections:\n  mill: {vendor: mill}\nsteps:\n")
	for _, line := range w.lines {
		b.WriteString("  " + line + "\n")
	}
	b.WriteString("outputs:\n  at: ${{ now() }}\n" + strings.Join(w.outputs, "\n") + "\n")
	return b.String()
}

// name returns a name that nothing has.
func (w *writer) name() string {
	w.names++
	return fmt.Sprintf("n%d", w.names)
}

// step writes one step, or a few that belong together.
func (w *writer) step() {
	w.steps++
	id := fmt.Sprintf("s%d", w.steps)
	kind := w.dice.IntN(12)
	if w.careful && !slices.Contains([]int{2, 3, 4, 9, 10}, kind) {
		kind = 2 + w.dice.IntN(3)
	}
	switch kind {
	case 0, 1:
		w.create(id)
	case 2:
		w.ensure(id)
	case 3:
		w.call(id, "tag", fmt.Sprintf("{name: %s, tag: by %s}", w.known(), id), "")
		w.output(id, "steps."+id+".outputs.tag")
	case 4, 5:
		w.each(id)
	case 6:
		w.eachGroup(id)
	case 7:
		w.batch(id)
	case 8:
		w.handled(id)
	case 9:
		w.poll(id)
	case 10:
		w.remember(id)
	case 11:
		if len(w.makes) == 0 {
			w.create(id)
			return
		}
		w.call(id, "make", fmt.Sprintf("{name: %s}", w.makes[w.dice.IntN(len(w.makes))]), "")
		w.output(id, "steps."+id+".outputs.id")
	}
}

// known returns something that is there by now.
func (w *writer) known() string { return w.made[w.dice.IntN(len(w.made))] }

func (w *writer) call(id, operation, with, condition string) {
	w.add("- id: " + id)
	if condition != "" {
		w.add("  if: " + condition)
	}
	w.add("  call: mill."+operation, "  with: "+with)
}

func (w *writer) create(id string) {
	operation := []string{"make", "make", "press", "drop", "mint"}[w.dice.IntN(5)]
	name := w.name()
	if operation == "drop" && w.shared {
		name = "one" + name // has an identity
	}
	w.call(id, operation, fmt.Sprintf("{name: %s}", name), "")
	if w.undo && w.dice.IntN(3) > 0 {
		w.add(`  undo: {call: mill.remove, with: {name: "${{ outputs.name }}"}}`)
		w.undone = append(w.undone, name)
	}
	w.output(id, "steps."+id+".outputs.id")
	if !w.shared {
		w.output(id+"_sent", "steps."+id+".sent")
	}
	if !w.undo {
		w.made = append(w.made, name)
		if operation == "make" {
			w.makes = append(w.makes, name)
		}
	}
}

func (w *writer) ensure(id string) {
	name := w.name()
	if w.dice.IntN(3) == 0 {
		name = append(w.makes, "old1")[w.dice.IntN(len(w.makes)+1)]
	}
	w.add("- id: "+id, "  call: ./ensure.yaml", fmt.Sprintf("  with: {name: %s}", name))
	w.output(id, "steps."+id+".outputs.id")
}

// list makes an input of new names and returns how many; some are refused.
func (w *writer) list(bad bool) []any {
	var rows []any
	for i := range 1 + w.dice.IntN(6) {
		name := w.name()
		if bad && w.dice.IntN(5) == 0 {
			name = fmt.Sprintf("bad%d", i)
		}
		rows = append(rows, map[string]any{"name": name})
	}
	w.inputs[fmt.Sprintf("list%d", w.steps)] = rows
	return rows
}

func (w *writer) rows(id string, collect bool) {
	w.add("- id: "+id, fmt.Sprintf("  foreach: inputs.list%d", w.steps), "  as: row", "  key: row.name",
		fmt.Sprintf("  parallel: %d", 1+w.dice.IntN(4)))
	if collect {
		w.add("  on_error: collect")
	}
}

func (w *writer) each(id string) {
	collect := w.dice.IntN(2) == 0
	rows := w.list(collect)
	if len(rows) > 1 && w.dice.IntN(2) == 0 { // the same thing twice
		rows[len(rows)-1] = rows[0]
	}
	w.rows(id, collect)
	body := w.dice.IntN(4)
	if w.careful {
		body = 3
	}
	switch body {
	case 0:
		w.add("  call: mill.make", `  with: {name: "${{ row.name }}"}`)
		if w.undo {
			w.add(`  undo: {call: mill.remove, with: {name: "${{ outputs.name }}"}}`)
			for _, row := range rows {
				w.undone = append(w.undone, row.(map[string]any)["name"].(string))
			}
		}
	case 1:
		w.add("  call: mill.press", `  with: {name: "${{ row.name }}"}`)
	default:
		w.add("  call: ./ensure.yaml", "  with: ${{ row }}")
	}
	w.output(id, fmt.Sprintf("map(steps.%s.results, .key + ' ' + .status + ' ' + (.id ?? 'none'))", id))
	w.tally(id)
}

// tally writes down at the vendor how many rows are done: another number where a row that had
// failed is done when the run is taken up again.
func (w *writer) tally(id string) {
	if w.shared {
		return // each run has its own number
	}
	var names []string
	for _, row := range w.inputs[fmt.Sprintf("list%d", w.steps)].([]any) {
		names = append(names, row.(map[string]any)["name"].(string))
	}
	w.call(id+"n", "count", "{names: "+strings.Join(names, " ")+"}", "")
	if !w.undo {
		w.counts[id+"n"] = strings.Join(names, " ")
		w.output(id+"n", "steps."+id+"n.outputs.n")
	}
	w.call(id+"t", "tag", fmt.Sprintf(`{name: tally%d, tag: "${{ text(steps.%s.done) }}"}`, w.steps, id), "")
}

func (w *writer) eachGroup(id string) {
	w.list(false)
	w.rows(id, w.dice.IntN(2) == 0)
	operation := []string{"make", "press"}[w.dice.IntN(2)]
	w.add("  steps:",
		"    - id: "+id+"a",
		"      call: mill."+operation,
		`      with: {name: "${{ row.name }}"}`,
		"    - id: "+id+"b",
		"      call: mill.tag",
		`      with: {name: "${{ row.name }}", tag: "${{ steps.`+id+`a.outputs.id }}"}`,
		"    - id: "+id+"c",
		"      call: ./many.yaml",
		`      with: {names: ["${{ row.name + 'x' }}", "${{ row.name + 'y' }}"]}`,
		"  outputs:",
		`    id: "${{ steps.`+id+`a.outputs.id + ' ' + join(map(steps.`+id+`c.outputs.ids, # ?? 'none'), ' ') }}"`)
	w.output(id, fmt.Sprintf("map(steps.%s.results, .key + ' ' + .status + ' ' + (.id ?? 'none'))", id))
	w.tally(id)
}

func (w *writer) batch(id string) {
	if w.shared { // refuses rows that others have made meanwhile
		w.ensure(id)
		return
	}
	collect := w.dice.IntN(2) == 0
	w.list(collect)
	w.add("- id: "+id, fmt.Sprintf("  foreach: inputs.list%d", w.steps), "  as: rows",
		fmt.Sprintf("  batch: %d", 1+w.dice.IntN(3)), fmt.Sprintf("  parallel: %d", 1+w.dice.IntN(2)))
	if collect {
		w.add("  on_error: collect")
	}
	w.add("  call: mill.add", `  with: {rows: "${{ rows }}"}`)
	w.output(id, fmt.Sprintf("map(steps.%s.results, .key + ' ' + .status + ' batch')", id))
	w.tally(id)
}

func (w *writer) handled(id string) {
	w.call(id, "make", "{name: bad}", "")
	w.add("  on_error:", "    - if: error.outcome == 'invalid'", `      outputs: {id: "${{ text(error.status) }}", name: none, call: ""}`)
	w.output(id, "steps."+id+".outputs.id")
}

func (w *writer) poll(id string) {
	w.call(id, "find", fmt.Sprintf("{name: %s}", w.known()), "")
	w.add("  until: len(outputs.things) > 0", "  every: 2s", "  timeout: 10m")
	w.output(id, fmt.Sprintf("map(steps.%s.outputs.things, .id)", id))
}

func (w *writer) remember(id string) {
	table := "notes"
	if w.shared { // where other runs write meanwhile, what is read is anybody's
		table = id
	}
	w.add("- id: "+id, "  call: store.put", fmt.Sprintf("  with: {table: %s, key: %s, value: {by: %s}}", table, w.known(), id))
	w.add("- id: "+id+"g", "  call: store.get", fmt.Sprintf("  with: {table: %s, key: %s}", table, w.known()))
	w.output(id, "digest(steps."+id+"g.outputs.value)")
}
