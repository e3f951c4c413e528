package state

import "io"

// A Store is everything that an environment remembers, in one place. It is
// safe for concurrent use by any number of runs, until it is closed.
type Store interface {
	Journal
	Runs
	Tables
	Locks
	io.Closer
}
