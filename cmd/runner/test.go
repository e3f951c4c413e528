package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/diag"
)

// testFlags are the flags of test.
type testFlags struct {
	output string
	only   string // a regular expression for the names of cases; "" for all
}

func (c *cli) testCommand() *cobra.Command {
	f := &testFlags{output: "text"}
	cmd := &cobra.Command{
		Use:   "test [PATH…]",
		Short: "Test pipelines with the answers that test files give",
		Long: `Test runs the cases of the test files at PATH (folders stand for the test files below
them); without PATH, of the whole project. Nothing is sent, no environment variable and no state is
read, and waits take no time.

The exit code is 1 if a case fails, and 2 if files are invalid or there is nothing to test.`,
		Example: `  runner test
  runner test pipelines/intcomex --run 'lost answer'`,
		RunE: func(cmd *cobra.Command, args []string) error { return c.test(cmd.Context(), args, f) },
	}
	cmd.Flags().StringVar(&f.output, "output", f.output, "output format: text, or json for one JSON object")
	cmd.Flags().StringVar(&f.only, "run", "", "run only the cases whose names match this regular expression")
	return cmd
}

// A caseResult is what came of one case.
type caseResult struct {
	File     string          `json:"file"`
	Pipeline string          `json:"pipeline"`
	Name     string          `json:"name"`
	Passed   bool            `json:"passed"`
	Failures json.RawMessage `json:"failures"` // as check --format json tells faults

	faults diag.List
}

func (c *cli) test(ctx context.Context, args []string, f *testFlags) error {
	if f.output != "text" && f.output != "json" {
		return usage("--output %s: it is text or json", f.output)
	}
	only, err := regexp.Compile(f.only)
	if err != nil {
		return usage("--run %s: %v", f.only, err)
	}
	program, err := c.testProgram(args)
	if err != nil {
		return err
	}
	var results []caseResult
	for _, one := range program.TestCases() {
		if !only.MatchString(one.Name) {
			continue
		}
		faults, err := program.Test(ctx, one)
		if err != nil {
			c.exit = engine.Interrupted.ExitCode()
			fmt.Fprintln(c.stderr, "stopped before all cases were tested")
			return nil
		}
		results = append(results, caseResult{File: one.File, Pipeline: one.Pipeline, Name: one.Name, Passed: len(faults) == 0, faults: faults})
	}
	if len(results) == 0 {
		return usage("there is no case to test").WithHint("cases stand in files such as pipelines/NAME.test.yaml; --run must match their names")
	}
	return c.printResults(results, f.output)
}

// testProgram loads the test files that are asked for, with all that they reach.
func (c *cli) testProgram(args []string) (*engine.Program, error) {
	named := ""
	if len(args) > 0 {
		named = args[0]
	}
	root, err := c.projectRoot(named)
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		args = []string{"pipelines"}
	}
	var paths []string
	for _, arg := range args {
		p, err := inProject(root, arg)
		if err != nil {
			return nil, err
		}
		files, err := filesBelow(os.DirFS(root), []string{p}, ".test.yaml", ".test.yml")
		if err != nil {
			return nil, err
		}
		if info, err := os.Stat(filepath.Join(root, p)); len(files) == 0 && err == nil && !info.IsDir() {
			return nil, usage("%s is no test file", arg).WithHint("test files are called NAME.test.yaml")
		}
		paths = append(paths, files...)
	}
	if len(paths) == 0 {
		return nil, usage("there are no test files").WithHint("cases stand in files such as pipelines/NAME.test.yaml")
	}
	return engine.Load(os.DirFS(root), engine.Options{Paths: paths})
}

// printResults tells what came of the cases.
func (c *cli) printResults(results []caseResult, format string) error {
	failed := 0
	for _, r := range results {
		if !r.Passed {
			failed++
		}
	}
	if failed > 0 {
		c.exit = engine.Failed.ExitCode()
	}
	if format == "json" {
		return c.printResultsJSON(results, failed)
	}
	file := ""
	for _, r := range results {
		if r.File != file {
			file = r.File
			if err := c.print(file + "\n"); err != nil {
				return err
			}
		}
		word := "ok    "
		if !r.Passed {
			word = "FAILED"
		}
		if err := c.print("  " + word + " " + r.Name + "\n"); err != nil {
			return err
		}
	}
	for _, r := range results {
		if err := diag.Render(c.stderr, r.faults); err != nil {
			return err
		}
	}
	return c.print(fmt.Sprintf("%s, %d failed\n", count(len(results), "case"), failed))
}

func (c *cli) printResultsJSON(results []caseResult, failed int) error {
	for i, r := range results {
		var lines strings.Builder
		if err := diag.RenderJSON(&lines, r.faults); err != nil {
			return err
		}
		list := strings.Split(strings.TrimSpace(lines.String()), "\n")
		results[i].Failures = json.RawMessage("[" + strings.Join(list, ",") + "]")
	}
	status := engine.Succeeded
	if failed > 0 {
		status = engine.Failed
	}
	return c.printJSON(struct {
		Status engine.Status `json:"status"`
		Failed int           `json:"failed"`
		Cases  []caseResult  `json:"cases"`
	}{status, failed, results})
}
