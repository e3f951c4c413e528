package state

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// Locks excludes workers from each other by name: two workers that would
// create the same thing, two requests on a token that allows one. It is safe
// for concurrent use.
//
// Locks of one machine are held until they are unlocked. Those that hold
// between machines can be lost to somebody else while the holder cannot reach
// the server, and nothing can tell the holder in time. What makes them safe is
// that the journal beside them knows: once a lock was lost, it records no
// Intended entry until that lock is unlocked. Whoever takes the lock afterwards finds all
// entries of those who had it before.
type Locks interface {
	// Lock waits until nobody else holds name. Of one process, who came first is
	// served first; processes that wait get their turns. The holder calls unlock once it is through; further calls do nothing. A
	// holder whose process ends loses the lock. Locks are not reentrant. When
	// ctx ends first, Lock returns its cause and a nil unlock.
	Lock(ctx context.Context, name string) (unlock func(), err error)

	// TryLock is Lock without waiting: ok says whether name was free. unlock is nil when it was not.
	// Who only wants to know whether a lock is held takes it for a moment all the same, and
	// others who try in that moment find it held.
	TryLock(ctx context.Context, name string) (unlock func(), ok bool, err error)
}

// Place returns where a name lies among the 2^61 places that locks on a file have. Names that begin with different
// words, or one of them with none, never share a place; others do so by chance, which is next to never.
func Place(name string) uint64 {
	word := name
	if end := strings.IndexFunc(name, func(r rune) bool { return r < 'a' || r > 'z' }); end >= 0 {
		word = name[:end]
	}
	kind, whole := sha256.Sum256([]byte(word)), sha256.Sum256([]byte(name))
	return uint64(binary.BigEndian.Uint16(kind[:])>>1)<<46 | binary.BigEndian.Uint64(whole[:])>>18
}

// LockOrder compares two names by their places. Whoever holds the lock of a name takes further ones, of names that begin
// with the same word, in this order only: then nobody waits for one who waits for him, not even where two
// names share a place.
func LockOrder(a, b string) int {
	return cmp.Or(cmp.Compare(Place(a), Place(b)), strings.Compare(a, b))
}
