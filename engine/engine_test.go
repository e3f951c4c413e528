package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/internal/lang/langtest"
)

// desk is a project with an input of every type.
var desk = fstest.MapFS{
	"specs/desk.yaml": {Data: []byte(`
vendor: desk
version: 1
config:
  pin: {type: string, secret: true, minLength: 4}
  lane: {type: integer, default: 1}
auth:
  inject:
    headers: {Pin: "${{ config.pin }}"}
defaults:
  retry: {attempts: 1, first: 1ms, max: 1ms}
operations:
  put:
    effect: create
    inputs:
      name: {type: string}
      count: {type: integer, optional: true}
    request:
      method: POST
      path: /put/${{ config.lane }}
      body: {name: "${{ inputs.name }}", count: "${{ inputs.count ?? omit }}"}
    response:
      schema: {type: object, required: [id], properties: {id: {type: integer}, code: {type: string}}}
      outputs:
        id: id
        code: {path: code, default: "", secret: true}
`)},
	"pipelines/echo.yaml": {Data: []byte(`
pipeline: echo
version: 1
inputs:
  text: {type: string, optional: true}
  number: {type: integer, default: 7}
  price: {type: decimal, optional: true}
  on: {type: boolean, optional: true}
  tags: {type: array, items: {type: string}, optional: true}
  thing: {type: object, properties: {a: {type: integer}}, optional: true}
  pin: {type: string, secret: true, pattern: "^[0-9]+$", optional: true}
steps:
  - id: none
    set: {x: 1}
outputs:
  text: ${{ inputs.text }}
  number: ${{ inputs.number }}
  price: ${{ inputs.price }}
  on: ${{ inputs.on }}
  tags: ${{ inputs.tags }}
  thing: ${{ inputs.thing }}
`)},
	"pipelines/put.yaml": {Data: []byte(`
pipeline: put
version: 1
inputs:
  rows:
    type: array
    items:
      type: object
      required: [name]
      properties: {name: {type: string, minLength: 1}, count: {type: integer}}
connections:
  desk: {vendor: desk}
steps:
  - id: each
    foreach: inputs.rows
    as: row
    key: row.name
    parallel: 4
    on_error: collect
    call: desk.put
    with: {name: "${{ row.name }}", count: "${{ row.count }}"}
outputs:
  ids: ${{ map(steps.each.results, .id) }}
  failed: ${{ steps.each.failed }}
`)},
	"pipelines/whole.yaml": {Data: []byte(`
pipeline: whole
version: 1
inputs:
  rows:
    type: array
    items: {type: object, required: [name], properties: {name: {type: string, minLength: 1}}}
    file: rows.csv
steps:
  - id: each
    foreach: inputs.rows
    on_error: collect
    set: {name: "${{ item.name }}"}
outputs:
  n: ${{ len(inputs.rows) }}
  names: {value: "${{ steps.each.results }}", file: out/names.csv}
  again: {value: "${{ steps.each.results }}", file: names.jsonl}
`)},
	"pipelines/few.yaml": {Data: []byte(`
pipeline: few
version: 1
inputs:
  rows: {type: array, minItems: 2, items: {type: string}}
steps:
  - id: each
    foreach: inputs.rows
    set: {name: "${{ item }}"}
outputs:
  done: ${{ steps.each.done }}
`)},
	"pipelines/rows.csv": {Data: []byte("name\na\nb\n")},
}

// A deskServer answers puts; answer may replace what it says.
func deskServer(t testing.TB, answer func(w http.ResponseWriter, name string) bool) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := calls.Add(1)
		var body struct{ Name string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if answer == nil || !answer(w, body.Name) {
			fmt.Fprintf(w, `{"id": %d, "code": "topsecret"}`, n)
		}
	}))
	t.Cleanup(s.Close)
	return s, &calls
}

func load(t testing.TB, o engine.Options) *engine.Program {
	t.Helper()
	p, err := engine.Load(desk, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func toDesk(url string) map[string]engine.Connection {
	return map[string]engine.Connection{"desk": {Vendor: "desk", BaseURL: url, Config: map[string]any{"pin": "4711-secret"}}}
}

// rendered returns the faults of err as people see them, or its text.
func rendered(err error) string {
	var faults diag.List
	if !errors.As(err, &faults) {
		return fmt.Sprint(err)
	}
	return langtest.Rendered(faults)
}

func write(t testing.TB, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestInputsOfEveryKindAreRead(t *testing.T) {
	p := load(t, engine.Options{})
	none := map[string]any{"text": nil, "number": int64(7), "price": nil, "on": nil, "tags": nil, "thing": nil}
	tests := []struct {
		name   string
		inputs map[string]any
		texts  map[string]string
		want   map[string]any // what differs from none
	}{
		{"nothing given", nil, nil, nil},
		{"null means not given", map[string]any{"text": nil, "number": nil, "tags": nil}, nil, nil},
		{"Go values", map[string]any{"text": "x", "number": uint8(3), "price": 0.1, "on": true, "tags": []string{"a"}, "thing": map[string]int{"a": 1}}, nil,
			map[string]any{"text": "x", "number": int64(3), "price": json.Number("0.1"), "on": true, "tags": []any{"a"}, "thing": map[string]any{"a": int64(1)}}},
		{"whole number with a point", map[string]any{"number": json.Number("15.0")}, nil, map[string]any{"number": int64(15)}},
		{"digits are kept", map[string]any{"price": json.Number("203.7700")}, nil, map[string]any{"price": json.Number("203.7700")}},
		{"texts", nil, map[string]string{"text": "5", "number": "15.0", "price": "203.7700", "on": "false", "tags": "a; b", "thing": `{"a": 1}`},
			map[string]any{"text": "5", "number": int64(15), "price": json.Number("203.7700"), "on": false, "tags": []any{"a", "b"}, "thing": map[string]any{"a": int64(1)}}},
		{"both maps side by side", map[string]any{"text": "x"}, map[string]string{"number": "1"}, map[string]any{"text": "x", "number": int64(1)}},
		{"file of a text", map[string]any{"text": engine.File(write(t, "t.txt", "\ufefftwo\nlines\r\n"))}, nil, map[string]any{"text": "two\nlines"}},
		{"file of a number", map[string]any{"number": engine.File(write(t, "n.txt", "12\n"))}, nil, map[string]any{"number": int64(12)}},
		{"file of an object", map[string]any{"thing": engine.File(write(t, "t.json", `{"a": 2}`))}, nil, map[string]any{"thing": map[string]any{"a": int64(2)}}},
		{"file of an object in YAML", map[string]any{"thing": engine.File(write(t, "t.yml", "# two\na: 2\n"))}, nil, map[string]any{"thing": map[string]any{"a": int64(2)}}},
		{"file of a list", map[string]any{"tags": engine.File(write(t, "l.json", `["x", "y"]`))}, nil, map[string]any{"tags": []any{"x", "y"}}},
		{"sequence", map[string]any{"tags": seq("x", "y")}, nil, map[string]any{"tags": []any{"x", "y"}}},
	}
	for _, tt := range tests {
		res, err := p.Run(context.Background(), engine.Request{Pipeline: "./pipelines/echo.yaml", Inputs: tt.inputs, InputTexts: tt.texts})
		if err != nil {
			t.Errorf("%s: %s", tt.name, rendered(err))
			continue
		}
		want := map[string]any{}
		for k, v := range none {
			want[k] = v
		}
		for k, v := range tt.want {
			want[k] = v
		}
		if !reflect.DeepEqual(res.Outputs, want) {
			t.Errorf("%s: %#v, want %#v", tt.name, res.Outputs, want)
		}
	}
}

func seq(items ...any) iter.Seq[any] {
	return func(yield func(any) bool) {
		for _, v := range items {
			if !yield(v) {
				return
			}
		}
	}
}

func TestWrongInputsAreNamedAllAtOnce(t *testing.T) {
	p := load(t, engine.Options{})
	broken := write(t, "b.json", `{"a": `)
	secret := write(t, "s.txt", "hunter2")
	endless := iter.Seq[any](func(yield func(any) bool) {
		for yield("x") {
		}
	})
	tests := []struct {
		name, pipeline string
		inputs         map[string]any
		texts          map[string]string
		want           string
	}{
		{"unknown pipeline", "pipelines/ecco.yaml", nil, nil, "no pipeline pipelines/ecco.yaml is loaded\n  hint: did you mean pipelines/echo.yaml?\n"},
		{"several", "pipelines/echo.yaml", map[string]any{"number": "x", "txt": 1, "on": 1}, map[string]string{"price": "dear"},
			"input number: expected integer, found text \"x\"\ninput on: expected boolean, found integer 1\ninput price: expected decimal, found \"dear\"\ninput txt: is not known here; did you mean text?\n"},
		{"in both maps", "pipelines/echo.yaml", map[string]any{"number": 1, "tags": seq("a")}, map[string]string{"number": "1", "tags": "b"},
			"input number: it is given as a value and as text\ninput tags: it is given as a value and as text\n"},
		{"unknown and endless", "pipelines/echo.yaml", map[string]any{"nobody": endless}, nil, "input nobody: is not known here\n"},
		{"unknown file", "pipelines/echo.yaml", map[string]any{"nobody": engine.File("x.csv")}, nil, "input nobody: is not known here\n"},
		{"sequence for a number", "pipelines/echo.yaml", map[string]any{"number": seq(1)}, nil, "input number: expected integer, found list\n"},
		{"no value at all", "pipelines/echo.yaml", map[string]any{"text": make(chan int)}, nil, "input text: cannot use chan int as a value: json: unsupported type: chan int\n"},
		{"broken JSON", "pipelines/echo.yaml", map[string]any{"thing": engine.File(broken)}, nil, broken + ":1:7: the file is not JSON: it ends too early\n"},
		{"secrets are not shown", "pipelines/echo.yaml", map[string]any{"pin": "hunter2"}, nil, "input pin: the text does not match the pattern ^[0-9]+$\n"},
		{"secrets of files are not shown", "pipelines/echo.yaml", map[string]any{"pin": engine.File(secret)}, nil, "input pin: the text does not match the pattern ^[0-9]+$\n"},
		{"missing", "pipelines/few.yaml", nil, nil, "input rows: is missing\n"},
		{"a bound on the list is kept though a foreach alone reads it", "pipelines/few.yaml", map[string]any{"rows": seq("a")}, nil, "input rows: expected at least 2 items, found 1\n"},
		{"rows of a list that is used as a whole", "pipelines/whole.yaml", map[string]any{"rows": seq(map[string]any{"name": ""}, make(chan int), map[string]any{"nam": "x"})}, nil,
			"input rows[0].name: must not be empty\ninput rows[1]: cannot use chan int as a value: json: unsupported type: chan int\ninput rows[2]: missing member \"name\"\n"},
		{"missing file", "pipelines/whole.yaml", map[string]any{"rows": engine.File("nowhere.csv")}, nil, "nowhere.csv: cannot read the input rows: no such file or directory\n  hint: give it as --input rows=@FILE\n"},
	}
	for _, tt := range tests {
		res, err := p.Run(context.Background(), engine.Request{Pipeline: tt.pipeline, Inputs: tt.inputs, InputTexts: tt.texts})
		if res != nil {
			t.Errorf("%s: there is a result: %+v", tt.name, res)
		}
		if got := rendered(err); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestABadRowOfAStreamedListFailsAlone(t *testing.T) {
	shop, calls := deskServer(t, nil)
	p := load(t, engine.Options{Connections: toDesk(shop.URL)})
	rows := []any{map[string]any{"name": "a"}, map[string]any{"name": ""}, map[string]any{"name": "b", "count": "x"}, map[string]any{"name": "c", "count": 2}}
	jsonRows, _ := json.Marshal(rows)
	given := map[string]engine.Request{
		"a list":         {Inputs: map[string]any{"rows": rows}},
		"a text":         {InputTexts: map[string]string{"rows": string(jsonRows)}},
		"a file of JSON": {Inputs: map[string]any{"rows": engine.File(write(t, "r.json", string(jsonRows)))}},
		"a file of CSV":  {Inputs: map[string]any{"rows": engine.File(write(t, "r.csv", "name,count\na,\n,1\nb,x\nc,2\n"))}},
		"a sequence":     {Inputs: map[string]any{"rows": seq(rows...)}},
		"a function that yields objects": {Inputs: map[string]any{"rows": func(yield func(map[string]any) bool) {
			for _, row := range rows {
				if !yield(row.(map[string]any)) {
					return
				}
			}
		}}},
		"a function that yields structs and errors": {Inputs: map[string]any{"rows": func(yield func(struct {
			Name  string `json:"name"`
			Count int    `json:"count"`
		}, error) bool) {
			type row = struct {
				Name  string `json:"name"`
				Count int    `json:"count"`
			}
			_ = yield(row{"a", 0}, nil) && yield(row{}, errors.New("unreadable")) && yield(row{}, errors.New("gone")) && yield(row{"c", 2}, nil)
		}}},
		"a sequence with errors": {Inputs: map[string]any{"rows": iter.Seq2[any, error](func(yield func(any, error) bool) {
			_ = yield(rows[0], nil) && yield(nil, errors.New("unreadable")) && yield(nil, errors.New("gone")) && yield(rows[3], nil)
		})}},
	}
	for name, r := range given {
		calls.Store(0)
		r.Pipeline = "pipelines/put.yaml"
		status := map[string]int{}
		r.Rows = func(row engine.Row) { status[row.Status]++ }
		res, err := p.Run(context.Background(), r)
		if err != nil || res.Status != engine.Partial || res.Outputs["failed"] != int64(2) || calls.Load() != 2 || status["done"] != 2 || status["failed"] != 2 {
			t.Errorf("from %s: %v %+v after %d calls, rows %v", name, err, res, calls.Load(), status)
		}
	}
}

func TestOutputsGoToFilesOrStayLists(t *testing.T) {
	p := load(t, engine.Options{})
	dir := filepath.Join(t.TempDir(), "new")
	res, err := p.Run(context.Background(), engine.Request{Pipeline: "pipelines/whole.yaml", OutDir: dir})
	if err != nil {
		t.Fatal(rendered(err))
	}
	want := map[string]any{
		"n":     int64(2),
		"names": map[string]any{"file": dir + "/out/names.csv", "rows": int64(2)},
		"again": map[string]any{"file": dir + "/names.jsonl", "rows": int64(2)},
	}
	if !reflect.DeepEqual(res.Outputs, want) {
		t.Errorf("outputs %v, want %v", res.Outputs, want)
	}
	text, _ := os.ReadFile(filepath.Join(dir, "out", "names.csv"))
	if string(text) != "key,status,name,error\n1,done,a,\n2,done,b,\n" {
		t.Errorf("the file holds %q", text)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	res, err = p.Run(context.Background(), engine.Request{Pipeline: "pipelines/whole.yaml"})
	if list, ok := res.Outputs["names"].([]any); err != nil || !ok || len(list) != 2 {
		t.Errorf("without a folder: %v %v", err, res.Outputs)
	}
}

func TestAFolderThatCannotBeWrittenIsFoundFirst(t *testing.T) {
	p := load(t, engine.Options{})
	file := write(t, "in-the-way", "x")
	if err := os.MkdirAll(filepath.Join(filepath.Dir(file), "names.jsonl"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Dir(file)} {
		var heard int
		res, err := p.Run(context.Background(), engine.Request{Pipeline: "pipelines/whole.yaml", OutDir: dir, Rows: func(engine.Row) { heard++ }})
		if res != nil || !strings.Contains(rendered(err), "cannot be written") || heard > 0 {
			t.Errorf("%s: %v, %s, %d rows", dir, res, rendered(err), heard)
		}
	}
}

// A bubble ends in a panic when a goroutine is left behind in it.
func TestLeavingAStreamInterruptsItsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		vendor := roundTrip(func(r *http.Request) (*http.Response, error) {
			calls.Add(1)
			return slow(time.Second).RoundTrip(r)
		})
		p := load(t, engine.Options{Connections: toDesk("http://desk.example"), Client: &http.Client{Transport: vendor}})
		endless := iter.Seq[any](func(yield func(any) bool) {
			for i := 0; yield(map[string]any{"name": fmt.Sprint("n", i)}); i++ {
			}
		})
		heard, passed := 0, 0
		request := engine.Request{Pipeline: "pipelines/put.yaml", Inputs: map[string]any{"rows": endless}, Rows: func(engine.Row) { passed++ }}
		for row, err := range p.Stream(context.Background(), request) {
			if err != nil || row.Status != "done" || row.Outputs["id"] == nil {
				t.Fatalf("%+v, %v", row, err)
			}
			if _, shown := row.Outputs["code"]; shown {
				t.Errorf("a secret output is shown: %v", row.Outputs)
			}
			if heard++; heard == 3 {
				break
			}
		}
		if passed < 3 {
			t.Errorf("Request.Rows heard of %d rows", passed)
		}
		sent := calls.Load()
		time.Sleep(time.Minute)
		if calls.Load() != sent || sent > 3+4+4 {
			t.Errorf("%d calls, %d of them after the loop was left", calls.Load(), calls.Load()-sent)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAStreamYieldsItsErrorLast(t *testing.T) {
	shop, _ := deskServer(t, func(w http.ResponseWriter, name string) bool {
		if name == "b" {
			http.Error(w, "no such pin 4711-secret", http.StatusUnauthorized)
		}
		return name == "b"
	})
	p := load(t, engine.Options{Connections: toDesk(shop.URL)})
	var last error
	var keys []string
	rows := seq(map[string]any{"name": "a"}, map[string]any{"name": "b"})
	for row, err := range p.Stream(context.Background(), engine.Request{Pipeline: "pipelines/put.yaml", Inputs: map[string]any{"rows": rows}}) {
		if last != nil {
			t.Error("something comes after the error")
		}
		last = err
		if err == nil {
			keys = append(keys, row.Key)
			if strings.Contains(row.Error, "4711") {
				t.Errorf("a secret is shown: %s", row.Error)
			}
		}
	}
	var failed *engine.Error
	if !errors.As(last, &failed) || failed.Status != engine.Failed || failed.Failure.Outcome != "auth" {
		t.Fatalf("%v after %v", last, keys)
	}
	for err := error(failed); err != nil; err = errors.Unwrap(err) {
		if strings.Contains(err.Error(), "4711") {
			t.Errorf("a secret is shown: %v", err)
			break
		}
	}
	for _, err := range p.Stream(context.Background(), engine.Request{Pipeline: "pipelines/put.yaml"}) {
		if got := rendered(err); got != "input rows: is missing\n" {
			t.Errorf("wrong inputs: %s", got)
		}
	}
}

// slow is a transport whose vendor answers after the given time.
type slow time.Duration

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(time.Duration(s)):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(`{"id": 1}`))}, nil
}

func TestTimeoutFailsAndCancelInterrupts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := load(t, engine.Options{Connections: toDesk("http://desk.example"), Client: &http.Client{Transport: slow(5 * time.Second)}})
		names := make([]any, 40)
		for i := range names {
			names[i] = map[string]any{"name": fmt.Sprint("n", i)}
		}
		request := engine.Request{Pipeline: "pipelines/put.yaml", Inputs: map[string]any{"rows": names}}
		// Rows begin at 0s, 5s and 10s. A create that was sent is waited for: those of 10s end at 15s.
		for _, tt := range []struct {
			name   string
			run    func() (*engine.Result, error)
			status engine.Status
			code   string
		}{
			{"timeout", func() (*engine.Result, error) {
				r := request
				r.Timeout = 12 * time.Second
				return p.Run(context.Background(), r)
			}, engine.Failed, "timeout"},
			{"cancel", func() (*engine.Result, error) {
				ctx, cancel := context.WithTimeout(context.Background(), 12*time.Second)
				defer cancel()
				return p.Run(ctx, request)
			}, engine.Interrupted, "interrupted"},
		} {
			began := time.Now()
			res, err := tt.run()
			var failed *engine.Error
			if !errors.As(err, &failed) {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			if res.Status != tt.status || failed.Failure.Code != tt.code || failed.Failure.Step != "each" || time.Since(began) != 15*time.Second {
				t.Errorf("%s: %s after %v: %+v", tt.name, res.Status, time.Since(began), failed.Failure)
			}
		}
	})
}

func TestRunsGoOnSideBySide(t *testing.T) {
	shop, calls := deskServer(t, nil)
	var mu sync.Mutex
	runs := map[string]int{}
	p := load(t, engine.Options{Connections: toDesk(shop.URL), Events: sink(func(e event.Event) {
		mu.Lock()
		defer mu.Unlock()
		if f, ok := e.(*event.RunFinished); ok {
			runs[f.Run]++
		}
	})})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			rows := seq(map[string]any{"name": fmt.Sprint("a", i)}, map[string]any{"name": fmt.Sprint("b", i)})
			res, err := p.Run(context.Background(), engine.Request{Pipeline: "pipelines/put.yaml", Inputs: map[string]any{"rows": rows}})
			if err != nil || len(res.Outputs["ids"].([]any)) != 2 {
				t.Errorf("run %d: %v %v", i, err, res)
			}
		})
	}
	all.Wait()
	if calls.Load() != 16 || len(runs) != 8 {
		t.Errorf("%d calls, runs %v", calls.Load(), runs)
	}
}

type sink func(event.Event)

func (s sink) Emit(e event.Event) { s(e) }

func TestConnectionsOfAFile(t *testing.T) {
	shop, _ := deskServer(t, nil)
	env := func(vars map[string]string) engine.Environment {
		return engine.Environment{
			Env: func(name string) (string, bool) { v, ok := vars[name]; return v, ok },
			ReadFile: func(name string) ([]byte, error) {
				if name != "/run/pin" {
					return nil, os.ErrNotExist
				}
				return []byte("4711-secret\r\n"), nil
			},
		}
	}
	tests := []struct {
		name, text string
		vars       map[string]string
		want       string // "" when the call succeeds
	}{
		{"from a file, others are not looked at", "connections:\n  desk: {vendor: desk, base_url: \"${{ env.URL }}\", config: {pin: \"${{ file('/run/pin') }}\"}}\n  other: {vendor: desk, base_url: \"${{ env.NOT_SET }}\", config: {pin: x}}\n",
			map[string]string{"URL": shop.URL}, ""},
		{"the only one to the vendor", "connections:\n  office: {vendor: desk, base_url: \"${{ env.URL ?? 'http://127.0.0.1:1' }}\", config: {pin: \"4711-secret\", lane: 2}}\n", map[string]string{"URL": shop.URL + "/"}, ""},
		{"not set", "connections:\n  desk: {vendor: desk, base_url: \"${{ env.URL }}\", config: {pin: \"x${{ env.PIN }}\"}}\n", nil,
			"c.yaml:2:43: the environment variable URL is not set\n    2 |   desk: {vendor: desk, base_url: \"${{ env.URL }}\", config: {pin: \"x${{ env.PIN }}\"}}\n      |                                           ^\n  hint: set it, or give the connection another value\nc.yaml:2:76: the environment variable PIN is not set\n    2 |   desk: {vendor: desk, base_url: \"${{ env.URL }}\", config: {pin: \"x${{ env.PIN }}\"}}\n      |                                                                            ^\n  hint: set it, or give the connection another value\n"},
		{"bad config, secrets hidden", "connections:\n  desk: {vendor: desk, base_url: \"http://a.example\", config: {pin: abc, lane: left}}\n", nil,
			"c.yaml:2:63: config pin of vendor desk: expected at least 4 characters\n    2 |   desk: {vendor: desk, base_url: \"http://a.example\", config: {pin: abc, lane: left}}\n      |                                                               ^\n  specs/desk.yaml:5:3: declared here\nc.yaml:2:73: config lane of vendor desk: expected integer, found text\n    2 |   desk: {vendor: desk, base_url: \"http://a.example\", config: {pin: abc, lane: left}}\n      |                                                                         ^\n  specs/desk.yaml:6:3: declared here\n"},
		{"user in the URL", "connections:\n  desk: {vendor: desk, base_url: \"http://u:hunter2@a.example\", config: {pin: \"4711\"}}\n", nil,
			"c.yaml:2:35: base_url must not hold a user or password: these belong below config\n    2 |   desk: {vendor: desk, base_url: \"http://u:hunter2@a.example\", config: {pin: \"4711\"}}\n      |                                   ^\n"},
		{"secret that is not there", "connections:\n  desk:\n    vendor: desk\n    base_url: http://a.example\n    config: {pin: \"${{ file('/gone') }}\"}\n", nil,
			"c.yaml:5:24: cannot read the secret: file does not exist\n    5 |     config: {pin: \"${{ file('/gone') }}\"}\n      |                        ^\n"},
	}
	for _, tt := range tests {
		connections, err := engine.ReadConnections("c.yaml", []byte(tt.text), env(tt.vars))
		if err != nil {
			t.Errorf("%s: %s", tt.name, rendered(err))
			continue
		}
		res, err := load(t, engine.Options{Connections: connections}).Call(context.Background(), "desk.put", engine.Request{Inputs: map[string]any{"name": "a"}})
		if tt.want == "" {
			if err != nil || res.Status != engine.Succeeded {
				t.Errorf("%s: %s", tt.name, rendered(err))
			}
		} else if got := rendered(err); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestConnectionsOfAProgram(t *testing.T) {
	tests := []struct {
		name        string
		connections map[string]engine.Connection
		want        string
	}{
		{"none", nil, "pipelines/put.yaml:12:3: no connection desk is given\n   12 |   desk: {vendor: desk}\n      |   ^\n  hint: add desk: {vendor: desk, base_url: https://…} to the connections file (connections.yaml, or --connections FILE), or try it out with --sandbox\n"},
		{"a misspelt one", map[string]engine.Connection{"desc": {Vendor: "desk"}}, "pipelines/put.yaml:12:3: no connection desk is given\n   12 |   desk: {vendor: desk}\n      |   ^\n  hint: add desk: {vendor: desk, base_url: https://…} to the connections file (connections.yaml, or --connections FILE), or try it out with --sandbox; there is a connection desc\n"},
		{"to another vendor", map[string]engine.Connection{"desk": {Vendor: "shop"}}, "pipelines/put.yaml:12:3: connection desk must be to the vendor desk, the one given is to shop\n   12 |   desk: {vendor: desk}\n      |   ^\n"},
		{"without anything", map[string]engine.Connection{"desk": {Vendor: "desk"}}, "connection desk: base_url must begin with https:// or http://\nconnection desk: config pin: is missing\n"},
		{"surplus config", map[string]engine.Connection{"desk": {Vendor: "desk", BaseURL: "https://a.example", Config: map[string]any{"pin": "12345", "lan": 1}}}, "connection desk: config lan: is not known here; did you mean lane?\n"},
	}
	for _, tt := range tests {
		_, err := load(t, engine.Options{Connections: tt.connections}).Run(context.Background(), engine.Request{Pipeline: "pipelines/put.yaml", Inputs: map[string]any{"rows": seq()}})
		if got := rendered(err); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestCallLeavesSecretOutputsOut(t *testing.T) {
	shop, _ := deskServer(t, nil)
	p := load(t, engine.Options{Connections: toDesk(shop.URL)})
	res, err := p.Call(context.Background(), "desk.put", engine.Request{InputTexts: map[string]string{"name": "a", "count": "2"}})
	if err != nil || !reflect.DeepEqual(res.Outputs, map[string]any{"id": int64(1)}) || res.Pipeline != "desk.put" {
		t.Errorf("%v %+v", err, res)
	}
	for name, want := range map[string]string{
		"dask.put": "no vendor dask is loaded\n  hint: did you mean desk?\n",
		"desk.pit": "vendor desk has no operation pit\n  hint: did you mean put?\n",
		"desk":     "vendor desk has no operation \n  hint: there are: put\n",
	} {
		if _, err := p.Call(context.Background(), name, engine.Request{}); rendered(err) != want {
			t.Errorf("%s: %s", name, rendered(err))
		}
	}
	two := map[string]engine.Connection{"a": {Vendor: "desk"}, "b": {Vendor: "desk"}}
	_, err = load(t, engine.Options{Connections: two}).Call(context.Background(), "desk.put", engine.Request{})
	if want := "several connections are to vendor desk (a, b), and none is named desk\n  hint: give a call just the one that it shall use\n"; rendered(err) != want {
		t.Errorf("two connections: %s", rendered(err))
	}
}

func TestStatusesAndTheirExitCodes(t *testing.T) {
	for status, want := range map[engine.Status]int{
		engine.Succeeded: 0, engine.Failed: 1, engine.Invalid: 2, engine.Partial: 3, engine.Ambiguous: 4, engine.Interrupted: 130,
	} {
		if got := status.ExitCode(); got != want {
			t.Errorf("%s ends with %d, want %d", status, got, want)
		}
	}
	shop, _ := deskServer(t, func(w http.ResponseWriter, name string) bool {
		switch name {
		case "refused":
			http.Error(w, "no", http.StatusUnprocessableEntity)
		case "lost":
			http.Error(w, "oops", http.StatusInternalServerError)
		default:
			return false
		}
		return true
	})
	p := load(t, engine.Options{Connections: toDesk(shop.URL)})
	for _, tt := range []struct {
		rows []string
		want engine.Status
		err  string
	}{
		{nil, engine.Succeeded, "<nil>"},
		{[]string{"a"}, engine.Succeeded, "<nil>"},
		{[]string{"a", "refused"}, engine.Partial, "<nil>"},
		{[]string{"a", "refused", "lost"}, engine.Ambiguous, "unknown: 1 row is ambiguous: its create may or may not have reached the vendor. See the results of the rows"},
		{[]string{"lost", "b", "lost"}, engine.Ambiguous, "unknown: 2 rows are ambiguous: their creates may or may not have reached the vendor. See the results of the rows"},
	} {
		var rows []any
		for _, name := range tt.rows {
			rows = append(rows, map[string]any{"name": name})
		}
		res, err := p.Run(context.Background(), engine.Request{Pipeline: "pipelines/put.yaml", Inputs: map[string]any{"rows": seq(rows...)}})
		if res.Status != tt.want || fmt.Sprint(err) != tt.err {
			t.Errorf("%v: %s, %v", tt.rows, res.Status, err)
		}
		if len(res.Outputs["ids"].([]any)) != len(tt.rows) {
			t.Errorf("%v: outputs %v", tt.rows, res.Outputs)
		}
	}
}

func TestReadInputsKeepsDigits(t *testing.T) {
	got, err := engine.ReadInputs("in.yaml", []byte("price: 203.7700\nid: 9007199254740993\nzip: \"01234\"\nnone: null\n"))
	want := map[string]any{"price": json.Number("203.7700"), "id": int64(9007199254740993), "zip": "01234", "none": nil}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, %v", got, err)
	}
	for text, want := range map[string]string{
		"- a\n":        "in.yaml:1:3: expected a mapping of input names to values",
		"a: 1\na: 2\n": "in.yaml:2:1: ",
		"":             "in.yaml: the file is empty",
	} {
		if _, err := engine.ReadInputs("in.yaml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
