// Package sqlite keeps state in one file of this machine.
//
//	store, err := sqlite.Open(".runner/production.db")
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
// Any number of processes may have one file open: their writes take turns. The
// file must be on a disk of the machine, since shared memory is part of how they
// agree; for several machines there is package postgres. All files can be read by their owner alone:
//
//	FILE        the database
//	FILE-wal    its newest commits; it belongs to FILE while it exists, and is gone after the last Close
//	FILE-shm    what processes agree by; needed by nobody once all have closed FILE
//	FILE-mark   how far the database had come
//	FILE-locks  a folder of locks
//
// A copy of the state is FILE with FILE-wal, taken while no process has it open. Where FILE is behind FILE-mark, is empty or
// is gone, Open refuses it: it has lost records. A state without a FILE-mark, such as a copy, gets a new one.
//
// # What survives
//
// Every call that returns nil has been committed: it survives the end of the
// process, however sudden. What package state promises to survive a power cut has
// reached the disk as well, together with all that was committed before it. Calls that
// write at the same time share one commit.
package sqlite
