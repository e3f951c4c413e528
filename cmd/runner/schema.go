package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/schemas"
)

func (c *cli) schemaCommand() *cobra.Command {
	kinds := strings.Join(schemas.Kinds(), "|")
	return &cobra.Command{
		Use:   "schema " + kinds,
		Short: "Print the JSON Schema of a kind of file, for editors",
		Long: `Schema prints the JSON Schema of a kind of file. An editor with a YAML language server completes
and explains keys with it, in files that begin with
  # yaml-language-server: $schema=PATH-OF-THE-SCHEMA`,
		Example: `  runner schema pipeline > pipeline.schema.json`,
		Args:    exactlyOne("kind of file (" + kinds + ")"),
		RunE: func(_ *cobra.Command, args []string) error {
			text, ok := schemas.Bundle(args[0])
			if !ok {
				return usage("there is no kind of file %q", args[0]).
					WithHint(didYouMean("", args[0], schemas.Kinds(), "the kinds are "+strings.Join(schemas.Kinds(), ", ")))
			}
			return c.print(string(text))
		},
	}
}
