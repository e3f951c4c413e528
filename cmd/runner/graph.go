package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/engine/authoring"
)

func (c *cli) graphCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "graph PIPELINE",
		Short: "Draw a pipeline as a Mermaid flowchart",
		Long: `Graph prints a pipeline and the pipelines that it calls as a Mermaid flowchart, which GitHub and
many Markdown viewers draw. Reads are round and blue, idempotent calls square and yellow, creates
red with double sides.`,
		Example: `  runner graph pipelines/intcomex/ensure_company.yaml > ensure_company.mmd`,
		Args:    exactlyOne("PIPELINE"),
		RunE: func(_ *cobra.Command, args []string) error {
			root, err := c.projectRoot(args[0])
			if err != nil {
				return err
			}
			path, err := inProject(root, args[0])
			if err != nil {
				return err
			}
			text, err := authoring.Graph(os.DirFS(root), path)
			if err != nil {
				return err
			}
			return c.print(text)
		},
	}
}
