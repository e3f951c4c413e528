package files

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/seed627bd532/runner/engine/state"
)

// Locks are state.Locks on the files of one folder, which exclude all processes
// of this machine. Those of one process are served in order, and processes that
// wait for a lock get it in turns: none takes it twice in a row while another
// waits. All Locks over one folder share them. Make some with NewLocks.
//
// Each lock is two files. A process takes the gate before the lock itself, and
// leaves the gate as soon as it has the lock, so that a holder who wants the lock
// again finds somebody else in the gate. The system frees both when a process ends.
//
// Whoever is through with a file tries to take both, and deletes them when that
// succeeds, so that the last one leaves nothing behind. Whoever had opened a file
// before, and locks it only then, sees that it is not the file of that name any
// more, and begins again. Where open files cannot be deleted, as on Windows,
// files stay.
type Locks struct {
	dir   string
	queue *state.Memory // of those in this process who want one lock
}

var _ state.Locks = (*Locks)(nil)

// NewLocks returns Locks in dir, which need not exist. Nothing is read or written yet.
func NewLocks(dir string) *Locks { return &Locks{dir: dir, queue: state.NewMemory()} }

// Lock is part of state.Locks.
func (l *Locks) Lock(ctx context.Context, name string) (func(), error) {
	leave, err := l.queue.Lock(ctx, name)
	if err != nil {
		return nil, err
	}
	release, err := l.take(ctx, name)
	if err != nil {
		leave()
		return nil, err
	}
	return sync.OnceFunc(func() {
		release()
		leave()
	}), nil
}

// TryLock is part of state.Locks. A lock for which somebody waits is not free.
func (l *Locks) TryLock(ctx context.Context, name string) (func(), bool, error) {
	leave, ok, err := l.queue.TryLock(ctx, name)
	if !ok {
		return nil, false, err
	}
	release, err := l.tryTake(name)
	if release == nil {
		leave()
		return nil, false, err
	}
	return sync.OnceFunc(func() {
		release()
		leave()
	}), true, nil
}

const (
	gateExt = ".gate"
	lockExt = ".lock"
)

// take locks the files of a name for this process.
func (l *Locks) take(ctx context.Context, name string) (release func(), err error) {
	gate, err := l.enter(ctx, name, gateExt)
	if err != nil {
		return nil, err
	}
	held, err := l.enter(ctx, name, lockExt)
	gate.Close()
	if err != nil {
		l.clean(name)
		return nil, err
	}
	return func() { l.release(name, held) }, nil
}

// tryTake is take without waiting: release is nil when the lock is not free.
func (l *Locks) tryTake(name string) (release func(), err error) {
	gate, err := l.tryEnter(name, gateExt, os.O_CREATE)
	if gate == nil {
		return nil, err
	}
	held, err := l.tryEnter(name, lockExt, os.O_CREATE)
	gate.Close()
	if held == nil {
		l.clean(name)
		return nil, err
	}
	return func() { l.release(name, held) }, nil
}

func (l *Locks) release(name string, f *os.File) {
	f.Close()
	l.clean(name)
}

// clean deletes the files of a name that nobody has. That they cannot be
// deleted harms nobody.
func (l *Locks) clean(name string) {
	gate, err := l.tryEnter(name, gateExt, 0)
	if err != nil || gate == nil {
		return
	}
	defer gate.Close()
	held, err := l.tryEnter(name, lockExt, 0)
	if err != nil || held == nil {
		return
	}
	defer held.Close()
	os.Remove(held.Name()) // before the gate: whoever makes a new gate must not find an old lock
	os.Remove(gate.Name())
}

// enter opens and locks a file of a name. Closing it frees the lock.
func (l *Locks) enter(ctx context.Context, name, ext string) (*os.File, error) {
	for {
		f, err := l.open(name, ext, os.O_CREATE)
		if err != nil {
			return nil, err
		}
		if err := l.lock(ctx, name, f); err != nil {
			return nil, err
		}
		if current(f) {
			return f, nil
		}
		f.Close()
	}
}

// tryEnter is enter without waiting: the file is nil when another has it.
func (l *Locks) tryEnter(name, ext string, create int) (*os.File, error) {
	for {
		f, err := l.open(name, ext, create)
		if err != nil {
			return nil, err
		}
		free, err := tryFile(f)
		if free && current(f) {
			return f, nil
		}
		f.Close()
		if err != nil || !free {
			return nil, err
		}
	}
}

// current says whether f still is the file of its name.
func current(f *os.File) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(f.Name())
	return err == nil && os.SameFile(mine, named)
}

// open opens a file of a name; create is os.O_CREATE to make what is missing.
func (l *Locks) open(name, ext string, create int) (*os.File, error) {
	path := filepath.Join(l.dir, digest(name)+ext)
	f, err := os.OpenFile(path, os.O_RDWR|create, 0o600)
	if create == 0 || !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := private(l.dir); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|create, 0o600)
}

// lock locks f, and closes it when it cannot. Closing f frees the lock.
//
// The system's wait cannot be broken off. When ctx ends first, a goroutine stays
// behind until it has the lock, to give it back at once.
func (l *Locks) lock(ctx context.Context, name string, f *os.File) error {
	switch free, err := tryFile(f); {
	case err != nil:
		f.Close()
		return err
	case free:
		return nil
	}
	locked := make(chan error, 1)
	given := make(chan bool, 1) // whether somebody still wants it
	go func() {
		err := lockFile(f)
		locked <- err
		if !<-given || err != nil {
			l.release(name, f)
		}
	}()
	select {
	case err := <-locked:
		given <- true
		return err
	case <-ctx.Done():
		given <- false
		return context.Cause(ctx)
	}
}
