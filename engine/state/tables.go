package state

import "context"

// Tables are what pipelines remember from run to run, under names of their
// own: the tables behind the built-in vendor store. It is safe for concurrent use.
type Tables interface {
	// Value returns the JSON text that table holds under key, and whether it does.
	Value(ctx context.Context, table, key string) ([]byte, bool, error)

	// PutValue keeps a JSON text in place of what table held under key. It
	// survives a power cut once PutValue has returned nil.
	PutValue(ctx context.Context, table, key string, value []byte) error

	// DeleteValue forgets what table holds under key, if anything, as durably.
	DeleteValue(ctx context.Context, table, key string) error

	// Values yields what table holds, in the order of its keys. Rows that change
	// meanwhile are yielded as they were or as they are. An error ends it.
	Values(ctx context.Context, table string) func(yield func(Row, error) bool)
}

// A Row is one row of a table.
type Row struct {
	Key   string
	Value []byte // a JSON text
}
