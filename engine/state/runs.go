package state

import (
	"context"
	"errors"
	"time"
)

// Runs remembers runs: what each was started with, and what it came to. It is
// safe for concurrent use.
//
// Whether an unfinished run is alive is not in the record, since a record
// cannot notice a power cut: its owner holds the lock RunLock(id) meanwhile.
type Runs interface {
	// Begin records a run that is about to start. It survives a power cut once
	// Begin has returned nil. A Key that another run has is ErrKeyTaken, an ID
	// that another run has is an error too; nothing is recorded then.
	Begin(ctx context.Context, r Run) error

	// Run returns the run called id, and whether there is one.
	Run(ctx context.Context, id string) (Run, bool, error)

	// RunByKey returns the run with this Key, which is not "", and whether there is one.
	RunByKey(ctx context.Context, key string) (Run, bool, error)

	// Update replaces what is recorded of the run with r.ID: how it ended, or
	// that it is taken up again, perhaps with other files. ID, Key and Began stay
	// as they were. It survives a power cut. A run that is not there is an error.
	Update(ctx context.Context, r Run) error

	// Runs returns the runs that began last, newest first, and those of one moment
	// with the greatest ID first; at most limit of them, 0 for all.
	Runs(ctx context.Context, limit int) ([]Run, error)

	// Entries returns what run recorded in the journal, and of what was folded the
	// creates, oldest first, and those of one moment in the order of their keys and kinds.
	Entries(ctx context.Context, run string) ([]Entry, error)

	// Prune forgets the runs that ended before this time, and what they
	// recorded, but for runs with creates that are Intended: these stay until
	// somebody settles them. It returns the ids of the runs that it forgot, in order.
	Prune(ctx context.Context, before time.Time) ([]string, error)
}

// ErrKeyTaken says that a run with this key is there already.
var ErrKeyTaken = errors.New("a run with this key is there already")

// A Run is one record of Runs. Nothing in it holds a secret.
type Run struct {
	ID string
	// Key is the name that the run's starter gave it, so that a second start is
	// the same run; "" for none.
	Key string
	// Pipeline is the path of the pipeline, or the name of an operation that was called by itself.
	Pipeline string
	// Files maps the path of every file that the run was started from to a
	// digest of its content.
	Files map[string]string
	// Inputs is a JSON object with a member for each input, an object that says how it was given:
	// its value, its file's path and digest, or that it is a secret or rows, which are not here. The
	// member "." holds the folders that paths were meant for.
	Inputs []byte
	Began  time.Time
	// Ended is when the run came to its end; zero while it has not. A run that
	// was interrupted or killed has no end.
	Ended time.Time
	// Status is how the run ended last, in the words of engine.Status; "" for
	// one that has not ended yet.
	Status string
	// Outcome is a JSON object of what the run came to: its outputs without
	// secrets, and its failure; nil while there is none.
	Outcome []byte
}

// RunLock names the lock that is held by whoever works on a run.
func RunLock(id string) string { return "run:" + id }

// Connections names the table that says where each connection of this environment led, as
// {"vendor", "at"}; at is a URL, or a phrase for sandboxes. No pipeline can give a table this name.
const Connections = ".connections"
