package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Runners on one state that ensure the same companies at the same moment create
// each of them once, and both know all of them.
func TestTwoRunnersOnOneStateCreateOnce(t *testing.T) {
	t.Parallel()
	const rows = 100
	d := newIntcomex(t)
	args := d.ensureCompanies(t, rows)
	var both []*process
	for _, name := range []string{"one", "two"} {
		both = append(both, d.runner(t, append(args, "--key", name, "--out-dir", name)...))
	}
	accounts := map[string]string{}
	for i, p := range both {
		if code := p.exit(t); code != 0 {
			t.Fatalf("exit code %d: %s", code, p.err.String())
		}
		text, err := os.ReadFile(filepath.Join(d.dir, []string{"one", "two"}[i], "results.csv"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		if len(lines) != rows+1 {
			t.Errorf("%d lines of results", len(lines))
		}
		for _, line := range lines[1:] {
			cells := strings.Split(line, ",")
			if other, known := accounts[cells[0]]; cells[1] != "done" || known && other != cells[2] {
				t.Errorf("%s, and the account of the other is %q", line, other)
			}
			accounts[cells[0]] = cells[2]
		}
	}
	for vat, times := range d.box.Stats().Creates["create"] {
		if times != 1 {
			t.Errorf("%s was created %d times", vat, times)
		}
	}
}

// A state that is damaged keeps a run from sending anything.
func TestDamagedStateSendsNothing(t *testing.T) {
	t.Parallel()
	d := newIntcomex(t)
	args := d.ensureCompanies(t, 3)
	if p := d.runner(t, args...); p.exit(t) != 0 {
		t.Fatal(p.err.String())
	}
	before := d.box.Stats().Total
	if err := os.Truncate(filepath.Join(d.dir, ".runner/connections.db"), 6000); err != nil {
		t.Fatal(err)
	}
	const want = `the state cannot be opened: the state in .runner/connections.db is damaged. Nothing was changed. ` +
		`Restore it from a copy together with the files whose names continue its name, or move all of them away; ` +
		`runs that only it knows cannot be resumed then: database disk image is malformed (11)`
	for _, command := range [][]string{args, {"runs", "list"}, {"resume", "k"}} {
		p := d.runner(t, command...)
		code := p.exit(t)
		if said, _, _ := strings.Cut(p.err.String(), "\n"); code != 2 || said != want {
			t.Errorf("%s: exit code %d, %s", command[0], code, p.err.String())
		}
	}
	if sent := d.box.Stats().Total - before; sent != 0 {
		t.Errorf("%d requests were sent", sent)
	}
}
