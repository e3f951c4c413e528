package diag

import (
	"cmp"
	"fmt"
	"slices"
)

// List collects faults, so that a user sees all of them at once. The zero value
// is an empty list. A List is not safe for concurrent use.
type List []*Diagnostic

// Add appends d.
func (l *List) Add(d *Diagnostic) { *l = append(*l, d) }

// HasErrors reports whether any fault is more than a warning.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d *Diagnostic) bool { return d.Severity == Error })
}

// Sort orders the list by file name, place and message, and drops exact repeats.
func (l *List) Sort() {
	slices.SortStableFunc(*l, func(a, b *Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.fileName(), b.fileName()),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Col, b.Pos.Col),
			cmp.Compare(a.Message, b.Message),
		)
	})
	*l = slices.CompactFunc(*l, func(a, b *Diagnostic) bool {
		return a.fileName() == b.fileName() && a.Pos == b.Pos && a.Message == b.Message
	})
}

// Err returns the list as an error, or nil when it holds no error-severity fault.
func (l List) Err() error {
	if !l.HasErrors() {
		return nil
	}
	return l
}

// Error returns the first error and how many more there are.
func (l List) Error() string {
	var first *Diagnostic
	more := 0
	for _, d := range l {
		switch {
		case d.Severity != Error:
		case first == nil:
			first = d
		default:
			more++
		}
	}
	switch {
	case first == nil:
		return "no errors"
	case more == 0:
		return first.Error()
	}
	return fmt.Sprintf("%s (and %d more)", first.Error(), more)
}

// Unwrap returns the faults, for errors.Is and errors.As.
func (l List) Unwrap() []error {
	errs := make([]error, len(l))
	for i, d := range l {
		errs[i] = d
	}
	return errs
}

func (d *Diagnostic) fileName() string {
	if d.File == nil {
		return ""
	}
	return d.File.Name
}
