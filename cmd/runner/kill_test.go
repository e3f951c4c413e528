package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed627bd532/runner/engine/sandbox"
)

var (
	kills    = flag.Int("kills", 50, "how often the runner is killed")
	killSeed = flag.Uint64("kill-seed", 1, "where it is killed")
)

// A place is a project of its own with a vendor that is a sandbox.
type place struct {
	dir   string
	box   *sandbox.Sandbox
	state []string // the flag that names its state; none for the file beside the connections

	mu    sync.Mutex
	asked func(*http.Request, bool) // hears of every request before and after it is answered; nil for nobody
}

// newDepot is the project of testdata/depot.
func newDepot(t *testing.T) *place {
	t.Helper()
	d := &place{dir: t.TempDir()}
	if err := os.CopyFS(d.dir, os.DirFS("testdata/depot")); err != nil {
		t.Fatal(err)
	}
	d.serve(t, "depot")
	return d
}

// newIntcomex is the project of the repository, in which nobody waits for long.
func newIntcomex(t *testing.T, faults ...string) *place {
	t.Helper()
	d := &place{dir: t.TempDir()}
	for _, dir := range []string{"specs", "pipelines"} {
		if err := os.CopyFS(filepath.Join(d.dir, dir), os.DirFS(filepath.Join("../..", dir))); err != nil {
			t.Fatal(err)
		}
	}
	spec := filepath.Join(d.dir, "specs/intcomex.yaml")
	text, err := os.ReadFile(spec)
	if err != nil {
		t.Fatal(err)
	}
	quick := strings.NewReplacer("every: 5s", "every: 1ms", "first: 1s, max: 30s", "first: 1ms, max: 1ms").Replace(string(text))
	if err := os.WriteFile(spec, []byte(quick), 0o600); err != nil {
		t.Fatal(err)
	}
	d.serve(t, "intcomex", faults...)
	return d
}

// serve serves the sandbox of the vendor, and writes connections.yaml for it.
func (d *place) serve(t *testing.T, vendor string, faults ...string) {
	t.Helper()
	def, err := sandbox.Load(os.DirFS(d.dir), "specs/"+vendor+".sandbox.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d.box = sandbox.New(def, sandbox.Options{})
	for _, text := range faults {
		f, err := sandbox.ParseFault(text)
		if err == nil {
			err = d.box.AddFault(f)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	c, err := def.Connection(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	boxes := &sandboxes{list: []*served{{vendor: vendor, url: server.URL, connection: c}}}
	d.write(t, "connections.yaml", boxes.yaml())
}

func (d *place) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.tell(r, false)
	defer d.tell(r, true)
	d.box.ServeHTTP(w, r)
}

func (d *place) tell(r *http.Request, answered bool) {
	d.mu.Lock()
	asked := d.asked
	d.mu.Unlock()
	if asked != nil {
		asked(r, answered)
	}
}

// hear sets who hears of requests.
func (d *place) hear(asked func(*http.Request, bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = asked
}

func (d *place) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runner starts the real command in the project.
func (d *place) runner(t *testing.T, args ...string) *process {
	t.Helper()
	return startIn(t, d.dir, append(slices.Clip(args), d.state...)...)
}

// runs returns what "runs list" says.
func (d *place) runs(t *testing.T) []runJSON {
	t.Helper()
	p := d.runner(t, "runs", "list", "--output", "json")
	if code := p.exit(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, p.err.String())
	}
	var list struct{ Runs []runJSON }
	if err := json.Unmarshal(p.out.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	return list.Runs
}

func TestKilledRunGoesOn(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	found := make(chan bool, 1)
	hold := make(chan bool)
	d.hear(func(r *http.Request, answered bool) {
		if r.URL.Path == "/tags" && !answered {
			found <- true
			<-hold
		}
	})
	p := d.runner(t, "run", "pipelines/order.yaml", "--input", "code=A-1")
	<-found
	runs := d.runs(t)
	if len(runs) != 1 || runs[0].Status != "running" {
		t.Fatalf("runs are %v", runs)
	}
	alive := d.runner(t, "resume", runs[0].Run)
	if code := alive.exit(t); code != 2 || !strings.Contains(alive.err.String(), "is going on at this moment") {
		t.Errorf("a run that is alive: exit code %d, %s", code, alive.err.String())
	}
	p.signal(t, syscall.SIGKILL)
	p.exit(t)
	d.hear(nil)
	close(hold)
	if runs = d.runs(t); runs[0].Status != "interrupted" {
		t.Errorf("after the kill the run is %s", runs[0].Status)
	}
	again := d.runner(t, "resume", runs[0].Run)
	if code := again.exit(t); code != 0 || again.out.String() != "id: 2\ncreated: true\n" {
		t.Errorf("exit code %d, %s%s", code, again.out.String(), again.err.String())
	}
	if calls := d.box.Stats().Calls; calls["find"] != 1 || calls["create"] != 1 {
		t.Errorf("the vendor was asked for %v", calls)
	}
}

// Whenever the runner is killed, nothing is made twice, nothing is lost, and the
// file of results is whole or absent. A person settles what cannot be known.
func TestKillsMakeNothingTwice(t *testing.T) {
	t.Parallel()
	newIntcomex(t, "lose_answer:create:10%").kill(t, 500, *kills)
}

// kill lets runs of that many rows be killed so often, and come to their end.
func (d *place) kill(t *testing.T, rows, times int) {
	t.Helper()
	random := rand.New(rand.NewPCG(*killSeed, 0))
	args := d.ensureCompanies(t, rows)
	killed, code := 0, -1
	for code != 0 {
		after := 1 + random.IntN(max(1, rows*2/times))
		answered := random.IntN(2) == 0
		later := time.Duration(random.IntN(4000)) * time.Microsecond // among the writes that follow
		deadly := killed < times
		started := make(chan *process, 1)
		var once sync.Once
		d.hear(func(_ *http.Request, done bool) {
			if done != answered || !deadly {
				return
			}
			if d.count(&after) {
				once.Do(func() {
					p := <-started
					time.AfterFunc(later, func() { p.Process.Kill() }) // an error says that it has ended
				})
			}
		})
		p := d.runner(t, args...)
		started <- p
		code = p.exit(t)
		switch _, err := os.Stat(filepath.Join(d.dir, "results.csv")); {
		case code == -1:
			killed++
			if err == nil { // it died when there was nothing left to do but to record its end
				d.wantResults(t, rows)
			}
		case code == 4:
			args = d.settle(t)
		case code != 0:
			t.Fatalf("seed %d: exit code %d after %d kills\n%s", *killSeed, code, killed, p.err.String())
		}
	}
	if killed < times {
		t.Errorf("seed %d: it was killed %d times, want %d", *killSeed, killed, times)
	}
	d.wantAllOnce(t, rows)
}

// ensureCompanies writes a file of that many companies, and returns the command that creates them.
func (d *place) ensureCompanies(t *testing.T, rows int) []string {
	t.Helper()
	csv := "vat_id,name,address,city,country,zip,email,domains,parent_account_id,marketplaces\n"
	for i := range rows {
		csv += fmt.Sprintf("PT%d,Acme %d,Rua 1,Lisboa,Portugal,1100,a@acme.example,acme%d.example,100407,67\n", i, i, i)
	}
	d.write(t, "companies.csv", csv)
	return []string{"run", "pipelines/intcomex/ensure_companies.yaml", "--input", "companies=@companies.csv", "--key", "k", "--quiet"}
}

// count counts down, and reports whether this was the last.
func (d *place) count(left *int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	*left--
	return *left == 0
}

// settle says what a person sees at the vendor, and returns the command that goes on with it.
func (d *place) settle(t *testing.T) []string {
	t.Helper()
	id := d.runs(t)[0].Run
	p := d.runner(t, "runs", "show", id, "--output", "json")
	if code := p.exit(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, p.err.String())
	}
	var run detailsJSON
	if err := json.Unmarshal(p.out.Bytes(), &run); err != nil {
		t.Fatal(err)
	}
	if len(run.Open) == 0 {
		t.Fatalf("the run is ambiguous, and nothing is open:\n%s", p.out.String())
	}
	if err := os.Remove(filepath.Join(d.dir, "results.csv")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	made := d.box.Stats().Creates["create"]
	args := []string{"resume", id, "--quiet"}
	for _, open := range run.Open {
		if vat := strings.TrimPrefix(open.Identity, "intcomex.create_company "); made[vat] > 0 {
			t.Fatalf("seed %d: %s was made, and was not found", *killSeed, vat)
		}
		args = append(args, "--settle", open.Key+"=absent")
	}
	return args
}

func (d *place) wantAllOnce(t *testing.T, rows int) {
	t.Helper()
	made := d.box.Stats().Creates["create"]
	for code, times := range made {
		if times != 1 {
			t.Errorf("seed %d: %s was made %d times", *killSeed, code, times)
		}
	}
	if len(made) != rows {
		t.Errorf("seed %d: %d companies were made, want %d", *killSeed, len(made), rows)
	}
	d.wantResults(t, rows)
}

// wantResults checks that the file of results is whole.
func (d *place) wantResults(t *testing.T, rows int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, "results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	notDone := slices.DeleteFunc(lines[1:], func(line string) bool { return strings.Contains(line, ",done,") })
	if len(lines) != rows+1 || len(notDone) > 0 {
		t.Errorf("seed %d: %d lines of results, not done are %q", *killSeed, len(lines), notDone)
	}
}
