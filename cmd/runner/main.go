// Command runner checks and runs pipelines of vendor calls.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/event"
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

// grace is how long a command that is stopped before it began may take to end by itself.
const grace = time.Second

// run executes one command line and returns the exit code. Where ctx ends before anything was
// sent, whatever is waited for, it does not wait for it.
func run(ctx context.Context, args []string, w world) int {
	c := &cli{world: w}
	ended := make(chan int, 1)
	go func() { ended <- c.execute(ctx, args) }()
	select {
	case code := <-ended:
		return code
	case <-ctx.Done():
	}
	if c.life.hasBegun() { // from now on nothing is sent
		return <-ended
	}
	c.release()
	select {
	case code := <-ended:
		return code
	case <-time.After(grace):
		return c.stopped(args)
	}
}

// execute executes one command line and returns the exit code.
func (c *cli) execute(ctx context.Context, args []string) int {
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
	if ctx.Err() != nil && !c.life.hasBegun() {
		return c.stopped(args)
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

// stopped says that the command was stopped before it began, and returns the exit code.
func (c *cli) stopped(args []string) int {
	const message = "interrupted before anything was sent"
	fmt.Fprintln(c.stderr, message)
	if wantsJSON(args) {
		summary := report.Interrupted(c.life.called(), event.Failure{Code: "interrupted", Message: message})
		if err := c.print(string(summary.JSON())); err != nil {
			c.report(err)
		}
	}
	return engine.Interrupted.ExitCode()
}

// A cli is one execution of the command.
type cli struct {
	world
	project string // --project
	exit    int    // what the command came to, unless it returns an error
	life    life
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
