package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// TestEveryCommandHasExamples holds that each command has examples in its help, and that a script runs them.
func TestEveryCommandHasExamples(t *testing.T) {
	t.Parallel()
	var lines []string
	for _, file := range []string{"testdata/examples.txtar", "testdata/examples_of_runs.txtar"} {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Split(string(script), "\n")...)
	}
	commands := map[string]*cobra.Command{}
	allCommands((&cli{}).root(), commands)
	for name := range commands {
		if len(examplesOf(commands[name])) == 0 {
			t.Errorf("the help of runner %s has no examples", name)
		}
		if !slices.Contains(lines, "examples "+name) {
			t.Errorf("no script runs the examples of runner %s", name)
		}
	}
}

func examplesOf(cmd *cobra.Command) (lines []string) {
	for line := range strings.Lines(cmd.Example) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

func examples(ts *testscript.TestScript, _ bool, args []string) {
	commands := map[string]*cobra.Command{}
	allCommands((&cli{}).root(), commands)
	cmd := commands[strings.Join(args, " ")]
	if cmd == nil {
		ts.Fatalf("there is no command %v", args)
	}
	for _, line := range examplesOf(cmd) {
		if cmd.Name() == "sandbox" {
			serveExample(ts, line)
		} else if err := ts.Exec("sh", "-c", line); err != nil {
			ts.Fatalf("%s: %v", line, err)
		}
	}
}

// serveExample runs a command that serves until it is interrupted, and prints a connections file first.
func serveExample(ts *testscript.TestScript, line string) {
	const printed = "connections.yaml"
	ts.Check(os.RemoveAll(ts.MkAbs(printed)))
	cmd := exec.Command("sh", "-c", "exec "+line)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(ts.MkAbs(printed))
		if strings.HasSuffix(string(text), "\n") {
			break
		}
		select {
		case <-ended:
			ts.Fatalf("%s: %s", line, &stderr)
		default:
		}
		if time.Now().After(deadline) {
			cmd.Process.Kill()
			ts.Fatalf("%s: it prints nothing", line)
		}
	}
	ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	<-ended
}
