// Command runner checks and runs pipelines of vendor calls.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/report"
)

func main() {
	// The first signal stops the run cleanly; the second finds the default
	// handler again and ends the process. A terminal that is closed is such a signal, unless
	// nohup keeps it off. That nobody reads any more what is printed ends no run.
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], world{
		env:     os.LookupEnv,
		stdin:   os.Stdin,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
		release: stop,
	}))
}

// A world is what a command touches beside files and the network.
type world struct {
	env            func(string) (string, bool)
	stdin          io.Reader
	stdout, stderr io.Writer // stderr is safe for concurrent use
	release        func()    // gives signals their usual effect back
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, w world) int {
	c := &cli{world: w}
	root := c.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return c.exit
	}
	var broken *outputError
	if errors.As(err, &broken) {
		if !errors.Is(err, syscall.EPIPE) { // whoever has read enough wants to hear no more
			c.report(err)
		}
		return max(c.exit, engine.Failed.ExitCode())
	}
	c.report(err)
	if wantsJSON(args) {
		name := "" // of what would have run, if that is what the argument is
		if cmd.Name() == "run" || cmd.Name() == "call" {
			name = cmd.Flags().Arg(0)
		}
		summary := report.Invalid(name, invalid(err))
		if err := c.print(string(summary.JSON())); err != nil {
			c.report(err)
		}
	}
	return engine.Invalid.ExitCode()
}

// A cli is one execution of the command.
type cli struct {
	world
	project string // --project
	exit    int    // what the command came to, unless it returns an error
}

// An outputError tells that a result could not be printed.
type outputError struct{ err error }

func (e *outputError) Error() string { return "cannot write to standard output: " + e.err.Error() }

func (e *outputError) Unwrap() error { return e.err }

// print writes to standard output.
func (c *cli) print(text string) error {
	if _, err := io.WriteString(c.stdout, text); err != nil {
		return &outputError{err}
	}
	return nil
}
