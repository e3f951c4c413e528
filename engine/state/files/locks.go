package files

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seed627bd532/runner/engine/state"
)

// Locks are state.Locks on a file of one folder, which exclude all processes
// of this machine. Those of one process are served in order, and processes that
// wait for a lock get it in turns: none takes it twice in a row while another
// waits. All Locks over one folder share them. Make some with NewLocks.
//
// Each lock is two bytes of the file, which is empty: where they lie, state.Place says. A process takes
// the gate before the lock itself, and leaves the gate as soon as it has the lock, so that a holder who
// wants the lock again finds somebody else in the gate. The system frees both when a
// process ends. The locks belong to the open file, so that a process has it open as long as it holds any.
//
// Names of one place are one lock between processes, which makes some wait in vain. Within a process they
// are not: who takes both, as a batch may, does not wait for itself.
type Locks struct {
	dir   string
	queue *state.Memory            // of those in this process who want one lock
	place func(name string) uint64 // state.Place

	mu   sync.Mutex
	file *os.File      // nil while this process has no byte of it
	has  map[int64]int // how many names of this process have a byte
}

var _ state.Locks = (*Locks)(nil)

// NewLocks returns Locks in dir, which need not exist. Nothing is read or written yet.
func NewLocks(dir string) *Locks {
	return &Locks{dir: dir, queue: state.NewMemory(), place: state.Place, has: map[int64]int{}}
}

// Lock is part of state.Locks.
func (l *Locks) Lock(ctx context.Context, name string) (func(), error) {
	leave, err := l.queue.Lock(ctx, name)
	if err != nil {
		return nil, err
	}
	w := &wait{locks: l, lock: 2 * int64(l.place(name))}
	for pause := lookEvery / 5; err == nil; pause = lookEvery {
		if err = w.step(); w.held {
			return w.unlock(leave), nil
		}
		if err == nil {
			err = sleep(ctx, pause)
		}
	}
	w.end()
	leave()
	return nil, err
}

// TryLock is part of state.Locks. A lock for which somebody waits is not free.
func (l *Locks) TryLock(ctx context.Context, name string) (func(), bool, error) {
	leave, ok, err := l.queue.TryLock(ctx, name)
	if !ok {
		return nil, false, err
	}
	w := &wait{locks: l, lock: 2 * int64(l.place(name))}
	if err = w.step(); w.held {
		return w.unlock(leave), true, nil
	}
	w.end()
	leave()
	return nil, false, err
}

// lookEvery is how often those who wait look whether their turn has come: always alike, so that
// whoever has waited for long is not behind others. The system's own wait could not be broken off.
const lookEvery = 5 * time.Millisecond

// sleep returns the cause when ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	alarm := time.NewTimer(d)
	defer alarm.Stop()
	select {
	case <-alarm.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A wait is the way of one name to its lock. The gate is the byte behind that of the lock.
type wait struct {
	locks        *Locks
	lock         int64
	inGate, held bool
}

// step goes as far as it comes without waiting. Where this process has the place already, by another name, there is
// nothing to wait for: those in the gate may be waiting for this process.
func (w *wait) step() (err error) {
	l := w.locks
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.has[w.lock] == 0 && !w.inGate {
		if w.inGate, err = l.try(w.lock + 1); !w.inGate {
			return err
		}
	}
	if w.held, err = l.try(w.lock); w.held {
		w.leaveGate()
	}
	return err
}

// end gives up a wait that has come to nothing.
func (w *wait) end() {
	w.locks.mu.Lock()
	defer w.locks.mu.Unlock()
	w.leaveGate()
}

func (w *wait) leaveGate() {
	if w.inGate {
		w.inGate = false
		w.locks.free(w.lock + 1)
	}
}

func (w *wait) unlock(leave func()) func() {
	return sync.OnceFunc(func() {
		w.locks.mu.Lock()
		w.locks.free(w.lock)
		w.locks.mu.Unlock()
		leave()
	})
}

// try takes a byte for this process, unless another has it. The caller has mu.
func (l *Locks) try(at int64) (ok bool, err error) {
	if l.has[at] == 0 {
		if err := l.open(); err != nil {
			return false, err
		}
		if ok, err := tryByte(l.file, at); !ok {
			l.close()
			return false, err
		}
	}
	l.has[at]++
	return true, nil
}

// free gives up a byte that was taken with try. The caller has mu.
func (l *Locks) free(at int64) {
	if l.has[at]--; l.has[at] > 0 {
		return
	}
	delete(l.has, at)
	if len(l.has) > 0 { // closing the file frees the last one
		freeByte(l.file, at)
	}
	l.close()
}

// open opens the file, and makes it where it is missing.
func (l *Locks) open() error {
	if l.file != nil {
		return nil
	}
	name := filepath.Join(l.dir, "bytes")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err := private(l.dir); err != nil {
			return err
		}
		f, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	}
	if err == nil {
		l.file = f
	}
	return err
}

// close closes the file unless this process has a byte of it.
func (l *Locks) close() {
	if len(l.has) == 0 && l.file != nil {
		l.file.Close()
		l.file = nil
	}
}
