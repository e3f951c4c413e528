package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/sandbox"
)

// checkFlags are the flags of check.
type checkFlags struct {
	format string // of the faults
	strict bool   // a warning is as bad as an error
}

func (c *cli) checkCommand() *cobra.Command {
	f := &checkFlags{format: "text"}
	cmd := &cobra.Command{
		Use:   "check [PATH…]",
		Short: "Check vendor files, pipelines, tests, sandboxes and connections",
		Long: `Check reads the files at PATH (folders stand for the YAML files below them)
and the files that they use; without PATH, the project's specs/, pipelines/ and
connections.yaml. It reports every mistake with its place. Nothing is sent, and no environment
variable is read.

Diagnostics are printed to standard error as text, or to standard output as json (one object
a line), github (annotations of GitHub Actions) or sarif (SARIF 2.1.0). runner explain CODE
explains the code in brackets. The exit code is 2 when there are errors, and with --strict also when there are warnings.`,
		Example: `  runner check
  runner check pipelines/intcomex --strict
  runner check --format github`,
		RunE: func(_ *cobra.Command, args []string) error { return c.check(args, f) },
	}
	cmd.Flags().StringVar(&f.format, "format", f.format, "format of the diagnostics: "+strings.Join(faultFormats, ", "))
	cmd.Flags().BoolVar(&f.strict, "strict", false, "treat warnings as errors")
	return cmd
}

// faultFormats are what check --format takes.
var faultFormats = []string{"text", "json", "github", "sarif"}

func (c *cli) check(args []string, f *checkFlags) error {
	if !slices.Contains(faultFormats, f.format) {
		return usage("--format is one of %s, not %q", strings.Join(faultFormats, ", "), f.format)
	}
	named := ""
	if len(args) > 0 {
		named = args[0]
	}
	root, err := c.projectRoot(named)
	if err != nil {
		return err
	}
	faults, err := checked(root, args)
	if err != nil {
		return err
	}
	if err := c.printFaults(root, f.format, faults); err != nil {
		return err
	}
	if len(faults) == 0 {
		fmt.Fprintln(c.stderr, "no mistakes found")
		return nil
	}
	errorCount, first := 0, faults[0]
	for _, d := range faults {
		if d.Severity == diag.Error {
			if errorCount++; errorCount == 1 {
				first = d
			}
		}
	}
	fmt.Fprintf(c.stderr, "%s, %s\n", count(errorCount, "error"), count(len(faults)-errorCount, "warning"))
	if f.format == "text" {
		fmt.Fprintf(c.stderr, "What a code means and how to fix it: runner explain %s\n", first.Code)
	}
	if errorCount > 0 || f.strict {
		c.exit = engine.Invalid.ExitCode()
	}
	return nil
}

// checked returns all faults of the files that are asked for, sorted.
func checked(root string, args []string) (diag.List, error) {
	paths, err := checkedPaths(root, args)
	if err != nil {
		var missing diag.List
		if errors.As(err, &missing) {
			return missing, nil
		}
		return nil, err
	}
	fsys := os.DirFS(root)
	faults := engine.Check(fsys, engine.Options{Paths: paths})
	sandboxes, err := sandboxFiles(fsys, paths)
	if err != nil {
		return nil, err
	}
	for _, file := range sandboxes {
		more, err := sandbox.Check(fsys, file)
		if err != nil {
			return nil, err
		}
		faults = append(faults, more...)
	}
	faults.Sort()
	return faults, nil
}

// printFaults prints faults in a format. Their files are relative to root.
func (c *cli) printFaults(root, format string, faults diag.List) error {
	if format == "text" {
		return diag.Render(c.stderr, faults)
	}
	dir := ""
	if here, err := os.Getwd(); err == nil && isBelow(here, root) {
		if rel, err := filepath.Rel(here, root); err == nil {
			dir = filepath.ToSlash(rel)
		}
	}
	var text strings.Builder
	var err error
	switch format {
	case "json":
		err = diag.RenderJSON(&text, faults)
	case "github":
		err = diag.RenderGitHub(&text, faults, dir)
	case "sarif":
		err = diag.RenderSARIF(&text, faults, dir, version())
	}
	if err != nil {
		return err
	}
	return c.print(text.String())
}

// checkedPaths are the paths that are asked for, or all that a project has.
func checkedPaths(root string, args []string) ([]string, error) {
	var paths []string
	for _, arg := range args {
		p, err := inProject(root, arg)
		if err != nil {
			return nil, err
		}
		paths = append(paths, p)
	}
	if len(args) > 0 {
		return paths, nil
	}
	for _, p := range []string{"specs", "pipelines", defaultConnections} {
		if _, err := os.Stat(filepath.Join(root, p)); err == nil {
			paths = append(paths, p)
		}
	}
	if !slices.ContainsFunc(paths, func(p string) bool { return holdsYAML(filepath.Join(root, p)) }) {
		return nil, usage("there is nothing to check: no YAML files in specs/ and pipelines/ below %s", root)
	}
	return paths, nil
}

// holdsYAML reports whether there is a YAML file at or below a path.
func holdsYAML(root string) bool {
	found := false
	_ = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error { // who reads it, finds what is wrong
		if err == nil && !d.IsDir() && isYAML(name) {
			found = true
			return filepath.SkipAll
		}
		return nil
	})
	return found
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// sandboxFiles lists the sandbox files at and below paths.
func sandboxFiles(fsys fs.FS, paths []string) ([]string, error) {
	return filesBelow(fsys, paths, ".sandbox.yaml")
}

// filesBelow lists the files at and below paths whose names end in one of the ways.
func filesBelow(fsys fs.FS, paths []string, ends ...string) ([]string, error) {
	var files []string
	for _, p := range paths {
		err := fs.WalkDir(fsys, p, func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // reported by the engine where it matters
			}
			if err == nil && !d.IsDir() && slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(name, end) }) {
				files = append(files, filepath.ToSlash(name))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}
