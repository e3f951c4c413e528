package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed627bd532/runner/engine"
	"github.com/seed627bd532/runner/engine/authoring"
	"github.com/seed627bd532/runner/engine/diag"
)

func (c *cli) fmtCommand() *cobra.Command {
	check := false
	cmd := &cobra.Command{
		Use:   "fmt [PATH…]",
		Short: "Format YAML files",
		Long: `Fmt formats the files at PATH (folders stand for the YAML files below them); without PATH, the
project's specs/, pipelines/ and connections.yaml. - reads standard input and writes to standard output.
Comments, empty lines, the order of keys and the style of each value are kept. The meaning is compared
before a file is replaced. The names of changed files are printed.`,
		Example: `  runner fmt
  runner fmt --check
  runner fmt - < pipelines/intcomex/ensure_company.yaml`,
		RunE: func(_ *cobra.Command, args []string) error { return c.fmt(args, check) },
	}
	cmd.Flags().BoolVar(&check, "check", false, "change nothing; list the files that would change and exit with code 1")
	return cmd
}

func (c *cli) fmt(args []string, check bool) error {
	if len(args) == 1 && args[0] == "-" {
		return c.fmtInput(check)
	}
	files, err := c.fmtFiles(args)
	if err != nil {
		return err
	}
	var faults diag.List
	for _, file := range files {
		changed, err := c.fmtFile(file, check)
		if more := faultsOf(err); more != nil {
			faults = append(faults, more...)
			continue
		}
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		if err := c.print(file + "\n"); err != nil {
			return err
		}
		if check {
			c.exit = engine.Failed.ExitCode()
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// fmtInput lays out standard input.
func (c *cli) fmtInput(check bool) error {
	var text bytes.Buffer
	if _, err := text.ReadFrom(c.stdin); err != nil {
		return fmt.Errorf("cannot read standard input: %w", err)
	}
	out, err := authoring.Format("-", text.Bytes())
	if err != nil {
		return err
	}
	if !check {
		return c.print(string(out))
	}
	if !bytes.Equal(out, text.Bytes()) {
		c.exit = engine.Failed.ExitCode()
		return c.print("-\n")
	}
	return nil
}

// fmtFiles lists the files that are asked for, as paths of the operating system.
func (c *cli) fmtFiles(args []string) ([]string, error) {
	if len(args) == 0 {
		root, err := c.projectRoot("")
		if err != nil {
			return nil, err
		}
		paths, err := checkedPaths(root, nil)
		if err != nil {
			return nil, err
		}
		here, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			abs := filepath.Join(root, filepath.FromSlash(p))
			if rel, err := filepath.Rel(here, abs); err == nil && filepath.IsLocal(rel) {
				abs = rel
			}
			args = append(args, abs)
		}
	}
	var files []string
	for _, arg := range args {
		if arg == "-" {
			return nil, usage("- for standard input stands alone")
		}
		info, err := os.Stat(arg)
		if err != nil {
			return nil, diag.List{{File: &diag.File{Name: arg}, Code: "unreadable-file", Message: "no such file", Err: err}}
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		err = filepath.WalkDir(arg, func(file string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && file != arg && strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir // it belongs to another tool
			}
			if err == nil && d.Type().IsRegular() && isYAML(file) {
				files = append(files, file)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// fmtFile lays out a file, and replaces it unless it is only checked; changed
// says whether its text is another.
func (c *cli) fmtFile(file string, check bool) (changed bool, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	out, err := authoring.Format(file, text)
	if err != nil || bytes.Equal(out, text) {
		return false, err
	}
	if check {
		return true, nil
	}
	return true, replaceFile(file, out)
}

// replaceFile gives a file another text, so that whoever reads it finds the one
// or the other. A link stays a link.
func replaceFile(file string, text []byte) error {
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // is gone where all went well
	if _, err := temporary.Write(text); err != nil {
		temporary.Close()
		return err
	}
	if err := temporary.Chmod(info.Mode().Perm()); err != nil {
		temporary.Close()
		return err
	}
	if err := temporary.Sync(); err != nil {
		temporary.Close()
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), file)
}
