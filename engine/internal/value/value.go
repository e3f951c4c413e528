// Package value holds the data that flows through a run: JSON values with exact
// numbers and ordered objects, and the one codec that reads and writes them.
package value

// A Value is one of: nil (JSON null), bool, string, int64, Decimal, List, *Rows, *Object.
// Functions that take a Value panic on anything else: FromGo is the way in.
// Values are shared and must not be changed once another part has seen them.
type Value = any

// List is a JSON array.
type List = []Value

// Decimal is an exact number in its lexical form, a valid JSON number. Digits
// that are only passed through stay as they came: 203.7700 stays 203.7700.
// Make one with ParseNumber, never by conversion.
type Decimal string
