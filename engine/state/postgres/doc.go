// Package postgres keeps state in a schema of a PostgreSQL database, which any number of
// machines may share: runs, tokens, locks and tables.
//
//	store, err := postgres.Open(ctx, "postgres://runner@db.example/ops?search_path=runner")
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
// The URL is libpq's. Its search_path names one schema, which is made when it is not
// there; without it, the schema is called runner. Passwords may stand in the
// URL, in PGPASSWORD or in a password file. PostgreSQL must be 12 or newer. A
// pooler in between must give whole sessions, not transactions.
//
// Tokens are in the schema as they are: whoever may read it may act for the
// accounts. Give the schema a role of its own.
//
// # What survives
//
// Every call that returns nil has been committed. What package state promises to
// survive a power cut has reached the server's disk, together with all that was
// committed before it; a server that replicates does with it what it is set to.
//
// While the server is away, calls try again for some seconds; so do those whose
// connection breaks in the middle, since all they write may be written twice.
//
// # Locks
//
// A session of each Store holds the advisory locks, so that they come free when its
// process ends, and a table says whose they are. A session that breaks is
// made anew, with all its locks. What somebody else took in between is
// lost: until the holder unlocks it, Put records no intent. Those of one Store
// wait in order; Stores take turns.
package postgres
