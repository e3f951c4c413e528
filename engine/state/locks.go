package state

import "context"

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
