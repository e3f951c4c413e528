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

	"github.com/seed627bd532/runner/engine/sandbox"
)

var (
	kills    = flag.Int("kills", 50, "how often the runner is killed")
	killSeed = flag.Uint64("kill-seed", 1, "where it is killed")
)

// A depot is the vendor of testdata/depot in a project of its own.
type depot struct {
	dir string
	box *sandbox.Sandbox

	mu    sync.Mutex
	asked func(*http.Request, bool) // hears of every request before and after it is answered; nil for nobody
}

func newDepot(t *testing.T, faults ...string) *depot {
	t.Helper()
	d := &depot{dir: t.TempDir()}
	if err := os.CopyFS(d.dir, os.DirFS("testdata/depot")); err != nil {
		t.Fatal(err)
	}
	def, err := sandbox.Load(os.DirFS(d.dir), "specs/depot.sandbox.yaml")
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
	d.write(t, "connections.yaml", fmt.Sprintf("connections:\n  depot: {vendor: depot, base_url: %q, config: {username: demo, password: demo}}\n", server.URL))
	return d
}

func (d *depot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.tell(r, false)
	defer d.tell(r, true)
	d.box.ServeHTTP(w, r)
}

func (d *depot) tell(r *http.Request, answered bool) {
	d.mu.Lock()
	asked := d.asked
	d.mu.Unlock()
	if asked != nil {
		asked(r, answered)
	}
}

// hear sets who hears of requests.
func (d *depot) hear(asked func(*http.Request, bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = asked
}

func (d *depot) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runner starts the real command in the project.
func (d *depot) runner(t *testing.T, args ...string) *process {
	t.Helper()
	return startIn(t, d.dir, args...)
}

// runs returns what "runs list" says.
func (d *depot) runs(t *testing.T) []runJSON {
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
	const rows = 500
	d := newDepot(t, "lose_answer:create:10%")
	random := rand.New(rand.NewPCG(*killSeed, 0))
	csv := "code\n"
	for i := range rows {
		csv += fmt.Sprintf("A-%d\n", i)
	}
	d.write(t, "articles.csv", csv)
	args := []string{"run", "pipelines/ensure_all.yaml", "--input", "articles=@articles.csv", "--key", "k", "--quiet"}
	killed, code := 0, -1
	for code != 0 {
		after := 1 + random.IntN(max(1, rows*2 / *kills))
		answered := random.IntN(2) == 0
		deadly := killed < *kills
		started := make(chan *process, 1)
		var once sync.Once
		d.hear(func(_ *http.Request, done bool) {
			if done != answered || !deadly {
				return
			}
			if d.count(&after) {
				once.Do(func() { (<-started).Process.Kill() }) // an error says that it has ended
			}
		})
		p := d.runner(t, args...)
		started <- p
		code = p.exit(t)
		switch _, err := os.Stat(filepath.Join(d.dir, "results.csv")); {
		case code != 0 && code != 4 && err == nil:
			t.Fatalf("seed %d: there are results of a run that ended with %d", *killSeed, code)
		case code == -1:
			killed++
		case code == 4:
			args = d.settle(t)
		case code != 0:
			t.Fatalf("seed %d: exit code %d after %d kills\n%s", *killSeed, code, killed, p.err.String())
		}
	}
	if killed < *kills {
		t.Errorf("seed %d: it was killed %d times, want %d", *killSeed, killed, *kills)
	}
	d.wantAllOnce(t, rows)
}

// count counts down, and reports whether this was the last.
func (d *depot) count(left *int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	*left--
	return *left == 0
}

// settle says what a person sees at the vendor, and returns the command that goes on with it.
func (d *depot) settle(t *testing.T) []string {
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
		code := strings.TrimPrefix(open.Identity, "depot.make ")
		if made[code] > 0 {
			args = append(args, "--settle", open.Key+`=done:{"id":1}`)
		} else {
			args = append(args, "--settle", open.Key+"=absent")
		}
	}
	return args
}

func (d *depot) wantAllOnce(t *testing.T, rows int) {
	t.Helper()
	made := d.box.Stats().Creates["create"]
	for code, times := range made {
		if times != 1 {
			t.Errorf("seed %d: %s was made %d times", *killSeed, code, times)
		}
	}
	if len(made) != rows {
		t.Errorf("seed %d: %d articles were made, want %d", *killSeed, len(made), rows)
	}
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
