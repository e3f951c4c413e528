package main

import (
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seed627bd532/runner/engine/sandbox"
)

var update = flag.Bool("update", false, "rewrite the expected texts of the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"runner": main})
}

// TestScripts runs testdata/*.txtar against the real command. Beside testscript's own
// commands they have:
//
//	project [as-it-is]      copies the repository's specs/ and pipelines/ here, with short waits,
//	                        time-outs and a password that hidden finds, unless as they are
//	sandbox [FAULT…]        serves the sandbox of Intcomex, and writes connections.yaml for it;
//	                        what was remembered of another one is forgotten
//	vendor NAME [FAULT…]    does the same for the vendor of testdata/NAME, whose files it copies here the first time
//	faults [FAULT…]         lays faults over the one that is served
//	counts OPERATION N      wants the sandbox to have been asked N times for an operation
//	created IDENTITY N      wants the sandbox to have created a company N times
//	ordered IDENTITY N      wants the sandbox to have created a subscription N times
//	exits CODE COMMAND…     executes a command that must end with this exit code
//	mask stdout|stderr      writes that stream to stdout.txt or stderr.txt, with what differs
//	                        between runs (ids, ports, times) replaced
//	run NAME                sets the variable NAME to the id of the run that standard output or error tells of first
//	examples COMMAND        runs the examples in the help of a command, each of which must succeed
//	hidden                  wants no secret in both streams and in all files that were written
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			repository, err := filepath.Abs("../..")
			if err != nil {
				return err
			}
			env.Setenv("REPOSITORY", repository)
			// Not below $WORK: kept tokens are the one place where hidden need not look.
			kept, err := os.MkdirTemp("", "runner-state-")
			if err != nil {
				return err
			}
			env.Defer(func() { os.RemoveAll(kept) })
			env.Setenv("XDG_STATE_HOME", kept)
			env.Values[boxKey{}] = &box{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"project": project,
			"sandbox": serve,
			"vendor":  vendor,
			"faults":  layFaults,
			"run":     runID,
			"counts":  counts,
			"created": created("create"),
			"ordered": created("subscribe"),
			"exits":   exits,
			"mask":    mask,
			"hidden":  hidden,

			"examples": examples,
		},
	})
}

// password is what the sandbox of a script wants; its characters are written
// differently in JSON, in URLs and in base64.
const password = `p&ss "wörd"/4711+`

// initialPasswords are those of the sandbox's first tenant, and of the first one that is made.
var initialPasswords = []string{`Kuv-221909/"xk"`, `Kuv-321909/"xk"`}

// tokenPart is in every token of the sandbox, which holds characters that are escaped too.
const tokenPart = "d7uRTX97TGgmnik4CSXEa5WI"

func project(ts *testscript.TestScript, _ bool, args []string) {
	root := ts.Getenv("REPOSITORY")
	for _, dir := range []string{"specs", "pipelines"} {
		ts.Check(os.CopyFS(ts.MkAbs(dir), os.DirFS(filepath.Join(root, dir))))
	}
	if len(args) > 0 {
		return
	}
	replace(ts, "specs/intcomex.yaml", "first: 1s, max: 30s", "first: 5ms, max: 50ms")
	for _, timeout := range []string{"30s", "2m", "5m"} {
		replace(ts, "specs/intcomex.yaml", "timeout: "+timeout, "timeout: 400ms")
	}
	replace(ts, "specs/intcomex.yaml", "every: 5s", "every: 10ms")
	replace(ts, "pipelines/intcomex/onboard_customer.yaml", "every: 3s", "every: 10ms")
	replace(ts, "pipelines/intcomex/onboard_customer.yaml", "timeout: 30m", "timeout: 2s")
	replace(ts, "pipelines/intcomex/change_licenses.yaml", "every: 3s", "every: 10ms")
	replace(ts, "pipelines/intcomex/change_licenses.yaml", "timeout: 10m", "timeout: 1s")
	replace(ts, "specs/intcomex.sandbox.yaml", "username: demo, password: demo-password", "username: demo, password: '"+password+"'")
}

func replace(ts *testscript.TestScript, file, old, text string) {
	content := ts.ReadFile(file)
	if !strings.Contains(content, old) {
		ts.Fatalf("%s has no %q", file, old)
	}
	ts.Check(os.WriteFile(ts.MkAbs(file), []byte(strings.ReplaceAll(content, old, text)), 0o666))
}

type boxKey struct{}

// A box is the sandbox of one script.
type box struct{ *sandbox.Sandbox }

func boxOf(ts *testscript.TestScript) *box { return ts.Value(boxKey{}).(*box) }

func serve(ts *testscript.TestScript, _ bool, faults []string) {
	serveVendor(ts, "intcomex")
	layFaults(ts, false, faults)
}

func vendor(ts *testscript.TestScript, _ bool, args []string) {
	if _, err := os.Stat(ts.MkAbs("specs")); errors.Is(err, fs.ErrNotExist) {
		ts.Check(os.CopyFS(ts.MkAbs("."), os.DirFS(filepath.Join(ts.Getenv("REPOSITORY"), "cmd/runner/testdata", args[0]))))
	}
	serveVendor(ts, args[0])
	layFaults(ts, false, args[1:])
}

func layFaults(ts *testscript.TestScript, _ bool, faults []string) {
	for _, text := range faults {
		f, err := sandbox.ParseFault(text)
		ts.Check(err)
		ts.Check(boxOf(ts).AddFault(f))
	}
}

func serveVendor(ts *testscript.TestScript, name string) {
	def, err := sandbox.Load(os.DirFS(ts.MkAbs(".")), "specs/"+name+".sandbox.yaml")
	ts.Check(err)
	b := boxOf(ts)
	b.Sandbox = sandbox.New(def, sandbox.Options{})
	server := httptest.NewServer(b.Sandbox)
	ts.Defer(server.Close)
	ts.Setenv("PASSWORD", password)
	text := fmt.Sprintf("connections:\n  %[1]s:\n    vendor: %[1]s\n    base_url: %[2]s\n    config:\n"+
		"      username: demo\n      password: ${{ env.PASSWORD }}\n", name, server.URL)
	ts.Check(os.WriteFile(ts.MkAbs("connections.yaml"), []byte(text), 0o666))
	ts.Check(os.RemoveAll(ts.MkAbs(".runner"))) // it is another vendor now
}

func counts(ts *testscript.TestScript, _ bool, args []string) {
	if got := strconv.Itoa(boxOf(ts).Stats().Calls[args[0]]); got != args[1] {
		ts.Fatalf("the sandbox was asked %s times for %s, want %s", got, args[0], args[1])
	}
}

func created(operation string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		if got := strconv.Itoa(boxOf(ts).Stats().Creates[operation][args[0]]); got != args[1] {
			ts.Fatalf("%s was created %s times, want %s", args[0], got, args[1])
		}
	}
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		code = ended.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// masks replace what differs between runs.
var masks = []struct{ pattern, text string }{
	{`\b\d{8}-\d{6}-[0-9a-f]{8}\b`, "RUN"},
	{`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`, "TIME"},
	{`after \d+ bytes`, "after N bytes"},
	{`127\.0\.0\.1:\d+`, "ADDRESS"},
	{`\bTOOK +`, "TOOK "},
	{`sha256:[0-9a-f]{64}`, "sha256:DIGEST"},
	{`"took_ms":[0-9.]+`, `"took_ms":MS`},
	{`\b(TIME +)[0-9][0-9.msh]*( *)`, "$1 SPAN "},
	{`\b(after|in) [0-9][0-9.msh]*(\n|$)`, "$1 SPAN$2"},
	{`\([0-9][0-9.msh]*\)`, "(SPAN)"},
}

func masked(text string) string {
	for _, m := range masks {
		text = regexp.MustCompile(m.pattern).ReplaceAllString(text, m.text)
	}
	return text
}

func runID(ts *testscript.TestScript, _ bool, args []string) {
	id := regexp.MustCompile(`\b\d{8}-\d{6}-[0-9a-f]{8}\b`).FindString(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	if id == "" {
		ts.Fatalf("no run is told of")
	}
	ts.Setenv(args[0], id)
}

func mask(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	text = strings.ReplaceAll(text, ts.Getenv("WORK"), "WORK")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".txt"), []byte(masked(text)), 0o666))
}

func hidden(ts *testscript.TestScript, _ bool, _ []string) {
	texts := map[string]string{"stdout": ts.ReadFile("stdout"), "stderr": ts.ReadFile("stderr")}
	work := ts.Getenv("WORK")
	ts.Check(filepath.WalkDir(work, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(file, ".sandbox.yaml") {
			return err
		}
		text, err := os.ReadFile(file)
		texts[file] = string(text)
		return err
	}))
	secrets := []string{tokenPart}
	for _, secret := range append(initialPasswords, password) {
		quoted := strconv.Quote(secret)
		secrets = append(secrets, secret, quoted[1:len(quoted)-1], url.QueryEscape(secret), url.PathEscape(secret),
			base64.StdEncoding.EncodeToString([]byte(secret)))
	}
	for name, text := range texts {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				ts.Fatalf("%s holds the secret %s:\n%s", name, secret, text)
			}
		}
	}
}
