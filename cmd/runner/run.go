package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/event"
	"github.com/seed627bd532/runner/engine/report"
)

// runFlags are what run and call have in common.
type runFlags struct {
	envFlags
	inputs     []string
	inputsFile string
	output     string
	sandbox    bool
	faults     []string
	timeout    time.Duration
	verbose    bool
	quiet      bool
	outDir     string
	key        string
	moved      bool
}

func (f *runFlags) add(cmd *cobra.Command) {
	f.envFlags.add(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.inputs, "input", nil, "input as name=value or name=@file; repeatable")
	flags.StringVar(&f.inputsFile, "inputs", "", "file of inputs: JSON if its name ends in .json, else YAML; --input overrides it")
	flags.StringVar(&f.output, "output", "text", "output format: text, or json for one JSON object")
	flags.BoolVar(&f.sandbox, "sandbox", false, "call the built-in sandboxes instead of the vendors")
	flags.StringArrayVar(&f.faults, "fault", nil, "with --sandbox: a fault to inject, such as lose_answer:create_company:2; repeatable")
	flags.BoolVar(&f.moved, "moved", false, "confirm that a vendor whose base_url changed is still the same system")
	flags.DurationVar(&f.timeout, "timeout", 0, "stop the run as failed after this time, such as 10m")
	flags.BoolVar(&f.verbose, "verbose", false, "show every row, request and answer (secrets are masked)")
	flags.BoolVar(&f.quiet, "quiet", false, "show warnings and errors only")
}

func (c *cli) runCommand() *cobra.Command {
	f := &runFlags{}
	cmd := &cobra.Command{
		Use:   "run PIPELINE",
		Short: "Run a pipeline",
		Long: `Run checks a pipeline, its inputs and connections, and runs it. The result goes to
standard output, everything else to standard error. Files are written below the working
directory. Every call is recorded: runner resume continues a run that failed or was
interrupted.`,
		Example: `  runner run pipelines/intcomex/ensure_companies.yaml --input companies=@testdata/companies.csv --sandbox
  runner run pipelines/intcomex/ensure_companies.yaml --input companies=@testdata/companies.csv --sandbox --fault lose_answer:create_company:2
  runner run pipelines/intcomex/ensure_companies.yaml --input companies=@testdata/companies.csv --key july`,
		Args: exactlyOne("PIPELINE, the path of a pipeline"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("key") && f.key == "" { // a variable that is not set, for one: each start would be a new run
				return usage("--key requires a name").WithHint("leave it out if the run is not to be repeated under a key")
			}
			return c.run(cmd.Context(), args[0], f)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.outDir, "out-dir", ".", "folder for the files that are written")
	cmd.Flags().StringVar(&f.key, "key", "", "idempotency key: running again with the same key resumes the run, or prints its result if it has finished")
	return cmd
}

func exactlyOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("%s requires one %s, got %d", cmd.CommandPath(), what, len(args)).
				WithHint("see " + cmd.CommandPath() + " --help")
		}
		return nil
	}
}

func (c *cli) run(ctx context.Context, name string, f *runFlags) error {
	if f.outDir == "" {
		return usage("--out-dir requires a folder").WithHint("leave it out for the working directory")
	}
	root, err := c.projectRoot(name)
	if err != nil {
		return err
	}
	file, err := inProject(root, name)
	if err != nil {
		return err
	}
	return c.job(ctx, root, f, file, func(p *engine.Program, r engine.Request) error {
		isIt := func(info engine.PipelineInfo) bool { return info.Path == file }
		if !slices.ContainsFunc(p.Pipelines(), isIt) {
			return usage("%s is no pipeline", name).WithHint("a pipeline's first key is pipeline")
		}
		r.Pipeline, r.OutDir, r.Key = file, f.outDir, f.key
		_, err := p.Run(ctx, r)
		return err
	})
}

// job loads a pipeline or the vendor of an operation, starts what is to be done with the
// flags' inputs, connections and outputs, prints the result and sets the exit
// code. An error means that nothing was started.
func (c *cli) job(ctx context.Context, root string, f *runFlags, name string, start func(*engine.Program, engine.Request) error) error {
	if err := f.check(); err != nil {
		return err
	}
	request, err := f.request()
	if err != nil {
		return err
	}
	t := &task{root: root, flags: f, file: fileOf(name)}
	if t.program, err = load(root, name); err != nil {
		return err
	}
	if t.connections, err = c.connections(root, f); err != nil {
		return err
	}
	place, err := f.statePlace(root)
	if err != nil {
		return err
	}
	if !f.sandbox || f.state != "" {
		if t.state, err = c.openState(ctx, place); err != nil {
			return err
		}
		defer t.state.Close()
	}
	return c.perform(ctx, t, func(p *engine.Program) error { return start(p, request) })
}

// load loads the file of what is to run, and all that it reaches. For store.put these are the
// pipelines, since they say what its tables hold.
func load(root, name string) (*engine.Program, error) {
	paths := []string{fileOf(name)}
	if _, err := os.Stat(filepath.Join(root, "pipelines")); err == nil && name == storePut {
		paths = append(paths, "pipelines")
	}
	return engine.Load(os.DirFS(root), engine.Options{Paths: paths})
}

// A task is what is to be done for a command, and what with.
type task struct {
	root    string
	flags   *runFlags
	program *engine.Program // not yet connected to the world
	file    string          // that it was loaded from
	// connections are those of the file; nil where sandboxes are used.
	connections map[string]engine.Connection
	state       *memory // nil remembers nothing
}

// perform connects the program to the world, starts what is to be done, prints
// the result and sets the exit code.
func (c *cli) perform(ctx context.Context, t *task, start func(*engine.Program) error) error {
	f := t.flags
	console := report.NewConsole(c.stderr, report.ConsoleOptions{Verbose: f.verbose, Quiet: f.quiet})
	summary := &report.Summary{}
	o := engine.Options{Events: event.Fan(console, summary, &c.life), Connections: t.connections}
	o.ResumeCommand = func(run string) string { return c.goOn(run, t.root, f) }
	if t.state != nil {
		o.State = t.state
	} else {
		o.ResumeCommand = func(string) string { return "" }
	}
	if f.sandbox {
		boxes, err := startSandboxes(os.DirFS(t.root), vendorsOf(t.program, t.file), sandboxOptions{faults: f.faults})
		if err != nil {
			return err
		}
		defer boxes.stop()
		o.Connections = boxes.connections(t.program)
	} else {
		c.remember(&o, t.state)
	}
	heard := context.AfterFunc(ctx, func() {
		c.release()
		switch {
		case !c.life.hasBegun():
		case c.life.creating():
			fmt.Fprintln(c.stderr, "stopping: the answer to a create that was sent is waited for; interrupt again to end at once")
		default:
			fmt.Fprintln(c.stderr, "stopping; interrupt again to end at once")
		}
	})
	defer heard()
	var failed *engine.Error // the events have told of it
	if err := start(t.program.With(o)); err != nil && !errors.As(err, &failed) {
		return err
	}
	c.exit = engine.Status(summary.Status()).ExitCode()
	if f.output == "json" {
		return c.print(string(summary.JSON()))
	}
	switch {
	case failed == nil:
	case t.state == nil:
		fmt.Fprintln(c.stderr, "this run was not recorded: with --sandbox, add --state PATH to record it")
	default:
		if failed.Status == engine.Ambiguous && failed.Failure.Operation == "" { // it was rows, of which each has its account
			fmt.Fprintf(c.stderr, "open creates, and how to settle them: %s\n", c.command(t.root, f, "runs", "show", summary.Run()))
		}
		fmt.Fprintf(c.stderr, "resume: %s\n", o.ResumeCommand(summary.Run()))
	}
	return c.print(summary.Text())
}

// check refuses flags that make no sense, alone or together.
func (f *runFlags) check() error {
	switch {
	case f.output != "text" && f.output != "json":
		return usage("--output %s: it is text or json", f.output)
	case f.timeout < 0:
		return usage("--timeout %s: a time is not negative", f.timeout)
	case f.sandbox && f.connections != "":
		return usage("--sandbox brings its own connections").WithHint("leave out --connections")
	case !f.sandbox && len(f.faults) > 0:
		return usage("--fault goes with --sandbox only: nobody lays faults over a real vendor")
	}
	return nil
}

// request reads the inputs of the flags.
func (f *runFlags) request() (engine.Request, error) {
	r := engine.Request{Timeout: f.timeout, Moved: f.moved, Inputs: map[string]any{}, InputTexts: map[string]string{}}
	if f.inputsFile != "" {
		text, err := os.ReadFile(f.inputsFile)
		if err != nil {
			return r, usage("cannot read the inputs: %v", err)
		}
		if r.Inputs, err = engine.ReadInputs(f.inputsFile, text); err != nil {
			return r, err
		}
	}
	given, err := assignments("input", f.inputs)
	if err != nil {
		return r, err
	}
	for name, text := range given {
		delete(r.Inputs, name)
		if file, ok := strings.CutPrefix(text, "@"); ok {
			r.Inputs[name] = engine.File(file)
		} else {
			r.InputTexts[name] = text
		}
	}
	return r, nil
}

// assignments splits name=value flags.
func assignments(flag string, given []string) (map[string]string, error) {
	all := map[string]string{}
	for _, text := range given {
		name, v, ok := strings.Cut(text, "=")
		if !ok || name == "" || v == "@" {
			return nil, usage("--%s %s: write name=value, or name=@file", flag, text)
		}
		if _, twice := all[name]; twice {
			return nil, usage("--%s %s is given twice", flag, name)
		}
		all[name] = v
	}
	return all, nil
}

// connections reads the connections file, if there is one. Sandboxes need none.
func (c *cli) connections(root string, f *runFlags) (map[string]engine.Connection, error) {
	name := f.connectionsFile(root)
	if name == "" || f.sandbox {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, usage("cannot read the connections: %v", err)
	}
	return engine.ReadConnections(name, text, engine.Environment{Env: c.env, ReadFile: os.ReadFile})
}
