package main

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/docs"
	"github.com/seed627bd532/runner/engine/authoring"
	"github.com/seed627bd532/runner/engine/diag"
)

func (c *cli) explainCommand() *cobra.Command {
	output := "text"
	cmd := &cobra.Command{
		Use:   "explain VENDOR[.OPERATION]|PIPELINE|CODE",
		Short: "Describe a vendor, operation or pipeline, or the code of a diagnostic",
		Long: `Explain describes a vendor or an operation: inputs, outputs, effects, outcomes, and how answers are read;
a pipeline: inputs, calls, outputs and tests; or the code of a diagnostic, such as unknown-key: what it
means, an example, and how to fix it. Nothing is sent.`,
		Example: `  runner explain intcomex
  runner explain intcomex.create_company
  runner explain pipelines/intcomex/ensure_company.yaml --output json
  runner explain unknown-key`,
		Args: exactlyOne("VENDOR, VENDOR.OPERATION, PIPELINE or CODE"),
		RunE: func(_ *cobra.Command, args []string) error { return c.explain(args[0], output) },
	}
	cmd.Flags().StringVar(&output, "output", output, "output format: text or json")
	return cmd
}

func (c *cli) explain(name, output string) error {
	if output != "text" && output != "json" {
		return usage("--output is text or json, not %q", output)
	}
	e, err := c.explanation(name)
	if text, ok := docs.Diagnostic(name); ok && err != nil { // a vendor of the same name is what is meant
		return c.explainCode(name, text, output)
	}
	if near := diag.Nearest(name, docs.DiagnosticCodes()); near != "" && err != nil {
		return usage("there is no vendor and no code %s", name).WithHint("did you mean the code " + near + "?")
	}
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

func (c *cli) explanation(name string) (*authoring.Explanation, error) {
	root, name, err := c.named(name)
	if err != nil {
		return nil, err
	}
	return authoring.Explain(os.DirFS(root), name)
}

// explainCode prints the page of a diagnostic's code.
func (c *cli) explainCode(code, text, output string) error {
	if output == "text" {
		return c.print("# " + code + "\n\n" + text)
	}
	object, err := json.Marshal(map[string]string{"code": code, "text": text})
	if err != nil {
		return err
	}
	return c.print(string(object) + "\n")
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
