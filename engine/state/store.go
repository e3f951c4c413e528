package state

import "io"

// A Store is everything that an environment remembers, in one place. It is
// safe for concurrent use by any number of runs, until it is closed.
//
// Times are kept to the nanosecond and given back in UTC. Keys, identities and
// names of tables may hold any bytes; where order is promised, it is that of the
// bytes. A method that returns an error has recorded nothing, or, when a
// connection broke, perhaps all of what it was given; to call it again is right.
//
// Close waits for what has begun. Everything else that is called after it fails.
type Store interface {
	Journal
	Runs
	Tables
	Locks
	io.Closer
}
