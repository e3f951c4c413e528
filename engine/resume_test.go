package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/state"
)

// press prints books; its shop is a vendor that counts and that can be down.
var press = fstest.MapFS{
	"specs/press.yaml": {Data: []byte(`
vendor: press
version: 1
config:
  key: {type: string, secret: true}
auth:
  inject:
    headers:
      X-Api-Key: ${{ config.key }}
defaults:
  retry: {attempts: 1, first: 1ms, max: 1ms}
operations:
  find_paper:
    effect: read
    inputs:
      name: {type: string}
    request:
      method: GET
      path: /papers
      query: {name: "${{ inputs.name }}"}
    response:
      schema: {type: object, required: [id], properties: {id: {type: integer}}}
      outputs: {id: id}
  print:
    effect: create
    identity: inputs.title
    inputs:
      title: {type: string}
      paper: {type: integer}
      pin: {type: string, secret: true, optional: true}
    request:
      method: POST
      path: /prints
      body:
        title: ${{ inputs.title }}
        paper: ${{ inputs.paper }}
        pin: ${{ inputs.pin ?? omit }}
    response:
      schema: {type: object, required: [id], properties: {id: {type: integer}}}
      outputs: {id: id}
  ship:
    effect: idempotent
    inputs:
      id: {type: integer}
    request:
      method: POST
      path: /shipments
      body: {id: "${{ inputs.id }}"}
    response:
      as: none
`)},
	"pipelines/order.yaml": {Data: []byte(`
pipeline: order
version: 1
inputs:
  title: {type: string}
  pin: {type: string, secret: true, optional: true}
connections:
  press: {vendor: press}
steps:
  - id: paper
    call: press.find_paper
    with: {name: plain}
  - id: print
    call: press.print
    with: {title: "${{ inputs.title }}", paper: "${{ steps.paper.outputs.id }}", pin: "${{ inputs.pin }}"}
  - id: ship
    call: press.ship
    with: {id: "${{ steps.print.outputs.id }}"}
outputs:
  id: ${{ steps.print.outputs.id }}
  at: ${{ now() }}
  printed: ${{ steps.print.sent }}
`)},
	"pipelines/careful.yaml": {Data: []byte(`
pipeline: careful
version: 1
connections:
  press: {vendor: press}
steps:
  - id: paper
    call: press.find_paper
    with: {name: plain}
  - id: print
    call: press.print
    with: {title: Ulysses, paper: "${{ steps.paper.outputs.id }}"}
  - id: left
    call: press.find_paper
    with: {name: plain}
  - id: few
    if: steps.left.outputs.id < 4
    fail: "${{ steps.left.outputs.id }} are left"
outputs:
  paper: ${{ steps.paper.outputs.id }}
  left: ${{ steps.left.outputs.id }}
`)},
	"pipelines/orders.yaml": {Data: []byte(`
pipeline: orders
version: 1
inputs:
  books:
    type: array
    items: {type: object, required: [title], properties: {title: {type: string}}}
connections:
  press: {vendor: press}
steps:
  - id: each
    foreach: inputs.books
    as: book
    key: book.title
    call: ./order.yaml
    with: ${{ book }}
outputs:
  results: {value: "${{ steps.each.results }}", file: results.csv}
`)},
	"pipelines/other.yaml": {Data: []byte("pipeline: other\nversion: 1\nsteps:\n  - {id: one, set: {a: 1}}\noutputs: {a: \"${{ steps.one.outputs.a }}\"}\n")},
}

// A printer is the vendor: it counts what it is asked for, and fails as breaks says.
type printer struct {
	*httptest.Server
	mu     sync.Mutex
	calls  map[string]int
	breaks map[string]int // path to HTTP status
	last   map[string]string
	asked  func(path string) // hears of every request; nil for nobody
}

func newPrinter(t *testing.T) *printer {
	p := &printer{calls: map[string]int{}, breaks: map[string]int{}, last: map[string]string{}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.calls[r.URL.Path]++
		text := make([]byte, 1000)
		n, _ := r.Body.Read(text)
		p.last[r.URL.Path] = string(text[:n])
		if p.asked != nil {
			p.asked(r.URL.Path)
		}
		if status := p.breaks[r.URL.Path]; status != 0 {
			http.Error(w, "out of order: "+p.last[r.URL.Path], status)
			return
		}
		fmt.Fprintf(w, `{"id": %d}`, p.calls[r.URL.Path])
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *printer) wants(t *testing.T, calls string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	text, err := json.Marshal(p.calls)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != calls {
		t.Errorf("the vendor was asked for %s, want %s", text, calls)
	}
}

func (p *printer) connected(o engine.Options) engine.Options {
	o.Connections = map[string]engine.Connection{
		"press": {Vendor: "press", BaseURL: p.URL, Config: map[string]any{"key": "k-4711-secret"}},
	}
	return o
}

func (p *printer) program(t *testing.T, o engine.Options) *engine.Program {
	t.Helper()
	program, err := engine.Load(press, p.connected(o))
	if err != nil {
		t.Fatal(err)
	}
	return program
}

var ulysses = engine.Request{Pipeline: "pipelines/order.yaml", Inputs: map[string]any{"title": "Ulysses"}}

func TestResumeGoesOnWhereTheRunFailed(t *testing.T) {
	p := newPrinter(t)
	p.breaks["/shipments"] = 503
	store := state.NewMemory()
	failed, _ := p.program(t, engine.Options{State: store}).Run(t.Context(), ulysses)
	wantStatus(t, failed, engine.Failed)
	p.breaks["/shipments"] = 0
	var told []string
	again := p.program(t, engine.Options{State: store, Events: sinkFunc(func(e event.Event) {
		switch e := e.(type) {
		case *event.RunStarted:
			told = append(told, fmt.Sprint("run ", e.Run == failed.RunID, " ", e.Resumed))
		case *event.StepFinished:
			told = append(told, fmt.Sprint(e.Key, " ", e.Replayed))
		}
	})})
	done, err := again.Resume(t.Context(), failed.RunID, engine.ResumeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, done, engine.Succeeded)
	p.wants(t, `{"/papers":1,"/prints":1,"/shipments":2}`)
	if got := strings.Join(told, "; "); got != "run true true; paper true; print true; ship false" {
		t.Errorf("told %q", got)
	}
	run := recorded(t, store, failed.RunID)
	want := fmt.Sprint(map[string]any{"at": run.Began.Format("2006-01-02T15:04:05Z"), "id": int64(1), "printed": true})
	if got := fmt.Sprint(done.Outputs); done.RunID != failed.RunID || got != want {
		t.Errorf("run %s gave %s, want %s", done.RunID, got, want)
	}
	if run.Status != "succeeded" || run.Ended.IsZero() {
		t.Errorf("the run is recorded as %q, ended %v", run.Status, run.Ended)
	}
}

// A run that gave up because of what it had read asks again when it is taken up: all that it
// read since it last wrote something, and no more.
func TestRunThatGaveUpLooksAgain(t *testing.T) {
	p := newPrinter(t)
	program := p.program(t, engine.Options{State: state.NewMemory()})
	request := engine.Request{Pipeline: "pipelines/careful.yaml", Key: "bloomsday"}
	for _, want := range []string{"2 are left", "3 are left", ""} {
		res, err := program.Run(t.Context(), request)
		if want == "" {
			if got := fmt.Sprint(res.Outputs); err != nil || got != "map[left:4 paper:1]" {
				t.Errorf("%v, outputs %s", err, got)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	p.wants(t, `{"/papers":4,"/prints":1}`)
}

func TestRunThatIsDoneIsToldAgain(t *testing.T) {
	p := newPrinter(t)
	store := state.NewMemory()
	request := ulysses
	request.Key = "bloomsday"
	first, err := p.program(t, engine.Options{State: store}).Run(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	nowhere, err := engine.Load(press, engine.Options{State: store}) // not even connections are needed
	if err != nil {
		t.Fatal(err)
	}
	for name, again := range map[string]func() (*engine.Result, error){
		"the same key": func() (*engine.Result, error) { return nowhere.Run(t.Context(), request) },
		"resume": func() (*engine.Result, error) {
			return nowhere.Resume(t.Context(), first.RunID, engine.ResumeRequest{})
		},
	} {
		res, err := again()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, want := fmt.Sprint(*res), fmt.Sprint(*first); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	p.wants(t, `{"/papers":1,"/prints":1,"/shipments":1}`)
}

func TestKeyTakesAFailedRunUp(t *testing.T) {
	p := newPrinter(t)
	p.breaks["/shipments"] = 503
	program := p.program(t, engine.Options{State: state.NewMemory()})
	request := ulysses
	request.Key = "bloomsday"
	failed, _ := program.Run(t.Context(), request)
	wantStatus(t, failed, engine.Failed)
	p.breaks["/shipments"] = 0
	done, err := program.Run(t.Context(), request)
	if err != nil || done.RunID != failed.RunID {
		t.Fatalf("%v, %v", done, err)
	}
	p.wants(t, `{"/papers":1,"/prints":1,"/shipments":2}`)
}

func TestResumeIsRefused(t *testing.T) {
	tests := []struct {
		name    string
		request engine.Request
		start   string // of the run to resume
		change  func(fstest.MapFS)
		resume  func(*engine.Program, string) (*engine.Result, error)
		want    string
	}{
		{
			name: "an unknown run",
			resume: func(p *engine.Program, id string) (*engine.Result, error) {
				return resume(p, id[:len(id)-1]+"x", engine.ResumeRequest{})
			},
			want: "there is no run RUNx (did you mean RUN?)",
		},
		{
			name: "changed files",
			change: func(files fstest.MapFS) {
				files["pipelines/order.yaml"] = &fstest.MapFile{Data: append([]byte("# new\n"), press["pipelines/order.yaml"].Data...)}
			},
			want: "run RUN cannot go on as it began: pipelines/order.yaml was changed (put back what was there, or resume the run with --accept-changes to go on with what is there now)",
		},
		{
			name: "files that were added",
			change: func(files fstest.MapFS) {
				text := strings.Replace(string(press["pipelines/order.yaml"].Data), "steps:", "steps:\n  - {id: first, call: ./other.yaml}", 1)
				files["pipelines/order.yaml"] = &fstest.MapFile{Data: []byte(text)}
			},
			want: "run RUN cannot go on as it began: pipelines/order.yaml was changed; pipelines/other.yaml was added (put back what was there, or resume the run with --accept-changes to go on with what is there now)",
		},
		{
			name: "another input",
			resume: func(p *engine.Program, id string) (*engine.Result, error) {
				return resume(p, id, engine.ResumeRequest{Inputs: map[string]any{"title": "Dubliners"}})
			},
			want: "run RUN cannot go on as it began: input title is another (put back what was there, or resume the run with --accept-changes to go on with what is there now)",
		},
		{
			name:    "a secret input that is missing",
			request: engine.Request{Inputs: map[string]any{"title": "Ulysses", "pin": "4711-0815"}},
			want:    "input pin is secret, so that it was not recorded (give it again: --input pin=…)",
		},
		{
			name: "nothing to settle",
			resume: func(p *engine.Program, id string) (*engine.Result, error) {
				return resume(p, id, engine.ResumeRequest{Settle: map[string]engine.Settlement{"print": {}}})
			},
			want: "print is nothing that run RUN left open (of all that the run sent it is known what became of it)",
		},
		{
			name: "another run under the key",
			resume: func(p *engine.Program, _ string) (*engine.Result, error) {
				return p.Run(t.Context(), engine.Request{Pipeline: "pipelines/order.yaml", Key: "k", Inputs: map[string]any{"title": "Dubliners"}})
			},
			want: "the key k is that of run RUN, which is another one: input title is another (give this run a key of its own)",
		},
		{
			name: "another pipeline under the key",
			resume: func(p *engine.Program, _ string) (*engine.Result, error) {
				return p.Run(t.Context(), engine.Request{Pipeline: "pipelines/other.yaml", Key: "k"})
			},
			want: "the key k is that of run RUN, which is another one: it ran pipelines/order.yaml (give this run a key of its own)",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPrinter(t)
			p.breaks["/shipments"] = 503
			o := engine.Options{State: state.NewMemory()}
			request := ulysses
			request.Key = "k"
			if tt.request.Inputs != nil {
				request.Inputs = tt.request.Inputs
			}
			failed, _ := p.program(t, o).Run(t.Context(), request)
			wantStatus(t, failed, engine.Failed)
			files := maps.Clone(press)
			if tt.change != nil {
				tt.change(files)
			}
			program, err := engine.Load(files, p.connected(o))
			if err != nil {
				t.Fatal(err)
			}
			if tt.resume == nil {
				tt.resume = func(p *engine.Program, id string) (*engine.Result, error) {
					return resume(p, id, engine.ResumeRequest{})
				}
			}
			res, err := tt.resume(program, failed.RunID)
			if got := strings.ReplaceAll(faultText(err), failed.RunID[:len(failed.RunID)-1]+"x", "RUNx"); strings.ReplaceAll(got, failed.RunID, "RUN") != tt.want {
				t.Errorf("got %v, %s\nwant %s", res, got, tt.want)
			}
			p.wants(t, `{"/papers":1,"/prints":1,"/shipments":1}`)
		})
	}
}

func TestAcceptedChangesAreToldAndRecorded(t *testing.T) {
	p := newPrinter(t)
	p.breaks["/shipments"] = 503
	store := state.NewMemory()
	failed, _ := p.program(t, engine.Options{State: store}).Run(t.Context(), ulysses)
	p.breaks["/shipments"] = 0
	files := maps.Clone(press)
	files["specs/press.yaml"] = &fstest.MapFile{Data: append([]byte("# new\n"), press["specs/press.yaml"].Data...)}
	var warned []string
	program, err := engine.Load(files, p.connected(engine.Options{State: store, Events: sinkFunc(func(e event.Event) {
		if e, ok := e.(*event.Note); ok {
			warned = append(warned, e.Text)
		}
	})}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := resume(program, failed.RunID, engine.ResumeRequest{AcceptChanges: true}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(warned, "; "); got != "accepted: specs/press.yaml was changed" {
		t.Errorf("warned of %q", got)
	}
	p.wants(t, `{"/papers":1,"/prints":1,"/shipments":2}`)
	if digest := recorded(t, store, failed.RunID).Files["specs/press.yaml"]; !strings.HasPrefix(digest, "sha256:") || len(digest) != 71 {
		t.Errorf("the digest is %q", digest)
	}
}

func TestSecretsAreNotInTheState(t *testing.T) {
	p := newPrinter(t)
	p.breaks["/prints"] = 503 // the text of the answer is the request's own
	store := state.NewMemory()
	program := p.program(t, engine.Options{State: store})
	failed, _ := program.Run(t.Context(), engine.Request{Pipeline: "pipelines/order.yaml",
		Inputs: map[string]any{"title": "Ulysses"}, InputTexts: map[string]string{"pin": "pin-0815"}})
	wantStatus(t, failed, engine.Ambiguous)
	p.breaks["/prints"] = 0
	done, err := resume(program, failed.RunID, engine.ResumeRequest{
		InputTexts: map[string]string{"pin": "pin-0815"},
		Settle:     map[string]engine.Settlement{"print": {}},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, done, engine.Succeeded)
	if got := p.last["/prints"]; !strings.Contains(got, `"pin":"pin-0815"`) {
		t.Errorf("sent %s", got)
	}
	text := fmt.Sprintf("%s", recorded(t, store, failed.RunID))
	entries, err := store.Entries(t.Context(), failed.RunID)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text += string(e.Payload)
	}
	for _, secret := range []string{"0815", "4711"} {
		if strings.Contains(text, secret) {
			t.Errorf("the state holds %s:\n%s", secret, text)
		}
	}
}

func TestPersonSettlesWhatIsOpen(t *testing.T) {
	tests := []struct {
		name   string
		settle map[string]engine.Settlement
		want   string // outputs or fault
		calls  string
	}{
		{"it was done", map[string]engine.Settlement{"print": {Done: true, Outputs: map[string]any{"id": 41}}},
			"id 41, printed true", `{"/papers":1,"/prints":1,"/shipments":1}`},
		{"it was not done", map[string]engine.Settlement{"print": {}},
			"id 2, printed true", `{"/papers":1,"/prints":2,"/shipments":1}`},
		{"nothing is said", nil, "ambiguous", `{"/papers":1,"/prints":1}`},
		{"a wrong key", map[string]engine.Settlement{"prnit": {}},
			"prnit is nothing that run RUN left open (did you mean print?)", `{"/papers":1,"/prints":1}`},
		{"an output is missing", map[string]engine.Settlement{"print": {Done: true, Outputs: map[string]any{}}},
			"print cannot be settled so: the output id (integer) is missing", `{"/papers":1,"/prints":1}`},
		{"an output of another type", map[string]engine.Settlement{"print": {Done: true, Outputs: map[string]any{"id": "41"}}},
			"print cannot be settled so: the output id: expected integer, found text", `{"/papers":1,"/prints":1}`},
		{"an output that is none", map[string]engine.Settlement{"print": {Done: true, Outputs: map[string]any{"no": 41}}},
			"print cannot be settled so: print has no output no; there are: id", `{"/papers":1,"/prints":1}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPrinter(t)
			p.breaks["/prints"] = 500
			program := p.program(t, engine.Options{State: state.NewMemory()})
			lost, _ := program.Run(t.Context(), ulysses)
			wantStatus(t, lost, engine.Ambiguous)
			p.breaks["/prints"] = 0
			res, err := resume(program, lost.RunID, engine.ResumeRequest{Settle: tt.settle})
			got := ""
			switch {
			case res == nil:
				got = strings.ReplaceAll(faultText(err), lost.RunID, "RUN")
			case err != nil:
				got = string(res.Status)
			default:
				got = fmt.Sprintf("id %v, printed %v", res.Outputs["id"], res.Outputs["printed"])
			}
			if got != tt.want {
				t.Errorf("got %s, %v\nwant %s", got, err, tt.want)
			}
			p.wants(t, tt.calls)
		})
	}
}

func TestRunThatIsAliveIsLeftAlone(t *testing.T) {
	p := newPrinter(t)
	store := state.NewMemory()
	program := p.program(t, engine.Options{State: store})
	request := ulysses
	request.Key = "k"
	tried := false
	p.asked = func(path string) {
		if path != "/prints" || tried {
			return
		}
		tried = true
		runs, err := store.Runs(t.Context(), 0)
		if err != nil || len(runs) != 1 {
			t.Errorf("%v, %v", runs, err)
			return
		}
		var wait sync.WaitGroup // both wait for a moment
		defer wait.Wait()
		for _, again := range []func() (*engine.Result, error){
			func() (*engine.Result, error) { return resume(program, runs[0].ID, engine.ResumeRequest{}) },
			func() (*engine.Result, error) { return program.Run(t.Context(), request) },
		} {
			wait.Go(func() {
				res, err := again()
				if want := "run " + runs[0].ID + " is going on at this moment (wait until it has ended)"; faultText(err) != want {
					t.Errorf("got %v, %v; want %s", res, err, want)
				}
			})
		}
	}
	if _, err := program.Run(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	p.wants(t, `{"/papers":1,"/prints":1,"/shipments":1}`)
}

// Whoever lists the runs holds the lock of one for a moment, to see whether it is alive.
func TestResumeWaitsForWhoeverOnlyLooks(t *testing.T) {
	for _, c := range []struct {
		held time.Duration
		want string // of the fault
	}{
		{900 * time.Millisecond, "<nil>"},
		{time.Minute, "run RUN is going on at this moment (wait until it has ended)"},
	} {
		synctest.Test(t, func(t *testing.T) {
			memory := state.NewMemory()
			load := func(s state.Store) *engine.Program {
				program, err := engine.Load(press, engine.Options{State: s})
				if err != nil {
					t.Fatal(err)
				}
				return program
			}
			cut, err := load(brokenState{memory}).Run(t.Context(), engine.Request{Pipeline: "pipelines/other.yaml"})
			if err == nil {
				t.Fatal("the end of the run was recorded")
			}
			unlock, err := memory.Lock(t.Context(), state.RunLock(cut.RunID))
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(c.held, unlock)
			_, err = resume(load(memory), cut.RunID, engine.ResumeRequest{})
			if got := strings.ReplaceAll(faultText(err), cut.RunID, "RUN"); got != c.want {
				t.Errorf("held for %v: %q, want %q", c.held, got, c.want)
			}
		})
	}
}

func TestManyStartsUnderOneKeyAreOneRun(t *testing.T) {
	p := newPrinter(t)
	program := p.program(t, engine.Options{State: state.NewMemory()})
	request := ulysses
	request.Key = "k"
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			_, err := program.Run(t.Context(), request)
			if text := faultText(err); err != nil && !strings.Contains(text, "is going on at this moment") {
				t.Error(text)
			}
		})
	}
	wait.Wait()
	p.wants(t, `{"/papers":1,"/prints":1,"/shipments":1}`)
}

func TestStateBelongsToOneEnvironment(t *testing.T) {
	p, other := newPrinter(t), newPrinter(t)
	store := state.NewMemory()
	if _, err := p.program(t, engine.Options{State: store}).Run(t.Context(), ulysses); err != nil {
		t.Fatal(err)
	}
	elsewhere := other.program(t, engine.Options{State: store})
	res, err := elsewhere.Run(t.Context(), ulysses)
	want := "this state belongs to another environment: it knows the connection press as press at " + p.URL + ", and not as press at " + other.URL +
		" (give each environment a state of its own: --state PATH, or a connections file of another name; where the vendor itself has moved, say so once with --moved)"
	if faultText(err) != want {
		t.Errorf("got %v, %v\nwant %s", res, faultText(err), want)
	}
	other.wants(t, `{}`)
	request := ulysses
	request.Moved = true
	for range 2 {
		if _, err := elsewhere.Run(t.Context(), request); err != nil {
			t.Error(err)
		}
		request.Moved = false
	}
}

// A streamed input comes from its file again, and the rows that are done are not done again.
func TestRowsGoOnWhereTheyStopped(t *testing.T) {
	p := newPrinter(t)
	program := p.program(t, engine.Options{State: state.NewMemory()})
	dir := t.TempDir()
	books := filepath.Join(dir, "books.csv")
	writeText(t, books, "title\nUlysses\nDubliners\nExiles\n")
	p.asked = func(path string) {
		if path == "/prints" && p.calls[path] == 3 {
			p.breaks["/shipments"] = 503
		}
	}
	failed, _ := program.Run(t.Context(), engine.Request{
		Pipeline: "pipelines/orders.yaml",
		Inputs:   map[string]any{"books": engine.File(books)},
		OutDir:   filepath.Join(dir, "out"),
	})
	wantStatus(t, failed, engine.Failed)
	if _, err := os.Stat(filepath.Join(dir, "out", "results.csv")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a run that failed has written its results: %v", err)
	}
	p.asked = nil
	p.breaks["/shipments"] = 0
	t.Chdir(dir)

	writeText(t, books, "title\nUlysses\nDubliners\nExiles\nChamber Music\n")
	_, err := resume(program, failed.RunID, engine.ResumeRequest{})
	if want := "run " + failed.RunID + " cannot go on as it began: input books has changed: the file " + books; !strings.HasPrefix(faultText(err), want) {
		t.Errorf("got  %s\nwant %s", faultText(err), want)
	}
	writeText(t, books, "title\nUlysses\nDubliners\nExiles\n")
	if err := os.Rename(books, "moved.csv"); err != nil {
		t.Fatal(err)
	}
	var rows []string
	done, err := resume(program, failed.RunID, engine.ResumeRequest{
		Inputs: map[string]any{"books": engine.File("moved.csv")},
		Rows:   func(r engine.Row) { rows = append(rows, r.Key) },
	})
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, done, engine.Succeeded)
	slices.Sort(rows)
	if got := strings.Join(rows, " "); got != "Dubliners Exiles Ulysses" {
		t.Errorf("heard of %s", got)
	}
	text, err := os.ReadFile(filepath.Join(dir, "out", "results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i, want := range []string{"key,status,id,at,printed,error", "Ulysses,done,1,", "Dubliners,done,2,", "Exiles,done,3,", ""} {
		if len(lines) != 5 || !strings.HasPrefix(lines[i], want) {
			t.Fatalf("the results are\n%s", text)
		}
	}
	p.wants(t, `{"/papers":3,"/prints":3,"/shipments":4}`)
}

func TestCallIsTakenUpToo(t *testing.T) {
	p := newPrinter(t)
	p.breaks["/prints"] = 500
	program := p.program(t, engine.Options{State: state.NewMemory()})
	lost, _ := program.Call(t.Context(), "press.print", engine.Request{Inputs: map[string]any{"title": "Ulysses", "paper": 1}})
	wantStatus(t, lost, engine.Ambiguous)
	done, err := resume(program, lost.RunID, engine.ResumeRequest{
		Settle: map[string]engine.Settlement{"print": {Done: true, Outputs: map[string]any{"id": 9}}}})
	if err != nil || done.Outputs["id"] != int64(9) || done.Pipeline != "press.print" {
		t.Errorf("%v, %v", done, err)
	}
	p.wants(t, `{"/prints":1}`)
}

func TestInterruptedRunHasNoEnd(t *testing.T) {
	p := newPrinter(t)
	store := state.NewMemory()
	program := p.program(t, engine.Options{State: store})
	ctx, cancel := context.WithCancel(t.Context())
	p.asked = func(path string) {
		if path == "/prints" {
			cancel()
		}
	}
	stopped, _ := program.Run(ctx, ulysses)
	wantStatus(t, stopped, engine.Interrupted)
	if run := recorded(t, store, stopped.RunID); run.Status != "interrupted" || !run.Ended.IsZero() {
		t.Errorf("it is recorded as %q, ended %v", run.Status, run.Ended)
	}
	if _, err := resume(program, stopped.RunID, engine.ResumeRequest{}); err != nil {
		t.Error(err)
	}
	p.wants(t, `{"/papers":1,"/prints":1,"/shipments":1}`)
}

// A brokenState cannot record how runs end.
type brokenState struct{ *state.Memory }

func (brokenState) Update(context.Context, state.Run) error { return errors.New("the disk is full") }

func TestEndThatCannotBeRecordedIsNoSuccess(t *testing.T) {
	p := newPrinter(t)
	res, err := p.program(t, engine.Options{State: brokenState{state.NewMemory()}}).Run(t.Context(), ulysses)
	if want := "all steps are done, but that could not be recorded: the disk is full"; err == nil || err.Error() != want {
		t.Errorf("got %v, %v; want %s", res, err, want)
	}
	wantStatus(t, res, engine.Failed)
}

type sinkFunc func(event.Event)

func (f sinkFunc) Emit(e event.Event) { f(e) }

func resume(p *engine.Program, id string, r engine.ResumeRequest) (*engine.Result, error) {
	return p.Resume(context.Background(), id, r)
}

func wantStatus(t *testing.T, res *engine.Result, want engine.Status) {
	t.Helper()
	if res == nil || res.Status != want {
		t.Fatalf("got %v, want %s", res, want)
	}
}

func recorded(t *testing.T, store state.Store, id string) state.Run {
	t.Helper()
	run, ok, err := store.Run(t.Context(), id)
	if err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	return run
}

func writeText(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// faultText is a list of faults with their hints.
func faultText(err error) string {
	var faults diag.List
	if !errors.As(err, &faults) {
		return fmt.Sprint(err)
	}
	var texts []string
	for _, f := range faults {
		text := f.Error()
		if f.Hint != "" {
			text += " (" + f.Hint + ")"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "\n")
}
