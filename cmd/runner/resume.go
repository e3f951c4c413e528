package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/history"
)

// resumeFlags are those of resume beside the ones that it has in common with run.
type resumeFlags struct {
	runFlags
	settle        []string
	acceptChanges bool
	outDirGiven   bool
}

func (c *cli) resumeCommand() *cobra.Command {
	f := &resumeFlags{}
	cmd := &cobra.Command{
		Use:   "resume RUN",
		Short: "Resume a run that failed or was interrupted",
		Long: `Resume continues a run where it stopped. Completed calls are not repeated. Failed calls are
retried. The inputs are those of the run; secret inputs are not stored and must be given again.
Resuming a finished run prints its outputs and sends nothing.

--settle decides an ambiguous create after you have checked at the vendor: KEY=done:JSON with its
outputs if it exists, KEY=absent if it does not.`,
		Example: `  runner resume nightly --settle 'each[PT507172230]/create=done:{"account_id": 7}'
  runner resume weekly --settle 'create=absent'
  runner resume nightly`,
		Args: exactlyOne("RUN, the id or the key of a run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.outDirGiven = cmd.Flags().Changed("out-dir")
			return c.resume(cmd.Context(), args[0], f)
		},
	}
	f.runFlags.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.outDir, "out-dir", "", "folder for the files that are written (default: that of the run)")
	flags.StringArrayVar(&f.settle, "settle", nil, "settle an ambiguous create: KEY=done:JSON or KEY=absent; repeatable")
	flags.BoolVar(&f.acceptChanges, "accept-changes", false, "resume although files have changed since the run began")
	flags.Lookup("input").Usage = "secret input as name=value or name=@file; repeatable"
	return cmd
}

func (c *cli) resume(ctx context.Context, id string, f *resumeFlags) error {
	if f.outDirGiven && f.outDir == "" {
		return usage("--out-dir requires a folder").WithHint("leave it out for that of the run")
	}
	if err := f.check(); err != nil {
		return err
	}
	if f.sandbox && f.state == "" {
		return usage("with --sandbox no run is recorded unless --state names a state, so there is none to resume").WithHint("add --state PATH, as for the run")
	}
	settle, err := settlements(f.settle)
	if err != nil {
		return err
	}
	given, err := f.request()
	if err != nil {
		return err
	}
	root, err := c.projectRoot("")
	if err != nil {
		return err
	}
	t := &task{root: root, flags: &f.runFlags}
	if t.connections, err = c.connections(root, &f.runFlags); err != nil {
		return err
	}
	if t.state, err = c.existingState(ctx, root, &f.envFlags); err != nil {
		return err
	}
	defer t.state.Close()
	run, err := history.Find(ctx, t.state, id)
	if err != nil {
		return unreadable(err)
	}
	t.file = fileOf(run.Pipeline)
	if _, err := os.Stat(filepath.Join(root, t.file)); err != nil && t.file != storeFile {
		return usage("run %s is one of %s, and there is no %s below %s", run.ID, run.Pipeline, t.file, root).
			WithHint("--project names the project's root")
	}
	if t.program, err = load(root, run.Pipeline); err != nil {
		return err
	}
	request := engine.ResumeRequest{
		Inputs:        given.Inputs,
		InputTexts:    given.InputTexts,
		AcceptChanges: f.acceptChanges,
		Settle:        settle,
		Moved:         f.moved,
		Timeout:       f.timeout,
	}
	if f.outDirGiven {
		request.OutDir = &f.outDir
	}
	return c.perform(ctx, t, func(p *engine.Program) error {
		_, err := p.Resume(ctx, run.ID, request)
		return err
	})
}

// fileOf returns the file of what a run ran: a pipeline's path, or vendor.operation.
func fileOf(name string) string {
	if isYAML(name) {
		return name
	}
	vendor, _, _ := strings.Cut(name, ".")
	return "specs/" + vendor + ".yaml"
}

// settlements reads the --settle flags.
func settlements(given []string) (map[string]engine.Settlement, error) {
	all := map[string]engine.Settlement{}
	for _, text := range given {
		key, settled, err := settlement(text)
		if err != nil {
			return nil, err
		}
		if _, twice := all[key]; twice {
			return nil, usage("--settle %s is given twice", key)
		}
		all[key] = settled
	}
	return all, nil
}

// settlement reads KEY=done:JSON or KEY=absent. Keys of rows may hold = themselves.
func settlement(text string) (key string, s engine.Settlement, err error) {
	if key, ok := strings.CutSuffix(text, "=absent"); ok && key != "" {
		return key, s, nil
	}
	end := strings.Index(text, doneMark)
	if end <= 0 {
		return "", s, usage("--settle %s: write KEY=done:JSON or KEY=absent", text)
	}
	for at := end; at < len(text); at++ {
		if rest, ok := strings.CutPrefix(text[at:], doneMark); ok {
			if outputs, ok := jsonObject(rest); ok {
				for _, v := range outputs {
					if v == "…" {
						return "", s, notFilledIn(text)
					}
				}
				return text[:at], engine.Settlement{Done: true, Outputs: outputs}, nil
			}
		}
	}
	if strings.Contains(text[end:], ":…") {
		return "", s, notFilledIn(text)
	}
	return "", s, usage("--settle %s: the outputs are no JSON object", text).
		WithHint(`write them as the vendor shows them, such as ` + text[:end] + `=done:{"id": 7}`)
}

func notFilledIn(text string) error {
	return usage("--settle %s: … stands for what the vendor shows", text).
		WithHint("write that in its place; null, where an output may be null and the vendor shows nothing")
}

// doneMark stands between key and outputs. Keys of rows may hold it, too: what follows the right one is JSON.
const doneMark = "=done:"

// jsonObject reads text, if that is one JSON object and nothing else.
func jsonObject(text string) (o map[string]any, ok bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&o); err != nil || o == nil {
		return nil, false
	}
	_, err := decoder.Token()
	return o, errors.Is(err, io.EOF)
}
