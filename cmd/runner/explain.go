package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/engine/authoring"
)

func (c *cli) explainCommand() *cobra.Command {
	output := "text"
	cmd := &cobra.Command{
		Use:   "explain VENDOR[.OPERATION]|PIPELINE",
		Short: "Tell what a vendor, an operation or a pipeline needs, does and gives",
		Long: `Explain tells what a vendor offers; what an operation needs, does and gives, and how its answers
are read; or what a pipeline needs, calls and gives, and which tests it has. Nothing is sent.`,
		Example: `  runner explain intcomex
  runner explain intcomex.create_company
  runner explain pipelines/intcomex/ensure_company.yaml --output json`,
		Args: exactlyOne("VENDOR, VENDOR.OPERATION or PIPELINE"),
		RunE: func(_ *cobra.Command, args []string) error { return c.explain(args[0], output) },
	}
	cmd.Flags().StringVar(&output, "output", output, "what standard output gets: text or json")
	return cmd
}

func (c *cli) explain(name, output string) error {
	if output != "text" && output != "json" {
		return usage("--output is text or json, not %q", output)
	}
	root, name, err := c.named(name)
	if err != nil {
		return err
	}
	e, err := authoring.Explain(os.DirFS(root), name)
	if err != nil {
		return err
	}
	if output == "json" {
		return c.print(string(e.JSON()))
	}
	var text strings.Builder
	if err := e.WriteText(&text); err != nil {
		return err
	}
	return c.print(text.String())
}

// named finds the project of an argument that is a path, or else a name. A path
// comes back as one in the project.
func (c *cli) named(name string) (root, inside string, err error) {
	if !strings.Contains(name, "/") && !isYAML(name) {
		root, err = c.projectRoot("")
		return root, name, err
	}
	if root, err = c.projectRoot(name); err != nil {
		return "", "", err
	}
	inside, err = inProject(root, name)
	return root, inside, err
}
