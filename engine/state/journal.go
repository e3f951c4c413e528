package state

import (
	"context"
	"time"
)

// A Journal records what runs did, so that a run that is taken up again finds
// it and repeats nothing. It is safe for concurrent use.
type Journal interface {
	// Get returns what run recorded under kind and key, and whether it did.
	Get(ctx context.Context, run string, kind Kind, key string) (Entry, bool, error)

	// Put records the entries, all of them or none, each in place of what its
	// run, kind and key held before. When Put returns nil, and this kind of journal
	// outlives the process, they survive its end; and when one of them is Intended,
	// a power cut too, with all that was put before.
	//
	// Where locks can be lost, Put records no Intended entry while one is lost that
	// was not unlocked yet; see Locks.
	Put(ctx context.Context, entries ...Entry) error

	// Fold records e as Put does and, in the same step, forgets what it sums
	// up: the entries of its run whose key continues e.Key with "/" or "#",
	// and those of other kinds under e.Key itself. Creates that are Done or
	// Intended stay where Creates and Entries find them, and only Get does not.
	Fold(ctx context.Context, e Entry) error

	// Creates returns the entries of all runs with this identity that are
	// Intended, or Done at or after since; oldest first.
	Creates(ctx context.Context, identity string, since time.Time) ([]Entry, error)
}

// An Entry is one record. Run, Kind and Key name it. A create of many rows at
// once is one entry for the call and one for each row that has an identity.
type Entry struct {
	Run  string
	Kind Kind
	Key  string
	// Status is set for creates and empty for everything else.
	Status Status
	// Identity is what a create must not make twice; "" when it has none.
	Identity string
	// At is when the entry came to be: the intent's time while a create is
	// Intended, the answer's time afterwards.
	At time.Time
	// Payload is a JSON text without secrets, which the engine refers to by name, nil when there is nothing to
	// keep. It is never changed once it was given to a journal.
	Payload []byte
}

// A Kind says what an entry records. Entries of different kinds may share a key.
type Kind string

// The kinds.
const (
	Call  Kind = "call"  // the result of one attempt of a call
	Sleep Kind = "sleep" // the deadline of a wait
	Time  Kind = "time"  // the time that a run was told
	Item  Kind = "item"  // a row of a foreach that is done
)

// A Status says how far a create got.
type Status string

// The statuses.
const (
	// Intended: it may have been sent, and nobody knows whether it was done.
	Intended Status = "intended"
	// Done: the vendor did it.
	Done Status = "done"
	// Undone: it certainly did not take place.
	Undone Status = "undone"
)
