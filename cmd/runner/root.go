package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/event"
)

const long = `Runner calls vendor APIs that YAML files describe.

Vendor files (specs/) describe the APIs, pipelines (pipelines/) chain calls, and a
connections file has addresses and credentials. Everything is checked before anything is sent.

Exit codes: 0 succeeded, 1 failed, 2 invalid files or inputs, 3 finished with failed
rows, 4 ambiguous (check at the vendor, then settle), 130 interrupted.`

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "runner",
		Short:         "Run pipelines of vendor calls described in YAML",
		Long:          long,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentPreRun = func(cmd *cobra.Command, _ []string) {
		if cmd.Name() == "run" || cmd.Name() == "call" {
			c.life.call(cmd.Flags().Arg(0))
		}
	}
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	root.SetVersionTemplate("runner {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(c.fmtCommand(), c.explainCommand(), c.graphCommand(), c.schemaCommand())
	root.CompletionOptions.DisableDefaultCmd = true
	root.PersistentFlags().StringVar(&c.project, "project", "", "root folder of the project (default: the nearest parent folder with specs/)")
	root.AddCommand(c.checkCommand(), c.testCommand(), c.runCommand(), c.callCommand(), c.resumeCommand(), c.runsCommand(), c.sandboxCommand())
	return root
}

// version is the module's version as the Go tool recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// knownCommand refuses what is no subcommand.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, cmd := range root.Commands() {
		names = append(names, cmd.Name())
	}
	return usage("there is no command %q", args[0]).
		WithHint(didYouMean("", args[0], names, "the commands are "+strings.Join(names, ", ")))
}

// flagError words what pflag found wrong with the flags.
func flagError(cmd *cobra.Command, err error) error {
	if given := cmd.Flags().Args(); cmd.HasSubCommands() && len(given) > 0 { // whose flags they are, nobody knows
		return knownCommand(cmd, given)
	}
	var unknown *pflag.NotExistError
	see := "see " + cmd.CommandPath() + " --help"
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return usage("%v", err).WithHint(see)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	name := unknown.GetSpecifiedName()
	return usage("%s has no flag --%s", cmd.CommandPath(), name).WithHint(didYouMean("--", name, names, see))
}

// didYouMean is a hint to the nearest of the names, or else the given one.
func didYouMean(prefix, name string, names []string, otherwise string) string {
	if near := diag.Nearest(name, names); near != "" {
		return "did you mean " + prefix + near + "?"
	}
	return otherwise
}

// usage is a mistake on the command line.
func usage(format string, args ...any) *diag.Diagnostic {
	return &diag.Diagnostic{Code: "usage", Message: fmt.Sprintf(format, args...)}
}

// faultsOf returns the faults that an error consists of, or nil.
func faultsOf(err error) diag.List {
	var faults diag.List
	if errors.As(err, &faults) {
		return faults
	}
	var fault *diag.Diagnostic
	if errors.As(err, &fault) {
		return diag.List{fault}
	}
	return nil
}

// report prints what is wrong, in full where it is about files.
func (c *cli) report(err error) {
	if faults := faultsOf(err); faults != nil {
		diag.Render(c.stderr, faults) // there is nobody to tell if standard error is gone
		return
	}
	fmt.Fprintf(c.stderr, "runner: %v\n", err)
}

// invalid folds what kept a run from beginning into one failure.
func invalid(err error) event.Failure {
	f := event.Failure{Code: "invalid", Message: err.Error()}
	faults := faultsOf(err)
	if i := slices.IndexFunc(faults, func(d *diag.Diagnostic) bool { return d.Severity == diag.Error }); i >= 0 {
		f.Code, f.Hint = faults[i].Code, faults[i].Hint
	}
	return f
}

// wantsJSON reports whether standard output was promised to be one JSON object,
// also where the command or its flags could not be read to their end.
func wantsJSON(args []string) bool {
	format := ""
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if arg == "--output" && i+1 < len(args) {
			format = args[i+1]
		} else if text, ok := strings.CutPrefix(arg, "--output="); ok {
			format = text
		}
	}
	return format == "json"
}
