package sqlite

import (
	"errors"
	"fmt"
	"strings"

	driver "modernc.org/sqlite"
)

// Result codes of SQLite; more detailed ones have them in their lowest byte.
const (
	busy     = 5
	locked   = 6
	readOnly = 8
	ioErr    = 10
	corrupt  = 11
	full     = 13
	cantOpen = 14
	notADB   = 26
)

var (
	errForeign  = errors.New("it is no database of runner")
	errRemote   = errors.New("its disk lets processes share no memory, as disks of other machines do")
	errReplaced = errors.New("it was deleted or replaced while it was open")
)

// newer says that the schema is of a version that this package does not know.
type newer int

func (n newer) Error() string {
	return fmt.Sprintf("a newer runner wrote it: its schema has version %d, and this runner knows versions up to %d", int(n), len(migrations))
}

// fault explains what went wrong with the database at path, and what to do.
func fault(path string, err error) error {
	var newer newer
	var lost lostPast
	switch {
	case err == nil:
		return nil
	case errors.As(err, &newer):
		return fmt.Errorf("cannot use the state in %s: %w. Nothing was changed. Use a runner as new as that one, or another file", path, err)
	case errors.As(err, &lost):
		return fmt.Errorf("the state in %[1]s has lost records: %[2]w. A run under an old --key would start again, and send creates that are done. Nothing was changed. "+
			"Put back %[1]s, and %[1]s-wal if there was one. To go on without what is lost, check at the vendors what was created, and delete %[3]s",
			path, err, path+strings.Join(lost.rest, " and "+path))
	case errors.Is(err, errForeign):
		return fmt.Errorf("cannot use %s for state: %w. Nothing was changed. Name another file, or move this one away", path, err)
	case errors.Is(err, errRemote):
		return fmt.Errorf("cannot use the state in %s: %w. Put it on a disk of this machine, or use PostgreSQL", path, err)
	case errors.Is(err, errReplaced):
		return fmt.Errorf("cannot write the state in %s: %w. Nothing of this was recorded. Put the file back, or begin again without it", path, err)
	}
	switch code(err) {
	case busy, locked:
		return fmt.Errorf("cannot write the state in %s: another process keeps it locked. Nothing of this was recorded. Find out which one hangs: %w", path, err)
	case full:
		return fmt.Errorf("cannot write the state in %s: the disk is full. Nothing of this was recorded. Make room and try again: %w", path, err)
	case readOnly:
		return fmt.Errorf("cannot write the state in %s: the file or its folder may not be written. Nothing of this was recorded: %w", path, err)
	case cantOpen:
		return fmt.Errorf("cannot open the state in %s, or files beside it: %w", path, err)
	case corrupt, notADB:
		return fmt.Errorf("the state in %s is damaged. Nothing was changed. Restore it from a copy together with the files whose names continue its name, or move all of them away; runs that only it knows cannot be resumed then: %w", path, err)
	case ioErr:
		return fmt.Errorf("the disk of the state in %s fails, or is full. Nothing of this was recorded: %w", path, err)
	}
	return fmt.Errorf("the state in %s fails: %w", path, err)
}

// code returns SQLite's code of an error, 0 for errors that are not SQLite's.
func code(err error) int {
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}
