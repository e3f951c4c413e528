package state

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// memoryLocks hands a lock from each holder to the one that waited longest.
type memoryLocks struct {
	mu     sync.Mutex
	queues map[string]*queue // of the names that are held; nil where nobody has waited
}

// queue holds those who wait for one name, first come first. A channel is
// closed when its turn has come.
type queue struct{ waiting []chan struct{} }

// Lock is part of Locks.
func (l *memoryLocks) Lock(ctx context.Context, name string) (func(), error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	turn := l.join(name)
	if turn == nil {
		return l.held(name), nil
	}
	select {
	case <-turn:
		return l.held(name), nil
	case <-ctx.Done():
		l.leave(name, turn)
		return nil, context.Cause(ctx)
	}
}

// TryLock is part of Locks.
func (l *memoryLocks) TryLock(ctx context.Context, name string) (func(), bool, error) {
	if ctx.Err() != nil {
		return nil, false, context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, held := l.queues[name]; held {
		return nil, false, nil
	}
	l.queues[name] = nil
	return l.held(name), true, nil
}

// held returns what lets go of a lock, once.
func (l *memoryLocks) held(name string) (unlock func()) {
	var done atomic.Bool
	return func() {
		if !done.Swap(true) {
			l.pass(name)
		}
	}
}

// join takes the lock and returns nil when it is free, else a place in its queue.
func (l *memoryLocks) join(name string) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	q, held := l.queues[name]
	if !held {
		l.queues[name] = nil
		return nil
	}
	if q == nil {
		q = &queue{}
		l.queues[name] = q
	}
	turn := make(chan struct{})
	q.waiting = append(q.waiting, turn)
	return turn
}

// pass gives the lock to the next in the queue, or sets it free.
func (l *memoryLocks) pass(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.queues[name]
	if q == nil || len(q.waiting) == 0 {
		delete(l.queues, name)
		return
	}
	close(q.waiting[0])
	q.waiting = q.waiting[1:]
}

// leave gives a place in the queue up. A turn that came at the same moment is
// passed on, since nobody would ever end it.
func (l *memoryLocks) leave(name string, turn chan struct{}) {
	l.mu.Lock()
	q := l.queues[name]
	if i := slices.Index(q.waiting, turn); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.pass(name)
}
