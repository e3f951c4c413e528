package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/engine"
)

func (c *cli) callCommand() *cobra.Command {
	f := &runFlags{}
	cmd := &cobra.Command{
		Use:   "call VENDOR.OPERATION",
		Short: "Call one operation of a vendor",
		Long: `Call makes one call with the protection that a pipeline has, and prints its outputs
without the secret ones.

The vendor store is built in: store.get, store.put, store.delete and store.list read and
write the tables of the state. The value of store.put is JSON of the type that the
project's pipelines declare for the table.`,
		Example: `  runner call intcomex.get_company --input account_id=100407 --sandbox
  runner call store.list --input table=accounts
  runner call store.put --input table=accounts --input key=PT507172230 --input 'value="100833"'`,
		Args: exactlyOne("VENDOR.OPERATION"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.call(cmd.Context(), args[0], f) },
	}
	f.add(cmd)
	return cmd
}

func (c *cli) call(ctx context.Context, name string, f *runFlags) error {
	vendor, operation, _ := strings.Cut(name, ".")
	if vendor == "" || operation == "" || strings.ContainsAny(name, `/\`) {
		return usage("%q names no operation", name).WithHint("write VENDOR.OPERATION, such as store.list; runner explain VENDOR lists them")
	}
	root, err := c.projectRoot("")
	if err != nil {
		return err
	}
	if err := knownVendor(root, vendor); err != nil {
		return err
	}
	return c.job(ctx, root, f, name, func(p *engine.Program, r engine.Request) error {
		if name == storePut {
			if err := readValue(r); err != nil {
				return err
			}
		}
		_, err := p.Call(ctx, name, r)
		return err
	})
}

// The vendor that is built in, and its operation that needs to know what tables hold.
const (
	store     = "store"
	storePut  = "store.put"
	storeFile = "specs/store.yaml" // that it would have
)

// readValue reads what store.put is to keep as JSON: a table may hold anything, so that its
// text alone does not tell 5 from "5".
func readValue(r engine.Request) error {
	text, ok := r.InputTexts["value"]
	if !ok {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil || decoder.More() {
		return usage("--input value=%s: it is no JSON", text).WithHint(`write a text as "…", in quotes that the shell leaves alone: --input 'value="…"'`)
	}
	delete(r.InputTexts, "value")
	r.Inputs["value"] = v
	return nil
}

// knownVendor refuses a vendor that has no file.
func knownVendor(root, vendor string) error {
	if vendor == store {
		return nil
	}
	if _, err := os.Stat(filepath.Join(root, "specs", vendor+".yaml")); err == nil {
		return nil
	}
	files, _ := filepath.Glob(filepath.Join(root, "specs", "*.yaml")) // the pattern is well formed
	var names []string
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".yaml"); !strings.HasSuffix(name, ".sandbox") {
			names = append(names, name)
		}
	}
	otherwise := "the vendors are " + strings.Join(names, ", ")
	if len(names) == 0 {
		otherwise = "there are none; --project names the root of another project"
	}
	return usage("there is no vendor %s: no specs/%s.yaml below %s", vendor, vendor, root).
		WithHint(didYouMean("", vendor, append(names, store), otherwise))
}
