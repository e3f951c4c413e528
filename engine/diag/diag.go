package diag

import "fmt"

// Severity tells a fault that stops a run from one that does not.
type Severity int

// The severities. The zero value is Error.
const (
	Error Severity = iota
	Warning
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Pos is a place in a text: line and column, both from 1, the column counted in
// runes. The zero Pos means that the place is not known.
type Pos struct{ Line, Col int }

// IsValid reports whether p names a place.
func (p Pos) IsValid() bool { return p.Line > 0 }

// A Place is a position in a file, with a few words on why it matters
// ("declared here"). File may be nil.
type Place struct {
	File *File
	Pos  Pos
	Note string
}

// A Diagnostic is one fault that a user can mend: where it is, what is wrong,
// and what to do. It is an error.
type Diagnostic struct {
	// File and Pos say where. File is nil for faults outside of files (a flag);
	// Pos is zero where only the file is known.
	File *File
	Pos  Pos
	// Severity is Error unless set.
	Severity Severity
	// Code is stable, short and documented, such as "unknown-key".
	Code string
	// Message says what is wrong: lower case, no full stop.
	Message string
	// Hint says what to do; empty when there is nothing to add.
	Hint string
	// Related names other places that explain the fault.
	Related []Place
	// Err is the cause, for errors.Is and errors.As; usually nil.
	Err error
}

// Error returns "file:line:col: message".
func (d *Diagnostic) Error() string {
	switch {
	case d.File == nil:
		return d.Message
	case !d.Pos.IsValid():
		return fmt.Sprintf("%s: %s", d.File.Name, d.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", d.File.Name, d.Pos.Line, d.Pos.Col, d.Message)
}

// Unwrap returns the cause.
func (d *Diagnostic) Unwrap() error { return d.Err }

// WithHint sets the hint and returns d.
func (d *Diagnostic) WithHint(hint string) *Diagnostic {
	d.Hint = hint
	return d
}
