package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/seed627bd532/runner/engine/sandbox"
)

// A process is a runner that was started by a test.
type process struct {
	*exec.Cmd
	out bytes.Buffer
	err transcript
}

// start starts the real command in the repository's root. The test ends it if it
// has not ended by itself.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startIn(t, "../..", args...)
}

// startIn starts it in a folder.
func startIn(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := prepare(t, dir, args...)
	p.begin(t)
	return p
}

// prepare returns a command that begin starts.
func prepare(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command("runner", args...)}
	p.err.grown = make(chan struct{}, 1)
	p.Dir = dir
	p.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir())
	p.Stdout, p.Stderr = &p.out, &p.err
	return p
}

func (p *process) begin(t *testing.T) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill() }) // an error says that it has ended
}

// exit waits for the end of the process and returns its exit code.
func (p *process) exit(t *testing.T) int {
	t.Helper()
	var ended *exec.ExitError
	if err := p.Wait(); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// await waits until standard error holds text.
func (p *process) await(t *testing.T, text string) {
	t.Helper()
	for !strings.Contains(p.err.String(), text) {
		select {
		case <-p.err.grown:
		case <-t.Context().Done():
			t.Fatal("the test ends")
		}
	}
}

// A transcript is a text that is read while it is written.
type transcript struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{} // says that there is more; holds one
}

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.grown <- struct{}{}:
	default:
	}
	return w.text.Write(p)
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// A hangingVendor is Intcomex' sandbox, which does not answer one operation.
type hangingVendor struct {
	connections string        // a file
	hangs       chan struct{} // hears of each request that hangs
	release     func()        // answers them
}

func hanging(t *testing.T, path string) *hangingVendor {
	t.Helper()
	def, err := sandbox.Load(os.DirFS("../.."), "specs/intcomex.sandbox.yaml")
	if err != nil {
		t.Fatal(err)
	}
	box := sandbox.New(def, sandbox.Options{})
	released := make(chan struct{})
	v := &hangingVendor{
		connections: filepath.Join(t.TempDir(), "connections.yaml"),
		hangs:       make(chan struct{}, 100),
		release:     sync.OnceFunc(func() { close(released) }),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			v.hangs <- struct{}{}
			<-released
		}
		box.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { v.release(); server.Close() })
	c, err := def.Connection(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	boxes := &sandboxes{list: []*served{{vendor: "intcomex", url: server.URL, connection: c}}}
	if err := os.WriteFile(v.connections, []byte(boxes.yaml()), 0o600); err != nil {
		t.Fatal(err)
	}
	return v
}

func companyInputs(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "inputs.yaml")
	text := "{vat_id: PT1, name: Acme, address: a, city: c, country: p, zip: z, email: e, domains: [acme.example], parent_account_id: 1, marketplaces: [67]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const ensureCompany = "pipelines/intcomex/ensure_company.yaml"

func TestInterruptStopsTheRunAndSaysWhere(t *testing.T) {
	t.Parallel()
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if signal.Ignored(s) {
			continue // the test runs under nohup, and so would the runner
		}
		v := hanging(t, "/GetCompanyByVatId")
		p := start(t, "run", ensureCompany, "--inputs", companyInputs(t), "--connections", v.connections, "--output", "json")
		<-v.hangs
		p.signal(t, s)
		if code := p.exit(t); code != 130 {
			t.Errorf("%v: exit code %d, want 130", s, code)
		}
		if want := "error: step lookup"; !strings.Contains(p.err.String(), want) {
			t.Errorf("%v: standard error does not say where it stopped (%q):\n%s", s, want, p.err.String())
		}
		if want := `"status":"interrupted"`; strings.Count(p.out.String(), "\n") != 1 || !strings.Contains(p.out.String(), want) {
			t.Errorf("%v: standard output is not one object with %s:\n%s", s, want, p.out.String())
		}
	}
}

// Whoever reads what is printed may go away, as head does. The run goes on.
func TestNobodyReadsWhatIsPrinted(t *testing.T) {
	t.Parallel()
	v := hanging(t, "/never")
	args := []string{"run", ensureCompany, "--inputs", companyInputs(t), "--connections", v.connections}
	p := prepare(t, "../..", append(args, "--key", "a")...)
	p.Stderr = gone(t)
	p.begin(t)
	if code := p.exit(t); code != 0 || !strings.Contains(p.out.String(), "created: true") {
		t.Errorf("without standard error: %v, %s", p.ProcessState, p.out.String())
	}
	p = prepare(t, "../..", append(args, "--key", "b", "--quiet")...)
	p.Stdout = gone(t)
	p.begin(t)
	if code := p.exit(t); code != 1 || p.err.String() != "" {
		t.Errorf("without standard output: %v, %s", p.ProcessState, p.err.String())
	}
	p = start(t, "runs", "list", "--connections", v.connections)
	if code := p.exit(t); code != 0 || strings.Count(p.out.String(), "succeeded") != 2 {
		t.Errorf("exit code %d, %s", code, p.out.String())
	}
}

// gone is the end of a pipe that nobody reads.
func gone(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	t.Cleanup(func() { w.Close() })
	return w
}

// A create that was sent may have been done: its answer is worth waiting for,
// and the same command goes on behind it.
func TestInterruptWaitsForTheAnswerToACreate(t *testing.T) {
	t.Parallel()
	v := hanging(t, "/CreateCompany")
	args := []string{"run", ensureCompany, "--inputs", companyInputs(t), "--connections", v.connections, "--key", "k"}
	p := start(t, args...)
	<-v.hangs
	p.signal(t, syscall.SIGTERM)
	p.await(t, "stopping: ")
	v.release()
	p.exit(t)
	if text := p.err.String(); !strings.Contains(text, "create: intcomex.create_company ok") {
		t.Errorf("standard error does not tell of the answer:\n%s", text)
	}
	again := start(t, args...)
	if code := again.exit(t); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if want := "created: true"; !strings.Contains(again.out.String(), want) {
		t.Errorf("standard output lacks %q:\n%s", want, again.out.String())
	}
	if len(v.hangs) > 0 {
		t.Error("it was created again")
	}
}

func TestSecondInterruptEndsAtOnce(t *testing.T) {
	t.Parallel()
	v := hanging(t, "/CreateCompany")
	p := start(t, "run", ensureCompany, "--inputs", companyInputs(t), "--connections", v.connections)
	<-v.hangs
	p.signal(t, os.Interrupt)
	p.await(t, "stopping: ")
	p.signal(t, os.Interrupt)
	p.exit(t)
	if status := p.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("it ended as %v, want the signal's own end", p.ProcessState)
	}
}

func TestSandboxServesUntilItIsInterrupted(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("runner", "sandbox", "--fault", "status=429/1s:companies")
	cmd.Dir = "../.."
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill() // an error says that it has ended
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil || !regexp.MustCompile(`^intcomex listens at http://127\.0\.0\.1:\d+\n$`).MatchString(line) {
		t.Fatalf("standard error is %q, %v", line, err)
	}
	// All of standard output was written before that line.
	text := make([]byte, 4096)
	n, err := out.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	connections := filepath.Join(t.TempDir(), "connections.yaml")
	if err := os.WriteFile(connections, text[:n], 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "run", ensureCompany, "--inputs", companyInputs(t), "--connections", connections)
	if code := p.exit(t); code != 0 || !strings.Contains(p.out.String(), "created: true") {
		t.Errorf("exit code %d\n%s%s", code, p.out.String(), p.err.String())
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(out); err != nil || len(rest) > 0 {
		t.Errorf("standard output goes on with %q, %v", rest, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the sandbox ended with %v", err)
	}
}
