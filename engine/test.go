package engine

import (
	"context"

	"github.com/seed627bd532/runner/engine/diag"
	"github.com/seed627bd532/runner/engine/internal/testfile"
	"github.com/seed627bd532/runner/engine/internal/testrun"
)

// A TestCase is a case of a loaded test file.
type TestCase struct {
	// File is the path of the test file, Pipeline that of the pipeline that it tests.
	File, Pipeline string
	Name           string

	test *testfile.Test
	of   *testfile.Case
}

// TestCases returns the cases of the loaded test files, in order of the files' paths.
func (p *Program) TestCases() []TestCase {
	var all []TestCase
	for _, t := range p.project.Tests() {
		for _, c := range t.Cases {
			all = append(all, TestCase{File: t.Path, Pipeline: t.Pipeline.Path, Name: c.Name, test: t, of: c})
		}
	}
	return all
}

// Test runs a case of the program's own TestCases and returns what was not as expected, secrets
// masked; nil where all was. Nothing is sent, no state is touched and no time is spent: of the
// Options only Auth counts. The error is the cause of ctx, when that ended first.
func (p *Program) Test(ctx context.Context, c TestCase) (diag.List, error) {
	faults := testrun.Run(ctx, p.project, c.test, c.of, p.options.Auth)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return faults, nil
}
