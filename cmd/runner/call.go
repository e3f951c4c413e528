package main

import (
	"context"
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
		Short: "Make one call of a vendor's operation",
		Long: `Call makes one call, as safely as a pipeline would, and prints its outputs
(secret ones are left out).`,
		Example: `  runner call intcomex.get_company --input account_id=100407 --sandbox`,
		Args:    exactlyOne("VENDOR.OPERATION"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.call(cmd.Context(), args[0], f) },
	}
	f.add(cmd)
	return cmd
}

func (c *cli) call(ctx context.Context, name string, f *runFlags) error {
	vendor, operation, _ := strings.Cut(name, ".")
	if vendor == "" || operation == "" || strings.ContainsAny(name, `/\`) {
		return usage("%q names no operation", name).WithHint("write VENDOR.OPERATION, such as intcomex.get_company")
	}
	root, err := c.projectRoot("")
	if err != nil {
		return err
	}
	if err := knownVendor(root, vendor); err != nil {
		return err
	}
	return c.job(ctx, root, f, "specs/"+vendor+".yaml", func(p *engine.Program, r engine.Request) error {
		_, err := p.Call(ctx, name, r)
		return err
	})
}

// knownVendor refuses a vendor that has no file.
func knownVendor(root, vendor string) error {
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
	return usage("there is no vendor %s: no specs/%s.yaml below %s", vendor, vendor, root).
		WithHint(didYouMean("", vendor, names, "the vendors are "+strings.Join(names, ", ")))
}
