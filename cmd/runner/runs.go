package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/history"
)

// runsFlags are what the commands about runs have in common.
type runsFlags struct {
	envFlags
	output string
}

func (f *runsFlags) add(cmd *cobra.Command) {
	f.envFlags.add(cmd)
	cmd.Flags().StringVar(&f.output, "output", "text", "output format: text, or json for one JSON object")
}

func (c *cli) runsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List, inspect and prune past runs",
		Args:  knownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.runsListCommand(), c.runsShowCommand(), c.runsPruneCommand())
	return cmd
}

func (c *cli) runsListCommand() *cobra.Command {
	f := &runsFlags{}
	limit := 0
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the runs, newest first",
		Example: `  runner runs list
  runner runs list --limit 10 --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withRuns(cmd.Context(), f, func(m *memory) error { return c.runsList(cmd.Context(), m, f, limit) })
		},
	}
	f.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 50, "maximum number of runs; 0 for all")
	return cmd
}

func (c *cli) runsShowCommand() *cobra.Command {
	f := &runsFlags{}
	cmd := &cobra.Command{
		Use:     "show RUN",
		Short:   "Show the inputs, calls, creates and open creates of a run",
		Example: `  runner runs show nightly`,
		Args:    exactlyOne("RUN, the id or the key of a run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withRuns(cmd.Context(), f, func(m *memory) error { return c.runsShow(cmd.Context(), m, f, args[0]) })
		},
	}
	f.add(cmd)
	return cmd
}

func (c *cli) runsPruneCommand() *cobra.Command {
	f := &runsFlags{}
	var before, olderThan string
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Delete the records of old runs",
		Long: `Prune deletes the records of runs that have ended. Runs with ambiguous creates stay until
these are settled.`,
		Example: `  runner runs prune --older-than 90d
  runner runs prune --before 2026-01-01`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			end, err := pruneTime(before, olderThan)
			if err != nil {
				return err
			}
			return c.withRuns(cmd.Context(), f, func(m *memory) error { return c.runsPrune(cmd.Context(), m, f, end) })
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&before, "before", "", "delete runs that ended before this time, such as 2026-01-31 or 2026-01-31T12:00:00Z")
	cmd.Flags().StringVar(&olderThan, "older-than", "", "delete runs that ended longer ago than this, such as 90d or 12h")
	return cmd
}

// withRuns does something with the state of the environment.
func (c *cli) withRuns(ctx context.Context, f *runsFlags, do func(*memory) error) error {
	if f.output != "text" && f.output != "json" {
		return usage("--output %s: it is text or json", f.output)
	}
	root, err := c.projectRoot("")
	if err != nil {
		return err
	}
	m, err := c.existingState(ctx, root, &f.envFlags)
	if err != nil {
		return err
	}
	defer m.Close()
	return do(m)
}

func (c *cli) runsList(ctx context.Context, m *memory, f *runsFlags, limit int) error {
	if limit < 0 {
		return usage("--limit %d: it is 0 or more", limit)
	}
	runs, err := history.List(ctx, m, limit)
	if err != nil {
		return unreadable(err)
	}
	if f.output == "json" {
		list := make([]runJSON, len(runs))
		for i, r := range runs {
			list[i] = jsonOfRun(r)
		}
		return c.printJSON(map[string]any{"runs": list})
	}
	if len(runs) == 0 {
		return c.print("no runs\n")
	}
	lines := [][]string{{"RUN", "STATUS", "BEGAN", "TOOK", "PIPELINE", "KEY"}}
	for _, r := range runs {
		lines = append(lines, []string{r.ID, r.Status, stamp(r.Began), took(r), r.Pipeline, r.Key})
	}
	return c.print(aligned("", lines))
}

func (c *cli) runsPrune(ctx context.Context, m *memory, f *runsFlags, before time.Time) error {
	ids, err := m.Prune(ctx, before)
	if err != nil {
		return unreadable(err)
	}
	if f.output == "json" {
		return c.printJSON(map[string]any{"pruned": append([]string{}, ids...)})
	}
	text := strings.Join(append(ids, ""), "\n")
	if len(ids) == 1 {
		return c.print(text + "1 run is forgotten\n")
	}
	return c.print(text + fmt.Sprintf("%d runs deleted\n", len(ids)))
}

// pruneTime reads the flags of prune, one of which must be given.
func pruneTime(before, olderThan string) (time.Time, error) {
	if (before == "") == (olderThan == "") {
		return time.Time{}, usage("runner runs prune requires one of --before and --older-than")
	}
	if olderThan != "" {
		age, err := parseAge(olderThan)
		if err != nil || age < 0 {
			return time.Time{}, usage("--older-than %s: write a time such as 90d or 12h", olderThan)
		}
		return time.Now().Add(-age), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, before); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage("--before %s: write a date such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z", before)
}

// parseAge reads a duration that may be in days.
func parseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

func unreadable(err error) error {
	if faultsOf(err) != nil {
		return err
	}
	return &diag.Diagnostic{Code: "state", Message: "the state cannot be read: " + err.Error(), Err: err}
}

func (c *cli) printJSON(v any) error {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	return c.print(b.String())
}
