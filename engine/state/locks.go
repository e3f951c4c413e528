package state

import "context"

// Locks excludes workers from each other by name: two workers that would
// create the same thing, two requests on a token that allows one. It is safe
// for concurrent use.
type Locks interface {
	// Lock waits until nobody else holds name; who came first is served first.
	// The holder calls unlock once it is through; further calls do nothing. A
	// holder whose process ends loses the lock. Locks are not reentrant. When
	// ctx ends first, Lock returns its cause and a nil unlock.
	Lock(ctx context.Context, name string) (unlock func(), err error)

	// TryLock is Lock without waiting: ok says whether name was free. unlock is nil when it was not.
	TryLock(ctx context.Context, name string) (unlock func(), ok bool, err error)
}
