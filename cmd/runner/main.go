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
	// handler again and ends the process.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
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
	c.report(err)
	var broken *outputError
	if errors.As(err, &broken) {
		return max(c.exit, engine.Failed.ExitCode())
	}
	if wantsJSON(cmd, args) {
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
