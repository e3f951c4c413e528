package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/sandbox"
)

func (c *cli) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check [PATH…]",
		Short: "Find the mistakes in vendor files, pipelines, sandboxes and connections",
		Long: `Check reads the files at PATH (folders stand for the YAML files below them)
and all that they reach; without PATH, the project's specs/, pipelines/ and
connections.yaml. It names every mistake with its place. Nothing is sent, and no environment
variable is read.`,
		RunE: func(_ *cobra.Command, args []string) error { return c.check(args) },
	}
}

func (c *cli) check(args []string) error {
	named := ""
	if len(args) > 0 {
		named = args[0]
	}
	root, err := c.projectRoot(named)
	if err != nil {
		return err
	}
	paths, err := checkedPaths(root, args)
	if err != nil {
		return err
	}
	fsys := os.DirFS(root)
	faults := engine.Check(fsys, engine.Options{Paths: paths})
	sandboxes, err := sandboxFiles(fsys, paths)
	if err != nil {
		return err
	}
	for _, file := range sandboxes {
		_, err := sandbox.Load(fsys, file)
		more := faultsOf(err)
		if err != nil && more == nil {
			return err
		}
		faults = append(faults, more...)
	}
	faults.Sort()
	if len(faults) == 0 {
		fmt.Fprintln(c.stderr, "no mistakes found")
		return nil
	}
	if err := diag.Render(c.stderr, faults); err != nil {
		return err
	}
	errorCount := 0
	for _, d := range faults {
		if d.Severity == diag.Error {
			errorCount++
		}
	}
	fmt.Fprintf(c.stderr, "%s, %s\n", count(errorCount, "error"), count(len(faults)-errorCount, "warning"))
	if errorCount > 0 {
		c.exit = engine.Invalid.ExitCode()
	}
	return nil
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
	if len(paths) == 0 {
		return nil, usage("there is nothing to check: no specs/ and no pipelines/ below %s", root)
	}
	return paths, nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// sandboxFiles lists the sandbox files at and below paths.
func sandboxFiles(fsys fs.FS, paths []string) ([]string, error) {
	var files []string
	for _, p := range paths {
		err := fs.WalkDir(fsys, p, func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // reported by the engine where it matters
			}
			if err == nil && !d.IsDir() && strings.HasSuffix(name, ".sandbox.yaml") {
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
