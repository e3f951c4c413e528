package simtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/internal/testserver"
	"github.com/seed627bd532/runner/engine/state"
	"github.com/seed627bd532/runner/engine/state/postgres"
)

var pgSimulations = flag.Int("postgres-simulations", 8, "how many worlds with PostgreSQL as the state are simulated, in real time")

// A bubble of virtual time cannot hold a connection to a database. These worlds are small, and their waits short.
var kiln = fstest.MapFS{
	"specs/kiln.yaml": {Data: []byte(`
vendor: kiln
version: 1
config: {key: {type: string, secret: true}}
auth:
  token: {value: "${{ config.key }}", use: exclusive}
  inject: {headers: {Key: "${{ token }}"}}
defaults: {timeout: 30s, retry: {attempts: 3, first: 1ms, max: 5ms}}
operations:
  look:
    effect: read
    inputs: {path: {type: string}, name: {type: string}}
    request: {method: GET, path: /look, query: {of: "${{ inputs.path + ' ' + inputs.name }}"}}
    response:
      schema: {type: object, required: [there], properties: {there: {type: boolean}}}
      outputs: {there: there}
  make:
    effect: create
    identity: inputs.name
    inputs: {name: {type: string}}
    request: {method: POST, path: /make, body: ["${{ inputs.name }}"]}
    response:
      schema: {type: object, required: [made], properties: {made: {type: array, items: {type: string}}}}
      outputs: {made: made}
    reconcile: {call: look, with: {path: /make, name: "${{ inputs.name }}"}, found: outputs.there, outputs: {made: "${{ [inputs.name] }}"}, tries: 2, every: 5ms}
  add:
    effect: create
    inputs: {names: {type: array, items: {type: string}}}
    rows: {of: inputs.names, as: name}
    identity: name
    request: {method: POST, path: /add, body: "${{ inputs.names }}"}
    response:
      schema: {type: object, required: [made], properties: {made: {type: array, items: {type: string}}}}
      rows: {path: made, ok: row != ''}
    reconcile: {call: look, with: {path: /add, name: "${{ name }}"}, found: outputs.there, tries: 2, every: 5ms}
`)},
	"pipelines/fire.yaml": {Data: []byte(`
pipeline: fire
version: 1
inputs: {names: {type: array, items: {type: string}}}
connections: {kiln: {vendor: kiln}}
steps:
  - id: each
    foreach: inputs.names
    as: name
    key: name
    parallel: 3
    steps:
      - id: make
        call: kiln.make
        with: {name: "${{ name }}"}
    outputs: {sent: "${{ steps.make.sent }}"}
  - id: batches
    foreach: inputs.names
    as: names
    batch: 2
    call: kiln.add
    with: {names: "${{ names }}"}
outputs:
  made: ${{ count(steps.each.results, .sent == true) }}
  added: ${{ count(steps.batches.results, .sent) }}
`)},
}

// A pgWorld is several runs at once, in processes that die, over one database whose connections break, against one vendor.
type pgWorld struct {
	seed    uint64
	twist   twist
	address string
	runners int
	breaks  bool // connections to the database break
	program *engine.Program

	begun    atomic.Int64 // runs on record
	underway atomic.Int64 // requests at the vendor

	mu         sync.Mutex
	made       map[string]int     // by path and name
	using      map[*pgProcess]int // requests at the vendor
	violations []string
}

func (w *pgWorld) violated(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, fmt.Sprintf(format, args...))
}

// A pgProcess is what a run has of the database and of the vendor, until it is killed.
type pgProcess struct {
	state.Store
	world  *pgWorld
	name   string
	steps  atomic.Int64
	dies   int64 // at this step; 0: never
	calm   bool  // the vendor answers as it should
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// step is a moment at which the process may die; it has died when there is an error.
func (p *pgProcess) step() error {
	if p.world.begun.Load() < int64(p.world.runners) {
		return nil // a run that begins later would make again what others have made before
	}
	if n := p.steps.Add(1); p.dies > 0 && n >= p.dies {
		p.cancel(errKilled)
	}
	return context.Cause(p.ctx)
}

func (p *pgProcess) Put(ctx context.Context, entries ...state.Entry) error {
	if err := p.step(); err != nil {
		return err
	}
	if err := p.Store.Put(ctx, entries...); err != nil {
		return err
	}
	return p.step()
}

func (p *pgProcess) Fold(ctx context.Context, e state.Entry) error {
	if err := p.step(); err != nil {
		return err
	}
	return p.Store.Fold(ctx, e)
}

func (p *pgProcess) Begin(ctx context.Context, r state.Run) error {
	if err := p.step(); err != nil {
		return err
	}
	if err := p.Store.Begin(ctx, r); err != nil {
		return err
	}
	for p.world.begun.Add(1); p.world.begun.Load() < int64(p.world.runners); time.Sleep(time.Millisecond) {
	}
	return nil
}

func (p *pgProcess) Update(ctx context.Context, r state.Run) error {
	if err := p.step(); err != nil {
		return err
	}
	return p.Store.Update(ctx, r)
}

func (p *pgProcess) Lock(ctx context.Context, name string) (func(), error) {
	switch {
	case p.ctx.Err() != nil:
		return nil, context.Cause(p.ctx)
	case p.world.twist == withoutLocks && strings.HasPrefix(name, "["), p.world.twist == withoutTurns && strings.HasPrefix(name, "use token "):
		return func() {}, nil
	}
	return p.Store.Lock(ctx, name)
}

// RoundTrip brings a request to the vendor. What has left is done, whatever becomes of the process.
func (p *pgProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte(nil)
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	if err := p.step(); err != nil {
		return nil, err
	}
	w := p.world
	dice := diceOf(w.seed, p.name, r.URL, string(body), p.steps.Load())
	answer := make(chan *http.Response, 1)
	w.underway.Add(1)
	go func() {
		defer w.underway.Add(-1)
		answer <- w.serve(p, r.URL, body, dice)
	}()
	select {
	case resp := <-answer:
		if err := p.step(); err != nil {
			return nil, err
		}
		if resp == nil {
			return nil, io.ErrUnexpectedEOF
		}
		resp.Request = r
		return resp, nil
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
}

// serve is the vendor, behind a bad line: nil is an answer that was lost.
func (w *pgWorld) serve(p *pgProcess, u *url.URL, body []byte, dice *rand.Rand) *http.Response {
	w.mu.Lock()
	for other := range w.using {
		if p.ctx.Err() == nil && other.ctx.Err() == nil && !w.breaks {
			w.violations = append(w.violations, fmt.Sprintf("%s uses the token while %s does", p.name, other.name))
		}
	}
	w.using[p]++
	w.mu.Unlock()
	time.Sleep(time.Duration(dice.IntN(3000)) * time.Microsecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.using[p]--; w.using[p] == 0 {
		delete(w.using, p)
	}
	status, text := http.StatusOK, ""
	fate := dice.IntN(12)
	if p.calm {
		fate = 11
	}
	switch {
	case fate == 0:
		status, text = http.StatusTooManyRequests, `{}`
	case u.Path == "/look":
		text = fmt.Sprintf(`{"there": %v}`, w.made[u.Query().Get("of")] > 0)
	default:
		var names []string
		json.Unmarshal(body, &names)
		for _, name := range names {
			w.made[u.Path+" "+name]++
		}
		made, _ := json.Marshal(names)
		text = fmt.Sprintf(`{"made": %s}`, made)
	}
	switch {
	case fate == 1:
		return nil
	case fate == 2:
		status, text = http.StatusInternalServerError, "<html>sorry</html>"
	}
	return &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewBufferString(text)), ContentLength: int64(len(text))}
}

// live works on a run until it ends, or the process is killed.
func (w *pgWorld) live(t *testing.T, runner string, life int, names []any) (*engine.Result, error) {
	store, err := postgres.Open(t.Context(), w.address)
	if err != nil {
		return nil, err // the connection broke
	}
	defer store.Close()
	p := &pgProcess{Store: store, world: w, name: fmt.Sprint(runner, " ", life), calm: life > 10}
	p.ctx, p.cancel = context.WithCancelCause(t.Context())
	defer p.cancel(nil)
	dice := diceOf(w.seed, p.name)
	if life <= 10 && dice.IntN(2) == 0 {
		p.dies = 1 + dice.Int64N(60)
	}
	program := w.program.With(engine.Options{
		State:       p,
		Client:      &http.Client{Transport: p},
		Connections: map[string]engine.Connection{"kiln": {Vendor: "kiln", BaseURL: "http://kiln.example", Config: map[string]any{"key": "key-of-the-kiln"}}},
	})
	res, err := program.Run(p.ctx, engine.Request{Pipeline: "pipelines/fire.yaml", Inputs: map[string]any{"names": names}, Key: runner})
	if p.ctx.Err() != nil || res == nil || res.Status != engine.Ambiguous {
		return res, err
	}
	// A person looks when nothing is on its way any more.
	for w.underway.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
	p.calm, p.dies = true, 0
	entries, err := store.Entries(t.Context(), res.RunID)
	if err != nil {
		return nil, err
	}
	settle := map[string]engine.Settlement{}
	for _, e := range entries {
		// An identity is a connection, an operation and what must not be there twice, as JSON.
		var parts [3]string
		var name string
		if e.Status != state.Intended || json.Unmarshal([]byte(e.Identity), &parts) != nil || json.Unmarshal([]byte(parts[2]), &name) != nil {
			continue
		}
		w.mu.Lock()
		done := w.made["/"+parts[1]+" "+name] > 0
		w.mu.Unlock()
		settle[e.Key] = engine.Settlement{Done: done}
		if done && parts[1] == "make" {
			settle[e.Key] = engine.Settlement{Done: true, Outputs: map[string]any{"made": []any{name}}}
		}
	}
	return program.Resume(p.ctx, res.RunID, engine.ResumeRequest{Settle: settle})
}

// operate lets a run live again and again until it has succeeded, and returns how many it says that it made.
func (w *pgWorld) operate(t *testing.T, runner string, names []any) (made, added int64) {
	for life := 1; life <= 100; life++ {
		res, err := w.live(t, runner, life, names)
		if err == nil && res.Status == engine.Succeeded {
			return res.Outputs["made"].(int64), res.Outputs["added"].(int64)
		}
		time.Sleep(5 * time.Millisecond)
		if life == 100 {
			w.violated("%s came to no end: %+v %v", runner, res, err)
		}
	}
	return 0, 0
}

// breakConnections ends connections to the database, one after another, once all runs have begun and as long as ctx lives.
func (w *pgWorld) breakConnections(ctx context.Context, admin *pgx.Conn, dice *rand.Rand) {
	for w.begun.Load() < int64(w.runners) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	for n := 0; n < 30 && ctx.Err() == nil; n++ {
		time.Sleep(time.Duration(dice.IntN(30)) * time.Millisecond)
		admin.Exec(context.WithoutCancel(ctx), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1`)
	}
}

// simulatePostgres returns what is wrong with a world.
func simulatePostgres(t *testing.T, address string, admin *pgx.Conn, seed uint64, tw twist) []string {
	dice := diceOf(seed, "postgres")
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", fmt.Sprintf("sim-%d-%s", seed, strings.ReplaceAll(string(tw), " ", "-")))
	u.RawQuery = query.Encode()
	w := &pgWorld{seed: seed, twist: tw, address: u.String(), runners: 2 + dice.IntN(2), breaks: tw == asItIs && dice.IntN(2) == 0,
		made: map[string]int{}, using: map[*pgProcess]int{}}
	if w.program, err = engine.Load(kiln, engine.Options{}); err != nil {
		t.Fatal(testserver.FaultsOf(err))
	}
	names := make([]any, 6)
	for i := range names {
		names[i] = fmt.Sprint("pot ", i)
	}
	ctx, stop := context.WithCancel(t.Context())
	var breaking sync.WaitGroup
	if w.breaks {
		breaking.Go(func() { w.breakConnections(ctx, admin, diceOf(seed, "breaks")) })
	}
	var made, added atomic.Int64
	var wait sync.WaitGroup
	for i := range w.runners {
		some := append([]any{}, names...)
		dice.Shuffle(len(some), func(a, b int) { some[a], some[b] = some[b], some[a] })
		wait.Go(func() {
			m, a := w.operate(t, fmt.Sprint("runner ", i), some)
			made.Add(m)
			added.Add(a)
		})
	}
	wait.Wait()
	stop()
	breaking.Wait()
	for _, path := range []string{"/make", "/add"} {
		for _, name := range names {
			if n := w.made[fmt.Sprint(path, " ", name)]; n != 1 {
				w.violated("%s %s was done %d times", path, name, n)
			}
		}
	}
	if n := int64(len(names)); len(w.violations) == 0 && (made.Load() != n || added.Load() != n) {
		w.violated("the runs say that they made %d and added %d, want %d of each", made.Load(), added.Load(), n)
	}
	return w.violations
}

// simDatabase makes a database for the test alone, whose connections it may break.
func simDatabase(t *testing.T) (address string, admin *pgx.Conn) {
	server := os.Getenv("RUNNER_TEST_POSTGRES")
	switch {
	case server != "":
	case os.Getenv("CI") != "":
		t.Fatal("RUNNER_TEST_POSTGRES must name a PostgreSQL server in CI: see state/postgres/testserver.sh")
	default:
		t.Skip("it needs a PostgreSQL server, whose URL is in RUNNER_TEST_POSTGRES: see state/postgres/testserver.sh")
	}
	connect := func(address string) *pgx.Conn {
		conn, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close(context.Background()) })
		return conn
	}
	root := connect(server)
	name := fmt.Sprintf("sim_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := root.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String(), connect(u.String())
}

func TestPostgreSQLSimulation(t *testing.T) {
	address, admin := simDatabase(t)
	for seed := range uint64(*pgSimulations) {
		for _, v := range simulatePostgres(t, address, admin, seed+1, asItIs) {
			t.Errorf("seed %d: %s", seed+1, v)
		}
	}
}

// Without its locks such a world goes wrong.
func TestPostgreSQLSimulationFindsWhatIsMissing(t *testing.T) {
	for tw, want := range map[twist]string{withoutLocks: "was done 2 times", withoutTurns: "uses the token while"} {
		t.Run(string(tw), func(t *testing.T) {
			address, admin := simDatabase(t)
			for seed := range uint64(20) {
				if strings.Contains(strings.Join(simulatePostgres(t, address, admin, seed+1, tw), "\n"), want) {
					return
				}
			}
			t.Errorf("20 seeds passed %s", tw)
		})
	}
}
