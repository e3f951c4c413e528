package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed627bd532/runner/engine/diag"
)

// projectRoot finds the project: --project, or the nearest folder upwards that has
// specs/, seen from the working directory or else from the named file. Where
// there is none it is the working directory.
func (c *cli) projectRoot(named string) (string, error) {
	if c.project != "" {
		info, err := os.Stat(c.project)
		if err != nil {
			return "", usage("--project: %v", err)
		}
		if !info.IsDir() {
			return "", usage("--project: %s is no folder", c.project)
		}
		return filepath.Abs(c.project)
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	root := upwards(here)
	if named != "" {
		file, err := filepath.Abs(named)
		if err != nil {
			return "", err
		}
		if root == "" || !isBelow(root, file) {
			if other := upwards(filepath.Dir(file)); other != "" {
				return other, nil
			}
		}
	}
	if root == "" {
		return here, nil
	}
	return root, nil
}

// upwards returns the nearest folder that has specs/, from dir upwards; "" for none.
func upwards(dir string) string {
	for {
		if info, err := os.Stat(filepath.Join(dir, "specs")); err == nil && info.IsDir() {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

func isBelow(root, file string) bool {
	rel, err := filepath.Rel(root, file)
	return err == nil && filepath.IsLocal(rel)
}

// inProject turns a path of the command line into one of the project's file
// system. It is relative to the working directory, or else, for what is only
// found there, to the project's root.
func inProject(root, name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(abs); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			return "", diag.List{{File: &diag.File{Name: name}, Code: "unreadable-file", Message: "no such file",
				Hint: otherFile(root, name), Err: err}}
		}
		abs = filepath.Join(root, name)
	}
	if !isBelow(root, abs) {
		return "", usage("%s is not below the project's root %s", name, root).WithHint("--project names another root")
	}
	rel, err := filepath.Rel(root, abs)
	return filepath.ToSlash(rel), err
}

// otherFile is the hint where a file is not there: one that may be meant, or where it was looked for.
func otherFile(root, name string) string {
	for _, meant := range []string{name + ".yaml", filepath.Join("pipelines", name), filepath.Join("pipelines", name+".yaml")} {
		for _, dir := range []string{".", root} {
			if info, err := os.Stat(filepath.Join(dir, meant)); err == nil && !info.IsDir() {
				return "did you mean " + meant + "?"
			}
		}
	}
	return "paths are relative to the working directory or to the project's root " + root
}

// isYAML reports whether a file name ends as YAML files do.
func isYAML(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}
