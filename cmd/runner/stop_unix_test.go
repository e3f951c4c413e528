//go:build unix

package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Whatever a command waits for before it has sent anything, a signal ends it as interrupted, and
// nothing says that a create is waited for.
func TestSignalsBeforeAnythingIsSent(t *testing.T) {
	for name, test := range map[string]struct {
		pipe string // whose other end nobody writes to
		args []string
		want string // of standard output
	}{
		"inputs of a run": {"in.json", []string{"run", "pipelines/intcomex/ensure_companies.yaml", "--inputs", "PIPE", "--sandbox", "--output", "json"},
			`{"run":null,"pipeline":"pipelines/intcomex/ensure_companies.yaml","status":"interrupted","outputs":{},"error":{"code":"interrupted","step":"","operation":"","outcome":"","message":"interrupted before anything was sent","hint":""}}` + "\n"},
		"rows of a run":     {"in.csv", []string{"run", "pipelines/intcomex/ensure_companies.yaml", "--input", "companies=@PIPE", "--sandbox"}, ""},
		"an input of call":  {"in.txt", []string{"call", "intcomex.get_company_by_vat_id", "--input", "vat_id=@PIPE", "--sandbox"}, ""},
		"the connections":   {"in.yaml", []string{"run", "pipelines/intcomex/ensure_companies.yaml", "--connections", "PIPE"}, ""},
		"inputs of resume":  {"in.yaml", []string{"resume", "x", "--inputs", "PIPE", "--output", "json"}, `{"run":null,"pipeline":"","status":"interrupted","outputs":{},"error":{"code":"interrupted","step":"","operation":"","outcome":"","message":"interrupted before anything was sent","hint":""}}` + "\n"},
		"a file of check":   {"specs/in.yaml", []string{"check", "--project", "DIR"}, ""},
		"a file of test":    {"specs/in.test.yaml", []string{"test", "--project", "DIR", "PIPE"}, ""},
		"a file of sandbox": {"specs/in.sandbox.yaml", []string{"sandbox", "--project", "DIR"}, ""},
	} {
		for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
			if signal.Ignored(s) {
				continue // the test runs under nohup, and so would the runner
			}
			t.Run(name+" "+s.String(), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				pipe := filepath.Join(dir, test.pipe)
				if err := os.MkdirAll(filepath.Dir(pipe), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := syscall.Mkfifo(pipe, 0o600); err != nil {
					t.Fatal(err)
				}
				var args []string
				for _, arg := range test.args {
					args = append(args, strings.NewReplacer("PIPE", pipe, "DIR", dir).Replace(arg))
				}
				p := start(t, args...)
				awaitReader(t, pipe)
				p.signal(t, s)
				if code := p.exit(t); code != 130 || p.out.String() != test.want || p.err.String() != "interrupted before anything was sent\n" {
					t.Errorf("exit code %d\n%s\n%s", code, p.out.String(), p.err.String())
				}
			})
		}
	}
}

// awaitReader waits until somebody reads from a pipe, and keeps it open.
func awaitReader(t *testing.T, pipe string) *os.File {
	t.Helper()
	for {
		f, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			t.Cleanup(func() { f.Close() })
			return f
		}
		select {
		case <-t.Context().Done():
			t.Fatal(err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// A run that waits for further rows of its input is interrupted as any other.
func TestSignalWhileRowsAreAwaited(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "in.jsonl")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "run", "pipelines/serpi/upsert_supplier_articles.yaml", "--input", "articles=@"+pipe, "--sandbox", "--out-dir", t.TempDir(), "--verbose")
	rows := awaitReader(t, pipe)
	if _, err := rows.WriteString(`{"article_id":2,"supplier_tax_id":"1","supplier_code":"A","supplier_description":"B","is_default":true}` + "\n"); err != nil {
		t.Fatal(err)
	}
	p.await(t, "plan[2 1]: done")
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t); code != 130 || strings.Contains(p.err.String(), "create") {
		t.Errorf("exit code %d\n%s\n%s", code, p.out.String(), p.err.String())
	}
}
