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
// agree; for several machines there is package postgres. Beside FILE lie FILE-wal
// and FILE-shm, which belong to it and must not be taken away while they exist, and
// the folder FILE-locks. All of them can be read by their owner alone.
//
// # What survives
//
// Every call that returns nil has been committed: it survives the end of the
// process, however sudden. What package state promises to survive a power cut has
// reached the disk as well, together with all that was committed before it. Calls that
// write at the same time share one commit.
package sqlite
